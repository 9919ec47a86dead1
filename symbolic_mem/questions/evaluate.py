"""The question `evaluate`: published formulas worked through line by line, and held against the printed figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue, nearest
from symbolic_mem.base.exact import missing
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.rational import fraction
from symbolic_mem.document.prose import Amount, Chain, Prose, Side, amount, percent, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Step, Table
from symbolic_mem.document.words import capitalised
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.figures import held_against, stated
from symbolic_mem.questions.parts.printed import as_it_stands
from symbolic_mem.questions.parts.worked import WorkedLine, worked_lines
from symbolic_mem.study.question import Claimed, Found, Question, key, words
from symbolic_mem.study.study import Study

VERDICTS = {
    "exact": "as printed",
    "rounded": "printed rounded",
    "different": "not the printed figure",
}


@dataclass(frozen=True)
class Evaluate(Question):
    """What lines of a worked problem come to, each over the symbols of the study and the lines before it."""

    ask = "evaluate"
    subject = "formulas"

    lines: tuple[WorkedLine, ...] = key(worked_lines, (), name="steps")
    closing: str = key(words, "", name="answer")

    def checked(self) -> Evaluate:
        """Refuse a question without lines, and an answer that is none of them."""
        names = [line.name for line in self.lines]
        if not names:
            raise BadInput(f'{self.where}: nothing to work through; give steps = [{{ name = "a", formula = "C/W" }}]')
        if self.closing and self.closing not in names:
            raise BadInput(f"{self.where}: answer {self.closing!r} is no step; {nearest(self.closing, names)}")
        return self

    def answer(self, study: Study) -> FoundLines:
        """Work out each line exactly; raises `MissingValue` for a symbol without a value."""
        known = dict(study.values)
        evaluated: list[Evaluated] = []
        for line in self.lines:
            absent = missing(line.formula, known)
            if absent:
                raise MissingValue(absent, f"question {self.label}")
            value = line.formula.xreplace(known)
            if not (value.is_finite and value.is_real):
                raise BadInput(f"question {self.label}: {line.name} has no real number at these values")
            known[line.symbol] = value
            evaluated.append(Evaluated(line, value, *(("", None) if study.caller else _against(line, value))))
        return FoundLines(study, self, tuple(evaluated), self.closing or self.lines[-1].name)

    def steps(self, found: FoundLines) -> Iterator[Block]:
        """Write each line from symbols to numbers to its value, then hold them against what was printed."""
        work = Work(found.study.values)
        for each in found.evaluated:
            yield _step(each, work)
        printed = [each.line.printed for each in found.evaluated if each.line.printed]
        if any(each.verdict for each in found.evaluated):
            yield _printed(found)
        elif printed:
            yield Paragraph(as_it_stands(*printed))

    def sentence(self, found: FoundLines) -> Prose:
        """State the closing line with its number."""
        line = found.closing.line
        chain = Chain(line.symbol, (amount(found.value, line.unit, digits=line.digits, fixed=True),))
        return say("{said}: {chain}.", said=text(capitalised(line.statement) or "The result is"), chain=chain)

    def heading(self, found: FoundLines) -> str:
        """The title where the study gives none."""
        return self.title or "The problem, worked through"

    @property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: every line."""
        return tuple(line.name for line in self.lines)

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The number of every line, by its name."""
        return {
            each.line.name: Claimed(
                _exactly(each.value),
                "bytes" if each.line.memory else "number",
                each.line.statement or each.line.name,
            )
            for each in self.answer(study).evaluated
        }


@dataclass(frozen=True)
class Evaluated:
    """A line with its exact `value`, and the `verdict` on the figure that the source prints.

    That figure is `off` by this share of the value: None where there is no figure, or where the value is zero. There is
    no verdict where the caller changed the study that the source speaks of.
    """

    line: WorkedLine
    value: sp.Expr
    verdict: str = ""
    off: sp.Expr | None = None


@dataclass(frozen=True, repr=False)
class FoundLines(Found):
    """Every line `evaluated`, of which the one called `asked` answers."""

    evaluated: tuple[Evaluated, ...]
    asked: str

    @property
    def closing(self) -> Evaluated:
        """The line that answers."""
        return next(each for each in self.evaluated if each.line.name == self.asked)

    @property
    def value(self) -> Any:
        """The number of the closing line; bytes where it is an amount of memory."""
        return self.closing.value

    @property
    def ledger(self) -> Ledger:
        """The lines, each under its name."""
        lines = (each.line for each in self.evaluated)
        return Ledger(
            tuple(Line(line.symbol, line.formula, line.unit, line.statement, line.note) for line in lines),
            self.study.values,
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """The value, the unit and the printed figure of each line."""
        return {"values": {each.line.name: _facts(each) for each in self.evaluated}}


def _against(line: WorkedLine, value: sp.Expr) -> tuple[str, sp.Expr | None]:
    """The verdict on the printed figure, and by which share of the value it is off."""
    if not line.printed:
        return "", None
    figure = stated(line.printed) * line.scale
    return held_against(value / line.scale, line.printed), None if value == 0 else figure / value - 1


def _exactly(value: sp.Expr) -> Fraction:
    """A value as a fraction; one with a root to forty figures."""
    return fraction(value) if value.is_Rational else Fraction(str(sp.N(value, 40)))


def _facts(each: Evaluated) -> dict[str, Any]:
    fact = {"value": each.value, "unit": each.line.unit, "printed": each.line.printed if each.verdict else None}
    return {**fact, "verdict": each.verdict} if each.verdict else fact


def _step(each: Evaluated, work: Work) -> Step:
    line = each.line
    work.values[line.symbol] = each.value
    shown = amount(each.value, line.unit, digits=line.digits, fixed=True)
    exact = shown[1].shown.exact
    itself = line.formula.is_Rational and exact and line.scale == 1  # the formula is the number that is shown
    links: list[tuple[str, Side]] = [] if itself and line.unit else [("=", line.formula)]
    if line.formula.free_symbols:
        links.append(("=", work.put(line.formula)))
    if not (line.formula.is_number and not line.unit and exact):
        links.append(shown)
    reason = text(line.note) if line.note else None
    return work.step(text(line.statement or "Then"), Chain(line.symbol, tuple(links)), reason=reason)


def _printed(found: FoundLines) -> Table:
    rows = tuple(
        (
            say("{s}", s=each.line.symbol),
            Prose((_told(each),)),
            text(f"{each.line.printed} {each.line.unit}".strip()),
            _verdict(each),
        )
        for each in found.evaluated
        if each.line.printed
    )
    heads = (
        Column(text("quantity")),
        Column(text("value"), "right"),
        Column(text("printed"), "right"),
        Column(text("verdict"), "note"),
    )
    return Table(text("Against the figures that the source prints"), heads, rows)


def _told(each: Evaluated) -> Amount:
    """The value with digits enough that a reader comes to the verdict, too: 18.4497 and not 18.450 against 18.4."""
    line = each.line
    number = Amount(each.value, line.unit, line.digits, fixed=True)
    while not number.shown.exact and held_against(sp.Rational(number.shown.figures), line.printed) != each.verdict:
        number = replace(number, digits=number.digits + 1)
    return number


def _verdict(each: Evaluated) -> Prose:
    if each.verdict != "different" or each.off is None:
        return text(VERDICTS[each.verdict])
    off, way = percent(abs(each.off), 1), "high" if each.off > 0 else "low"
    return say("not the printed figure (which is {off} too {way})", off=off, way=way)
