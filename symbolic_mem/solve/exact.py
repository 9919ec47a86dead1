"""From an expression and values to Python's exact fractions, in which everything is searched."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import sympy as sp

from symbolic_mem.errors import BadInput
from symbolic_mem.evaluate import Values, evaluate


def fraction(number: sp.Expr) -> Fraction:
    """Return an exact rational number as a fraction.

    >>> fraction(sp.Rational(7, 2))
    Fraction(7, 2)
    """
    if not number.is_Rational:
        raise BadInput(f"{number} is not an exact rational number of bytes")
    above, below = number.as_numer_denom()
    return Fraction(int(above), int(below))


def number_of(expr: sp.Expr | int, values: Values, what: str = "the bound") -> Fraction:
    """Return the exact number of `expr` at `values`; raises `MissingValue` naming the symbols without one."""
    return fraction(evaluate(sp.sympify(expr), values, what))


def exact_values(values: Mapping[sp.Symbol, sp.Expr | int]) -> dict[sp.Symbol, sp.Expr]:
    """Return the values as SymPy numbers, so that plain integers are welcome."""
    return {symbol: sp.sympify(value) for symbol, value in values.items()}
