"""The output formats: each one's ending, and how its files are made.

The endings are known without SymPy or Jinja2: what a format needs is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbolic_mem.document.steps import Document
    from symbolic_mem.render.face import Face

Templates = str | Path | None


def _by_templates(derivation: Document, layout: str, face: Face, templates: Templates) -> str:
    if templates is not None:
        from symbolic_mem.render.own_templates import render_own

        return render_own(derivation, layout, face.ending, templates)
    from symbolic_mem.render.jinja import render_text

    return render_text(derivation, layout, face)


def _sections(derivation: Document, face: Face, templates: Templates) -> list[str]:
    if templates is not None:
        from symbolic_mem.render.own_templates import sections_own

        return sections_own(derivation, face.ending, templates)
    from symbolic_mem.render.jinja import section_texts

    return section_texts(derivation, face)


def _tex(derivation: Document, layout: str, templates: Templates) -> bytes:
    from symbolic_mem.render import tex

    return _by_templates(derivation, layout, tex.FACE, templates).encode()


def _pdf(derivation: Document, layout: str, templates: Templates, route: str | None = None) -> bytes:
    from symbolic_mem.document.figure import Figure
    from symbolic_mem.render import tex
    from symbolic_mem.render.pdf import pdf

    blocks = (block for section in derivation.sections for block in section.blocks)
    figures = tuple(block for block in blocks if isinstance(block, Figure))
    return pdf(_by_templates(derivation, layout, tex.FACE, templates), figures, route=route)


def _html(derivation: Document, layout: str, templates: Templates) -> bytes:
    from symbolic_mem.render import html

    return _by_templates(derivation, layout, html.FACE, templates).encode()


def _markdown(derivation: Document, layout: str, templates: Templates) -> bytes:
    from symbolic_mem.render import markdown

    return _by_templates(derivation, layout, markdown.FACE, templates).encode()


def _notebook(derivation: Document, layout: str, templates: Templates) -> bytes:
    from symbolic_mem.render import markdown
    from symbolic_mem.render.ipynb import notebook

    return notebook(derivation, _sections(derivation, markdown.FACE, templates)).encode()


def _json(derivation: Document, layout: str, templates: Templates) -> bytes:
    import json

    from symbolic_mem.render.json import document_json

    return (json.dumps(document_json(derivation), indent=2, ensure_ascii=False) + "\n").encode()


UNSET = ("json", "csv")  # what no template sets

FORMATS: dict[str, Callable[..., bytes]] = {
    "tex": _tex,
    "pdf": _pdf,
    "html": _html,
    "md": _markdown,
    "ipynb": _notebook,
    "json": _json,
}
