"""`FoundCount`: a number of devices, counted again under every reading of the device's label."""

from __future__ import annotations

from dataclasses import dataclass

from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.document.words import count
from symbolic_mem.questions.parts.assumptions import assumptions
from symbolic_mem.questions.parts.found_degree import FoundDegree
from symbolic_mem.questions.parts.instants import instant_words
from symbolic_mem.questions.parts.words import READING_WORDS
from symbolic_mem.solvers.capacity import Capacity


@dataclass(frozen=True)
class Reading:
    """One reading of the label of a device, and the number of devices of each group under it."""

    capacity: Capacity
    numbers: tuple[int | None, ...]


@dataclass(frozen=True, repr=False)
class FoundCount(FoundDegree):
    """The number of devices, and the same under every reading of the device's label."""

    readings: tuple[Reading, ...] = ()

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the answer takes for granted: nothing of where the memory lives."""
        said = assumptions(self.study)
        return (*said, *instant_words(self.study), *self.fuller) if "gradients" in self.question.counted else said


def readings_table(found: FoundCount) -> Table:
    """Tabulate the count under every reading."""
    device = found.capacity.device
    assert device is not None, "only a device of the catalogue has readings"
    rows = []
    for reading in found.readings:
        name = reading.capacity.reading or ""
        used = say("{reading} (used here)", reading=name) if name == found.capacity.reading else text(name)
        cells = (used, text(READING_WORDS[name]), count(reading.capacity.counted))
        rows.append((*cells, *(count(number) for number in reading.numbers)))
    heads = ("states only", "with activations") if len(found.readings[0].numbers) == 2 else ("devices",)
    return Table(
        say("The same count under the readings of the memory of one {device}", device=text(device.title)),
        (
            Column(text("reading")),
            Column(text("what counts"), "text"),
            Column(text("bytes"), "right"),
            *(Column(text(head), "right") for head in heads),
        ),
        tuple(rows),
    )
