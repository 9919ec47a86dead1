"""Numbers that a caller puts in, by symbol or by name: one spelling for every `at`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from symbolic_mem.base import exact
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.symbols import lookup, table


def by_symbol(
    values: Mapping[Any, Any] | None, named: Mapping[str, Any], own: Iterable[sp.Basic] = ()
) -> dict[sp.Symbol, Any]:
    """Return numbers by symbol, whether they are given by symbol or by name; `own` are symbols that no table has.

    Raises `BadInput` for an unknown name and for what is no number. A float counts as the decimals that it is printed with.

    >>> from symbolic_mem.base.symbols import B
    >>> by_symbol({B: 2, "S": "3/2"}, {"L": 4})
    {B: 2, S: 3/2, L: 4}
    """
    symbols = {str(symbol): symbol for symbol in own}
    found: dict[sp.Symbol, Any] = {}
    for key, value in {**dict(values or {}), **named}.items():
        symbol = key if isinstance(key, sp.Symbol) else lookup(str(key)) or symbols.get(str(key))
        if not isinstance(symbol, sp.Symbol):
            known = [str(name.symbol) for name in table(given=True)]
            raise BadInput.unknown(f"unknown symbol {str(key)!r}", str(key), [*known, *symbols], "list symbols")
        found[symbol] = _number(value, symbol)
    return found


def put_in(
    values: Mapping[Any, Any] | exact.Numbers | None, named: Mapping[str, Any], own: Iterable[sp.Basic] = ()
) -> Any:
    """Return `values` as they are where they are numbers by symbol already, else those of `by_symbol`."""
    if not named and (isinstance(values, exact.Numbers) or (values and all(type(key) is sp.Symbol for key in values))):
        return values
    return by_symbol(values.values_given if isinstance(values, exact.Numbers) else values, named, own)


def evaluate(expr: sp.Expr, values: Mapping[Any, Any] | None = None, **named: Any) -> sp.Rational:
    """Return the exact number that `expr` has at values, given by symbol or by name.

    Raises `MissingValue` naming the symbols without a value.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> evaluate(L * d_model / 3, L=2, d_model=5), evaluate(L**2, {"L": 3}), evaluate(L**2, {L: 3})
    (10/3, 9, 9)
    """
    return exact.evaluate(sp.sympify(expr), put_in(values, named, sp.sympify(expr).free_symbols))


def _number(value: Any, symbol: sp.Symbol) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Fraction | sp.Expr):
        raise BadInput(f"{symbol} = {value!r} is no number; give for example {symbol} = 128")
    if isinstance(value, float | str):
        return read_number(str(value), str(symbol))
    return value
