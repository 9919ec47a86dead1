"""`FoundDegree`: the answer to a question about a number of devices, for JSON, claims, tables and documents alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from math import ceil
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.ledger import Ledger
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.symbols import M_fixed
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, Typeset, amount, say, text
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.questions.parts.assumptions import assumptions, divided_model, ranks_beside, whose
from symbolic_mem.questions.parts.bounded import bound_summary, condition_fails, held_at
from symbolic_mem.questions.parts.cautions import BESIDE, beside_at, cautions_of_fit, close_fit, crowded, cut_sequences
from symbolic_mem.questions.parts.degree_words import infeasible_words
from symbolic_mem.questions.parts.found_instants import FoundAtInstants
from symbolic_mem.questions.parts.given import Given
from symbolic_mem.questions.parts.held import reading_record
from symbolic_mem.questions.parts.hosts import host_facts, host_rows
from symbolic_mem.questions.parts.instants import fitting, instant_words, kept_instants
from symbolic_mem.questions.parts.lines import account_lines, degree_lines
from symbolic_mem.questions.parts.one_device import fewest, on_the_fewest
from symbolic_mem.questions.parts.peaks import Fullest, fullest, peak_facts, peak_summary
from symbolic_mem.questions.parts.readings import Reading
from symbolic_mem.questions.parts.remedies import Remedy
from symbolic_mem.questions.parts.rules import reason_words
from symbolic_mem.questions.parts.tokens import TokensThatFit
from symbolic_mem.questions.parts.uncounted import uncounted_lines, uncounted_records
from symbolic_mem.questions.parts.words import capacity_summary, few_figures, placement_sentences
from symbolic_mem.solvers.degree import Degree
from symbolic_mem.solvers.layout import WholeSamples


@dataclass(frozen=True, repr=False)
class FoundDegree(FoundAtInstants):
    """The degree under the rules, the same under every reading of the label, and the tokens at which one would be enough.

    `on_one` is what a device holds on the fewest there can be, if that is not what the bound of more says of it. `remedies` are what
    would help where no degree is enough at an instant of a step, each with its effect in bytes, where the question is asked alone.
    """

    degree: Degree
    lacking: TokensThatFit | None = None
    readings: tuple[Reading, ...] = ()
    given: Given | None = None
    on_one: Number | None = None
    remedies: tuple[Remedy, ...] = ()

    @property
    def value(self) -> int | None:
        """The smallest degree that obeys every rule and fits."""
        return self.degree.value

    @property
    def limit(self) -> Limit:
        """What one device may hold."""
        return Limit(self.capacity.counted, self.degree.ideal.bound.strict)

    @property
    def fits_from(self) -> int | None:
        """The first degree at which what one device holds fits, whether the rules allow it or not."""
        ideal = self.ideal_value
        return ideal if ideal is not None and self.limit.holds(self.held(ideal)) else self.value

    @property
    def feasible(self) -> bool:
        """Whether there is such a degree."""
        return self.value is not None

    def held_here(self, value: int) -> Number:
        """Exact bytes of one device at a degree, under the rules, at the instant of this answer."""
        return self.degree.profile.at(value)

    def held(self, value: int) -> Number:
        """Exact bytes of one device at a degree, at the instant at which that is most."""
        return super().held(value) if self.on_one is None or value != self._first else self.on_one

    @property
    def _first(self) -> int:
        """The smallest degree that there can be."""
        return fewest(self.study, self.symbol)

    @property
    def one_words(self) -> tuple[Prose, ...]:
        """Say of a step on the fewest devices what is otherwise there, where the answer is that, or the next."""
        first = self._first
        if self.on_one is None or self.value not in (first, 2 * first):
            return ()
        if self.value == 1:
            return (say("{alone}: these are the instants of its step, not of one of several.", alone=on_the_fewest(1)),)
        if self.value == first:
            return (say("{few}: these are the instants of that step, not of one on more.", few=on_the_fewest(first)),)
        if self.limit.holds(self.on_one):
            return ()
        held = Amount(symbolic(self.on_one), "bytes", digits=14)
        if first != 1:
            return (say("{few}; their step holds {held}, more than fit.", few=on_the_fewest(first), held=held),)
        return (say("{alone}; its step holds {held}, more than fit.", alone=on_the_fewest(1), held=held),)

    @property
    def one_blocks(self) -> Iterator[Block]:
        """That as paragraphs of the steps."""
        return map(Paragraph, self.one_words)

    @property
    def formula_here(self) -> sp.Expr:
        """The same as a formula: of the degree alone where rules cut whole sequences or rows."""
        profile = self.degree.profile
        return self.degree.ideal.bound.per_device(self.symbol) if profile.even else profile.written(self.symbol)

    @property
    def powers_here(self) -> Mapping[int, Number] | None:
        """What is divided, of the power -1, and what is not."""
        return {-1: self.degree.ideal.divided, 0: self.degree.ideal.fixed} if self.degree.profile.even else None

    @property
    def ideal_value(self) -> int | None:
        """The degree without rules: the largest of all instants, None where no degree is enough at one of them."""
        values = [one.degree.ideal.value for one in self.everywhere if isinstance(one, FoundDegree)]
        return None if None in values else max(value for value in values if value is not None)

    @property
    def degrees(self) -> tuple[Degree, ...]:
        """What was solved for at each instant, that which decides first."""
        return tuple(one.degree for one in self.everywhere if isinstance(one, FoundDegree))

    @property
    def enough(self) -> bool:
        """Whether the degree that is given fits, or, where none is, whether there is one."""
        return self.feasible if self.given is None else self.given.fits

    @property
    def given_is_smallest(self) -> bool:
        """Whether the degree that is given is the answer itself, without rules."""
        return self.given is not None and self.given.value == self.value and not self.degree.rules

    @property
    def tried(self) -> tuple[str, ...]:
        """The degree, where it has a value."""
        return () if self.given is None else (str(self.symbol),)

    @property
    def reason(self) -> Prose | None:
        """Why there is no degree, and what would help."""
        if not self.degree.ideal.feasible:
            return infeasible_words(self.degree.ideal, self.capacity, self.lacking, self.study)
        return reason_words(self.degree)

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the answer takes for granted."""
        said = (
            *assumptions(self.study),
            *divided_model(self.study),
            *placement_sentences(self.kinds, self.placement, whose(self.study)),
        )
        return (
            (*said, *instant_words(self.study), *self.fuller, *self.one_words)
            if "gradients" in self.question.counted
            else said
        )

    @property
    def cautions(self) -> tuple[Prose, ...]:
        """That something beside what fits may have no room, or that sequences are cut."""
        if self.value is None:
            return ()
        whole = any(isinstance(rule, WholeSamples) for rule in self.degree.rules)
        cut = () if whole else cut_sequences(self.study, self.placement.get("activations"), self.symbol, self.value)
        here, held = self._fitting
        return (
            *cautions_of_fit(
                self.study, here, self.capacity, held, "solve", padded=self.degree.padded, counted=self.kinds
            ),
            *self._close_answer,
            *cut,
        )

    @property
    def _close_answer(self) -> tuple[Prose, ...]:
        """That the answer fits with less to spare than a process needs, where the cautions are those of a degree that is given."""
        if self.given is None or not self.given.fits or self.given.value == self.value or self.value is None:
            return ()
        said = close_fit(self.capacity, self.held(self.value))
        return tuple(say("Of {n} = {value}: {said}", n=self.symbol, value=self.value, said=one) for one in said)

    @property
    def crowded(self) -> tuple[Prose, ...]:
        """That what is not counted may take more than is left."""
        if self.value is None:
            return ()
        here, held = self._fitting
        return crowded(self.study, here, self.capacity, held, padded=self.degree.padded, counted=self.kinds)

    @property
    def beside_it(self) -> tuple[Prose, ...]:
        """That of the degree that is given, where it fits, and of the answer: at one of them alone, with its value."""
        if self.value is None:
            return ()
        tried = {self.value: (self.known, self.held(self.value))}
        if self.given is not None and self.given.fits:
            tried[self.given.value] = (self._here, self.given.held)
        full = [
            n
            for n, (here, held) in tried.items()
            if crowded(self.study, here, self.capacity, held, padded=self.degree.padded, counted=self.kinds)
        ]
        if len(full) == len(tried):
            return (BESIDE,)
        return tuple(beside_at(n=self.symbol, value=n) for n in full)

    @property
    def _fitting(self) -> tuple[dict[sp.Symbol, Any], Number]:
        """The numbers, and what one device holds, at the degree that is given where it fits, else at the answer."""
        assert self.value is not None, "there is a degree that fits"
        if self.given is not None and self.given.fits:
            return self._here, self.given.held
        return self.known, self.held(self.value)

    @property
    def ledger(self) -> Ledger:
        """The account, what is divided and what is not, and what one device holds: at the degree that is given, if one is."""
        lines = (
            *account_lines(self.study, self.kinds),
            *degree_lines(self.degree.ideal.bound, self.capacity, self._fullest),
            *(() if self.lacking is None else (self.lacking.line,)),
        )
        return Ledger(lines, self._here)

    @property
    def held_at(self) -> int | None:
        """The degree at which a line says what one device holds: that which is given, else the answer."""
        return self.value if self.given is None else self.given.value

    @property
    def _here(self) -> dict[sp.Symbol, Any]:
        """The numbers at the degree that is given, if one is, else at the answer."""
        return self.known if self.given is None else {**self.known, self.symbol: sp.Integer(self.given.value)}

    @property
    def _fullest(self) -> sp.Expr | None:
        """What one device keeps at the instant at which that is most, where there are several, or rows are not cut."""
        return None if self.degree.profile.even and not self.others else self.held_formula

    @property
    def known(self) -> dict[sp.Symbol, Any]:
        """The numbers of the study, with the answer in its place."""
        return {**self.study.values} if self.value is None else {**self.study.values, self.symbol: self.value}

    @cached_property
    def fullest_instants(self) -> tuple[Fullest, ...]:
        """The fullest instant of each phase of a step at the answer."""
        if self.value is None or self.study.at is None:
            return ()
        return fullest([one.study for one in self.everywhere], self.known, self.held_of)

    @property
    def held_of(self) -> Callable[[Term], Number] | None:
        """What one device holds of a term at the answer, where rules cut whole sequences or rows."""
        return None if self.value is None else self.degree.cuts_at(self.value, self.study.numbers)

    @property
    def symbol(self) -> sp.Symbol:
        """The degree that was solved for."""
        return self.degree.ideal.bound.symbol

    @property
    def summary(self) -> Iterator[tuple[str, Prose]]:
        """The bound, its condition, the capacity, each rule, and the neighbours of the answer in bytes."""
        solved, ideal = self.degree, self.degree.ideal
        yield from bound_summary(ideal, in_parts=few_figures(self.capacity) is not None)
        yield from capacity_summary(self.capacity)
        if not ideal.feasible:
            yield (
                "",
                say(
                    "{why} {m}.",
                    why=text(condition_fails(ideal)),
                    m=Chain(M_fixed, (amount(symbolic(ideal.fixed), "GiB"),)),
                ),
            )
            for one in self.remedies:
                yield "would help", one.told(self.capacity.unit)
        elif solved.rules:
            yield "no rule", text(str(ideal.value))
            for step in solved.steps:
                reached = "no such number" if step.after is None else str(step.after)
                pieces = {"rule": text(step.rule.words), "before": step.before, "reached": reached}
                yield "rule", say("{rule}: {before} → {reached}", **pieces)
        yield from host_rows(self.degrees)
        if self.given is not None:
            yield self.given.row
        if solved.value is not None and (self.given is None or self.given.value != solved.value):
            yield held_at(solved.value, self.held(solved.value), ideal.capacity, fits=True, what=fitting(self.study))
        below = solved.largest_below
        if below is not None:
            yield held_at(below, self.held(below), ideal.capacity, fits=False)
        yield from peak_summary(self.fullest_instants if self.given is None else self.given.instants)
        yield from uncounted_lines(
            self.study, self._here, padded=self.degree.padded, software=self.question.software_counted
        )
        for said in self.assumptions:
            yield "assumed", said

    @property
    def facts(self) -> Mapping[str, Any]:
        """The answer of a bound as ``solve --json`` prints it, with what the rules change."""
        ideal, bound = self.degree.ideal, self.degree.ideal.bound
        plain = {
            "for": str(bound.symbol),
            "feasible": ideal.feasible,
            "value": ideal.value,
            "formula": bound.formula,
            "latex": Typeset(bound.formula),
            "condition": bound.condition,
            "strict": bound.strict,
            "capacity_bytes": int(self.capacity.counted),
            "reading": self.capacity.reading,
            "device": self.capacity.device.name if self.capacity.device else None,
            "devices": self.devices,
            "per_device_bytes": self.held_bytes(self.value),
            "at_value_minus_one_bytes": self._below_bytes,
            **(self._peak_facts if self.given is None else self.given.facts(self.question.counted)),
            **host_facts(self.degrees),
            "not_counted": self.not_counted,
            "assumptions": self.assumptions,
            "reason": self.reason,
            **({"remedies": [one.facts for one in self.remedies]} if self.remedies else {}),
            **({"readings": self.read_otherwise} if self.read_otherwise else {}),
        }
        return plain | self._under_rules if ideal.feasible and self.degree.rules else plain

    @property
    def devices(self) -> int | None:
        """How many devices there are in all."""
        return None if self.value is None else self.value * ranks_beside(self.study, self.symbol)

    @property
    def not_counted(self) -> Sequence[Mapping[str, Any]]:
        """What is not counted, each with its bytes where they are known."""
        return uncounted_records(
            self.study, self._here, padded=self.degree.padded, software=self.question.software_counted
        )

    @property
    def read_otherwise(self) -> Sequence[Mapping[str, Any]]:
        """The degree under every reading of the label of the device."""
        return [reading_record(one.capacity.reading, one.capacity.counted, one.numbers) for one in self.readings]

    @property
    def _peak_facts(self) -> Mapping[str, Any]:
        """What one device keeps, and its peak, where they differ: `peak_facts`."""
        held = self.held_bytes(self.value)
        if self.value is None or not self.fullest_instants:
            return {"total_bytes": held, "peak_bytes": held}
        counted = self.question.counted
        kept = max(one.placed(counted).at(self.known) for one in kept_instants(self.study, counted))
        return {"total_bytes": ceil(kept), **peak_facts(self.fullest_instants)}

    @property
    def _below_bytes(self) -> int | None:
        """Bytes of one device with one device less, whether the rules allow it or not; None when one is enough."""
        return None if self.value in (None, 1) else self.held_bytes(self.value - 1)

    @property
    def _under_rules(self) -> dict[str, Any]:
        """What the rules change: the answer, its neighbours, and each rule with the degree before and after it."""
        return {
            "feasible": self.feasible,
            "value": self.value,
            "largest_allowed_below": self.degree.largest_below,
            "at_largest_allowed_below_bytes": self.held_bytes(self.degree.largest_below),
            "value_without_rules": self.ideal_value,
            "rules": [
                {"rule": step.rule.words, "before": step.before, "after": step.after, "changed": step.changed}
                for step in self.degree.steps
            ],
        }


def hardness(found: FoundDegree) -> tuple[float, bool, Number]:
    """How much an answer asks for: the more devices, the more; most of all where no number is enough."""
    return found.degree.demand
