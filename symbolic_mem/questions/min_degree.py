"""The question `min_degree`: memory per device U + P/n, the bound on n, its condition, and the whole number.

What only an answer needs is imported when the question is answered: reading a study stays cheap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Self

import sympy as sp

from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Prose, say
from symbolic_mem.document.steps import Block
from symbolic_mem.document.words import sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.host_keys import Host, host, host_rule, need_both, offloaded
from symbolic_mem.questions.parts.instants import (
    bound_at,
    decided_instants,
    fitting,
    fitting_each,
    hardest,
    one_is_asked,
)
from symbolic_mem.questions.parts.keys import OfKinds, Printed, Ruled, degree, values, whole, whole_numbers
from symbolic_mem.questions.parts.with_software import WithSoftware
from symbolic_mem.questions.parts.words import capacity_blocks
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.answered import once_for
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import key, sets
from symbolic_mem.study.question import naming
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.questions.parts.found_degree import FoundDegree
    from symbolic_mem.questions.parts.given import Given
    from symbolic_mem.questions.parts.one_device import Solved
    from symbolic_mem.questions.parts.readings import Reading
    from symbolic_mem.solvers.degree import Degree
    from symbolic_mem.solvers.layout import Layout
    from symbolic_mem.solvers.rules import Rule


@dataclass(frozen=True, repr=False)
class MinDegree(Printed, Ruled, WithSoftware, OfKinds):
    """The smallest degree at which one device's share fits, or why there is none."""

    ask = "min_degree"
    solvable = True
    drawn = ("device", "bound", "step")

    symbol: sp.Symbol = key(degree, n_fsdp, name="for")
    tokens: tuple[int, ...] = key(whole_numbers, ())
    values: tuple[Change, ...] = sets(values)
    host: Host | None = key(host)
    per_host: int | None = key(whole)

    def checked(self) -> Self:
        """Refuse the memory of a host without the number of devices on it, or the other way round."""
        need_both(self.host, self.per_host, self.where)
        return super().checked()

    def rules_for(self, study: Study, symbol: sp.Symbol) -> tuple[Rule | Layout, ...]:
        """All rules, with that of the host last: it changes the degree only where nothing else asks for as much."""
        rules = super().rules_for(study, symbol)
        if self.host is None or self.per_host is None:
            return rules
        return (*rules, host_rule(study, symbol, self.host, self.per_host, rules))

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The degree, where the question names it, and what the question gives values to for itself."""
        return (str(self.symbol), *(change.aspect for change in self.values))

    def degree(self, study: Study, capacity: Capacity | None = None) -> Degree:
        """Solve for the degree at the instant of the study: the engine of every face; of another `capacity` if given."""
        from symbolic_mem.base.limit import Limit
        from symbolic_mem.solvers.degree import degree_under

        alone = one_is_asked(study, self.symbol) or self._host_alone(study)
        bound = bound_at(study, self.counted, self.symbol, strict=self.strict, alone=alone)
        if capacity is not None:
            bound = replace(bound, limit=Limit(capacity.counted, self.strict))
        with naming(self.label):
            return degree_under(bound, study.numbers, self.rules_for(study, self.symbol))

    def _host_alone(self, study: Study) -> bool:
        """Whether it may be that only what the host holds is divided: then the device bounds nothing, or is never enough."""
        from symbolic_mem.solvers.bound import is_divided

        return self.host is not None and is_divided(offloaded(study), self.symbol)

    def answer(self, study: Study) -> FoundDegree:
        """Find the smallest degree; the instant of a step that asks for most decides."""
        from symbolic_mem.questions.parts.found_degree import hardness
        from symbolic_mem.questions.parts.peaks import settle

        free, given = study.without(self.symbol), self._given(study)
        solved = self._once(study)
        found = replace(hardest(solved.each, self._at_instant, hardness), given=given, on_one=solved.one)
        found = replace(found, readings=tuple(self._readings(free))) if found.feasible else found
        settle(found.fullest_instants, () if given is None else given.instants)
        return found

    def advise(self, found: FoundDegree) -> FoundDegree:
        """The answer with what would help where no degree is enough at an instant of a step."""
        from symbolic_mem.questions.parts.remedies import remedies

        if found.study.at is None or found.degree.ideal.feasible:
            return found
        free = found.study.seen_at(None).without(self.symbol)
        return replace(found, remedies=remedies(free, self._once, found.degree.ideal.fixed))

    def _once(self, study: Study) -> Solved:
        return once_for(study, self, "solved", lambda: self._solved(study.without(self.symbol)))

    def _solved(self, free: Study, capacity: Capacity | None = None) -> Solved:
        """The degree at each instant that counts."""
        from symbolic_mem.questions.parts.one_device import solved_instants

        return solved_instants(free, self.counted, self.symbol, lambda one: self.degree(one, capacity))

    def _given(self, study: Study) -> Given | None:
        """The degree at the value that it has, where it has one."""
        from symbolic_mem.base.limit import Limit
        from symbolic_mem.questions.parts.assumptions import ranks_beside
        from symbolic_mem.questions.parts.given import Given

        value = study.values.get(self.symbol)
        if value is None:
            return None
        moments = tuple((one, self.degree(one)) for one in decided_instants(study, self.counted))
        limit, ranks = Limit(study.capacity.counted, self.strict), ranks_beside(study, self.symbol)
        return Given(self.symbol, int(value), limit, moments, ranks)

    def _readings(self, study: Study) -> Iterator[Reading]:
        """The degree under every reading of the label of the device."""
        from symbolic_mem.questions.parts.readings import Reading, every_reading

        for capacity in every_reading(study.capacity):
            yield Reading(capacity, (self._solved(study, capacity).value,))

    def _at_instant(self, one: tuple[Study, Degree]) -> FoundDegree:
        from symbolic_mem.questions.parts.found_degree import FoundDegree
        from symbolic_mem.questions.parts.tokens import tokens_that_fit

        study, solved = one
        lacking = (
            None if solved.ideal.feasible or study.at is not None else tokens_that_fit(solved.ideal, study, self.tokens)
        )
        return FoundDegree(study, self, study.capacity, solved, lacking)

    def steps(self, found: FoundDegree) -> Iterator[Block]:
        """Account, placement, requirement, then the number and its check, or what is in the way and what would help."""
        from symbolic_mem.questions.parts.assumptions import divided_model, whose
        from symbolic_mem.questions.parts.bounded import feasible_steps, infeasible_steps, per_device_steps, requirement
        from symbolic_mem.questions.parts.here import here_blocks
        from symbolic_mem.questions.parts.memory import memory_blocks, memory_numbers
        from symbolic_mem.questions.parts.peaks import peak_blocks
        from symbolic_mem.questions.parts.printed import printed_blocks
        from symbolic_mem.questions.parts.readings import readings_blocks
        from symbolic_mem.questions.parts.rules import rule_blocks
        from symbolic_mem.questions.parts.tokens import token_steps

        study, solved, work = found.study, found.degree, Work(found.study.values)
        if not study.questions or study.questions[0].label == self.label:
            yield from memory_blocks(study, work, self.counted)
        else:
            memory_numbers(study, work, self.counted)
            yield from here_blocks(study, work, found.kinds)
        yield from per_device_steps(
            found.placement, found.kinds, solved.ideal, work, divided_model(found.study), whose(found.study)
        )
        yield from (*capacity_blocks(found.capacity, work), *requirement(solved.ideal.bound))
        if solved.ideal.feasible:
            yield from feasible_steps(solved.ideal, work, solved.value, fitting(study))
            yield from rule_blocks(solved, work)
            yield from found.fuller_blocks
            yield from found.one_blocks
            yield from peak_blocks(
                found.fullest_instants,
                ahead=found.given is None,  # else that of the given degree is said
                named=study.at.words if study.at is not None and found.others else "",
            )
            yield from printed_blocks(
                self, study, None if solved.value is None else sp.Integer(solved.value), "devices"
            )
            if found.readings:
                head = say("smallest {n}", n=self.symbol)
                yield from readings_blocks(found.capacity, found.readings, (head,))
        else:
            yield from infeasible_steps(solved.ideal, work)
            if found.lacking is not None:
                yield from token_steps(found.lacking, solved.ideal, work)
        if found.given is not None and not found.given_is_smallest:
            yield from found.given.blocks

    def sentence(self, found: FoundDegree) -> Prose:
        """Say the smallest degree and what each device then holds, or why there is none and what would help."""
        from symbolic_mem.questions.parts.assumptions import groups_beside, ranks_beside
        from symbolic_mem.questions.parts.degree_words import answer_words
        from symbolic_mem.questions.parts.given import that_is
        from symbolic_mem.questions.parts.hosts import host_words

        held = None if found.value is None else found.held(found.value)
        ranks = ranks_beside(found.study, self.symbol)
        smallest = answer_words(
            found.degree,
            found.placement,
            found.capacity,
            found.reason,
            held,
            found.ideal_value,
            fitting_each(found.study, (found.value or 0) * ranks),
            ranks,
            groups_beside(found.study),
        )
        smallest = sentences(smallest, *host_words(found.degrees))
        if found.given is None:
            return smallest
        if found.given_is_smallest:
            left = Amount(symbolic(found.given.left), found.capacity.unit)
            return sentences(smallest, that_is(n=self.symbol, left=left))
        return sentences(found.given.sentence(found.placement, found.capacity), smallest)

    def figure(self, found: FoundDegree, name: str, family: str) -> Figure | None:
        """What one device holds at the answer and at each instant, and against the unknown."""
        from symbolic_mem.questions.parts.charts import memory_chart

        return memory_chart(found, name, family)

    def heading(self, found: FoundDegree) -> str:
        """The title where the study gives none."""
        return self.title or "Memory per device, and the smallest number of devices"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed."""
        return (self.symbol.name, "devices", *(("host",) if self.host is not None else ()))

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The degree, under the name of its symbol, all devices of the run, and what one host of them holds."""
        from symbolic_mem.questions.parts.assumptions import ranks_beside
        from symbolic_mem.questions.parts.degree_claims import degree_claim, with_devices
        from symbolic_mem.questions.parts.hosts import host_claim

        asked = self._once(study)
        fits, solved = fitting(asked.each[0][0]), asked.degrees
        meaning = f"the smallest degree {self.symbol.name} at which {fits} fits"
        found = with_devices(self.symbol, degree_claim(solved, meaning, fits, ranks_beside(study, self.symbol)))
        return found if self.host is None else {**found, "host": host_claim(solved)}

    def grows(self, name: str) -> bool:
        """A degree is the first that fits: it does."""
        return name == self.symbol.name

    def can_be(self, study: Study, name: str, value: Fraction) -> bool:
        """Whether the degree can be that number: see `can_be_smallest`."""
        from symbolic_mem.questions.parts.held_against import can_be_smallest

        if name != self.symbol.name:
            return True
        free = study.without(self.symbol)
        ruled = bool(self.rules_for(free, self.symbol))
        return can_be_smallest(value, free, self.counted, self.symbol, strict=self.strict, ruled=ruled)
