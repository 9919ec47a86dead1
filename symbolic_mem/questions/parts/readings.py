"""The same answer under every reading of the label of a device: decimal, binary, or as software reports it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.document.steps import Column, Paragraph, Table
from symbolic_mem.document.words import count, joined
from symbolic_mem.hardware.devices import READINGS
from symbolic_mem.questions.parts.words import READING_WORDS, few_figures
from symbolic_mem.solvers.capacity import Capacity, capacity_of


@dataclass(frozen=True)
class Reading:
    """One reading of the label of a device, and the numbers that come out under it."""

    capacity: Capacity
    numbers: tuple[int | None, ...]


def every_reading(chosen: Capacity) -> tuple[Capacity, ...]:
    """The memory of a device in every reading of its label; of an amount, none."""
    if chosen.device is None:
        return ()
    names = [reading for reading in READINGS if getattr(chosen.device, reading) is not None]
    return tuple(capacity_of(chosen.device, name, reserved=chosen.reserved, usable=chosen.usable) for name in names)


def readings_blocks(
    chosen: Capacity, readings: Sequence[Reading], heads: Sequence[Prose]
) -> Iterator[Table | Paragraph]:
    """The numbers under every reading as a table; in short those of the other readings in one sentence."""
    yield replace(readings_table(chosen, readings, heads), told="in full")
    others = [each for each in readings if each.capacity.reading != chosen.reading]
    if others:
        yield Paragraph(_otherwise(others, heads), told="in short")


def _otherwise(others: Sequence[Reading], heads: Sequence[Prose]) -> Prose:
    """The numbers under the other readings, each with its head where there are several."""
    ways = [text(READING_WORDS[each.capacity.reading or ""]) for each in others]
    if len(heads) == 1:
        found = [
            say("{n} by {way}", n=_number(each.numbers[0]), way=way) for each, way in zip(others, ways, strict=True)
        ]
        return say("With the memory of a device read otherwise it is {found}.", found=joined(found))
    found = [
        say(
            "by {way} it is {numbers}",
            way=way,
            numbers=joined(
                [
                    say("{n} ({head})", n=_number(number), head=head)
                    for number, head in zip(each.numbers, heads, strict=True)
                ]
            ),
        )
        for each, way in zip(others, ways, strict=True)
    ]
    return say("With the memory of a device read otherwise, {found}.", found=joined(found, "; ", "; "))


def _number(value: int | None) -> Prose:
    return text("none") if value is None else count(value)


def _bytes(capacity: Capacity) -> Prose:
    """What counts, exactly, or as it is printed where no more figures are known."""
    return few_figures(capacity) or count(capacity.counted)


def readings_table(chosen: Capacity, readings: Sequence[Reading], heads: Sequence[Prose]) -> Table:
    """Tabulate the numbers under every reading, and mark the one that is used."""
    assert chosen.device is not None, "only a device of the catalogue has readings"
    rows = []
    for reading in readings:
        name = reading.capacity.reading or ""
        used = say("{reading} (used here)", reading=name) if name == chosen.reading else text(name)
        cells = (used, text(READING_WORDS[name]), _bytes(reading.capacity))
        rows.append((*cells, *(count(number) for number in reading.numbers)))
    return Table(
        say("The same under the readings of the memory of one {device}", device=text(chosen.device.title)),
        (
            Column(text("reading")),
            Column(text("what counts"), "text"),
            Column(text("bytes"), "right"),
            *(Column(head, "right") for head in heads),
        ),
        tuple(rows),
    )
