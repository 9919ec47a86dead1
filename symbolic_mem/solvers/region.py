"""The feasible region over two symbols: an inequality, and a table of the smallest degrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.exact import Given, Numbers
from symbolic_mem.base.first import first_degree
from symbolic_mem.base.rational import Number
from symbolic_mem.base.values import dataclass
from symbolic_mem.solvers.bound import Bound, solve
from symbolic_mem.solvers.degree import degree_under
from symbolic_mem.solvers.layout import Layout
from symbolic_mem.solvers.rules import Allowed, Rule, allowed

Axis = tuple[sp.Symbol, Sequence[int]]
Entries = tuple[tuple[int | None, ...], ...]
# Pairs at which two ways take about as long for a bundled model: each pair by the numbers of terms, or the bound as one
# function; that function, or one with all other values put in first.
FEW, MANY = 30, 1000


@dataclass(frozen=True)
class Region:
    """For each pair of values of two symbols the smallest degree, or None where no degree is enough.

    `exists` is the inequality that says where some degree exists, and `fits` where a given degree is enough.
    """

    bound: Bound
    rows: tuple[sp.Symbol, tuple[int, ...]]
    columns: tuple[sp.Symbol, tuple[int, ...]]
    entries: Entries

    @property
    def exists(self) -> sp.Rel:
        """Where some degree is enough."""
        return self.bound.condition

    @property
    def fits(self) -> sp.Rel:
        """Where the degree, as a symbol, is enough."""
        return self.bound.limit.fits(self.bound.per_device(self.bound.symbol))


def region(
    memory: Memory,
    symbol: sp.Symbol,
    capacity: sp.Expr | Number,
    values: Given,
    rows: tuple[sp.Symbol, Sequence[int]],
    columns: tuple[sp.Symbol, Sequence[int]],
    *,
    strict: bool = False,
    rules: Sequence[Rule | Layout] = (),
) -> Region:
    """Return the smallest degree `symbol` for each pair of the given values of two other symbols.

    >>> from symbolic_mem.base.symbols import B, S, n_fsdp
    >>> from symbolic_mem.accounts.terms import Term
    >>> kept = Term("kept", "activations", B * S, sp.S.One, "")
    >>> divided = Term("divided", "weights", sp.Integer(100), sp.S.One, "", degree=n_fsdp)
    >>> region(Memory((kept, divided)), n_fsdp, 20, {}, (B, [1, 2]), (S, [10, 15])).entries
    ((10, 20), (None, None))
    """
    return region_under(solve(memory, symbol, capacity, strict=strict), values, rows, columns, rules)


def region_under(
    bound: Bound,
    values: Given | Numbers,
    rows: tuple[sp.Symbol, Sequence[int]],
    columns: tuple[sp.Symbol, Sequence[int]],
    rules: Sequence[Rule | Layout] = (),
) -> Region:
    """Return the same for a `bound`; nothing of its memory need be divided."""
    numbers, plain = Numbers.of(values, "the bound"), [rule for rule in rules if not isinstance(rule, Layout)]
    if len(rows[1]) * len(columns[1]) <= FEW or len(plain) < len(rules):
        entries = _one_by_one(bound, numbers, rows, columns, rules)
    else:
        entries = _closed(bound, numbers.values_given, rows, columns, plain)
    return Region(bound, (rows[0], tuple(rows[1])), (columns[0], tuple(columns[1])), entries)


def _closed(bound: Bound, values: Given, rows: Axis, columns: Axis, rules: Sequence[Rule]) -> Entries:
    """Each entry by the closed form, and from there on the first degree that the rules allow."""
    call, strict = _numbers(bound, values, rows, columns), bound.strict
    whole = [[first_degree(*call(row, column), strict=strict) for column in columns[1]] for row in rows[1]]
    if not rules:
        return tuple(map(tuple, whole))
    open_symbols = {symbol for rule in rules for symbol in rule.symbols}

    @cache
    def keep(row: int | None, column: int | None) -> Allowed:
        here = {**values, **({} if row is None else {rows[0]: row}), **({} if column is None else {columns[0]: column})}
        return allowed([rule.at(here) for rule in rules])

    def entry(value: int | None, row: int, column: int) -> int | None:
        by = keep(row if rows[0] in open_symbols else None, column if columns[0] in open_symbols else None)
        return None if value is None else by.first(value)

    return tuple(
        tuple(entry(value, row, column) for value, column in zip(line, columns[1], strict=True))
        for line, row in zip(whole, rows[1], strict=True)
    )


def _numbers(bound: Bound, values: Given, rows: Axis, columns: Axis) -> Callable[[int, int], tuple[Number, ...]]:
    """Divided bytes, fixed bytes and capacity at a pair; to put in all other values first pays where there are many pairs."""
    if len(rows[1]) * len(columns[1]) > MANY:
        return bound.partial(values, (rows[0], columns[0])).call
    return lambda row, column: bound.compiled.at({**values, rows[0]: row, columns[0]: column}, "the bound")


def _one_by_one(bound: Bound, numbers: Numbers, rows: Axis, columns: Axis, rules: Sequence[Rule | Layout]) -> Entries:
    """Each entry by the numbers of terms at its pair, which the instants of a step share."""

    def entry(row: int, column: int) -> int | None:
        return degree_under(bound, numbers.under({rows[0]: row, columns[0]: column}), rules).value

    return tuple(tuple(entry(row, column) for column in columns[1]) for row in rows[1])
