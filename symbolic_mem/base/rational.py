"""Numbers: whole ones and fractions of Python, and rationals of SymPy, each made of the other exactly."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.told import RoundedUp

Number = int | Fraction


def fraction(number: sp.Expr | Number) -> Fraction:
    """Return an exact rational number as a fraction.

    >>> fraction(sp.Rational(7, 2)), fraction(3)
    (Fraction(7, 2), Fraction(3, 1))
    """
    return Fraction(plain(number))


def rational(number: Number) -> sp.Rational:
    """Return a Python number as SymPy's.

    >>> rational(Fraction(7, 2)), rational(3)
    (7/2, 3)
    """
    return sp.Integer(number) if type(number) is int else sp.Rational(number.numerator, number.denominator)


def symbolic(value: sp.Expr | Number) -> sp.Expr:
    """Return a number of either kind, or an expression, as SymPy's.

    >>> symbolic(3), symbolic(Fraction(1, 2))
    (3, 1/2)
    """
    return rational(value) if isinstance(value, int | Fraction) else value


def ratio(above: Number, below: Number) -> Number:
    """Return the exact quotient of two Python numbers, which ``/`` of integers would round to a float.

    >>> ratio(7, 2), ratio(8, 2), ratio(Fraction(1, 2), 3)
    (Fraction(7, 2), 4, Fraction(1, 6))
    """
    if type(above) is int and type(below) is int:
        whole, rest = divmod(above, below)
        return Fraction(above, below) if rest else whole
    return plain(Fraction(above) / below)


def rounded_up(value: sp.Expr | Number | None) -> int | None:
    """Return a number as a whole one, rounded up: a `RoundedUp` where that changed it.

    >>> rounded_up(3), rounded_up(Fraction(5, 2)), type(rounded_up(Fraction(5, 2))).__name__
    (3, 3, 'RoundedUp')
    """
    if value is None:
        return None
    exact = fraction(value)
    return int(exact) if exact.denominator == 1 else RoundedUp(-(-exact.numerator // exact.denominator))


class Irrational(BadInput):
    """A number that is not a quotient of whole numbers."""


def plain(number: sp.Expr | Number) -> Number:
    """Return a number as Python has it: an `int` where it is whole; raises `BadInput` for one that is not rational.

    >>> plain(sp.Rational(6, 3)), plain(Fraction(6, 4))
    (2, Fraction(3, 2))
    """
    if isinstance(number, Fraction):
        return number.numerator if number.denominator == 1 else number
    if isinstance(number, int):
        return int(number)
    if not (isinstance(number, sp.Expr) and number.is_Rational):
        raise Irrational(f"{number} is not an exact rational number of bytes")
    whole = cast(sp.Rational, number)
    return int(whole.p) if whole.q == 1 else Fraction(int(whole.p), int(whole.q))
