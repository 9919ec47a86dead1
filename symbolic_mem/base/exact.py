"""Put values into an expression exactly, and say which symbols have none."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import cast

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue

Values = Mapping[sp.Symbol, sp.Expr]


def missing(expr: sp.Expr, values: Values) -> tuple[str, ...]:
    """Name the symbols of `expr` that have no value, sorted.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> missing(4 * L * d_model, {L: sp.Integer(2)})
    ('d_model',)
    """
    return tuple(sorted(str(symbol) for symbol in expr.free_symbols if symbol not in values))


def evaluate(expr: sp.Expr, values: Values, what: str = "this answer") -> sp.Rational:
    """Return the exact number that `expr` has at `values`: a Rational, or an algebraic number where it has roots.

    Raises `MissingValue` naming the symbols without a value.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> evaluate(L * d_model / 3, {L: sp.Integer(2), d_model: sp.Integer(5)})
    10/3
    """
    absent = missing(expr, values)
    if absent:
        raise MissingValue(absent, what)
    return cast(sp.Rational, sp.sympify(expr).xreplace(dict(values)))


def at(expr: sp.Expr, values: Values) -> sp.Rational | None:
    """Return the number that `expr` has at `values`, or None while a symbol has no value."""
    return None if missing(expr, values) else evaluate(expr, values)


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


def compiled(expr):  # replaced by the numeric floor
    raise NotImplementedError


def partial(expr, values, free):
    raise NotImplementedError
