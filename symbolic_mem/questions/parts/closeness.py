"""Whether what fits a device is more than a process finds free on it, and the words that say so; it needs no SymPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import NamedTuple

from symbolic_mem.base.shown import apart

Number = int | Fraction
RESERVE = 2**30
_FREE = (
    " What a process finds free on such a device is not known here; on others it is {least} to {most} less than software "
    "reports: reserve as much (reserved in a study, --reserve)."
)
CLOSE = {
    "more": "A process finds {free} free on such a device ({by}), and {kept} are needed: reserve {reserve} of the "
    "capacity (reserved in a study, --reserve).",
    "near": "{kept} are needed, less than {reserve} below the {room} {whose}." + _FREE,
    "beyond": "{kept} are needed, more than the {room} {whose}." + _FREE,
    "rows": "Whole rows of tensors may take {rows} more in all on each device, and {left} are left: {verb} --padded-rows counts them.",
    "uncounted": "What is not counted may take up to {more} beside what is counted on each device, if it is there at one moment, and {left} "
    "are left: more may be needed than there is.",
}


class Size(NamedTuple):
    """Bytes that are shown in GiB with so many digits."""

    bytes: Number
    digits: int = 5


class Known(NamedTuple):
    """What is known of a device: its `nominal` bytes, those that a `process` finds free and by what, and those `reported`."""

    nominal: Number
    process: tuple[Number, str] | None
    reported: Number | None
    reported_as: str


def closeness(
    device: Known, held: Number, taken: Callable[[], tuple[Number, Number]]
) -> tuple[str, Mapping[str, str | Size]] | None:
    """Say that `held` is more than a process finds free, as the name of a sentence of `CLOSE` and its pieces; None where it is not.

    Where that is not known of the device, a fit says so that leaves less than `RESERVE` of the bytes that software reports,
    or else of the label; `taken` are the least and the most that others lack.

    >>> known = Known(80 * 2**30, (79 * 2**30, "a driver"), None, "")
    >>> closeness(known, 78 * 2**30, tuple) is None, closeness(known, 80 * 2**30, tuple)[1]["by"]
    (True, 'a driver')
    """
    if device.process is not None:
        free, by = device.process
        if held <= free:
            return None
        digits = apart(free, held, "GiB")
        reserve = Size(device.nominal - free)
        return "more", {"free": Size(free, digits), "by": by, "kept": Size(held, digits), "reserve": reserve}
    room = device.nominal if device.reported is None else device.reported
    if room - held >= RESERVE:
        return None
    least, most = taken()
    digits = apart(held, room, "GiB")
    named = bool(device.reported_as) and device.reported is not None
    near = held <= room
    return "near" if near else "beyond", {
        "kept": Size(held, digits),
        "room": f"≈ {device.reported_as}" if named else Size(room, digits),
        **({"reserve": Size(RESERVE)} if near else {}),
        "whose": "of its label" if device.reported is None else "that software reports",
        "least": Size(least),
        "most": Size(most),
    }
