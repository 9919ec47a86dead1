"""The question `layouts`: which meshes of devices hold a step, or the smallest degree along one axis with the others given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import lookup, n_ep, n_fsdp, n_micro, n_pp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, say
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.document.words import about, gib
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.assumptions import lays_out, load_of_experts, ranks_beside
from symbolic_mem.questions.parts.degree_claims import with_devices
from symbolic_mem.questions.parts.found_layouts import FoundLayouts, degrees_words, layouts_table
from symbolic_mem.questions.parts.keys import OnDevice, values, whole
from symbolic_mem.questions.parts.meshes import AXES, FOUND, degrees, meshes, need_plan, sequences_of, tried
from symbolic_mem.questions.parts.with_software import WithSoftware
from symbolic_mem.questions.parts.words import capacity_blocks
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.changed_values import use_plan
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import At, key, sets, words
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
        capacity, held, sequences = study.capacity, self.held(study), None
        if self.symbol is not None:
            asked = [{self.symbol: degree} for degree in degrees(study, self.symbol)]
            rows = [tried(study, one, None) for one in asked]
        else:
            assert self.devices is not None
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
        follow = sequences is not None
        return FoundLayouts(study, self, capacity, tuple(rows), len(asked), self.symbol, self.devices, held, follow)

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
