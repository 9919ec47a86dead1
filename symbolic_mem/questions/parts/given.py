"""`Given`: a degree that already has a value, and whether the memory of one device fits at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number, rounded_up, symbolic
from symbolic_mem.base.symbols import C_mem, M_device
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, apart, say, text
from symbolic_mem.document.steps import Block
from symbolic_mem.document.words import listed, plural
from symbolic_mem.document.work import Work
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.bounded import held_at
from symbolic_mem.questions.parts.instants import fitting, fitting_each, kept_instants
from symbolic_mem.questions.parts.peaks import Fullest, fullest, parts_of, peak, peak_blocks, peak_facts
from symbolic_mem.questions.parts.words import reading_of
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.degree import Degree
from symbolic_mem.solvers.layout import Gathered, PaddedRows, WholeSamples
from symbolic_mem.solvers.rules import allowed
from symbolic_mem.study.study import Study


@dataclass(frozen=True)
class Given:
    """The degree `symbol` at its `value`: the study and what was solved for it at each instant that must fit there.

    It fits where the memory of one device does at every instant, and where it obeys the rules. There are `ranks` devices for
    each of the degree.
    """

    symbol: sp.Symbol
    value: int
    limit: Limit
    moments: tuple[tuple[Study, Degree], ...]
    ranks: int = 1

    @cached_property
    def held(self) -> Number:
        """Exact bytes of one device, at the instant at which that is most."""
        return max(degree.profile.at(self.value) for _, degree in self.moments)

    @property
    def left(self) -> Number:
        """Bytes of one device that stay free; negative where they lack."""
        return self.limit.capacity - self.held

    @property
    def broken(self) -> tuple[str, ...]:
        """The rules that the value does not obey, in words."""
        rules = self.moments[0][1].rules
        numbers = (rule for rule in rules if not isinstance(rule, WholeSamples | PaddedRows | Gathered))
        return tuple(rule.words for rule in numbers if not allowed([rule]).admits(self.value))

    @property
    def fits(self) -> bool:
        """Whether it obeys the rules, and the memory of one device fits."""
        return bool(self.limit.holds(self.held)) and not self.broken

    @cached_property
    def instants(self) -> tuple[Fullest, ...]:
        """The fullest instant of each phase of a step, where the instants are known."""
        study, degree = self.moments[0]
        return fullest([study for study, _ in self.moments], self._known, degree.cuts_at(self.value, study.numbers))

    def parts(self, kinds: tuple[str, ...]) -> Mapping[str, Number]:
        """The bytes of the parts of one device, at the instant at which it holds most."""
        if self.instants:
            return peak(self.instants).parts
        study, degree = max(self.moments, key=lambda one: one[1].profile.at(self.value))
        exact = partial(Term.at, values=Numbers(self._known, "the parts of one device"))
        return parts_of(study.placed(kinds).terms, degree.cuts_at(self.value, study.numbers) or exact)

    @property
    def _known(self) -> dict[sp.Symbol, Any]:
        return {**self.moments[0][0].values, self.symbol: sp.Integer(self.value)}

    @property
    def row(self) -> tuple[str, Prose]:
        """What one device holds, at a glance."""
        what = fitting(self.moments[0][0])
        return held_at(self.value, self.held, self.limit.capacity, fits=self.limit.holds(self.held), what=what)

    @property
    def blocks(self) -> Iterator[Block]:
        """Whether it fits, as steps: what one device holds against its memory, and the instants of a step."""
        size, room = symbolic(self.held), symbolic(self.limit.capacity)
        work = Work({M_device: size, C_mem: room})
        sign = self.limit.sign if self.limit.holds(self.held) else self.limit.fails
        chain = Chain(M_device, (amount(size, "bytes", digits=14), (sign, C_mem), amount(room, "bytes", digits=14)))
        yield work.step(say("With {n} = {value}, one device holds", n=self.symbol, value=self.value), chain)
        yield from peak_blocks(self.instants)

    def facts(self, kinds: tuple[str, ...]) -> Mapping[str, Any]:
        """The value, whether it fits, and the bytes of one device there: kept, at the peak, and left."""
        held = rounded_up(self.held)
        kept = held
        if self.instants:
            kept = rounded_up(
                max(one.placed(kinds).at(self._known) for one in kept_instants(self.moments[0][0], kinds))
            )
        return {
            "given": self.value,
            "fits": self.fits,
            "total_bytes": kept,
            "peak_bytes": held,
            **peak_facts(self.instants),
            "left_bytes": self.left // 1,
            **({"breaks": self.broken} if self.broken else {}),
        }

    def _devices(self, capacity: Capacity) -> Prose:
        """The word after the number of devices: with what they are, and the degree where that is another number."""
        word, device = plural(self.value * self.ranks, "device", "devices"), capacity.device
        if self.ranks == 1:
            return text(f"{word} ({device.title})" if device else word)
        return devices_at(word=word, device=device and device.title, n=self.symbol, value=self.value)

    def sentence(self, placement: Mapping[str, Placed], capacity: Capacity) -> Prose:
        """Say whether a step fits on as many devices, and how much stays free or lacks on each of them."""
        share, counted = apart(
            Amount(symbolic(self.held), capacity.unit),
            Amount(symbolic(self.limit.capacity), capacity.unit, beside=True),
        )
        if self.broken:
            return breaks(n=self.symbol, value=self.value, rules=listed(self.broken))
        return fits_at(
            fits=bool(self.limit.holds(self.held)),
            reading=reading_of(placement),
            value=self.value * self.ranks,
            devices=self._devices(capacity),
            each=fitting_each(self.moments[0][0], self.value * self.ranks),
            share=share,
            counted=counted,
            left=Amount(symbolic(abs(self.left)), capacity.unit),
        )


def devices_at(*, device: Any, **pieces: Any) -> Prose:
    """The `word` for several devices, what a `device` is (None: an amount of memory), and the degree."""
    if device:
        return say("{word} ({device}, {n} = {value})", device=device, **pieces)
    return say("{word} ({n} = {value})", **pieces)


def that_is(**pieces: Any) -> Prose:
    """That the answer is the degree `n` that is given, and what is `left` of a device."""
    return say("That is the {n} that is given, and {left} stay free.", **pieces)


def breaks(**pieces: Any) -> Prose:
    """That a `value` of the degree `n` does not obey its `rules`."""
    return say("{n} = {value} does not obey the rules ({rules}).", **pieces)


def fits_at(*, fits: bool, reading: Any, **pieces: Any) -> Prose:
    """Whether what `each` device holds `fits` on so many devices, in a `reading` of the placement, and what is left or lacks."""
    if fits and reading is not None:
        return say(
            "With {reading}, on {value} {devices} {each}, {share}, fits its {counted}, and {left} stay free.",
            reading=reading,
            **pieces,
        )
    if fits:
        return say("On {value} {devices} {each}, {share}, fits its {counted}, and {left} stay free.", **pieces)
    if reading is not None:
        return say(
            "With {reading}, on {value} {devices} {each}, {share}, does not fit its {counted}: {left} too much.",
            reading=reading,
            **pieces,
        )
    return say("On {value} {devices} {each}, {share}, does not fit its {counted}: {left} too much.", **pieces)
