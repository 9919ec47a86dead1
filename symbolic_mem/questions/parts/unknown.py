"""The symbol that a question solves for, where the memory must contain it."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import lookup, table
from symbolic_mem.solvers.powers import contained
from symbolic_mem.study.keys import At, words

ALIASES = {"tokens": "T", "parameters": "P"}


def unknown(given: Any, at: At) -> sp.Symbol:
    """Read the name of a symbol, or ``tokens`` or ``parameters``."""
    name = words(given, at)
    symbol = lookup(ALIASES.get(name, name))
    if symbol is None:
        known = (*ALIASES, *(each.symbol.name for each in table(given=True)))
        raise BadInput.unknown(f"{at.where}: unknown symbol {name!r}", name, known, "list symbols")
    return symbol


def need_unknown(symbol: sp.Symbol, memory: Memory, where: str) -> None:
    """Refuse a symbol that the memory does not contain, naming those that it does."""
    known = contained(memory)
    if str(symbol) not in known:
        raise BadInput.unknown(f"{where}: for = {str(symbol)!r} is not in the memory", str(symbol), known)
