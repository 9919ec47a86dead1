"""A figure that a source prints, and whether an exact number is that figure, rounds to it, or differs from it."""

from __future__ import annotations

import re
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import rational
from symbolic_mem.base.written import short

SCALES = {"B": 10**9, "T": 10**12}
_FIGURE = re.compile(r"(-?[0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?")


def held_against(value: sp.Expr, printed: str) -> str:
    """Compare an exact value with a printed figure: ``exact``, ``rounded`` to the figures shown, or ``different``.

    >>> held_against(sp.Rational(875, 100), "8.75"), held_against(sp.Rational(35, 8), "4.38"), held_against(3, "2.9")
    ('exact', 'rounded', 'different')
    """
    stated, last = _read(printed)
    if value == stated:
        return "exact"
    return "rounded" if abs(value - stated) <= last / 2 else "different"


def stated(printed: str) -> sp.Rational:
    """Return the number that a printed figure states.

    >>> stated("79,200"), stated("-1.5e3"), stated("0.25")
    (79200, -1500, 1/4)
    """
    return _read(printed)[0]


def _read(printed: str) -> tuple[sp.Rational, sp.Rational]:
    """The number of a figure, and one unit of the last place that it shows."""
    match = _FIGURE.fullmatch(printed.replace(",", ""))
    if not match:
        raise BadInput(f"{printed!r} is not a figure: write digits, for example 2550, 8.75 or 1.8e13")
    whole, places, exponent = match[1], match[2] or "", int(match[3] or 0)
    figure = Fraction(f"{whole}.{places or 0}") * Fraction(10) ** exponent
    last = Fraction(10) ** (exponent - len(places))
    if not places:  # trailing zeros of a whole number may be there to hold the place
        last *= 10 ** (len(whole) - len(whole.rstrip("0") or "0"))
    return rational(figure), rational(last)


def verdict(value: sp.Rational, printed: str) -> str:
    """Compare an exact number with a printed figure: ``exact``, ``rounded``, ``truncated`` or ``different``.

    A figure may end in B (10^9) or T (10^12).

    >>> [verdict(sp.Rational(n), "4187") for n in ("4187", "4186.9", "4187.5", "4189")]
    ['exact', 'rounded', 'truncated', 'different']
    >>> verdict(sp.Rational(1024 * 10**9), "1T")
    'rounded'
    """
    digits, scale = _scaled(printed)
    found, above = held_against(value / scale, digits), value / scale - stated(digits)
    last = _shown(digits)
    if found == "exact" or (found == "rounded" and above != last / 2):
        return found
    return "truncated" if 0 < above < last else found


def figure(printed: str) -> sp.Rational:
    """Return the number that a printed figure states.

    >>> figure("15.2B"), figure("4187")
    (15200000000, 4187)
    """
    digits, scale = _scaled(printed)
    return stated(digits) * scale


def _scaled(printed: str) -> tuple[str, int]:
    digits = short(printed, "figure").strip().replace(",", "")
    if digits[-1:] in SCALES:
        return digits[:-1], SCALES[digits[-1]]
    if not digits:
        raise BadInput("'' is not a figure: write digits, for example 31.4, 225 or 128B")
    return digits, 1


def _shown(digits: str) -> sp.Rational:
    """One unit of the last place that is written, a zero among them."""
    mantissa, _, exponent = digits.lower().partition("e")
    return rational(Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2])))
