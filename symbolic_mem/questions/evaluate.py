"""The question `evaluate`: published formulas worked through line by line, and held against the printed figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue, nearest
from symbolic_mem.base.exact import missing
from symbolic_mem.base.rational import fraction
from symbolic_mem.document.prose import Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.document.words import capitalised, joined
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.figures import held_against, stated
from symbolic_mem.questions.parts.found_lines import Evaluated, FoundCases, FoundLines
from symbolic_mem.questions.parts.keys import values
from symbolic_mem.questions.parts.line_steps import (
    asked_table,
    case_steps,
    in_cases,
    line_step,
    printed_table,
    uncapitalised,
)
from symbolic_mem.questions.parts.printed import as_it_stands
from symbolic_mem.questions.parts.worked import Case, WorkedLine, cases, names, worked_lines
from symbolic_mem.study.question import Claimed, Question, key, sets
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study


@dataclass(frozen=True)
class Evaluate(Question):
    """What lines of a worked problem come to, each over the symbols of the study and the lines before it.

    With `cases` the same lines are worked through for each of them.
    """

    ask = "evaluate"
    subject = "formulas"

    lines: tuple[WorkedLine, ...] = key(worked_lines, (), name="steps")
    asked: tuple[str, ...] = key(names, (), name="answer")
    values: tuple[Change, ...] = sets(values)
    cases: tuple[Case, ...] = key(cases, ())

    def checked(self) -> Evaluate:
        """Refuse a question without lines, an answer that is none of them, and figures of a source for many cases."""
        known = [line.name for line in self.lines]
        if not known:
            raise BadInput(f'{self.where}: nothing to work through; give steps = [{{ name = "a", formula = "C/W" }}]')
        for name in self.asked:
            if name not in known:
                raise BadInput(f"{self.where}: answer {name!r} is no step; {nearest(name, known)}")
        if self.cases and any(line.printed for line in self.lines):
            raise BadInput(f"{self.where}: printed is the figure of one case, and there are several; leave it out")
        return self

    @property
    def unknowns(self) -> tuple[str, ...]:
        """What the cases give values to, and the question for itself."""
        return (*(self.cases[0].symbols if self.cases else ()), *(change.aspect for change in self.values))

    def answer(self, study: Study) -> FoundLines | FoundCases:
        """Work out each line exactly; raises `MissingValue` for a symbol without a value."""
        if not self.cases:
            return self._worked(study)
        return FoundCases(study, self, tuple((case, self._worked(study.changed(case.values))) for case in self.cases))

    def _worked(self, study: Study) -> FoundLines:
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
        return FoundLines(study, self, tuple(evaluated), self.asked or (self.lines[-1].name,))

    def steps(self, found: FoundLines | FoundCases) -> Iterator[Block]:
        """Write each line from symbols to numbers to its value, then hold them against what was printed."""
        if isinstance(found, FoundCases):
            yield from case_steps(found)
            return
        work = Work(found.study.values)
        for each in found.evaluated:
            yield line_step(each, work)
        if len(found.closing) > 1:
            yield asked_table(found)
        printed = [each.line.printed for each in found.evaluated if each.line.printed]
        if any(each.verdict for each in found.evaluated):
            yield printed_table(found)
        elif printed:
            yield Paragraph(as_it_stands(*printed))

    def sentence(self, found: FoundLines | FoundCases) -> Prose:
        """State the lines that are asked for with their numbers, in one sentence."""
        if isinstance(found, FoundCases):
            return in_cases(found)
        said = [
            say(
                "{said}: {chain}",
                said=text((capitalised if first else uncapitalised)(each.line.statement) or "The result is"),
                chain=Chain(each.line.symbol, (amount(each.value, each.line.unit, digits=each.line.digits),)),
            )
            for first, each in zip((True, *[False] * len(found.closing)), found.closing, strict=False)
        ]
        return say("{said}.", said=joined(said, "; ", "; "))

    def heading(self, found: FoundLines | FoundCases) -> str:
        """The title where the study gives none."""
        return self.title or "The problem, worked through"

    @property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: every line, in every case."""
        lines = [line.symbol for line in self.lines]
        return (
            tuple(str(one) for one in lines)
            if not self.cases
            else tuple(str(case.of(one)) for case in self.cases for one in lines)
        )

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The number of every line, by its name."""
        found = self.answer(study)
        return {
            str(symbol): Claimed(
                _exactly(each.value),
                "bytes" if each.line.memory else _measure(each.line),
                each.line.statement or each.line.name,
                unit="bytes" if each.line.memory else each.line.unit,
            )
            for symbol, each in found.numbers
        }


def _against(line: WorkedLine, value: sp.Expr) -> tuple[str, sp.Expr | None]:
    """The verdict on the printed figure, and by which share of the value it is off."""
    if not line.printed:
        return "", None
    figure = stated(line.printed) * line.scale
    return held_against(value / line.scale, line.printed), None if value == 0 else figure / value - 1


def _measure(line: WorkedLine) -> str:
    """What is rounded to a whole number is counted."""
    return "count" if isinstance(line.formula, sp.ceiling | sp.floor) else "number"


def _exactly(value: sp.Expr) -> Fraction:
    """A value as a fraction; one with a root to forty figures."""
    return fraction(value) if value.is_Rational else Fraction(str(sp.N(value, 40)))
