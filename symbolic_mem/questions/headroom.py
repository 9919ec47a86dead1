"""The question `headroom`: what a number of devices leaves free, and how far batch and depth can still grow on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import missing
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import B, C_mem, L, P, S, T, n_fsdp, named
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose, say
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.document.words import plural, sentence_of, sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.assumptions import divided_model, ranks_beside, whose
from symbolic_mem.questions.parts.bounded import per_device_steps
from symbolic_mem.questions.parts.found_headroom import FoundHeadroom
from symbolic_mem.questions.parts.grown import grown_instants, stages
from symbolic_mem.questions.parts.growth import Most, Unsolved
from symbolic_mem.questions.parts.here import here_blocks
from symbolic_mem.questions.parts.instants import bound_at, each_words, fitting, instants, words_of
from symbolic_mem.questions.parts.keys import OfKinds, degree, degree_on, whole
from symbolic_mem.questions.parts.memory import memory_blocks, memory_numbers
from symbolic_mem.questions.parts.powers import none_steps, power_steps, requirement, value_steps
from symbolic_mem.questions.parts.size_rules import size_rules
from symbolic_mem.questions.parts.words import (
    capacity_blocks,
    reading_of,
)
from symbolic_mem.solvers.insight import LeftOver, left_over
from symbolic_mem.solvers.inverse import Upper, tightness, upper_anyway
from symbolic_mem.solvers.powers import contains, powers_of, written_coefficients
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import key
from symbolic_mem.study.question import naming
from symbolic_mem.study.study import Study

GROWING = ((T, B), (L,))  # sequences where tokens alone do not decide


@dataclass(frozen=True, repr=False)
class Headroom(OfKinds):
    """What `devices` devices leave free, and the largest batch and depth that still fit on as many."""

    ask = "headroom"
    of_training = True
    solvable = True

    symbol: sp.Symbol = key(degree, n_fsdp, name="for")
    devices: int = key(whole, 0)

    def checked(self) -> Self:
        """Refuse a question without a number of devices."""
        if not self.devices:
            raise BadInput(f"{self.where}: devices is missing; give a whole number: devices = 8")
        return super().checked()

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The degree, which the question gives a value to."""
        return (str(self.symbol),)

    @property
    def finds(self) -> tuple[str, ...]:
        """Nothing: the number of devices is given, by the question or by the caller."""
        return ()

    def called(self, given: Mapping[sp.Symbol, sp.Rational], study: Study) -> Self:
        """The question about as many devices as the degree that the caller gives takes."""
        if self.symbol not in given:
            return self
        number = int(given[self.symbol]) * ranks_beside(study, self.symbol)
        if number == self.devices:
            return self
        return replace(self, devices=number, replaced=(*self.replaced, ("devices", f"devices = {self.devices}")))

    def fixed(self, study: Study) -> Mapping[str, int]:
        """The degree, by the number of devices."""
        return {str(self.symbol): self.degree(study)}

    def degree(self, study: Study) -> int:
        """The degree on all devices: see `degree_on`."""
        return degree_on(self.devices, study, self.symbol, self.where or self.label)

    def answer(self, study: Study) -> FoundHeadroom:
        """Find what is left, and how far each symbol can grow; the instant that leaves least room decides each number."""
        moments = instants(study, self.counted)
        left, one = min(((self._left(one), one) for one in moments), key=lambda found: found[0].each)
        bound = bound_at(one, self.counted, self.symbol, strict=self.strict)
        most: list[Most] = []
        unsolved: list[Unsolved] = []
        for symbols in GROWING:
            grown = self._grown(study, symbols[-1])
            found = next((m for x in symbols if (m := self._most(grown, x, study))), None)
            why = None if found else self._why(grown, symbols[-1])
            if found:
                most.append(found)
            elif why is not None:
                unsolved.append(Unsolved(symbols[-1], _now(study, symbols[-1]), why))
        share = bound.at(one.values)
        return FoundHeadroom(one, self, self.devices, study.capacity, left, share, tuple(most), tuple(unsolved))

    def _left(self, study: Study) -> LeftOver:
        with naming(self.label):
            return left_over(
                study.placed(self.counted), self.symbol, self.degree(study), study.capacity.counted, study.numbers
            )

    def _grown(self, study: Study, x: sp.Symbol) -> tuple[Study, ...]:
        """The instants that must fit; where the blocks grow, those of as many as there will be; none where a plan gives its stages."""
        if x != L:
            return instants(study, self.counted)
        given = study.plan is not None and study.plan.layers and stages(study) > 1
        return () if given else grown_instants(study, self.counted, x)

    def _least(self, moments: tuple[Study, ...], x: sp.Symbol) -> tuple[Study, Upper, tuple[Upper, ...]] | None:
        """The largest value of a symbol at the instant that allows least, and at all; None where there is none to tell."""
        memories = [one.placed(self.counted) for one in moments]
        if not any(contains(memory, x) for memory in memories):
            return None
        try:
            found = [self._upper(one, x) for one in moments]
        except BadInput:
            return None
        least = max(found, key=tightness)
        return moments[found.index(least)], least, tuple(found)

    def _why(self, moments: tuple[Study, ...], x: sp.Symbol) -> Prose | None:
        """Why the memory does not say how far a symbol can grow; None where it does, or does not contain it."""
        if not moments:
            return say("the plan gives the blocks of each of its stages")
        for one in moments:
            memory = one.placed(self.counted)
            if not contains(memory, x):
                continue
            try:
                powers_of(memory, x)
            except BadInput:
                if x == T:
                    return say(
                        "tokens alone do not decide, because some of what is kept depends on {b} and {s} in another way "
                        "than through their product",
                        b=B,
                        s=S,
                    )
                return say("the memory is no polynomial in {x}", x=x)
            try:
                self._upper(one, x)
            except BadInput:
                return say("the memory does not grow with {x} everywhere", x=x)
        return None

    def _most(self, moments: tuple[Study, ...], x: sp.Symbol, asked: Study) -> Most | None:
        """That value with the value now, and its coefficients as they are written."""
        found = self._least(moments, x)
        if found is None:
            return None
        (study, least, uppers), bound = found, found[1].bound
        parameters = study.model.parameters
        with_p = not parameters.has(x) and not missing(parameters, study.values)
        written = written_coefficients(bound.memory, x, [k for k, _ in bound.powers], with_p=with_p)
        moment = None if study.at is None else words_of(study)
        return Most(least, _now(asked, x), written, with_p, uppers, fitting(study), moment)

    def _upper(self, study: Study, x: sp.Symbol) -> Upper:
        """Solve for the largest value at one instant, which either grows with the symbol or must fit by itself."""
        memory, limit = study.placed(self.counted), Limit(study.capacity.counted, self.strict)
        known = {**study.values, self.symbol: sp.Integer(self.degree(study))}
        return upper_anyway(memory, x, limit).at(known, size_rules(study, x))

    def steps(self, found: FoundHeadroom) -> Iterator[Block]:
        """Account and placement, what one device keeps and has free, then each symbol that can grow, and a table of all."""
        study, work = found.study, Work(found.study.values)
        if study.at is not None:
            yield Paragraph(say("What stays free is decided by one of them: {instant}.", instant=words_of(study)))
        if study.questions[:1] == (self,):
            yield from memory_blocks(study, work, self.counted)
        else:
            memory_numbers(study, work, self.counted)
            yield from here_blocks(study, work, found.kinds)
        yield from per_device_steps(
            found.placement, found.kinds, found.share, work, divided_model(found.study), whose(found.study)
        )
        yield from capacity_blocks(found.capacity, work)
        yield from found.left_steps(work)
        for most in found.most:
            yield from self._growth(found, most)
        if found.most or found.unsolved:
            yield found.table

    def _growth(self, found: FoundHeadroom, most: Most) -> Iterator[Block]:
        study, bound = found.study, most.upper.bound
        known = {symbol: value for symbol, value in study.values.items() if symbol != bound.symbol}
        work = Work({**known, self.symbol: sp.Integer(self.degree(study)), C_mem: found.capacity.counted})
        if most.with_p:
            work.define(P, study.model.parameters)
        if most.moment is not None:
            yield Paragraph(say("How far {x} can grow is decided by {instant}.", x=bound.symbol, instant=most.moment))
        yield from power_steps(bound, most.written, work)
        yield requirement(bound)
        yield from (
            none_steps(most.upper, work, most.what) if most.value is None else value_steps(most.upper, work, most.what)
        )

    def sentence(self, found: FoundHeadroom) -> Prose:
        """Say what each device keeps and has free, or how much too much it is; then how far each symbol can grow."""
        reading, pieces = reading_of(found.placement), found.pieces
        if found.reason is not None:
            start = [] if reading is None else [say("What follows is with {reading}.", reading=reading)]
            return sentences(*start, sentence_of(found.reason), *found.closing)
        if reading is not None:
            pieces |= {"reading": reading}
            kept = say(
                "With {reading}, on {n} {devices} each {holds} {used} of its {counted}, and {free} stay free.", **pieces
            )
        else:
            kept = say("On {n} {devices} each {holds} {used} of its {counted}, and {free} stay free.", **pieces)
        return sentences(kept, *found.closing)

    def beside(self, found: Any) -> tuple[Prose, ...]:
        """Say that two instants count, where gradients do not persist."""
        return (each_words(found.study),) if len(instants(found.study, self.counted)) > 1 else ()

    def heading(self, found: FoundHeadroom) -> str:
        """The title where the study gives none."""
        return self.title or f"What is left on {self.devices} {plural(self.devices, 'device', 'devices')}"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: the bytes that are free on one device, and each largest value."""
        growing = GROWING if "activations" in self.counted else GROWING[1:]
        return ("headroom", *(str(x) for symbols in growing for x in symbols))

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The free bytes, and the largest value of each symbol that the memory grows with."""
        moments = instants(study, self.counted)
        left = min((self._left(one) for one in moments), key=lambda one: one.each)
        fits = Limit(left.capacity, self.strict).holds(left.used)
        meaning = f"bytes free on each of {self.devices} devices"
        claims = {"headroom": Claimed(left.each if fits else None, "bytes", meaning, unit="bytes", of_one="device")}
        for x in (x for symbols in GROWING for x in symbols):
            most = self._least(self._grown(study, x), x)
            if most is not None:
                words = f"the largest {named(x).meaning} at which {fitting(moments[0])} fits on {self.devices} devices"
                claims[str(x)] = Claimed(most[1].value, "count", words, unit=named(x).unit, extreme="most")
        return claims

    def unclaimable(self, study: Study, name: str) -> Prose:
        """Why the memory does not say how far that symbol can grow."""
        symbol = next((x for symbols in GROWING for x in symbols if str(x) == name), None)
        if symbol is None:
            return super().unclaimable(study, name)
        why = self._why(self._grown(study, symbol), symbol)
        return say("what is kept does not depend on {x}", x=symbol) if why is None else why


def _now(study: Study, x: sp.Symbol) -> sp.Expr | None:
    """The value of a symbol in the study."""
    now = (B * S if x == T else x).xreplace(dict(study.values))
    return now if now.is_number else None
