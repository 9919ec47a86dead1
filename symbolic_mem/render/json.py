"""Answers and documents as JSON objects: byte counts are exact integers, formulas are strings."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symbolic_mem.document.steps import Answer, Bullets, Paragraph, Section, Step, Table
from symbolic_mem.render.latex import display
from symbolic_mem.render.text import plain_chain, plain_prose


def number(value: sp.Expr | None) -> int | float | None:
    """Return an exact integer, or a float where the number is none."""
    if value is None:
        return None
    return int(value) if value.is_Integer else float(value)


def rounded_up(value: sp.Expr | None) -> int | None:
    """Return the bytes of one device as a whole number, rounded up."""
    return None if value is None else int(sp.ceiling(value))


def section_json(section: Section) -> dict[str, Any]:
    """Return a part of a document that is arranged: its title, and every block with its lines as text and as LaTeX.

    >>> from symbolic_mem.document.prose import text
    >>> section_json(Section(text("Sources"), ()))
    {'title': 'Sources', 'blocks': []}
    """
    return {"title": plain_prose(section.title), "blocks": [_block(block) for block in section.blocks]}


def _block(block: object) -> dict[str, Any]:
    match block:
        case Step():
            lines = [plain_chain(chain) for chain in block.chains]
            reason = None if block.reason is None else plain_prose(block.reason)
            shown = display(block.chains) if block.chains else None
            said = plain_prose(block.statement)
            return {"kind": "step", "statement": said, "lines": lines, "latex": shown, "reason": reason}
        case Table():
            return {
                "kind": "table",
                "caption": plain_prose(block.caption),
                "columns": [plain_prose(column.head) for column in block.columns],
                "rows": [[plain_prose(cell) for cell in row] for row in block.rows],
            }
        case Bullets():
            return {"kind": "bullets", "items": [plain_prose(item) for item in block.items]}
        case Answer() | Paragraph():
            return {"kind": type(block).__name__.lower(), "text": plain_prose(block.prose)}
    raise TypeError(f"unknown block {type(block).__name__}")
