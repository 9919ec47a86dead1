"""What the question `evaluate` found: the number of every line, in one case or in several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.values import dataclass
from symbolic_mem.questions.parts.editions import Figure
from symbolic_mem.questions.parts.worked import Case, WorkedLine
from symbolic_mem.study.found import Found


@dataclass(frozen=True)
class Held:
    """A printed `figure` with its `verdict`; it is `off` by this share of the value, None where the value is zero."""

    figure: Figure
    verdict: str
    off: sp.Expr | None


@dataclass(frozen=True)
class Evaluated:
    """A line with its exact `value`, and what was `held` against it: each printed figure with its verdict.

    Nothing is held against it where the caller changed the study that the source speaks of.
    """

    line: WorkedLine
    value: sp.Expr
    held: tuple[Held, ...] = ()


@dataclass(frozen=True, repr=False)
class FoundLines(Found):
    """Every line `evaluated`, of which those that are `asked` for answer."""

    evaluated: tuple[Evaluated, ...]
    asked: tuple[str, ...]

    @property
    def closing(self) -> tuple[Evaluated, ...]:
        """The lines that answer, in their order."""
        return tuple(each for each in self.evaluated if each.line.name in self.asked)

    @property
    def numbers(self) -> tuple[tuple[sp.Symbol, Evaluated], ...]:
        """Every line under its symbol."""
        return tuple((each.line.symbol, each) for each in self.evaluated)

    @property
    def read(self) -> frozenset[sp.Basic]:
        """The given symbols that the lines read."""
        return frozenset(
            symbol
            for each in self.evaluated
            for symbol in each.line.formula.free_symbols
            if symbol in self.study.values
        )

    def put_into(self, position: int) -> tuple[sp.Basic, ...]:
        """The formula of a line, and the numbers that are put into it in the order of their names."""
        known = {**self.study.values, **{each.line.symbol: each.value for each in self.evaluated}}
        formula = self.evaluated[position].line.formula
        return (formula, *(known.get(s, s) for s in sorted(formula.free_symbols, key=str)))

    @property
    def rests_on(self) -> frozenset[sp.Basic]:
        """The given symbols that the lines that answer rest on."""
        ledger = self.ledger
        return frozenset(s for each in self.closing for s in ledger.unfold(each.line.symbol).free_symbols)

    @property
    def value(self) -> Any:
        """The number that answers, bytes where it is an amount of memory; None where several do."""
        return self.closing[0].value if len(self.closing) == 1 else None

    @property
    def ledger(self) -> Ledger:
        """The lines, each under its name."""
        lines = (each.line for each in self.evaluated)
        return Ledger(
            tuple(
                Line(
                    line.symbol, line.formula, line.unit, self.study.plain(line.statement), self.study.plain(line.note)
                )
                for line in lines
            ),
            self.study.values,
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """The value, the unit and the printed figure of each line."""
        return {"values": {each.line.name: _facts(each) for each in self.evaluated}}


@dataclass(frozen=True, repr=False)
class FoundCases(Found):
    """The lines worked through for every case."""

    cases: tuple[tuple[Case, FoundLines], ...]

    @property
    def read(self) -> frozenset[sp.Basic]:
        """The given symbols that the lines read in any case."""
        return frozenset().union(*(found.read for _, found in self.cases))

    @property
    def lines(self) -> tuple[WorkedLine, ...]:
        """The lines, which have the same names in every case."""
        return tuple(each.line for each in self.cases[0][1].evaluated)

    @property
    def numbers(self) -> tuple[tuple[sp.Symbol, Evaluated], ...]:
        """Every line of every case under its symbol there."""
        return tuple((case.of(each.line.symbol), each) for case, found in self.cases for each in found.evaluated)

    @property
    def ledger(self) -> Ledger:
        """The lines of every case, each under its name there, as numbers."""
        return Ledger(
            tuple(
                Line(symbol, each.value, each.line.unit, self.study.plain(each.line.statement))
                for symbol, each in self.numbers
            ),
            self.study.values,
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """By case the value and the unit of each line."""
        return {"cases": {case.name: found.facts["values"] for case, found in self.cases}}


def _facts(each: Evaluated) -> dict[str, Any]:
    fact = {"value": each.value, "unit": each.line.unit, "printed": None}
    if not each.held:
        return fact
    figures = [{"printed": h.figure.written, "edition": h.figure.edition, "verdict": h.verdict} for h in each.held]
    first = figures[0]
    more = {"editions": figures[1:]} if figures[1:] else {}
    return {**fact, **first, **more}
