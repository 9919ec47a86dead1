"""Values that are written in others, such as ``d_ff = "multiple(8*d_model/3, 64)"``: numbers that follow those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import evaluate
from symbolic_mem.base.formula import read_formula, write_formula
from symbolic_mem.base.symbols import named, spelled

Formulas = Mapping[sp.Symbol, sp.Expr]
NOT_WHOLE = (
    "{name} = {formula} is {value} here, no positive whole number; round it, as in multiple({formula}, 64), which is the "
    "next multiple of 64"
)


def read_derived(content: Mapping[str, Any], where: str) -> dict[sp.Symbol, sp.Expr]:
    """Read the values of whole numbers that are formulas over other symbols.

    >>> read_derived({"L": 2, "d_ff": "8*d_model/3"}, "my.toml [values]")
    {d_ff: 8*d_model/3}
    """
    formulas = {
        name: value for name, value in content.items() if isinstance(value, str) and not value.strip().isdecimal()
    }
    names = spelled() if formulas else {}
    found = {}
    for name, value in formulas.items():
        if name in names and named(names[name]).whole:
            try:
                expr = read_formula(value, names, f"{where}: {name} =")
            except BadInput as error:
                said = f"{error}; give a positive whole number, or a formula over other sizes"
                raise BadInput(said, error.known) from None
            if expr.free_symbols:
                found[names[name]] = expr
    return found


def derive(formulas: Formulas, values: Mapping[sp.Symbol, sp.Rational], where: str) -> dict[sp.Symbol, sp.Rational]:
    """Return `values` with those that follow from them; one whose symbols have no value stays open.

    Raises `BadInput` for a value that would be no positive whole number, and for formulas that need each other.

    >>> from symbolic_mem.base.symbols import d_ff, d_model
    >>> derive({d_ff: 4 * d_model}, {d_model: sp.Integer(8)}, "[values]")[d_ff]
    32
    """
    known = {symbol: value for symbol, value in values.items() if symbol not in formulas}
    waiting = dict(formulas)
    while waiting:
        ready = [symbol for symbol, expr in waiting.items() if not expr.free_symbols & set(waiting)]
        if not ready:
            raise BadInput(
                f"{where}: {', '.join(map(str, waiting))} are written in each other; give one of them a number"
            )
        for symbol in ready:
            expr = waiting.pop(symbol)
            if expr.free_symbols <= set(known):
                known[symbol] = _whole(symbol, expr, known, where)
    return {**{symbol: known[symbol] for symbol in values if symbol in known}, **known}


def refuse_followed(formulas: Formulas, asked: Iterable[str], where: str) -> None:
    """Raise `BadInput` for a symbol that is solved or stepped through, and that a value is written in."""
    names = set(asked)
    for symbol, expr in formulas.items():
        inside = sorted(names & set(map(str, expr.free_symbols)))
        if inside:
            raise BadInput(
                f"{where}: {inside[0]} is asked for, and {symbol} = {write_formula(expr)} follows it; give {symbol} a number"
            )


def words(symbol: sp.Symbol, expr: sp.Expr) -> str:
    """Say from what a value follows."""
    return f"{symbol} follows from other sizes: {symbol} = {write_formula(expr)}."


def _whole(symbol: sp.Symbol, expr: sp.Expr, known: Mapping[sp.Symbol, sp.Rational], where: str) -> sp.Rational:
    value = evaluate(expr, known)
    if not (value.is_Integer and value > 0):
        raise BadInput(f"{where}: {NOT_WHOLE.format(name=symbol, formula=write_formula(expr), value=value)}")
    return value
