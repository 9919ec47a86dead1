"""What whole rows take beside the shares of a memory, as one more term of it: then a bound has it, too."""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm

import sympy as sp

from symbolic_mem.accounts.row_padding import SOURCE
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Given
from symbolic_mem.models.tensors import Part
from symbolic_mem.solvers.layout import PaddedRows
from symbolic_mem.solvers.rules import MultipleOf

NAME = "row padding"
REASON = "each device holds ceiling(rows/n) rows of a tensor where rows/n are counted, and n times as many of what is gathered"


def with_whole_rows(
    memory: Memory, n: sp.Symbol, unknown: sp.Symbol, rule: PaddedRows, values: Given, turn: MultipleOf | None = None
) -> Memory:
    """Return a placed memory with what whole rows take on the fullest device at any degree `n`, in bytes; see `PaddedRows`.

    Where the `unknown` is a number of rows, what they lack depends on its remainder, as its `turn` says (see `turns_of_rows`). Raises `BadInput`
    without one, and where rows depend on the unknown in another way: no polynomial in it is the memory then.

    >>> from symbolic_mem.base.symbols import B, L, d_ff, n_fsdp
    >>> from symbolic_mem.models.tensors import Part
    >>> w = Term("w", "weights", 3 * L * d_ff, sp.Integer(4), "", degree=n_fsdp, parts=(Part(L, (d_ff, sp.Integer(3))),))
    >>> padded = with_whole_rows(Memory((w,)), n_fsdp, B, PaddedRows(), {})
    >>> padded.terms[-1].bytes, padded.at({L: 2, d_ff: 10, n_fsdp: 4})
    (12*L*(-d_ff/n_fsdp + ceiling(d_ff/n_fsdp)), 72)
    >>> with_whole_rows(Memory((w,)), n_fsdp, d_ff, PaddedRows(), {n_fsdp: sp.Integer(4)}, MultipleOf(4, "", 2)).terms[-1].bytes
    6*L
    """
    lacking: dict[tuple[sp.Expr, sp.Expr], sp.Expr] = {}
    for term, over, part, rows in _cut(memory, n, rule):
        each = term.bytes_per_element * (term.padded if rule.whole(term, n) else 1)
        size = each * part.copies * sp.Mul(*part.shape[1:])
        lacking[rows, over] = lacking.get((rows, over), sp.S.Zero) + size
    if not lacking:
        return memory
    lacks = (size * _lack(rows, over, unknown, values, turn) for (rows, over), size in lacking.items())
    return Memory((*memory.terms, Term(NAME, "buffers", sp.Add(*lacks), sp.S.One, REASON, SOURCE)), memory.definitions)


def turns_of_rows(memory: Memory, n: sp.Symbol, unknown: sp.Symbol, rule: PaddedRows, values: Given) -> int:
    """Return by what number the remainder of the `unknown` says what whole rows lack; 1 where it is no number of rows.

    Raises `BadInput` where rows are no multiple of it.
    """
    shares = (_share(rows, over, unknown, values) for _, over, _, rows in _cut(memory, n, rule) if rows.has(unknown))
    return lcm(*(int(share.q) for share in shares))


def _cut(memory: Memory, n: sp.Symbol, rule: PaddedRows) -> Iterator[tuple[Term, sp.Expr, Part, sp.Expr]]:
    """Each term and tensor that is cut into rows, with over how many devices, and its rows."""
    for term in memory:
        over = rule.over(term, n)
        if over is not None:
            yield from ((term, over, part, part.shape[0] if part.shape else sp.S.One) for part in term.parts)


def _lack(rows: sp.Expr, over: sp.Expr, unknown: sp.Symbol, values: Given, turn: MultipleOf | None) -> sp.Expr:
    """How much of a row the share of a device lacks to be whole rows."""
    if not rows.has(unknown):
        return sp.ceiling(rows / over) - rows / over
    share = _share(rows, over, unknown, values)
    if turn is None or turn.factor % share.q != 0:
        raise _no_bound(rows, unknown)
    held = share * turn.rest
    return sp.ceiling(held) - held


def _share(rows: sp.Expr, over: sp.Expr, unknown: sp.Symbol, values: Given) -> sp.Rational:
    """How many rows of a device each of the unknown gives, where rows are a multiple of it."""
    share = (rows / over / unknown).xreplace(dict(values))
    if not isinstance(share, sp.Rational):
        raise _no_bound(rows, unknown)
    return share


def _no_bound(rows: sp.Expr, unknown: sp.Symbol) -> BadInput:
    return BadInput(
        f"padded_rows: a tensor has {rows} rows, and what they lack to be cut without a rest rises and falls with "
        f"{unknown}, so no bound of it is solved; leave it out, and try values with account --padded-rows"
    )
