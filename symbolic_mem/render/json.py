"""Values and documents as JSON: byte counts are exact integers, formulas are strings that Python's parser reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.rational import RoundedUp, fraction
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Prose, Typeset
from symbolic_mem.document.steps import Answer, Bullets, Document, Paragraph, Section, Step, Table
from symbolic_mem.render.arrange import arrange, arrange_prose
from symbolic_mem.render.latex import display, latex
from symbolic_mem.render.text import plain_chain, plain_prose


def document_json(document: Document) -> dict[str, Any]:
    """Return a whole document: its answers, what its questions found, and every block with its lines."""
    document = arrange(document)
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "answers": [plain_prose(answer) for answer in document.answers],
        "questions": [record_json(found.record) for found in document.found],
        "sections": [section_json(section) for section in document.sections],
    }


def record_json(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as one JSON object that names under ``approximate`` each number in it that is rounded.

    >>> record_json({"seconds": Fraction(1, 3), "sent": {"bytes": 3, "half": Fraction(1, 2)}})
    {'seconds': 0.3333333333333333, 'sent': {'bytes': 3, 'half': 0.5}, 'approximate': ['seconds']}
    >>> record_json({"times": [{"seconds": Fraction(2, 3)}]})["approximate"]
    ['times/0/seconds']
    """
    rounded = list(_rounded(record, ""))
    return jsonable(record) | ({"approximate": rounded} if rounded else {})


def _rounded(value: Any, path: str) -> Iterator[str]:
    """The places of the numbers that JSON does not show exactly: names and positions, joined by ``/``."""
    match value:
        case Mapping() | tuple() | list():
            for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
                if key != "formula":
                    yield from _rounded(item, f"{path}/{key}".lstrip("/"))
        case float() | RoundedUp():
            yield path
        case Fraction() | sp.Expr() if not isinstance(value, sp.Expr) or value.is_number:
            shown = number(value)
            if (isinstance(value, sp.Expr) and not value.is_Rational) or Fraction(repr(shown)) != fraction(value):
                yield path


def jsonable(value: Any) -> Any:
    """Return a value as JSON has it: exact integers, floats where a number is none, formulas and sentences as text.

    >>> from symbolic_mem.base.symbols import L
    >>> jsonable({"n": sp.Integer(3), "half": Fraction(1, 2), "formula": 2 * L, "latex": Typeset(L)})
    {'n': 3, 'half': 0.5, 'formula': '2*L', 'latex': 'L'}
    """
    match value:
        case Mapping():
            return {str(key): _formula(item) if key == "formula" else jsonable(item) for key, item in value.items()}
        case sp.Expr():
            return number(value) if value.is_number else write_formula(value)
        case Fraction():
            return int(value) if value.denominator == 1 else float(value)
        case Typeset():
            return latex(value.expr)
        case Prose():
            return plain_prose(arrange_prose(value))
        case sp.Basic():
            return str(value)
        case tuple() | list():
            return [jsonable(item) for item in value]
    return value


def _formula(value: Any) -> str | None:
    """A formula as text, also where it is a number."""
    return write_formula(value) if isinstance(value, sp.Expr) else value


def number(value: sp.Expr | Fraction | int | None) -> int | float | None:
    """Return an exact integer, or a float where the number is none."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


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
        case Figure():
            return {
                "kind": "figure",
                "name": block.name,
                "caption": plain_prose(block.caption),
                "columns": list(block.heads),
                "rows": [[jsonable(value) for value in row] for row in block.rows],
            }
        case Bullets():
            return {"kind": "bullets", "items": [plain_prose(item) for item in block.items]}
        case Answer() | Paragraph():
            return {"kind": type(block).__name__.lower(), "text": plain_prose(block.prose)}
    raise TypeError(f"unknown block {type(block).__name__}")
