"""Values, fractions and words that a study file or a caller gives, each read once and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.harmless import harmless
from symbolic_mem.base.symbols import Name, Written, lookup, own, table
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.base.written import MAX_VALUE, decimal
from symbolic_mem.study.derived import read_derived

TOO_LARGE = "{name} = {value} is too large; at most 10^30 is read"
NOT_ALLOWED = "{name} = {value} is not allowed; give a positive whole number, as in {name} = 128"
MOST_SIGNS = 24
TAKEN = dict.fromkeys({*BYTES_PER, "byte", "bytes"} - {"B"}, "a unit") | dict.fromkeys(
    ("min", "max", "log", "floor", "ceiling", "sqrt"), "a function"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)?")


def read_values(content: Mapping[str, Any], where: str) -> dict[sp.Symbol, sp.Rational]:
    """Check a table of values, each under the name of its symbol, and return them by symbol, but for those of `read_derived`.

    >>> read_values({"L": 2}, "my.toml [values]")
    {L: 2}
    """
    names = {key: given_symbol(key, where) for key in content}
    formulas = read_derived(content, where)
    return {
        names[key].symbol: read_value(names[key], value, where)
        for key, value in content.items()
        if names[key].symbol not in formulas
    }


def read_own(content: Mapping[str, Any], where: str) -> tuple[tuple[Name, ...], dict[sp.Symbol, sp.Rational]]:
    """Read the numbers that a study has names of its own for, each with its value, meaning and unit.

    One that is written as a whole number stays one; any other is a positive number, and so is one without a value, which
    questions give it.

    >>> read_own({"t_step": {"value": "37.83", "unit": "s", "meaning": "time of a step"}}, "my.toml [given]")[1]
    {t_step: 3783/100}
    """
    names: list[Name] = []
    values: dict[sp.Symbol, sp.Rational] = {}
    for name, row in content.items():
        inside = f"{where} {name}"
        if not isinstance(row, dict):
            raise BadInput(f'{inside}: give a table: {{ value = 8, unit = "GPUs", meaning = "number of GPUs" }}')
        known_keys(row, ("value", "unit", "meaning"), inside)
        if not _NAME.fullmatch(name) or lookup(name) is not None:
            state = "is the name of a symbol of every study" if lookup(name) is not None else "is not a name"
            raise BadInput(
                f"{inside}: {name!r} {state}; take letters and digits, with one _ before a subscript: t_step"
            )
        meaning, unit = (printable(entry(row, key, str, inside, ""), key, inside) for key in ("meaning", "unit"))
        if not meaning:
            raise BadInput(f"{inside}: meaning must be given: what the number counts")
        value = row.get("value")
        whole = isinstance(value, int) and not isinstance(value, bool)
        found = own(name, meaning, unit, whole=whole)
        names.append(found)
        if "value" in row:
            values[found.symbol] = _read(name, value, where, whole=whole)
    return tuple(names), values


def read_written(content: Mapping[str, Any], own: Iterable[Name], where: str) -> Written:
    """Read how symbols are written otherwise, each a letter or a word, perhaps with a subscript after ``_``.

    Raises `BadInput` for an unknown symbol, for what is no name, and where two symbols would be written alike.

    >>> read_written({"d_model": "h"}, (), "my.toml [symbols]")
    ((d_model, 'h'),)
    """
    if not content:
        return ()
    every = {name.symbol.name: name for name in (*table(), *own)}
    found: dict[sp.Symbol, str] = {}
    for key, spelled in content.items():
        if key not in every:
            raise BadInput.unknown(f"{where}: unknown symbol {key!r}", key, every, "list symbols")
        if not isinstance(spelled, str) or not _NAME.fullmatch(spelled):
            raise BadInput(
                f"{where}: {key} = {literal(spelled)} is not a name; take letters and digits, with one _ before a subscript"
            )
        if len(spelled) > MOST_SIGNS:
            raise BadInput(
                f"{where}: {key} has {len(spelled)} signs; a symbol has at most {MOST_SIGNS}, so take a shorter one"
            )
        if spelled in TAKEN:
            raise BadInput(f"{where}: {key} = {spelled!r} is how {TAKEN[spelled]} is written; choose another")
        found[every[key].symbol] = spelled
    spelt: dict[str, str] = {}
    for name in every.values():
        usual = f"{name.base}_{name.sub}" if name.sub else name.base
        shown = found.get(name.symbol, usual)
        if shown in spelt:
            taken, other = (
                (name.symbol.name, spelt[shown]) if name.symbol in found else (spelt[shown], name.symbol.name)
            )
            raise BadInput(f"{where}: {taken} = {shown!r} is how {other} is written; choose another")
        spelt[shown] = name.symbol.name
    return tuple(found.items())


def given_symbol(name: str, where: str, own: Iterable[Name] = ()) -> Name:
    """Return the symbol of that name, which a study may give a value, or has for `own`; else `BadInput` with the nearest."""
    symbols = {known.symbol.name: known for known in (*table(given=True), *own)}
    if name not in symbols:
        raise BadInput.unknown(f"{where}: unknown symbol {name!r}", name, symbols, "list symbols")
    return symbols[name]


def typed(text: str) -> int | str:
    """Return what a caller typed as the whole number that it writes, or as it is.

    >>> typed("128"), typed("4e3"), typed("2.0"), typed("0.5"), typed("many")
    (128, 4000, 2, '0.5', 'many')
    """
    number = decimal(text.removeprefix("-"))
    if number is None or number.denominator > 1 or (number > MAX_VALUE and not text.isdecimal()):
        return text
    return -int(number) if text.startswith("-") else int(number)


def read_value(name: Name, value: object, where: str) -> sp.Rational:
    """Return a given value exactly: a positive whole number, or any positive number for a rate; else `BadInput`."""
    return _read(name.symbol.name, value, where, whole=name.whole)


def _read(name: str, value: object, where: str, *, whole: bool) -> sp.Rational:
    if not whole and not isinstance(value, bool):
        rate = read_number(str(value), f"{where}: {name}")
        if rate <= MAX_VALUE:
            return rate
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if is_whole and value > MAX_VALUE:
        raise BadInput(f"{where}: {TOO_LARGE.format(name=name, value=literal(value))}")
    if not is_whole or value <= 0:
        raise BadInput(f"{where}: {NOT_ALLOWED.format(name=name, value=literal(value))}")
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
    """Return a text that is only printed; raises `BadInput` for one that a terminal would obey."""
    return harmless(words, f"{where}: {key}")
