"""What one rank holds of tensors that are cut into whole rows: the first ranks have ceil(rows/n) of each, the last fewer."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.models.tensors import Part
from symbolic_mem.solvers.layout import PaddedRows, profile


def on_rank(memory: Memory, values: Numbers, rank: int = 0, symbol: sp.Symbol = n_fsdp) -> Number:
    """Exact bytes that a rank of those along `symbol` holds of a placed memory, with tensors cut into whole rows.

    Weights and gradients are padded to equal shards on every rank. What the optimizer holds is not: the last ranks have
    fewer rows, or none. Source: PyTorch 2.13, `torch.distributed.fsdp.fully_shard`, measured. Where the degree has no
    value it is that of the memory, undivided by rows.

    >>> from symbolic_mem.base.symbols import L
    >>> part = Part(sp.S.One, (sp.Integer(5), sp.Integer(2)))
    >>> moments = Term("m", "optimizer", sp.Integer(10), sp.Integer(8), "", degree=n_fsdp, parts=(part,))
    >>> [on_rank(Memory((moments,)), Numbers({n_fsdp: 4, L: 1}), rank) for rank in range(4)]
    [Fraction(32, 1), Fraction(32, 1), Fraction(16, 1), Fraction(0, 1)]
    """
    if symbol not in values.values_given:
        return memory.at(values)
    degree = int(values.values_given[symbol])
    short = memory.where(lambda term: rank > 0 and _unpadded(term, symbol))
    padded = memory.where(lambda term: term not in short.terms)
    return profile(padded, symbol, values, [PaddedRows()]).at(degree) + sum(
        _rows_of(part, term, rank, degree, values) for term in short for part in term.parts
    )


def alike(memory: Memory, values: Numbers, symbol: sp.Symbol = n_fsdp) -> Iterator[range]:
    """Yield the ranks along `symbol` in groups of neighbours that hold the same rows of every tensor.

    >>> part = Part(sp.S.One, (sp.Integer(5), sp.Integer(2)))
    >>> moments = Term("m", "optimizer", sp.Integer(10), sp.Integer(8), "", degree=n_fsdp, parts=(part,))
    >>> list(alike(Memory((moments,)), Numbers({n_fsdp: 4})))
    [range(0, 2), range(2, 3), range(3, 4)]
    """
    degree = int(values[symbol])
    counts = {
        int(values[part.shape[0]]) for term in memory if _unpadded(term, symbol) for part in term.parts if part.shape
    }
    full = {rows // -(-rows // degree) for rows in counts}  # so many ranks have as many rows as the first
    starts = sorted({0, *(place for first in full for place in (first, first + 1) if place < degree)})
    for first, after in zip(starts, (*starts[1:], degree), strict=True):
        yield range(first, after)


def _unpadded(term: Term, symbol: sp.Symbol) -> bool:
    return term.kind == "optimizer" and bool(term.degree.has(symbol))


def _rows_of(part: Part, term: Term, rank: int, degree: int, values: Numbers) -> Number:
    """The bytes of the rows that a rank has of a tensor; a single number is on every device."""
    each = values[part.copies * sp.Mul(*part.shape[1:]) * term.bytes_per_element]
    if not part.shape:
        return each
    rows = values[part.shape[0]]
    most = -(-rows // degree)
    return each * max(0, min(most, rows - rank * most))
