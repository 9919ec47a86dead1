"""What the command line says: the values of an axis as text, and which rows are wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.written import signed
from symbolic_mem.sweeps.axes import CHOICES

_RANGE = re.compile(r"([^:]*):([^:]*)(?::([^:]*))?")


def varied(given: Iterable[str], option: str = "--vary") -> dict[str, Any]:
    """Read ``NAME=1,2,4`` and ``NAME=START:STOP:STEP``, START included and STOP not, as in Python; names for a choice.

    >>> varied(["B=1,2,8:33:8", "S=1024:4096:1024", "device=h100-80gb,b200"])
    {'B': [1, 2, 8, 16, 24, 32], 'S': range(1024, 4096, 1024), 'device': ['h100-80gb', 'b200']}
    """
    found: dict[str, Any] = {}
    for pair in given:
        name, equals, values = pair.partition("=")
        name = name.strip()
        if not equals or not name or not values.strip():
            raise BadInput(f"{option} {pair!r} gives no values: write {option} B=1,2,4 or {option} B=1:65:8")
        if name in found:
            raise BadInput(f"{option} {name} is given twice; give all its values at once, as in {option} {name}=1,2,4")
        parts = [part.strip() for part in values.split(",")]
        if name in CHOICES:
            found[name] = parts
            continue
        read = [_part(name, part, option) for part in parts]
        found[name] = read[0] if len(read) == 1 else [value for one in read for value in one]
    return found


def _part(name: str, part: str, option: str) -> Sequence[int]:
    match = _RANGE.fullmatch(part)
    if match is None:
        return [_whole(name, part, option)]
    if not match[1] or not match[2]:
        raise BadInput(f"{option} {name}={part}: a range has a start and a stop, as in {option} {name}=1:65:8")
    start, stop = (_whole(name, match[i], option) for i in (1, 2))
    step = 1 if match[3] is None else _whole(name, match[3], option)
    if step == 0:
        raise BadInput(f"{option} {name}={part}: the step is 0, which leads nowhere; give for example 8")
    found = range(start, stop, step)
    if not found:
        why = "there is nothing between them" if start == stop else f"a step of {step} leads away from {stop}"
        raise BadInput(f"{option} {name}={part} takes no value: {why}; the start counts, and the stop does not")
    return found


def _whole(name: str, text: str, option: str) -> int:
    number = signed(text.strip())
    if number is None or number.denominator != 1:
        raise BadInput(
            f"{option} {name}: {text.strip()!r} is no whole number; give whole numbers, as in {option} {name}=1,2,4"
        )
    return int(number)
