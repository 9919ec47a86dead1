"""What can be claimed of a degree that was solved for, and of the devices that there are in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.limit import Limit
from symbolic_mem.solvers.degree import Degree
from symbolic_mem.study.claimed import Claimed


def degree_claim(solved: Sequence[Degree], meaning: str, fits: str = "what is kept", each: int = 1) -> Claimed:
    """What can be claimed of a degree that was solved for at several instants: the one that asks for most counts.

    There are `each` devices for one of the degree.

    Where two ask for the same whole number, the one that asks for more before it is rounded does.
    """
    chosen = max(solved, key=lambda one: (*one.asks, one.ideal.quotient or 0))
    ideal = chosen.ideal
    parts = None if chosen.rules else (ideal.divided, ideal.fixed, Limit(ideal.capacity, ideal.bound.strict))
    quotient = None if chosen.rules else ideal.quotient
    return Claimed(
        chosen.value, "devices", meaning, quotient=quotient, parts=parts, unit="devices", fits=fits, each=each
    )


def with_devices(symbol: sp.Symbol, degree: Claimed) -> dict[str, Claimed]:
    """Return a degree that can be claimed under its own name, and as `devices` those of the whole run."""
    times = degree.each
    value = None if degree.value is None else degree.value * times
    quotient = None if degree.quotient is None else degree.quotient * times
    parts = degree.parts if times == 1 else None
    meaning = f"all devices at {degree.meaning}"
    return {
        symbol.name: degree,
        "devices": replace(degree, value=value, quotient=quotient, parts=parts, meaning=meaning, each=1),
    }
