"""The question `evaluate`: published formulas worked through line by line, and held against the printed figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue, nearest
from symbolic_mem.base.exact import missing
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.rational import fraction
from symbolic_mem.document.prose import Amount, Chain, Prose, Side, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Step, Table
from symbolic_mem.document.words import about, capitalised
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.editions import Figure, check_computed, computed_chain, edition
from symbolic_mem.questions.parts.figures import figure, verdict
from symbolic_mem.questions.parts.printed import as_it_stands
from symbolic_mem.questions.parts.worked import WorkedLine, worked_lines
from symbolic_mem.study.question import Claimed, Found, Question, key, words
from symbolic_mem.study.study import Study

VERDICTS = {"exact": "it agrees", "rounded": "rounds to it", "truncated": "cut off gives it"}


@dataclass(frozen=True)
class Evaluate(Question):
    """What lines of a worked problem come to, each over the symbols of the study and the lines before it."""

    ask = "evaluate"
    subject = "formulas"

    lines: tuple[WorkedLine, ...] = key(worked_lines, (), name="steps")
    closing: str = key(words, "", name="answer")
    edition: str = key(edition, "")

    def checked(self) -> Evaluate:
        """Refuse a question without lines, an answer that is none of them, and a printed figure without edition."""
        names = [line.name for line in self.lines]
        if not names:
            raise BadInput(f'{self.where}: nothing to work through; give steps = [{{ name = "a", formula = "C/W" }}]')
        if self.closing and self.closing not in names:
            raise BadInput(f"{self.where}: answer {self.closing!r} is no step; {nearest(self.closing, names)}")
        return replace(self, lines=tuple(line.dated(self.edition, self.where) for line in self.lines))

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
            if not study.caller:
                for each in line.printed:
                    check_computed(each, known, f"question {self.label}, {line.name}", line.scale)
            evaluated.append(Evaluated(line, value, () if study.caller else _against(line, value)))
        return FoundLines(study, self, tuple(evaluated), self.closing or self.lines[-1].name)

    def steps(self, found: FoundLines) -> Iterator[Block]:
        """Write each line from symbols to numbers to its value, then hold them against what was printed."""
        work = Work(found.study.values)
        for each in found.evaluated:
            yield _step(each, work)
        printed = [one for each in found.evaluated for one in each.line.printed]
        if printed and found.study.caller:
            yield Paragraph(as_it_stands(printed))
        else:
            yield from _editions(found, work)

    def sentence(self, found: FoundLines) -> Prose:
        """State the closing line with its number."""
        line = found.closing.line
        chain = Chain(line.symbol, (amount(found.value, line.unit, digits=line.digits),))
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


def _against(line: WorkedLine, value: sp.Expr) -> tuple[Held, ...]:
    """The verdict on each printed figure, and by which share of the value it is off."""
    return tuple(
        Held(
            printed,
            verdict(value / line.scale, printed.written),
            None if value == 0 else figure(printed.written) * line.scale / value - 1,
        )
        for printed in line.printed
    )


def _exactly(value: sp.Expr) -> Fraction:
    """A value as a fraction; one with a root to forty figures."""
    return fraction(value) if value.is_Rational else Fraction(str(sp.N(value, 40)))


def _facts(each: Evaluated) -> dict[str, Any]:
    fact = {"value": each.value, "unit": each.line.unit, "printed": None}
    if not each.held:
        return fact
    figures = [{"printed": h.figure.written, "edition": h.figure.edition, "verdict": h.verdict} for h in each.held]
    first = figures[0]
    more = {"editions": figures[1:]} if figures[1:] else {}
    return {**fact, **first, **more}


def _step(each: Evaluated, work: Work) -> Step:
    line = each.line
    work.values[line.symbol] = each.value
    shown = amount(each.value, line.unit, digits=line.digits)
    exact = shown[1].shown.exact
    links: list[tuple[str, Side]]
    if line.formula.free_symbols:
        links = [("=", line.formula), ("=", work.put(line.formula)), shown]
    elif line.written.expr.is_Symbol:  # one number, which is shown as it is
        links = [shown] if exact and line.scale == 1 else [("=", line.formula), shown]
    else:
        links = [("=", line.written), shown]
    reason = text(line.note) if line.note else None
    return work.step(text(line.statement or "Then"), Chain(line.symbol, tuple(links)), reason=reason)


def _editions(found: FoundLines, work: Work) -> Iterator[Block]:
    """A table for each edition that prints figures, then what an edition computes where that is another number."""
    pairs = [(each, held) for each in found.evaluated for held in each.held]
    for edition_of in dict.fromkeys(held.figure.edition for _, held in pairs):
        here = [(each, held) for each, held in pairs if held.figure.edition == edition_of]
        yield _printed(edition_of, here)
        for each, held in here:
            if held.figure.computes is not None:
                yield _computed(each, held, work)


def _printed(edition_of: str, pairs: Sequence[tuple[Evaluated, Held]]) -> Table:
    rows = tuple(
        (
            say("{s}", s=each.line.symbol),
            about(Amount(each.value, each.line.unit, each.line.digits)),
            text(f"{held.figure.written} {each.line.unit}".strip()),
            _verdict(held),
        )
        for each, held in pairs
    )
    heads = (
        Column(text("quantity")),
        Column(text("its value"), "right"),
        Column(text("printed"), "right"),
        Column(text("verdict"), "note"),
    )
    return Table(text(f"Against the figures printed in {edition_of}"), heads, rows)


def _computed(each: Evaluated, held: Held, work: Work) -> Step:
    """What an edition computes in place of a line, and where the two part."""
    pieces = {"printed": text(f"{held.figure.written} {each.line.unit}".strip()), "symbol": each.line.symbol}
    said = say("For {symbol} that edition prints {printed}, which is what it computes:", **pieces)
    chain = computed_chain(held.figure, work, each.line.unit, each.line.digits)
    return work.step(said, chain, reason=text(held.figure.slip))


def _verdict(held: Held) -> Prose:
    if held.verdict in VERDICTS:
        return text(VERDICTS[held.verdict])
    return text("another number") if held.off is None else say("{off} %", off=f"{float(100 * held.off):+.2g}")
