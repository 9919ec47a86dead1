"""A printed figure against an exact value: exact, rounded to the figures shown, or different."""

from __future__ import annotations

import re
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput

_FIGURE = re.compile(r"(-?[0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")


def held_against(value: sp.Expr, printed: str) -> str:
    """Compare an exact value with a printed figure: ``exact``, ``rounded`` to the figures shown, or ``different``.

    Raises `BadInput` for text that is no figure.

    >>> held_against(sp.Rational(875, 100), "8.75"), held_against(sp.Rational(35, 8), "4.38"), held_against(3, "2.9")
    ('exact', 'rounded', 'different')
    """
    match = _FIGURE.fullmatch(printed.replace(",", ""))
    if not match:
        raise BadInput(f"printed = {printed!r} is not a figure: write digits, for example 2550, 8.75 or 1.8e13")
    whole, places, exponent = match[1], match[2] or "", int(match[3] or 0)
    figure = Fraction(f"{whole}.{places or 0}") * Fraction(10) ** exponent
    last = Fraction(10) ** (exponent - len(places))
    if not places:  # trailing zeros of a whole number may be there to hold the place
        last *= 10 ** (len(whole) - len(whole.rstrip("0") or "0"))
    exact = sp.Rational(figure.numerator, figure.denominator)
    if value == exact:
        return "exact"
    return "rounded" if abs(value - exact) <= sp.Rational(last.numerator, last.denominator) / 2 else "different"
