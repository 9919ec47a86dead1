"""What one device keeps and its peak, as a program reads them: records of numbers, which need no SymPy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from symbolic_mem.base.told import RoundedUp
from symbolic_mem.questions.parts.turns import Turn

Number = int | Fraction


class Instant(NamedTuple):
    """An instant of a `phase` of a step in `words`, on a `rank` where ranks differ, with the bytes of one device at it."""

    phase: str
    words: str
    rank: str
    bytes: Number


def fullest_of_each(step: Iterable[Instant]) -> list[Instant]:
    """The fullest instant of each phase, the first of several that are as full.

    >>> [one.words for one in fullest_of_each([Instant("loss", "a", "", 1), Instant("loss", "b", "", 2), Instant("step", "c", "", 1)])]
    ['b', 'c']
    """
    found: dict[str, Instant] = {}
    for one in step:
        best = found.get(one.phase)
        if best is None or one.bytes > best.bytes:
            found[one.phase] = one
    return list(found.values())


def margin(found: Sequence[Instant | Any]) -> Number | None:
    """By how many bytes the fullest instant is ahead of the fullest one of any other phase; None where there is none.

    >>> margin([Instant("loss", "a", "", 5), Instant("step", "b", "", 3), Instant("forward", "c", "", 4)])
    1
    """
    most, *others = sorted((one.bytes for one in found), reverse=True)
    return most - others[0] if others else None


def peak_record(found: Sequence[Instant], turns: Sequence[Turn] = ()) -> dict[str, Any]:
    """The peak and its instant, by how much it is ahead of the next (rounded down), the bytes of the fullest instant of each phase, rounded up, and where another takes over.

    It is empty without instants.
    """
    if not found:
        return {}
    most = max(found, key=lambda one: one.bytes)
    return {
        "peak_bytes": up(most.bytes),
        "instant": most.words,
        "rank": most.rank or None,
        "margin_bytes": None if (ahead := margin(found)) is None else ahead // 1,
        "instants": [{"phase": one.phase, "instant": one.words, "bytes": up(one.bytes)} for one in found],
        "takeovers": [one.record for one in turns],
    }


def device_record(
    degrees: Mapping[str, Any],
    total: Number | None,
    found: Sequence[Instant],
    capacity: tuple[Number, str | None] | None,
    loss: str | None = None,
    turns: Sequence[Turn] = (),
) -> Mapping[str, Any] | None:
    """What one device keeps in `total` and its peak, at `degrees`, beside its `capacity`; None where that has no number.

    A capacity has the bytes that count, and how the label of the device is read; None for an amount. The rank is that of the
    peak, and `loss` says how that works; None where all ranks are alike, or there is none.

    >>> device_record({"n_fsdp": 2}, 7, [], (10, "binary"))
    {'degrees': {'n_fsdp': 2}, 'total_bytes': 7, 'peak_bytes': 7, 'instant': None, 'rank': None, 'loss': None, 'capacity_bytes': 10, 'reading': 'binary', 'fits': True, 'left_bytes': 3}
    """
    if total is None:
        return None
    kept = RoundedUp(up(total)) if up(total) != total else up(total)
    counted, reading = (None, None) if capacity is None else capacity
    left = None if counted is None else counted - (max(one.bytes for one in found) if found else total)
    return {
        "degrees": degrees,
        "total_bytes": kept,
        **(peak_record(found, turns) or {"peak_bytes": kept, "instant": None, "rank": None}),
        "loss": loss,
        "capacity_bytes": None if counted is None else int(counted),
        "reading": reading,
        "fits": None if left is None else left >= 0,
        "left_bytes": None if left is None else left // 1,
    }


def reading_record(reading: str | None, counted: Any, values: Sequence[int | None]) -> dict[str, Any]:
    """What comes out under one reading of the label of a device, of which so many bytes count."""
    return {"reading": reading, "capacity_bytes": int(counted), "values": list(values)}


def remedy_record(words: str, option: str, fixed: Number, less: Number, *, enough: bool) -> dict[str, Any]:
    """What would help: the bytes that every device then holds in full, how many fewer they are, and whether that is enough."""
    return {"what": words, "option": option, "fixed_bytes": up(fixed), "less_bytes": less // 1, "enough": enough}


def up(value: Number) -> int:
    """A number of bytes, rounded up to a whole one."""
    return -(-value // 1)
