"""What the question `layouts` found: the meshes that were tried, in words, as a table and as records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import sympy as sp

from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import M_device, n_micro
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.document.words import about, gib, joined, plural
from symbolic_mem.questions.parts.assumptions import assumptions
from symbolic_mem.questions.parts.cautions import BESIDE, close_fit, crowded, too_long
from symbolic_mem.questions.parts.lines import FREE, capacity_line
from symbolic_mem.questions.parts.meshes import Tried
from symbolic_mem.questions.parts.shrinks import unshrinking
from symbolic_mem.questions.parts.uncounted import uncounted_lines, uncounted_records
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.found import Found
from symbolic_mem.study.study import Study


@dataclass(frozen=True, repr=False)
class FoundLayouts(Found):
    """The meshes that were tried, of `number` in all, against the memory of one device.

    They are degrees of one axis, the `symbol`, or meshes of so many `devices`, which have the degrees that are `held`; their
    micro-batches `follow` from the sequences of a step, or are given.
    """

    capacity: Capacity
    rows: tuple[Tried, ...]
    number: int
    symbol: sp.Symbol | None
    devices: int | None
    held: Mapping[sp.Symbol, int]
    follow: bool

    @cached_property
    def fitting(self) -> tuple[Tried, ...]:
        """Those that fit, in their order."""
        strict = getattr(self.question, "strict", False)
        return tuple(row for row in self.rows if row.fits(self.capacity.counted, strict=strict))

    @cached_property
    def best(self) -> Tried | None:
        """The first that fits: the smallest degree, or the mesh that cuts the model least."""
        return self.fitting[0] if self.fitting else None

    @property
    def feasible(self) -> bool:
        """Whether one fits."""
        return self.best is not None

    @property
    def value(self) -> int | None:
        """The smallest degree, or how many fit."""
        if self.symbol is None:
            return len(self.fitting)
        return None if self.best is None else self.best.values[self.symbol]

    @cached_property
    def ledger(self) -> Ledger:
        """What one device has; where a mesh fits, the peak of the worst rank in that which cuts least, and what is free."""
        lines = [capacity_line(self.capacity)]
        if self.best is not None:
            lines += [Line(M_device, self.best.size, "bytes", "what the fullest rank holds", of_one="device"), FREE]
        return Ledger(tuple(lines), self.study.values)

    @property
    def tried(self) -> tuple[str, ...]:
        """The degrees that all meshes have, and the micro-batches where they do not follow from the sequences of a step."""
        if self.symbol is not None:
            return ()
        return (*map(str, self.held), *(() if self.follow else (n_micro.name,)))

    @property
    def devices_words(self) -> Prose:
        """How many devices, and which degrees all meshes of them have."""
        assert self.devices is not None
        devices = say("{n} {devices}", n=self.devices, devices=plural(self.devices, "device", "devices"))
        if not self.held:
            return devices
        degrees = joined([say("{n} = {value}", n=symbol, value=value) for symbol, value in self.held.items()])
        return say("{devices} with {degrees}", devices=devices, degrees=degrees)

    @property
    def meshes_words(self) -> Prose:
        """The meshes of which it is known whether they fit."""
        pieces = {"tried": len(self.rows), "number": self.number, "devices": self.devices_words}
        if self.number > len(self.rows):
            return say("the {tried} meshes of {devices} that are tried, of {number} that the model allows,", **pieces)
        return say("the {number} meshes of {devices} that the model allows", **pieces)

    @property
    def tried_words(self) -> Prose:
        """What is tried."""
        if self.number <= len(self.rows):
            if self.number == 1:
                return text("The one that the sizes of the model allow is tried.")
            return say("All {number} that the sizes of the model allow are tried.", number=self.number)
        return say(
            "Of the {number} that the sizes of the model allow, the {listed} that cut the model least are tried.",
            number=self.number,
            listed=len(self.rows),
        )

    @property
    def summary(self) -> Iterator[tuple[str, Prose]]:
        """One line for each mesh."""
        for row in self.rows:
            yield ("fits" if row in self.fitting else "fails"), row_words(row, self.capacity)
        yield from self.taken

    @property
    def shrinks(self) -> tuple[Prose, ...]:
        """What more devices do not make smaller, where something is trained."""
        said = unshrinking(self.study, [{**self.study.values, **row.values} for row in self.rows])
        return () if said is None else (said,)

    @property
    def taken(self) -> Iterator[tuple[str, Prose]]:
        """What is not counted, then what is taken for granted."""
        yield from uncounted_lines(self._decided, self._decided.values, software=self.question.software_counted)
        for said in self.assumptions:
            yield "assumed", said

    @property
    def cautions(self) -> tuple[Prose, ...]:
        """That something may have no room beside the peak in the mesh that cuts least of those that fit; that S is too long."""
        long = too_long(self.study, self.study.values)
        return long if self.best is None else (*close_fit(self.capacity, self.best.peak), *self.crowded, *long)

    @property
    def crowded(self) -> tuple[Prose, ...]:
        """That what is not counted may take more than is left there."""
        here = self._decided
        return () if self.best is None else crowded(here, here.values, self.capacity, self.best.peak)

    @property
    def beside_it(self) -> tuple[Prose, ...]:
        """That in short."""
        return (BESIDE,) if self.crowded else ()

    @cached_property
    def _decided(self) -> Study:
        """The study in the mesh that cuts it least of those that fit, else in the last one that is not refused, at an instant of its step."""
        chosen = self.best or next((row for row in reversed(self.rows) if row.peak is not None), None)
        if chosen is None:
            return self.study
        own = {symbol: sp.Integer(value) for symbol, value in chosen.values.items()}
        one = replace(self.study, values={**self.study.values, **own}, at=None)
        return one.seen_at(one.timeline[0]) if one.timeline else one

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the answer takes for granted, and which degrees that are given divide nothing."""
        return assumptions(replace(self.study, questions=(self.question,)))

    @property
    def facts(self) -> Mapping[str, Any]:
        """Every mesh, with its peak, its instant, what is left, and what a rank sends in a step; or why it is refused."""
        return {
            "feasible": self.feasible,
            "value": self.value,
            "capacity_bytes": int(self.capacity.counted),
            "allowed": self.number,
            "meshes": [
                {
                    "degrees": {str(symbol): value for symbol, value in row.values.items()},
                    "fits": row in self.fitting,
                    "peak_bytes": None if row.peak is None else int(-(-row.peak // 1)),
                    "instant": row.instant or None,
                    "rank": row.rank or None,
                    "left_bytes": None if row.peak is None else int((self.capacity.counted - row.size) // 1),
                    "sent_bytes": None if row.sent is None else int(-(-row.sent // 1)),
                    "refused": row.refused or None,
                }
                for row in self.rows
            ],
            "not_counted": uncounted_records(
                self._decided, self._decided.values, software=self.question.software_counted
            ),
            "assumptions": self.assumptions,
        }


def degrees_words(row: Tried) -> Prose:
    """The degrees of a mesh that are more than one."""
    more = [(symbol, value) for symbol, value in row.values.items() if value != 1] or list(row.values.items())[:1]
    return joined([say("{n} = {value}", n=symbol, value=value) for symbol, value in more], ", ", ", ")


def row_words(row: Tried, capacity: Capacity) -> Prose:
    """A mesh in one line."""
    if row.peak is None:
        return say("{degrees}: {why}", degrees=degrees_words(row), why=row.refused)
    left = capacity.counted - row.size
    pieces = {"degrees": degrees_words(row), "peak": about(gib(row.size)), "instant": row.words}
    if left < 0:
        return say("{degrees}: {peak} at {instant}, {more} too much", more=about(gib(symbolic(-left))), **pieces)
    return say("{degrees}: {peak} at {instant}, {left} left", left=about(gib(symbolic(left))), **pieces)


def layouts_table(found: FoundLayouts) -> Table:
    """The meshes side by side."""
    rows = []
    for row in found.rows:
        if row.peak is None:
            rows.append((degrees_words(row), text("–"), text(row.refused), text("–"), text("–")))
            continue
        left = found.capacity.counted - row.size
        shown = about(gib(symbolic(left))) if left >= 0 else say("{more} too much", more=about(gib(symbolic(-left))))
        sent = text("–") if row.sent is None else about(gib(symbolic(row.sent)))
        rows.append((degrees_words(row), about(gib(row.size)), text(row.words), shown, sent))
    columns = (
        Column(text("degrees"), "text"),
        Column(text("peak"), "right"),
        Column(text("worst rank and instant"), "text"),
        Column(text("left"), "right"),
        Column(text("sent in a step"), "right"),
    )
    return Table(text("Meshes"), columns, tuple(rows))
