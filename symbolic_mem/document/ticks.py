"""Where the ticks of an axis stand, and what is written at them: round numbers of bytes, seconds, or things."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from symbolic_mem.base.rational import Number, plain, rational
from symbolic_mem.base.shown import shown
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.document.figure import Tick
from symbolic_mem.document.prose import Amount, Prose, text

MANY = 6  # ticks of bytes that are enough
_SECONDS = ((1, "s"), (Fraction(1, 10**3), "ms"), (Fraction(1, 10**6), "µs"), (Fraction(1, 10**9), "ns"))


def byte_ticks(high: Number, family: str) -> tuple[Tick, ...]:
    """Ticks from zero to `high` bytes, in even steps of a round number of a unit of the family (GiB or GB).

    >>> [tick.value // 2**30 for tick in byte_ticks(95 * 2**30, "GiB")]
    [0, 20, 40, 60, 80]
    """
    unit = _unit(high, family)
    step = _round_step(Fraction(high) / unit / (MANY - 1)) * unit
    values = [plain(step * number) for number in range(int(Fraction(high) / step) + 1)]
    return tuple(Tick(value, _bytes(value, family) if value else text("0")) for value in values)


def count_ticks(high: Number) -> tuple[Tick, ...]:
    """Ticks from zero to `high` things, in even steps of a round whole number.

    >>> [tick.value for tick in count_ticks(33)], [tick.value for tick in count_ticks(3)]
    ([0, 10, 20, 30], [0, 1, 2, 3])
    """
    step = plain(_round_step(max(Fraction(high) / (MANY - 1), Fraction(1))))
    return tuple(Tick(step * number, _count(step * number)) for number in range(int(high / step) + 1))


def byte_powers(low: Number, high: Number, family: str) -> tuple[Tick, ...]:
    """Ticks of bytes in even factors: powers of two of GiB, of ten of GB; round numbers where too few of these are there.

    >>> [tick.value // 2**30 for tick in byte_powers(3 * 2**30, 5000 * 2**30, "GiB")]
    [4, 16, 64, 256, 1024, 4096]
    """
    low, high = Fraction(low), Fraction(high)
    base = 2 if family == "GiB" else 10
    first = math.ceil(math.log(low, base) - 1e-9)
    powers = [exponent for exponent in range(first, first + 400) if low <= Fraction(base) ** exponent <= high]
    powers = [exponent for exponent in powers if exponent >= 0]
    step = next(step for step in (1, 2, 3, 4, 5, 10, 20, 40, 80, 400) if len(powers[::step]) <= MANY)
    values: list[Number] = [base**exponent for exponent in powers if exponent % step == 0]
    if len(values) < 3:
        unit = _unit(high, family)
        even = _round_step((high - low) / unit / (MANY - 1)) * unit
        values = [plain(even * n) for n in range(math.ceil(low / even), math.floor(high / even) + 1) if n]
    return tuple(Tick(value, _bytes(value, family)) for value in values)


def whole_powers(low: int, high: int) -> tuple[Tick, ...]:
    """Ticks at the powers of two from `low` to `high`.

    >>> [tick.value for tick in whole_powers(1, 20)]
    [1, 2, 4, 8, 16]
    """
    powers = (2**exponent for exponent in range(high.bit_length()))
    return tuple(Tick(value, _count(value)) for value in powers if low <= value <= high)


def second_powers(low: Number, high: Number) -> tuple[Tick, ...]:
    """Ticks at the powers of ten of seconds between two times.

    >>> [tick.words.parts for tick in second_powers(Fraction(1, 2000), 2)]
    [('1 ms',), ('10 ms',), ('100 ms',), ('1 s',)]
    """
    return tuple(Tick(value, text(_seconds(value))) for value in _tens(low, high))


def second_ticks(high: Number) -> tuple[Tick, ...]:
    """Ticks from zero to `high` seconds, in even round steps.

    >>> [tick.words.parts for tick in second_ticks(Fraction(9, 20))]
    [('0',), ('100 ms',), ('200 ms',), ('300 ms',), ('400 ms',)]
    """
    step = _round_step(Fraction(high) / (MANY - 1))
    values = [plain(step * number) for number in range(int(Fraction(high) / step) + 1)]
    return tuple(Tick(value, text(_seconds(value) if value else "0")) for value in values)


def count_tens(low: Number, high: Number) -> tuple[Tick, ...]:
    """Ticks at the powers of ten of a count between two numbers; at twice and five times them, too, where these are few.

    >>> [tick.value for tick in count_tens(50, 100000)], [tick.value for tick in count_tens(50, 1000)]
    ([100, 1000, 10000, 100000], [50, 100, 200, 500, 1000])
    """
    tens = list(_tens(low, high))
    if len(tens) < 3:
        more = (value * times for value in _tens(Fraction(low) / 10, high) for times in (1, 2, 5))
        tens = [value for value in more if low <= value <= high]
    return tuple(Tick(value, _count(value)) for value in tens)


def _tens(low: Number, high: Number) -> Iterator[Number]:
    for exponent in range(-30, 40):
        value = Fraction(10) ** exponent
        if low <= value <= high:
            yield plain(value)


def _seconds(value: Number) -> str:
    size, unit = next(((size, unit) for size, unit in _SECONDS if value >= size), _SECONDS[-1])
    return f"{shown(Fraction(value) / size).figures} {unit}"


def _bytes(value: Number, family: str) -> Prose:
    return Prose((Amount(rational(value), family),))


def _count(value: Number) -> Prose:
    return Prose((Amount(rational(value)),))


def _unit(high: Number, family: str) -> int:
    """The bytes of the largest unit of a family that is not above `high`."""
    units = ("GiB", "MiB", "KiB", "B") if family == "GiB" else ("GB", "MB", "kB", "B")
    return next(BYTES_PER[unit] for unit in units if high >= BYTES_PER[unit] or unit == "B")


def _round_step(least: Fraction) -> Fraction:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `least`."""
    for exponent in range(-40, 60):
        for first in (1, 2, 5):
            step = first * Fraction(10) ** exponent
            if step >= least:
                return step
    raise ValueError(f"no step of {least}")
