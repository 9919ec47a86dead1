"""How many devices of which kind somebody has, as it is written: ``8x h100-80gb``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from symbolic_mem.base.errors import BadInput, at_place, clipped
from symbolic_mem.hardware.catalogue import device, load_devices
from symbolic_mem.hardware.devices import Device

MOST_DEVICES = 10**6
_TIMES = r"\s*[x×*]\s*"
_BEFORE = re.compile(rf"((?:\d+{_TIMES})*\d+)(?:{_TIMES}|\s+)(\S.*)", re.ASCII)
_AFTER = re.compile(rf"(\S.*?)(?:{_TIMES}|\s+)(\d+)", re.ASCII)
_NUMBER = re.compile(r"\d+", re.ASCII)
_BROKEN = re.compile(rf"[-+.,\d]+{_TIMES}", re.ASCII)


class Nodes(NamedTuple):
    """So many devices of one kind."""

    number: int
    device: Device


def read_nodes(given: str, where: str = "--on", devices: str | Path | None = None) -> Nodes:
    """Read a number of devices and their kind; several numbers are multiplied, and without one there is one device.

    Raises `BadInput` for a number that is no number of devices, and for a device that is not known.

    >>> [(one.number, one.device.name) for one in map(read_nodes, ("8x h100-80gb", "2 x 8 × H200", "a100-80gb x4", "tpu-v5p"))]
    [(8, 'h100-80gb'), (16, 'h200'), (4, 'a100-80gb'), (1, 'tpu-v5p')]
    """
    text, known = given.strip().lower(), load_devices(devices)
    number, name = "1", text
    if text not in known:
        before, after = _BEFORE.fullmatch(text), _AFTER.fullmatch(text)
        if before is not None:
            number, name = before[1], before[2].strip()
        elif after is not None:
            number, name = after[2], after[1].strip()
    count = 1
    for factor in _NUMBER.findall(number):
        count = min(count * int(factor[:9]), MOST_DEVICES + 1)
    if not 1 <= count <= MOST_DEVICES or (name == text and _BROKEN.match(text)):
        raise BadInput(
            f"{where} {clipped(given)}: give a whole number of devices, from 1 to {MOST_DEVICES:,}, and their name, as in "
            "8x h100-80gb"
        )
    with at_place(f"{where} {clipped(given)}"):
        if not name:
            raise BadInput("names no device; write a number and a device, as in 8x h100-80gb")
        try:
            return Nodes(count, device(name, devices))
        except BadInput as error:
            own = "a device of your own stands in a file for --devices, or ask solve with --capacity"
            raise BadInput(f"{error}; write for example 8x h100-80gb; {own}", error.known) from None
