"""`Ledger`: named lines in order, each an expression over given symbols and earlier lines; one number for each name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Values, at, compiled, partial
from symbolic_mem.base.named import by_symbol
from symbolic_mem.base.nodes import script
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Line:
    """One named quantity: what it is called, the expression that it stands for, its unit, and what it is in words.

    It is counted for the whole run, or for one device where `of_one` says so.
    """

    symbol: sp.Symbol
    expr: sp.Expr
    unit: str = ""
    says: str = ""
    source: str = ""
    of_one: str = ""


@dataclass(frozen=True)
class Ledger:
    """Ordered lines and the `values` that are known of their given symbols.

    >>> from symbolic_mem.base.symbols import L, M_static, P, d_model
    >>> ledger = Ledger((Line(P, L * d_model**2), Line(M_static, 16 * P, "bytes")), {L: 2, d_model: 10})
    >>> ledger["M_static"].formula, ledger["M_static"].value, ledger["M_static"].at(L=3)
    (16*L*d_model**2, 3200, 4800)
    """

    lines: tuple[Line, ...]
    values: Values = field(default_factory=dict)

    @cached_property
    def _by_symbol(self) -> dict[sp.Symbol, Line]:
        return {line.symbol: line for line in self.lines}

    @cached_property
    def _unfolded(self) -> dict[sp.Symbol, sp.Expr]:
        """Each line over given symbols alone."""
        unfolded: dict[sp.Symbol, sp.Expr] = {}
        for line in self.lines:
            unfolded[line.symbol] = line.expr.xreplace(unfolded)
        return unfolded

    def __getitem__(self, name: str | sp.Symbol) -> Entry:
        """Return the line of that name; raises `BadInput` naming those there are."""
        for line in self.lines:
            if line.symbol == name or str(line.symbol) == name:
                return Entry(self, line)
        names = [str(line.symbol) for line in self.lines]
        raise BadInput.unknown(f"no line {str(name)!r}", str(name), names)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._by_symbol

    def __iter__(self):
        """Go through the lines in order."""
        return iter(Entry(self, line) for line in self.lines)

    def unfold(self, symbol: sp.Symbol) -> sp.Expr:
        """Return the line of `symbol` over given symbols alone."""
        return self._unfolded[symbol]

    @cached_property
    def numbers(self) -> dict[sp.Symbol, Any]:
        """The exact number of every line whose symbols all have values."""
        found = {symbol: at(expr, self.values) for symbol, expr in self._unfolded.items()}
        return {symbol: number for symbol, number in found.items() if number is not None}

    def compile(self, target: str, symbol: sp.Symbol, free: Iterable[sp.Symbol] | None = None) -> Any:
        """Return the line of `symbol` as a function of exact Python integers: ``compile("int", M_total)``.

        It takes the `free` symbols in their order, all others at the values of the ledger; without `free` it takes all
        given symbols of the line, in the order of their names. ``compile("js", M_total)`` is the same as data for a page:
        a list of `Nodes`, the last of which is the line, over the `free` symbols or all given ones. Raises `BadInput` for
        another `target`.

        >>> from symbolic_mem.base.symbols import B, L, M_total
        >>> Ledger((Line(M_total, 4 * B * L),), {L: 10}).compile("int", M_total, free=(B,))(3)
        120
        >>> Ledger((Line(M_total, 4 * B * L),), {L: 10}).compile("js", M_total)
        [4, 'B', 'L', ['*', 0, 1, 2]]
        """
        if target not in ("int", "js"):
            raise BadInput.unknown(f"unknown target {target!r}", target, ("int", "js"))
        expr = self._unfolded[symbol]
        if target == "js":
            put = {} if free is None else {own: value for own, value in self.values.items() if own not in set(free)}
            return script(expr.xreplace(put))
        if free is None:
            return compiled(expr).call
        return partial(expr, self.values, tuple(free)).call


@dataclass(frozen=True, repr=False)
class Entry:
    """A line in its ledger: its formula over given symbols, and its number, at the known values or at others."""

    ledger: Ledger
    line: Line

    def __repr__(self) -> str:
        return f"<{self.line.symbol} = {self.line.expr}>"

    @property
    def formula(self) -> sp.Expr:
        """The line over given symbols alone."""
        return self.ledger.unfold(self.line.symbol)

    @property
    def value(self) -> Any:
        """Its exact number at the values of the ledger; None while a symbol has none."""
        return at(self.formula, self.ledger.values)

    def at(self, values: Mapping[Any, Any] | None = None, **by_name: Any) -> Any:
        """Its exact number with other values, given by symbol or by name; None while a symbol has none."""
        own = {*self.ledger.values, *self.formula.free_symbols}
        return at(self.formula, {**self.ledger.values, **by_symbol(values, by_name, own)})
