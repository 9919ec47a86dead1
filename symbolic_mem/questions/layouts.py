"""The question `layouts`: which meshes of devices hold a step, or the smallest degree along one axis with the others given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import M_device, lookup, n_ep, n_fsdp, n_micro, n_pp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Table
from symbolic_mem.document.words import about, gib, joined, plural
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.assumptions import assumptions, lays_out, load_of_experts, ranks_beside
from symbolic_mem.questions.parts.cautions import BESIDE, close_fit, crowded, too_long
from symbolic_mem.questions.parts.found_degree import with_devices
from symbolic_mem.questions.parts.keys import OnDevice, values, whole
from symbolic_mem.questions.parts.lines import FREE, capacity_line
from symbolic_mem.questions.parts.meshes import AXES, FOUND, Tried, degrees, meshes, need_plan, sequences_of, tried
from symbolic_mem.questions.parts.shrinks import unshrinking
from symbolic_mem.questions.parts.uncounted import uncounted_lines, uncounted_records
from symbolic_mem.questions.parts.with_software import WithSoftware
from symbolic_mem.questions.parts.words import capacity_blocks
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.changed_values import use_plan
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import At, key, sets, words
from symbolic_mem.study.question import Found
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

LISTED = 200


def _axis(given: Any, at: At) -> sp.Symbol:
    symbol = lookup(words(given, at))
    if symbol is None or symbol not in FOUND:
        raise BadInput.one_of(f"{at.where} = {given!r} is no axis that cuts a model", FOUND)
    return symbol


@dataclass(frozen=True)
class Layouts(WithSoftware, OnDevice):
    """Every mesh of `devices` that the model allows, with the peak of its worst rank; or every degree of one axis.

    `sequences` are those of a step over all devices, from which the micro-batches follow. A degree that the question or a caller
    gives is one of every mesh.
    """

    ask = "layouts"
    solvable = True

    symbol: sp.Symbol | None = key(_axis, name="for")
    devices: int | None = key(whole)
    sequences: int | None = key(whole)
    plan: tuple[Change, ...] = sets(lambda given, at: use_plan(words(given, at), at.plans, at.where, FOUND))
    values: tuple[Change, ...] = sets(values)

    def checked(self) -> Self:
        """Refuse both an axis and a number of devices, and neither."""
        if (self.symbol is None) == (self.devices is None):
            raise BadInput(f"{self.where}: give one of for, an axis such as 'n_tp', and devices, how many there are")
        return super().checked()

    def given(self, table: Mapping[str, Any], where: str, options: Mapping[str, str] | None = None) -> Self:
        """The same question with other keys; one that is given an axis no longer asks about a number of devices."""
        own = replace(self, devices=None, sequences=None) if "for" in table else self
        return super(Layouts, own).given(table, where, options)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """What is tried."""
        given = tuple(change.aspect for change in self.values)
        if self.symbol is not None:
            return (str(self.symbol), *given)
        return (*map(str, (*AXES, n_fsdp, n_micro)), *given)

    def answer(self, study: Study) -> FoundLayouts:
        """Try every mesh, at most 200 of them."""
        need_plan(study, f"question {self.label}")
        study = study.as_given
        capacity = study.capacity
        if self.symbol is not None:
            asked = [{self.symbol: degree} for degree in degrees(study, self.symbol)]
            rows = [tried(study, one, None) for one in asked]
        else:
            assert self.devices is not None
            held = self.held(study)
            asked = list(meshes(study, self.devices, held))
            if not asked and held:
                raise BadInput(
                    f"question {self.label}: no mesh of {self.devices} devices that the model allows has "
                    f"{', '.join(f'{symbol} = {value}' for symbol, value in held.items())}: n_tp n_pp n_cp n_fsdp is the number of "
                    "devices; give degrees that come out, or another number"
                )
            if not asked:  # one stage always divides them, unless the plan says how many there are
                raise BadInput(
                    f"question {self.label}: {self.devices} devices are no multiple of n_pp = {study.values[n_pp]}, the stages whose "
                    "blocks [plan] gives as layers; give a multiple of it"
                )
            sequences = sequences_of(study, self.sequences)
            rows = [tried(study, one, sequences) for one in asked[:LISTED]]
        why = Counter(row.refused for row in rows)
        if "" not in why:  # nothing is known of any mesh: what most are refused for says what to give
            raise BadInput(why.most_common(1)[0][0])
        return FoundLayouts(study, self, capacity, tuple(rows), len(asked))

    def held(self, study: Study) -> dict[sp.Symbol, int]:
        """The degrees that the question or a caller gives, and that all meshes have."""
        given = {change.aspect for change in (*self.own, *study.caller)}
        return {axis: int(study.values[axis]) for axis in (*AXES, n_fsdp) if axis.name in given}

    def steps(self, found: FoundLayouts) -> Iterator[Block]:
        """Say what is tried on which device, tabulate it, and say what does not shrink."""
        yield Paragraph(found.tried_words)
        yield from capacity_blocks(found.capacity, Work(found.study.values))
        yield layouts_table(found)
        yield from map(Paragraph, found.shrinks)

    def sentence(self, found: FoundLayouts) -> Prose:
        """Say the smallest degree, or how many meshes fit and which of them cuts the model least."""
        best = found.best
        room = about(Amount(found.capacity.counted, found.capacity.unit, beside=True))
        if self.symbol is not None:
            pieces = {
                "n": self.symbol,
                "tried": ", ".join(str(row.values[self.symbol]) for row in found.rows),
                "room": room,
            }
            if best is None:
                return say("There is no such {n}: of {tried} none fits {room}.", **pieces)
            return say(
                "The smallest {n} is {value}: the peak, {peak} ({instant}), fits its {room}.",
                value=best.values[self.symbol],
                peak=about(gib(best.size)),
                instant=best.words,
                **pieces,
            )
        pieces: dict[str, int | str | Prose] = {
            "meshes": found.meshes_words,
            "devices": found.devices_words,
            "fit": len(found.fitting),
            "room": room,
        }
        if best is None and found.number == 1:
            return say("The one mesh of {devices} that the model allows does not fit {room}.", **pieces)
        if best is None:
            return say("Of {meshes} none fits {room}.", **pieces)
        pieces |= {"degrees": degrees_words(best), "peak": about(gib(best.size)), "instant": best.words}
        if found.number == 1:
            return say(
                "The one mesh of {devices} that the model allows fits {room}: with {degrees} its peak is {peak} ({instant}).",
                **pieces,
            )
        return say(
            "Of {meshes} {fit} fit {room}. Least is cut by {degrees}: its peak is {peak} ({instant}).",
            **pieces,
        )

    def beside(self, found: FoundLayouts) -> tuple[Prose, ...]:
        """With which load the experts are counted, where a mesh divides them."""
        said = super().beside(found)
        divided = any(row.values.get(n_ep, 1) != 1 for row in found.rows) or found.study.values.get(n_ep, 1) != 1
        experts = found.study.built.architecture is not None and found.study.built.architecture.experts is not None
        return (*said, load_of_experts(found.study)) if divided and experts else said

    def heading(self, found: FoundLayouts) -> str:
        """The title where the study gives none."""
        return self.title or "Meshes that hold a step"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """The degree and all devices of its mesh, or how many meshes fit."""
        if self.symbol is None:
            return ("meshes",)
        return (self.symbol.name, "devices") if lays_out(self.symbol) else (self.symbol.name,)

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The degree, under the name of its symbol, or the number of meshes that fit."""
        found = answer_to(study, self)
        if self.symbol is None:
            return {
                "meshes": Claimed(found.value, "count", f"how many meshes of {self.devices} devices fit", unit="meshes")
            }
        meaning = f"the smallest degree {self.symbol.name} at which the peak fits"
        each = ranks_beside(study, self.symbol)
        claimed = Claimed(found.value, "devices", meaning, unit="devices", fits="the peak", each=each)
        return with_devices(self.symbol, claimed) if lays_out(self.symbol) else {self.symbol.name: claimed}


@dataclass(frozen=True, repr=False)
class FoundLayouts(Found):
    """The meshes that were tried, of `number` in all, against the memory of one device."""

    capacity: Capacity
    rows: tuple[Tried, ...]
    number: int

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
        question = self.question
        assert isinstance(question, Layouts)
        if question.symbol is None:
            return len(self.fitting)
        return None if self.best is None else self.best.values[question.symbol]

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
        question = self.question
        assert isinstance(question, Layouts)
        if question.symbol is not None:
            return ()
        follow = sequences_of(self.study, question.sequences) is not None
        return (*map(str, question.held(self.study)), *(() if follow else (n_micro.name,)))

    @property
    def devices_words(self) -> Prose:
        """How many devices, and which degrees all meshes of them have."""
        question = self.question
        assert isinstance(question, Layouts) and question.devices is not None
        held = question.held(self.study)
        devices = say("{n} {devices}", n=question.devices, devices=plural(question.devices, "device", "devices"))
        if not held:
            return devices
        degrees = joined([say("{n} = {value}", n=symbol, value=value) for symbol, value in held.items()])
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
        cut = {symbol for row in self.rows for symbol, value in row.values.items() if value != 1}
        said = unshrinking(self.study, cut | {symbol for symbol, value in self.study.values.items() if value != 1})
        return () if said is None else (said,)

    @property
    def taken(self) -> Iterator[tuple[str, Prose]]:
        """What is not counted, then what is taken for granted."""
        yield from uncounted_lines(self._decided, self._decided.values)
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
                    "left_bytes": None if row.peak is None else int((self.capacity.counted - row.size) // 1),
                    "sent_bytes": None if row.sent is None else int(-(-row.sent // 1)),
                    "refused": row.refused or None,
                }
                for row in self.rows
            ],
            "not_counted": uncounted_records(self._decided, self._decided.values),
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
