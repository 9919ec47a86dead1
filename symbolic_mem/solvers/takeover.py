"""The next values of a symbol at which another of several amounts is the largest, exactly; it needs no SymPy."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

Number = int | Fraction
Curve = tuple[int, int, int]
"""The factors of 1, t and t^2, all of them times the same number."""


class Takeover(NamedTuple):
    """From a `value` of the symbol on, another amount is the largest: that at its `place`."""

    value: int
    place: int


def takeovers(
    amounts: Callable[[int], Sequence[Number]],
    names: Sequence[Hashable],
    first: int,
    at: int,
    power: int,
    least: int = 1,
) -> tuple[Takeover | None, Takeover | None]:
    """Return the first takeover below the value `at` and the first above it; None where there is none from `least` on.

    `amounts` are whole or broken numbers at a value x of the symbol: sums of powers of x of at most `power`, 1 or 2, or
    u + p/x where `power` is -1. That at the place `first` is the largest of them; one of the same of their `names` takes nothing over.

    >>> takeovers(lambda x: (90, 10 * x, x * x + 20), "abc", 0, 6, 2)
    (None, Takeover(value=9, place=2))
    >>> takeovers(lambda x: (90, 30 + Fraction(240, x)), "ab", 0, 6, -1)
    (Takeover(value=3, place=1), None)
    """
    found = [(x if power < 0 else 1, amounts(x)) for x in range(at, at + abs(power) + 1)]
    common = 2 * lcm(*(value.denominator for _, values in found for value in values))
    whole = [[value.numerator * (common // value.denominator) * times for value in values] for times, values in found]
    curves = [_curve(values) for values in zip(*whole, strict=True)]
    turned = [(c, -b, a) for c, b, a in curves]
    below, above = _next(turned, names, first, at - least), _next(curves, names, first, None)
    return (
        None if below is None else Takeover(at - below.value, below.place),
        None if above is None else Takeover(at + above.value, above.place),
    )


def _curve(values: Sequence[int]) -> Curve:
    """The polynomial with these even values at 0, 1 and, where it is no line, 2."""
    start, step = values[0], values[1] - values[0]
    bend = (values[2] - 2 * values[1] + start) // 2 if len(values) > 2 else 0
    return start, step - bend, bend


def _next(curves: Sequence[Curve], names: Sequence[Hashable], first: int, room: int | None) -> Takeover | None:
    """The least t from 1 to `room` at which a curve of another name is above the `first`, which is the highest at 0."""
    name, passed = names[first], 0
    while True:
        found = (_first_above(_less(curve, curves[first]), passed) for curve in curves)
        least = min((one for one in found if one is not None), default=None)
        if least is None or (room is not None and least > room):
            return None
        heights = [_height(curve, least) for curve in curves]
        highest = [place for place, height in enumerate(heights) if height == max(heights)]
        first, passed = next((place for place in highest if names[place] == name), highest[0]), least
        if names[first] != name:
            return Takeover(least, first)


def _less(one: Curve, other: Curve) -> Curve:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]


def _height(curve: Curve, t: int) -> int:
    c, b, a = curve
    return c + t * (b + t * a)


def _first_above(curve: Curve, passed: int) -> int | None:
    """The least whole t beyond `passed` at which a curve of whole factors is above 0, where it is not at `passed`."""
    _, b, a = curve
    low, high = passed, passed + 1
    if a < 0:  # it rises up to where it turns, and falls from there on
        turns = max(b // (-2 * a), passed)
        high = next((t for t in (turns, turns + 1) if _height(curve, t) > 0), passed)
        if high == passed:
            return None
    elif a == 0 and b <= 0:
        return None
    while _height(curve, high) <= 0:
        low, high = high, passed + 2 * (high - passed)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _height(curve, middle) > 0 else (middle, high)
    return high
