"""The question `evaluate`: published formulas worked through line by line, and held against the printed figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue, nearest
from symbolic_mem.base.exact import missing
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import lookup, named, table
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.document.prose import Amount, Chain, Prose, Side, amount, say, text
from symbolic_mem.document.steps import Answer, Block, Column, Section, Table
from symbolic_mem.document.work import Work
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

KEYS = ("name", "formula", "unit", "statement", "printed", "note", "digits")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)?")
_FIGURE = re.compile(r"(-?[0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")
VERDICTS = {
    "exact": "as printed",
    "rounded": "printed rounded",
    "different": "not the printed figure",
}


@dataclass(frozen=True)
class Line:
    """One line of a worked problem: a name, its formula over study symbols and earlier names, and what was printed.

    `printed` is in `unit`, as the source writes it.
    """

    symbol: sp.Symbol
    formula: sp.Expr
    unit: str
    statement: str
    printed: str
    note: str
    digits: int

    def verdict(self, value: sp.Expr) -> str:
        """Whether the printed figure is ``exact``, a correct rounding (``rounded``), or ``different``; '' for none."""
        return held_against(value / BYTES_PER.get(self.unit, 1), self.printed) if self.printed else ""


def held_against(value: sp.Expr, printed: str) -> str:
    """Compare an exact value with a printed figure: ``exact``, ``rounded`` to the figures shown, or ``different``.

    >>> held_against(sp.Rational(875, 100), "8.75"), held_against(sp.Rational(35, 8), "4.38"), held_against(3, "2.9")
    ('exact', 'rounded', 'different')
    """
    match = _FIGURE.fullmatch(printed.replace(",", ""))
    if not match:
        raise BadInput(f"printed = {printed!r} is not a figure: write digits, for example 2550, 8.75 or 1.8e13")
    whole, places, exponent = match[1], match[2] or "", int(match[3] or 0)
    figure = Fraction(f"{whole}.{places or 0}") * Fraction(10) ** exponent
    last = Fraction(10) ** (exponent - len(places))
    if not places:  # trailing zeros of a whole number may be there to hold the place
        last *= 10 ** (len(whole) - len(whole.rstrip("0") or "0"))
    exact = sp.Rational(figure.numerator, figure.denominator)
    if value == exact:
        return "exact"
    return "rounded" if abs(value - exact) <= sp.Rational(last.numerator, last.denominator) / 2 else "different"


def worked(study: Study, question: Question) -> tuple[Section, dict[str, object]]:
    """Derive each line from symbols to numbers to its value, and say how it compares with what was printed.

    Raises `BadInput` for a line that cannot be read, and `MissingValue` for a symbol without value.
    """
    lines = read_lines(question.get("steps", []), f"{question.where} steps")
    work = Work(study.values)
    blocks: list[Block] = []
    values: dict[str, object] = {}
    for line in lines:
        absent = missing(line.formula, {**work.values})
        if absent:
            raise MissingValue(absent, f"question {question.label}")
        value = work.define(line.symbol, line.formula)
        shown = amount(value, line.unit, digits=line.digits)
        plain = line.formula.is_Rational and shown[1].shown.exact and BYTES_PER.get(line.unit, 1) == 1
        links: list[tuple[str, Side]] = [] if plain and line.unit else [("=", line.formula)]
        if line.formula.free_symbols:
            links.append(("=", work.put(line.formula)))
        if not (line.formula.is_number and not line.unit and shown[1].shown.exact):
            links.append(shown)
        reason = text(line.note) if line.note else None
        blocks.append(work.step(text(line.statement or "Then"), Chain(line.symbol, tuple(links)), reason=reason))
        values[str(line.symbol)] = {"value": value, "unit": line.unit, "printed": line.printed or None}
        if line.printed:
            values[str(line.symbol)] |= {"verdict": line.verdict(value)}  # ty: ignore[unsupported-operator]
    if any(line.printed for line in lines):
        blocks.append(_printed(lines, work))
    blocks.append(Answer(_answer(_closing(lines, question), work)))
    title = question.get("title", "The problem, worked through")
    facts = {"study": study.name, "question": question.label, "values": values}
    return Section(text(f"({question.label}) {title}"), tuple(blocks)), facts


def read_lines(content: list[Any], where: str) -> tuple[Line, ...]:
    """Check the lines of a worked problem key by key; each may use the names of the lines before it."""
    names: dict[str, sp.Expr] = {str(name.symbol): name.symbol for name in table(given=True)}
    lines: list[Line] = []
    for position, row in enumerate(content, start=1):
        inside = f"{where}, number {position}"
        if not isinstance(row, dict):
            raise BadInput(f"{inside}: a step is a table with name and formula")
        line = _line(row, names, inside)
        names[str(line.symbol)] = line.symbol
        lines.append(line)
    if not lines:
        raise BadInput(f'{where}: nothing to work through; give for example {{ name = "a", formula = "C/W" }}')
    return tuple(lines)


def _line(row: Mapping[str, Any], names: Mapping[str, sp.Expr], where: str) -> Line:
    known_keys(row, KEYS, where)
    name = entry(row, "name", str, where)
    if not _NAME.fullmatch(name) or name in names:
        state = "is already the name of something" if name in names else "is not a name"
        raise BadInput(f"{where}: {name!r} {state}; take letters and digits, with one _ before a subscript: t_step")
    known = lookup(name)
    symbol = known if known is not None and not named(known).given else sp.Symbol(name, positive=True)
    formula = read_formula(entry(row, "formula", str, where), names, f"{where}: formula")
    printed, digits = entry(row, "printed", str, where, ""), entry(row, "digits", int, where, 5)
    line = Line(
        symbol,
        formula,
        entry(row, "unit", str, where, ""),
        entry(row, "statement", str, where, ""),
        printed,
        entry(row, "note", str, where, ""),
        digits,
    )
    if printed:
        held_against(sp.S.One, printed)
    return line


def _printed(lines: tuple[Line, ...], work: Work) -> Table:
    rows = []
    for line in lines:
        if line.printed:
            value = work.number(line.symbol)
            verdict = line.verdict(value)
            figure = f"{line.printed} {line.unit}".strip()
            off = "" if verdict != "different" else f" ({_off(line, value)})"
            rows.append(
                (
                    say("{s}", s=line.symbol),
                    Prose((Amount(value, line.unit, line.digits),)),
                    text(figure),
                    text(VERDICTS[verdict] + off),
                )
            )
    heads = (("quantity", "left"), ("exact value", "right"), ("printed", "right"), ("verdict", "note"))
    columns = tuple(Column(text(head), align) for head, align in heads)
    return Table(text("Against the figures that the source prints"), columns, tuple(rows))


def _off(line: Line, value: sp.Expr) -> str:
    figure = float(line.printed.replace(",", "")) * BYTES_PER.get(line.unit, 1)
    return f"off by {100 * (figure / float(value) - 1):+.2g} %"


def _closing(lines: tuple[Line, ...], question: Question) -> Line:
    name = question.get("answer", str(lines[-1].symbol))
    for line in lines:
        if str(line.symbol) == name:
            return line
    raise BadInput(f"{question.where}: answer {name!r} is no step; {nearest(name, [str(x.symbol) for x in lines])}")


def _answer(line: Line, work: Work) -> Prose:
    chain = Chain(line.symbol, (amount(work.number(line.symbol), line.unit, digits=line.digits),))
    said = f"{line.statement[:1].upper()}{line.statement[1:]}" if line.statement else "The result is"
    return say("{said}: {chain}.", said=said, chain=chain)
