"""What whole rows take beside the shares of a memory, as one more term of it: then a bound has it, too."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.accounts.row_padding import SOURCE
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.solvers.layout import PaddedRows

NAME = "row padding"
REASON = "each device holds ceiling(rows/n) rows of a tensor where rows/n are counted, and n times as many of what is gathered"


def with_whole_rows(memory: Memory, n: sp.Symbol, unknown: sp.Symbol, rule: PaddedRows) -> Memory:
    """Return a placed memory with what whole rows take on the fullest device at any degree `n`, in bytes; see `PaddedRows`.

    Raises `BadInput` where the number of rows of a tensor depends on the `unknown`: no polynomial in it is the memory then.

    >>> from symbolic_mem.base.symbols import B, L, d_ff, n_fsdp
    >>> from symbolic_mem.models.tensors import Part
    >>> w = Term("w", "weights", 3 * L * d_ff, sp.Integer(4), "", degree=n_fsdp, parts=(Part(L, (d_ff, sp.Integer(3))),))
    >>> padded = with_whole_rows(Memory((w,)), n_fsdp, B, PaddedRows())
    >>> padded.terms[-1].bytes, padded.at({L: 2, d_ff: 10, n_fsdp: 4})
    (12*L*(-d_ff/n_fsdp + ceiling(d_ff/n_fsdp)), 72)
    """
    lacking: dict[tuple[sp.Expr, sp.Expr], sp.Expr] = {}
    for term in memory:
        over = rule.over(term, n)
        if over is None:
            continue
        each = term.bytes_per_element * (term.padded if rule.whole(term, n) else 1)
        for part in term.parts:
            rows = part.shape[0] if part.shape else sp.S.One
            if rows.has(unknown):
                raise BadInput(
                    f"padded_rows: a tensor has {rows} rows, and what they lack to be cut without a rest rises and falls with "
                    f"{unknown}, so no bound of it is solved; leave it out, and try values with account --padded-rows"
                )
            size = each * part.copies * sp.Mul(*part.shape[1:])
            lacking[rows, over] = lacking.get((rows, over), sp.S.Zero) + size
    if not lacking:
        return memory
    lacks = sp.Add(*(size * (sp.ceiling(rows / over) - rows / over) for (rows, over), size in lacking.items()))
    return Memory((*memory.terms, Term(NAME, "buffers", lacks, sp.S.One, REASON, SOURCE)), memory.definitions)
