"""Values and documents as JSON: byte counts are exact integers, formulas are strings that Python's parser reads."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.rational import plain
from symbolic_mem.base.told import RoundedUp, as_json, told
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Prose, Typeset
from symbolic_mem.document.steps import Answer, Answers, Bullets, Document, Paragraph, Section, Step, Table
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
    """Return a record as one JSON object that names under ``approximate`` each number in it that is rounded: see `told`.

    >>> record_json({"times": [{"seconds": sp.Rational(2, 3)}], "formula": 2 * sp.Symbol("L")})
    {'times': [{'seconds': 0.6666666666666666}], 'formula': '2*L', 'approximate': ['times/0/seconds']}
    """
    return told(plain_record(record))


def jsonable(value: Any) -> Any:
    """Return a value as JSON has it: exact integers, floats where a number is none, formulas and sentences as text.

    >>> from symbolic_mem.base.symbols import L
    >>> jsonable({"n": sp.Integer(3), "half": Fraction(1, 2), "formula": 2 * L, "latex": Typeset(L)})
    {'n': 3, 'half': 0.5, 'formula': '2*L', 'latex': 'L'}
    """
    return as_json(plain_record(value))


def plain_record(value: Any) -> Any:
    """Return a value without SymPy and without markup: numbers exact, as Python has them, formulas and sentences as text.

    A number that is no fraction is a float.

    >>> plain_record({"half": sp.Rational(1, 2), "formula": sp.Integer(2), "said": Prose(("so",))})
    {'half': Fraction(1, 2), 'formula': '2', 'said': 'so'}
    """
    match value:
        case Mapping():
            return {str(key): _named(str(key), item) for key, item in value.items()}
        case sp.Expr():
            return _number(value) if value.is_number else write_formula(value)
        case Typeset():
            return latex(value.expr)
        case Prose():
            return plain_prose(arrange_prose(value))
        case sp.Basic():
            return str(value)
        case tuple() | list():
            return [plain_record(item) for item in value]
    return value


def _named(key: str, value: Any) -> Any:
    """What stands under a key: a formula is text, also where it is a number."""
    formula = key == "formula" or key.endswith("_formula")
    return write_formula(value) if formula and isinstance(value, sp.Expr) else plain_record(value)


def _number(value: sp.Expr) -> int | float | Fraction:
    if value.is_Rational:
        return plain(value)
    try:
        return float(value)
    except OverflowError:  # beyond 10^308 a whole number is nearer than any float
        return RoundedUp(int(sp.ceiling(value)))


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
            return record_json(
                {
                    "kind": "figure",
                    "name": block.name,
                    "caption": plain_prose(block.caption),
                    "columns": list(block.heads),
                    "rows": block.rows,
                }
            )
        case Bullets():
            return {"kind": "bullets", "items": [plain_prose(item) for item in block.items]}
        case Answers():
            items = [{"label": each.label, "text": plain_prose(each.prose)} for each in block.entries]
            return {"kind": "answers", "items": items}
        case Answer() | Paragraph():
            return {"kind": type(block).__name__.lower(), "text": plain_prose(block.prose)}
    raise TypeError(f"unknown block {type(block).__name__}")
