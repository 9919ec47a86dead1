"""A document as a notebook: its text in Markdown, and cells that find its numbers again; nothing is run here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from symbolic_mem.document.steps import Document
from symbolic_mem.render import markdown

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(document: Document, sections: Sequence[str]) -> str:
    """Write a document as a notebook of the format 4.5; the same document gives the same text.

    `sections` are the texts of its sections in Markdown.

    Behind each part stands a cell that answers its question again with the public names of the package.

    It needs no kernel: `outputs` are empty until somebody runs it.
    """
    byline = (document.subtitle, document.author, document.course, document.date)
    head = [f"# {markdown.escape(document.title)}", *(markdown.escape(line) for line in byline if line)]
    cells = [_text("\n\n".join(head))]
    if document.code:
        cells.append(_code(f"import symbolic_mem as sm\n\nstudy = {document.code}\nstudy"))
    for section, written in zip(document.sections, sections, strict=True):
        cells.append(_text(written))
        if document.code and section.label:
            cells.append(_code(f"sm.answer(study, {section.label!r})"))
    named = [{"id": f"cell-{position}", **cell} for position, cell in enumerate(cells, start=1)]
    content = {
        "cells": named,
        "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _text(written: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": written.splitlines(keepends=True)}


def _code(written: str) -> dict[str, Any]:
    source = written.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
