"""What an answer becomes where what no tensor is counts, too: from the least to the most that was seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symbolic_mem.base.rational import Number, fraction, plain, rational, rounded_up, symbolic
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.words import about, gib, joined
from symbolic_mem.hardware.software import ALLOCATOR, Overhead, Software, read_software
from symbolic_mem.questions.parts.uncounted import counted_already
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


@dataclass(frozen=True)
class Answers:
    """The `values` of an answer at the least and at the most of what the `software` holds; None where there is none."""

    software: Software
    values: tuple[int | None, int | None]

    @property
    def row(self) -> Prose:
        """The answer, or both, and what counts."""
        return say("{found}, where these count, too: {counted}", found=self._found, counted=_counted(self.software))

    @property
    def sentence(self) -> Prose:
        """The same as a sentence."""
        return say(
            "Beside the tensors count {counted}: then the answer is {found}.",
            found=self._found,
            counted=_counted(self.software),
        )

    @property
    def _found(self) -> Prose:
        low, high = (text("no number") if value is None else say("{n}", n=value) for value in self.values)
        return low if self.values[0] == self.values[1] else say("{low} to {high}", low=low, high=high)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The same as a program reads it."""
        return {"counted": [one.facts for one in self.software.overheads], "values": list(self.values)}


@dataclass(frozen=True)
class Held:
    """The bytes of one device with what the `software` holds, at the least and at the most, against the `room` of a device."""

    software: Software
    bytes: tuple[Number, Number]
    room: Number | None

    @property
    def fits(self) -> tuple[bool, bool] | None:
        """Whether they fit; None where no device is named."""
        if self.room is None:
            return None
        low, high = (size <= self.room for size in self.bytes)
        return low, high

    @property
    def row(self) -> Prose:
        """Both, whether they fit, and what counts."""
        low, high = (about(gib(size)) for size in self.bytes)
        found = low if self.bytes[0] == self.bytes[1] else say("{low} to {high}", low=low, high=high)
        verdict = {None: "", (True, True): ", which fits", (False, False): ", which does not fit"}
        said = verdict.get(self.fits, ", of which the least fits and the most does not")
        return say(
            "{found}{said}, where these count, too: {counted}",
            found=found,
            said=text(said),
            counted=_counted(self.software),
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """The same as a program reads it."""
        return {
            "counted": [one.facts for one in self.software.overheads],
            "bytes": [rounded_up(size) for size in self.bytes],
            "fits": None if self.fits is None else list(self.fits),
        }


def answers(question: Question, study: Study, given: str, where: str = "--software") -> Answers:
    """Answer a question with the software that is `given`, of a study as the question sees it; raises `BadInput` where none counts."""
    capacity, device = study.capacity, study.device
    software = read_software(given, capacity.device, capacity.nominal, counted_already(study), where)
    low, high = (
        question.answer(study.on_device(replace(device, reserved=reserved, usable=rational(usable)))).value
        for reserved, usable in software.limits(device.reserved, fraction(device.usable))
    )
    return Answers(software, (low, high))


def held(study: Study, tensors: Number, capacity: Capacity | None, given: str) -> Held:
    """What one device of a study holds beside so many bytes of tensors."""
    device = None if capacity is None else capacity.device
    nominal = None if capacity is None else capacity.nominal
    software = read_software(given, device, nominal, counted_already(study))
    return Held(software, software.bytes(tensors), None if capacity is None else plain(capacity.counted))


def _counted(software: Software) -> Prose:
    return joined([_each(one) for one in software.overheads])


def _each(one: Overhead) -> Prose:
    unit = "" if one.name == ALLOCATOR else "GiB"
    low, high = (Amount(symbolic(size), unit) for size in (one.low, one.high))
    words = f"{one.words}, times" if one.name == ALLOCATOR else one.words
    if one.low == one.high:
        return say("{words} {size}", words=words, size=low)
    return say("{words} {low} to {high}", words=words, low=low, high=high)
