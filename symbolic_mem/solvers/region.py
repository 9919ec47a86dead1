"""The feasible region over two symbols: an inequality, and a table of the smallest degrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.exact import Values, exact_values
from symbolic_mem.solvers.bound import Bound, solve
from symbolic_mem.solvers.degree import smallest_degree
from symbolic_mem.solvers.layout import Layout
from symbolic_mem.solvers.rules import Rule


@dataclass(frozen=True)
class Region:
    """For each pair of values of two symbols the smallest degree, or None where no degree is enough.

    `exists` is the inequality that says where some degree exists, and `fits` where a given degree is enough.
    """

    bound: Bound
    rows: tuple[sp.Symbol, tuple[int, ...]]
    columns: tuple[sp.Symbol, tuple[int, ...]]
    entries: tuple[tuple[int | None, ...], ...]

    @property
    def exists(self) -> sp.Rel:
        """Where some degree is enough."""
        return self.bound.condition

    @property
    def fits(self) -> sp.Rel:
        """Where the degree, as a symbol, is enough."""
        relation = sp.StrictLessThan if self.bound.strict else sp.LessThan
        return relation(self.bound.per_device(self.bound.symbol), self.bound.capacity, evaluate=False)


def region(
    memory: Memory,
    symbol: sp.Symbol,
    capacity: sp.Expr | int,
    values: Values,
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
    exact = exact_values(values)
    bound = solve(memory, symbol, capacity, strict=strict)

    def entry(row: int, column: int) -> int | None:
        here = exact | {rows[0]: sp.Integer(row), columns[0]: sp.Integer(column)}
        if not rules:
            return bound.at(here).value
        return smallest_degree(memory, symbol, capacity, here, strict=strict, rules=rules).value

    entries = tuple(tuple(entry(row, column) for column in columns[1]) for row in rows[1])
    return Region(bound, (rows[0], tuple(rows[1])), (columns[0], tuple(columns[1])), entries)
