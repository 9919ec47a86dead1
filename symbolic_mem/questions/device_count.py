"""The question `device_count`: how many devices hold the memory when nothing but its size matters.

What only an answer needs is imported when the question is answered: reading a study stays cheap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import put
from symbolic_mem.base.symbols import C_mem, M_total, N_devices
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block
from symbolic_mem.document.words import about, listed, plural, unrounded
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.assumptions import used_by_plan
from symbolic_mem.questions.parts.instants import hardest, kept_instants
from symbolic_mem.questions.parts.keys import OnDevice, Printed, kinds, values
from symbolic_mem.questions.parts.with_software import WithSoftware
from symbolic_mem.questions.parts.words import KIND_WORDS, capacity_blocks, few_figures
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import key, sets
from symbolic_mem.study.question import naming
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

if TYPE_CHECKING:
    from symbolic_mem.questions.parts.found_count import FoundCount
    from symbolic_mem.questions.parts.readings import Reading
    from symbolic_mem.solvers.degree import Degree


@dataclass(frozen=True, repr=False)
class DeviceCount(Printed, WithSoftware, OnDevice):
    """How many devices hold the memory of some kinds, spread evenly."""

    ask = "device_count"
    solvable = True

    kinds: tuple[str, ...] = key(kinds, ())
    values: tuple[Change, ...] = sets(values)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """What the question gives values to for itself."""
        return tuple(change.aspect for change in self.values)

    @property
    def counted(self) -> tuple[str, ...]:
        """The kinds of memory that the question counts."""
        return self.kinds or KINDS

    def degree(self, study: Study, capacity: Capacity, kinds: tuple[str, ...]) -> Degree:
        """Count the devices of one capacity that hold the given kinds, at the instant of the study."""
        from symbolic_mem.base.limit import Limit
        from symbolic_mem.solvers.bound import Bound
        from symbolic_mem.solvers.degree import degree_under

        memory = study.memory.of(*kinds)
        if not any(one.memory.of(*kinds).terms for one in kept_instants(study, kinds)):
            kept = listed([KIND_WORDS[kind] for kind in study.memory.kinds])
            raise BadInput(f"question {self.label} counts nothing: of {', '.join(kinds)} none is kept; kept are {kept}")
        spread = memory.placed(dict.fromkeys(memory.kinds, Placed(N_devices)))
        with naming(self.label):
            return degree_under(Bound(spread, N_devices, Limit(capacity.counted, self.strict)), study.numbers)

    def answer(self, study: Study) -> FoundCount:
        """Count the devices; the instant of a step that asks for most decides."""
        from symbolic_mem.questions.parts.found_degree import hardness

        whole = _uncut(study)
        found = hardest(kept_instants(whole, self.counted), self._at_instant, hardness)
        return found if whole is study else replace(found, cut=True)

    def _at_instant(self, study: Study) -> FoundCount:
        from symbolic_mem.questions.parts.found_count import FoundCount

        solved = self.degree(study, study.capacity, self.counted)
        return FoundCount(study, self, study.capacity, solved, readings=self._readings(study))

    def _readings(self, study: Study) -> tuple[Reading, ...]:
        """Count again under every reading of the device's label, for the states alone and for everything."""
        from symbolic_mem.questions.parts.readings import Reading, every_reading

        groups = self._groups(study.memory.of(*self.counted))
        return tuple(
            Reading(capacity, tuple(self.degree(study, capacity, group).value for group in groups))
            for capacity in every_reading(study.capacity)
        )

    def _groups(self, memory: Memory) -> tuple[tuple[str, ...], ...]:
        """The states alone and all kinds, where both are there; else all kinds."""
        if "activations" not in memory.kinds or not memory.of(*STATIC).terms:
            return (self.counted,)
        return (tuple(kind for kind in self.counted if kind in STATIC), self.counted)

    def steps(self, found: FoundCount) -> Iterator[Block]:
        """The account, the capacity, the quotient and the whole number, then the same under every reading."""
        from symbolic_mem.base.limit import Limit
        from symbolic_mem.questions.parts.memory import memory_blocks
        from symbolic_mem.questions.parts.printed import printed_blocks
        from symbolic_mem.questions.parts.readings import readings_blocks

        study, limit, work = found.study, Limit(found.capacity.counted, self.strict), Work(found.study.values)
        number = sp.Integer(found.value or 0)
        yield from memory_blocks(study, work, self.counted)
        work.define(N_devices, number)
        yield from capacity_blocks(found.capacity, work)
        quotient = M_total / C_mem
        yield work.step(
            text("When the memory is spread evenly, the number of devices satisfies"),
            Chain(N_devices, ((limit.reach, quotient), ("=", work.put(quotient)), unrounded(work.number(quotient)))),
            Chain(N_devices, (("=", limit.first(quotient)), amount(number, "devices"))),
        )
        yield from printed_blocks(self, study, number, "devices")
        if found.readings:
            both = len(found.readings[0].numbers) == 2
            heads = ("states only", "with activations") if both else ("devices",)
            yield from readings_blocks(found.capacity, found.readings, tuple(map(text, heads)))

    def sentence(self, found: FoundCount) -> Prose:
        """Say how much there is of what, and how many devices that is."""
        capacity, memory, known = found.capacity, found.study.memory.of(*self.counted), dict(found.study.values)
        static, rest = memory.of(*STATIC), memory.of("activations", "buffers", "cache")
        devices = plural(found.value or 0, "device", "devices")

        def shown(part: Memory) -> Prose:
            return about(Amount(put(part.total, known), capacity.unit))

        pieces = {
            "names": listed([KIND_WORDS[kind] for kind in memory.kinds]).capitalize(),
            "total": shown(memory),
            "number": found.value or 0,
            "devices": f"{devices} ({capacity.device.title})" if capacity.device else devices,
            "all": "" if found.value == 1 else " each",
            "each": few_figures(capacity) or about(Amount(capacity.counted, capacity.unit, beside=True)),
        }
        if static.terms and rest.terms:
            return say(
                "{names} take {total} ({s} of states and {a} of {kept}): what is kept fits on {number} {devices} of {each}{all}.",
                s=shown(static),
                a=shown(rest),
                kept=listed([KIND_WORDS[kind] for kind in rest.kinds]),
                **pieces,
            )
        return say("{names} take {total}: what is kept fits on {number} {devices} of {each}{all}.", **pieces)

    def heading(self, found: FoundCount) -> str:
        """The title where the study gives none."""
        return self.title or "Memory, and how many devices that is"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed."""
        return ("devices",)

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The number of devices."""
        from symbolic_mem.questions.parts.degree_claims import degree_claim

        solved = [self.degree(one, one.capacity, self.counted) for one in kept_instants(_uncut(study), self.counted)]
        return {"devices": degree_claim(solved, "devices that hold what is kept, spread evenly")}


def _uncut(study: Study) -> Study:
    """The study of the whole model, which its plan may cut: amounts are counted, wherever they live."""
    if study.plan is None or study.plan.ranks(study.values) == 1:
        return study
    cut = used_by_plan(study, study.plan)
    return replace(study, plan=None, values={name: value for name, value in study.values.items() if name not in cut})
