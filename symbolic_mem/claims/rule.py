"""The rule of `check`: when a claimed number is right, and to how many figures."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from symbolic_mem.base.units import whole_figures
from symbolic_mem.claims.spelled import figures

LEAST_FIGURES = 2
DOUBLE = 15  # figures that a number of 53 binary digits has


def right_to(exact: Fraction, number: Fraction, *, cut: bool = False, least: int = LEAST_FIGURES) -> int | None:
    """Return to how many figures `number` is the `exact` one: 0 where they are equal, None where it is another number.

    The exact number is rounded to the figures that the other has, at least two (or the `least` that is given); zeros at its end are none. A half may
    be rounded either way. `cut` drops the further figures instead of rounding them.

    >>> [right_to(Fraction("879.395"), Fraction(claim)) for claim in ("880", "879.395", "879", "879.3", "900")]
    [2, 0, 3, None, None]
    >>> right_to(Fraction(184000, 9), Fraction("20444.444444444445"))
    15
    >>> right_to(Fraction("5.81753"), Fraction(6)), right_to(Fraction("8.03"), Fraction(8)), right_to(Fraction(7), Fraction(7))
    (None, 2, 0)
    """
    if exact == number:
        return 0
    if not number or not exact or (exact < 0) != (number < 0):
        return None
    exact, number = abs(exact), abs(number)
    here, there = exact.numerator * number.denominator, number.numerator * exact.denominator
    if here > 2 * there or there > 2 * here:  # no rounding to one figure or more doubles or halves a number
        return None
    broken = number.denominator != 1 != exact.denominator
    if broken and not cut and DOUBLE < figures(number) <= DOUBLE + 2 and float(exact) == float(number):
        return DOUBLE  # as a program prints what is no whole number
    shown = max(figures(number), least)
    step = Fraction(10) ** (_order(number) - shown)
    below = floor(exact / step) * step
    above = 2 * (exact - below)
    nearest = {below} if cut or above < step else {below + step} if above > step else {below, below + step}
    return shown if number in nearest else None


def _order(number: Fraction) -> int:
    """The smallest power of ten above the number: how many figures stand before the decimal point; of 0.05, -1."""
    order = whole_figures(number) if number >= 1 else 0
    while number < Fraction(10) ** (order - 1):
        order -= 1
    return order
