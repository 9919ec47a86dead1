"""Values, fractions and words that a study file or a caller gives, each read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.symbols import lookup, named, table

MAX_VALUE = 10**30


def read_values(content: Mapping[str, Any], where: str) -> dict[sp.Symbol, sp.Rational]:
    """Check a table of values, each under the name of its symbol, and return them by symbol.

    >>> read_values({"L": 2}, "my.toml [values]")
    {L: 2}
    """
    return {given_symbol(key, where): read_value(key, value, where) for key, value in content.items()}


def given_symbol(name: str, where: str) -> sp.Symbol:
    """Return the symbol of that name, which a study may give a value; raises `BadInput` with the nearest one."""
    symbol = lookup(name)
    if symbol is None or not named(symbol).given:
        raise BadInput(f"{where}: unknown symbol {name!r}; {nearest(name, [str(n.symbol) for n in table(given=True)])}")
    return symbol


def typed(text: str) -> int | float | str:
    """Return what a caller typed as the number that it writes, or as it is."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def read_value(name: str, value: object, where: str) -> sp.Rational:
    """Return a given value exactly: a positive whole number, or any positive number for a rate; else `BadInput`."""
    symbol = lookup(name)
    if symbol is not None and not named(symbol).whole and not isinstance(value, bool):
        rate = read_number(str(value), f"{where}: {name}")
        if rate <= MAX_VALUE:
            return rate
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and value > MAX_VALUE:
        raise BadInput(f"{where}: {name} = {literal(value)} is too large; at most 10^30 is read")
    if not whole or value <= 0:
        raise BadInput(
            f"{where}: {name} = {literal(value)} is not allowed; give a positive whole number, as in {name} = 128"
        )
    return sp.Integer(value)


def literal(value: object) -> str:
    """Write a value as a study file would, cut where a message would drown in it."""
    if isinstance(value, bool):
        return str(value).lower()
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:60] + "..."


def read_fraction(text: object, where: str) -> sp.Rational:
    """Return a fraction of a kind of memory, from 0 to 1, exactly; else `BadInput`."""
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise BadInput(f'{where}: a fraction is written "1/2", 1 or 0, not {literal(text)}')
    exact = sp.S.Zero if str(text) == "0" else read_number(str(text), f"{where}: fraction")
    if exact > 1:
        raise BadInput(f"{where}: fraction {text} is more than 1; give a part of the whole, for example 1/2")
    return exact


def printable(words: str, key: str, where: str) -> str:
    """Refuse control characters, which a terminal would obey instead of printing."""
    if not all(sign.isprintable() or sign in "\n\t" for sign in words):
        raise BadInput(f"{where}: {key} holds a control character; remove it")
    return words
