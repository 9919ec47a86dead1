"""What can be claimed of the topics of an insight: each number that their sentences and tables state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symbolic_mem.base.rational import fraction
from symbolic_mem.base.symbols import T
from symbolic_mem.questions.parts.grids import Grid, LeftOvers, RegionTable
from symbolic_mem.questions.parts.trends import Crossing, FloorOf
from symbolic_mem.study.claimed import Claimed


def region_names(asked: Grid) -> Iterator[tuple[str, int, int]]:
    """Yield the name of every entry of the region, such as ``n_fsdp_at_B_4_S_2048``, with its row and column."""
    if asked.rows is not None and asked.columns is not None:
        (r, rows), (c, columns) = asked.rows, asked.columns
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                yield f"{asked.symbol}_at_{r}_{row}_{c}_{column}", i, j


def topic_claims(asked: Grid, topic: Any) -> Iterator[tuple[str, Claimed]]:
    """Yield the numbers of a topic by the name under which they can be claimed."""
    match topic:
        case FloorOf():
            yield (
                "floor",
                Claimed(
                    fraction(topic.bytes), "bytes", "bytes that stay on every device", unit="bytes", of_one="device"
                ),
            )
        case Crossing():
            unit = "tokens" if topic.symbol == T else "sequences"
            meaning = f"{unit} from which on activations are larger than the states"
            yield "crossover", Claimed(topic.first, "count", meaning, unit=unit)
        case RegionTable():
            for name, i, j in region_names(asked):
                meaning = f"the smallest degree {asked.symbol} at which what is kept fits"
                yield name, Claimed(topic.entries[i][j], "count", meaning, unit="devices", extreme="least")
        case LeftOvers():
            for row in topic.rows:
                devices = row.count * topic.ranks
                meaning = f"bytes free on each of {devices} devices"
                left = row.each if topic.fits(row) else None
                yield f"left_over_at_{devices}", Claimed(left, "bytes", meaning, unit="bytes", of_one="device")
