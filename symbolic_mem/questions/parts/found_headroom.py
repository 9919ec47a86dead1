"""`FoundHeadroom`: what a number of devices leaves free, for JSON, claims, tables and documents alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.ledger import Ledger
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.symbols import C_mem, M_device, M_divided, M_fixed
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, Total, amount, apart, say, text
from symbolic_mem.document.steps import Block, Column, Table
from symbolic_mem.document.words import about, count, plural
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.assumptions import assumptions, divided_model, whose
from symbolic_mem.questions.parts.bounded import held_at
from symbolic_mem.questions.parts.cautions import cautions_of_fit, crowded
from symbolic_mem.questions.parts.growth import Most, Unsolved
from symbolic_mem.questions.parts.instants import fitting
from symbolic_mem.questions.parts.lines import M_free, account_lines, degree_lines
from symbolic_mem.questions.parts.uncounted import uncounted_lines, uncounted_records
from symbolic_mem.questions.parts.words import (
    capacity_summary,
    few_figures,
    placement_sentences,
)
from symbolic_mem.solvers.bound import Solved
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.insight import LeftOver
from symbolic_mem.study.found import Found


@dataclass(frozen=True, repr=False)
class FoundHeadroom(Found):
    """What `devices` devices leave free, what that is made of, how far each symbol can grow, and of which that is not found."""

    devices: int
    capacity: Capacity
    left: LeftOver
    share: Solved
    most: tuple[Most, ...]
    unsolved: tuple[Unsolved, ...] = ()

    @property
    def together(self) -> Number:
        """Bytes that stay free on all devices."""
        return self.devices * self.left.each

    @property
    def closing(self) -> tuple[Prose, ...]:
        """How far each symbol can grow, in words."""
        return tuple(each.closing for each in (*self.most, *self.unsolved))

    @property
    def feasible(self) -> bool:
        """Whether what one device keeps fits."""
        return self.share.bound.limit.at({}).holds(self.left.used)

    @property
    def value(self) -> Number | None:
        """Bytes that are free on each device."""
        return self.left.each if self.feasible else None

    @property
    def pieces(self) -> dict[str, Any]:
        """The numbers of the sentences."""
        unit = self.capacity.unit
        used, counted = apart(Amount(symbolic(self.left.used), unit), Amount(self.capacity.counted, unit, beside=True))
        return {
            "n": self.devices,
            "devices": self._devices,
            "holds": "keeps" if self.study.at is None else "holds at the peak",
            "hold": "keep" if self.study.at is None else "hold at the peak",
            "used": used,
            "counted": few_figures(self.capacity) or counted,
            "free": about(Amount(symbolic(self.left.each), unit)),
            "over": about(Amount(symbolic(-self.left.each), unit)),
        }

    @property
    def _devices(self) -> Prose:
        """The word after their number, with the degree where that is another number."""
        word = plural(self.devices, "device", "devices")
        if self.left.count == self.devices:
            return text(word)
        return say("{word} ({n} = {value})", word=word, n=self.share.bound.symbol, value=self.left.count)

    @property
    def reason(self) -> Prose | None:
        """Why it does not fit, and what would help."""
        if self.feasible:
            return None
        pieces = {**self.pieces, "help": text(self._help)}
        if self.left.each == 0:
            return say("on {n} {devices} each would {hold} {used}, which is all that it has; {help}", **pieces)
        return say("on {n} {devices} each would {hold} {used} of its {counted}, {over} too much; {help}", **pieces)

    @property
    def _help(self) -> str:
        """What would help, at the instant that does not fit."""
        memory, shared = self.share.bound.memory, self.share.bound.divided != 0
        if memory.of("activations", "buffers").terms:
            if shared:
                return "take more devices, divide more of the memory, or make the batch or the model smaller"
            return "divide more of the memory, or make the batch or the model smaller"
        if shared:
            return "take more devices, divide more of the memory, or make the model smaller"
        return "divide more of the memory, or make the model smaller"

    def left_steps(self, work: Work) -> Iterator[Block]:
        """What one device keeps at this number of devices, and what it has free, or by how much it is too much."""
        n, limit, fixed = self.share.bound.symbol, self.share.bound.limit, self.share.fixed != 0
        work.define(n, sp.Integer(self.left.count))
        whole = self.share.bound.divided == 0
        held = M_fixed if whole else M_fixed + M_divided / n if fixed else M_divided / n
        work.define(M_device, held)
        kept, free = symbolic(self.left.used), symbolic(self.left.each)
        yield work.step(
            say("On {n} {devices} each {holds}", **self.pieces),
            Chain(
                M_device,
                (
                    ("=", Total((M_fixed, M_divided / n)) if fixed and not whole else held),
                    ("=", work.put(held)),
                    amount(kept, "bytes", digits=14),
                    amount(kept, "GiB"),
                ),
            ),
        )
        if not self.feasible:
            yield work.step(
                say("{what} does not fit. What is too much is", what=fitting(self.study).capitalize()),
                Chain(M_device, ((limit.fails, C_mem),)),
                Chain(M_device - C_mem, (amount(-free, "bytes", digits=14), amount(-free, "GiB"))),
            )
            return
        work.define(M_free, C_mem - M_device)
        yield work.step(
            say("{what} fits. What stays free on each is", what=fitting(self.study).capitalize()),
            Chain(M_device, ((limit.sign, C_mem),)),
            Chain(M_free, (("=", C_mem - M_device), amount(free, "bytes", digits=14), amount(free, "GiB"))),
        )

    @property
    def table(self) -> Table:
        """How far each symbol can grow, at a glance."""
        heads = (
            Column(text("symbol")),
            Column(text("in the study"), "right"),
            Column(say("largest at which {what} fits", what=fitting(self.study)), "right"),
            Column(text("bytes then"), "right"),
            Column(text("bytes that one more lacks"), "right"),
        )
        rows = tuple(
            (
                say("{x}", x=most.symbol),
                count(most.now),
                count(most.value),
                text("–") if most.value is None else _bytes(most.held(most.value)),
                text("–") if most.more_needs is None else _bytes(most.more_needs),
            )
            for most in self.most
        )
        rows += tuple(
            (say("{x}", x=each.symbol), count(each.now), text("–"), text("–"), text("–")) for each in self.unsolved
        )
        caption = say("How far each can grow on {n} {devices}, the others held", **self.pieces)
        return Table(caption, heads, rows)

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the answer takes for granted."""
        return (
            *assumptions(self.study),
            *divided_model(self.study),
            *placement_sentences(self.kinds, self.placement, whose(self.study)),
        )

    @property
    def cautions(self) -> tuple[Prose, ...]:
        """That no process has so much room, or that whole rows may have none."""
        if not self.feasible:
            return ()
        return cautions_of_fit(self.study, self._known, self.capacity, self.left.used, "account")

    @property
    def crowded(self) -> tuple[Prose, ...]:
        """That what is not counted may take more than is left."""
        return crowded(self.study, self._known, self.capacity, self.left.used)

    @property
    def ledger(self) -> Ledger:
        """The account, what is divided and what is not, what one device holds, and what it has free."""
        lines = (*account_lines(self.study, self.kinds), *degree_lines(self.share.bound, self.capacity))
        return Ledger(lines, self._known)

    @property
    def _known(self) -> dict[sp.Symbol, sp.Expr]:
        """The numbers of the study, with the number of devices in its place."""
        return {**self.study.values, self.share.bound.symbol: sp.Integer(self.left.count)}

    @property
    def summary(self) -> Iterator[tuple[str, Prose]]:
        """The capacity, what one device keeps, what is free on all together, and each largest value with its neighbour."""
        yield from capacity_summary(self.capacity)
        yield held_at(
            self.left.count, self.left.used, self.capacity.counted, fits=self.feasible, what=fitting(self.study)
        )
        if self.feasible:
            yield "together", say("{free} free on all of them", free=about(Amount(symbolic(self.together), "GiB")))
        for most in self.most:
            if most.value is not None and most.more_needs is not None:
                needs = Amount(symbolic(most.more_needs), "bytes", digits=14)
                pieces = {"most": Amount(sp.Integer(most.value)), "needs": about(needs)}
                yield f"largest {most.symbol}", say("{most}; one more lacks {needs} on each device", **pieces)
        yield from uncounted_lines(self.study, self._known)
        for said in self.assumptions:
            yield "assumed", said

    @property
    def facts(self) -> Mapping[str, Any]:
        """Used and free bytes, and each largest value."""
        return {
            "for": str(self.share.bound.symbol),
            "devices": self.devices,
            "degree": self.left.count,
            "feasible": self.feasible,
            "value": self.value,
            "strict": self.share.bound.strict,
            "capacity_bytes": int(self.capacity.counted),
            "reading": self.capacity.reading,
            "device": self.capacity.device.name if self.capacity.device else None,
            "used_bytes": self.left.used,
            "free_bytes_each": self.left.each,
            "free_bytes": self.together,
            "largest": [each.facts for each in (*self.most, *self.unsolved)],
            "not_counted": uncounted_records(self.study, self._known),
            "assumptions": self.assumptions,
            "reason": self.reason,
        }


def _bytes(size: Number) -> Prose:
    return about(Amount(symbolic(size), digits=14))
