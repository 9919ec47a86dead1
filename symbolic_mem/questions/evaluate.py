"""The question `evaluate`: published formulas worked through line by line, and held against the printed figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue, at_place
from symbolic_mem.base.exact import bounded, missing
from symbolic_mem.base.rational import fraction
from symbolic_mem.base.symbols import B, S
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Chain, Prose, amount, say
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.document.words import capitalised, joined
from symbolic_mem.document.work import Work
from symbolic_mem.models.named import NAMED
from symbolic_mem.questions.parts.edition_tables import edition_blocks
from symbolic_mem.questions.parts.editions import Figure, check_computed, edition
from symbolic_mem.questions.parts.figures import figure, verdict
from symbolic_mem.questions.parts.found_lines import Evaluated, FoundCases, FoundLines, Held
from symbolic_mem.questions.parts.keys import values
from symbolic_mem.questions.parts.line_steps import (
    asked_table,
    case_steps,
    in_cases,
    line_step,
    uncapitalised,
)
from symbolic_mem.questions.parts.printed import as_it_stands
from symbolic_mem.questions.parts.worked import Case, WorkedLine, cases, names, worked_lines
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.claimed import Claimed, Counts
from symbolic_mem.study.keys import key, sets
from symbolic_mem.study.question import Question, symbols_in
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study


@dataclass(frozen=True, repr=False)
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
    edition: str = key(edition, "")

    def checked(self) -> Evaluate:
        """Refuse a question without lines, an answer that is none of them, and printed figures of no line or edition."""
        known = [line.name for line in self.lines]
        if not known:
            raise BadInput(f'{self.where}: nothing to work through; give steps = [{{ name = "a", formula = "C/W" }}]')
        for name in self.asked:
            if name not in known:
                raise BadInput.unknown(f"{self.where}: answer {name!r} is no step", name, known)
        if not self.cases and any(line.formula.has(*(one.first for one in self.lines)) for line in self.lines):
            raise BadInput(f"{self.where}: first_{known[0]} and the like name a line of the first case; give cases")
        if self.cases and any(line.counts for line in self.lines):
            raise BadInput(f"{self.where}: counts is for a question without cases")
        if any(line.counts and str(line.counts.of) not in known for line in self.lines):
            raise BadInput.one_of(f"{self.where}: counts are for each of a line before it", known)
        if self.cases and any(line.printed for line in self.lines):
            raise BadInput(f'{self.where}: printed is the figure of one case; give it there, printed = {{ a = "1" }}')
        for name in (name for case in self.cases for name in case.printed):
            if name not in known:
                raise BadInput.unknown(f"{self.where}: printed {name!r} is no step", name, known)
        return replace(
            self,
            lines=tuple(line.dated(self.edition, self.where) for line in self.lines),
            cases=tuple(case.dated(self.edition, self.where) for case in self.cases),
        )

    @property
    def unknowns(self) -> tuple[str, ...]:
        """What the cases give values to, and the question for itself."""
        cases = dict.fromkeys(name for case in self.cases for name in case.symbols)
        return (*cases, *(change.aspect for change in self.values))

    def reads(self, study: Study) -> frozenset[str]:
        """The names of the symbols in its lines, and in the sizes of a model that they ask, that its cases do not fix."""
        asks = any(not line.formula.free_symbols.isdisjoint(NAMED.values()) for line in self.lines)
        sizes = {*symbols_in(study.model.layers)} - {B, S} if asks else ()  # of B and S its formulas say more
        return frozenset(map(str, (*answer_to(study, self).read, *sizes))) - {*self.finds}

    def answer(self, study: Study) -> FoundLines | FoundCases:
        """Work out each line exactly; raises `MissingValue` for a symbol without a value."""
        if not self.cases:
            return self._worked(study)
        found: list[tuple[Case, FoundLines]] = []
        for case in self.cases:
            changed = study.changed(case.values, f"question {self.label}, case {case.name}")
            found.append((case, self._worked(changed, case, found[0] if found else None)))
        return FoundCases(study, self, tuple(found))

    def _worked(
        self, study: Study, case: Case | None = None, before: tuple[Case, FoundLines] | None = None
    ) -> FoundLines:
        """Work out the lines, in a `case`, after the first one where there was one `before`."""
        first = before[0] if before is not None else case
        names = {} if first is None else {line.first: first.of(line.symbol) for line in self.lines}
        known: dict[sp.Symbol, sp.Expr] = dict(study.values)
        if before is not None:
            known.update({before[0].of(each.line.symbol): each.value for each in before[1].evaluated})
        evaluated: list[Evaluated] = []
        for written in self.lines:
            with at_place(f"question {self.label}, {written.name}"):
                line = written.of(study, names)
            absent = missing(line.formula, known)
            if absent:
                raise MissingValue(absent, f"question {self.label}")
            value = line.formula.xreplace(known)
            if not (value.is_finite and value.is_real):
                raise BadInput(f"question {self.label}: {line.name} has no real number at these values")
            known[line.symbol] = bounded(value, f"question {self.label}: {line.name}")
            if case is first and case is not None:
                known[case.of(line.symbol)] = value
            figures = line.printed if case is None else case.printed.get(line.name, ())
            for each in () if study.caller else figures:
                check_computed(each, known, f"question {self.label}, {line.name}", line.scale)
            evaluated.append(Evaluated(line, value, () if study.caller else _against(line, value, figures)))
        return FoundLines(study, self, tuple(evaluated), self.asked or (self.lines[-1].name,))

    def steps(self, found: FoundLines | FoundCases) -> Iterator[Block]:
        """Write each line from symbols to numbers to its value, then hold them against what was printed."""
        if isinstance(found, FoundCases):
            yield from case_steps(found)
            yield from self._against_editions(found, [one for case in self.cases for one in case.figures])
            return
        work = Work(found.study.values)
        for each in found.evaluated:
            yield line_step(each, work, found.study)
        if len(found.closing) > 1:
            yield asked_table(found)
        yield from self._against_editions(found, [one for line in self.lines for one in line.printed])

    def _against_editions(self, found: FoundLines | FoundCases, printed: list[Figure]) -> Iterator[Block]:
        if not found.study.caller:
            yield from edition_blocks(found)
        elif printed:
            yield Paragraph(as_it_stands(printed))

    def sentence(self, found: FoundLines | FoundCases) -> Prose:
        """State the lines that are asked for with their numbers, in one sentence."""
        if isinstance(found, FoundCases):
            return in_cases(found)
        said = [
            say(
                "{said}: {chain}",
                said=found.study.said(
                    (capitalised if first else uncapitalised)(each.line.statement) or "The result is"
                ),
                chain=Chain(
                    each.line.symbol, (amount(each.value, each.line.unit, digits=each.line.digits, fixed=True),)
                ),
            )
            for first, each in zip((True, *[False] * len(found.closing)), found.closing, strict=False)
        ]
        return say("{said}.", said=joined(said, "; ", "; "))

    def heading(self, found: FoundLines | FoundCases) -> str:
        """The title where the study gives none."""
        return self.title or "The problem, worked through"

    @cached_property
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
        found = answer_to(study, self)
        return {
            str(symbol): Claimed(
                _exactly(each.value),
                "bytes" if each.line.memory else _measure(each.line),
                study.plain(each.line.statement) or each.line.name,
                unit="bytes" if each.line.memory else each.line.unit,
                printed=tuple(_otherwise(each)),
                counts=_counts(each, found),
            )
            for symbol, each in found.numbers
        }


def _counts(each: Evaluated, found: FoundLines | FoundCases) -> Counts | None:
    """How others count a number that depends on what one counts."""
    counted = each.line.counts
    if counted is None or isinstance(found, FoundCases):
        return None
    of = next(other.value for other in found.evaluated if other.line.symbol == counted.of)
    return Counts(_exactly(of), counted.least, counted.most, counted.words)


def _otherwise(each: Evaluated) -> Iterator[tuple[Fraction, str, str]]:
    """The figures that editions print and the number does not round to, each with its edition and where the two part."""
    for held in each.held:
        if held.verdict not in ("exact", "rounded"):
            printed = fraction(figure(held.figure.written) * each.line.scale)
            yield printed, held.figure.edition, held.figure.slip


def _against(line: WorkedLine, value: sp.Expr, figures: tuple[Figure, ...]) -> tuple[Held, ...]:
    """The verdict on each printed figure, and by which share of the value it is off."""
    return tuple(
        Held(
            printed,
            verdict(value / line.scale, printed.written),
            None if value == 0 else figure(printed.written) * line.scale / value - 1,
        )
        for printed in figures
    )


def _measure(line: WorkedLine) -> str:
    """What is rounded to a whole number is counted."""
    return "count" if isinstance(line.formula, sp.ceiling | sp.floor) else "number"


def _exactly(value: sp.Expr) -> Fraction:
    """A value as a fraction; one with a root to forty figures."""
    return fraction(value) if value.is_Rational else Fraction(str(sp.N(value, 40)))
