"""How displayed chains are cut into rows: relations under each other, long sums broken between our own terms."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Chain, Put, Side, Total
from symbolic_mem.render.arrange import Measure
from symbolic_mem.render.text import width
from symbolic_mem.render.typeset import ordered_terms, signed


@dataclass(frozen=True)
class Row:
    """One row of a display: what stands left of the alignment (or nothing), then signs and sides in order.

    `continues` marks the rest of a sum that was broken: it is indented and begins with a plus.
    """

    left: Side | None
    parts: tuple[str | Side, ...]
    continues: bool = False


def rows(chains: Sequence[Chain], measure: Measure) -> tuple[Row, ...]:
    """Cut chains into rows: short links share one, a sum that is too long continues on the next.

    >>> from symbolic_mem.base.symbols import L, P, d_ff, d_model
    >>> [row.parts for row in rows([Chain(P, (("=", L * d_model), ("=", d_ff)))], Measure(58, 64))]
    [('=', L*d_model, '=', d_ff)]
    """
    cut: list[Row] = []
    lead = max(
        (width(chain.left) for chain in chains), default=0
    )  # relations stand under each other, behind the widest
    for chain in chains:
        left: Side | None = chain.left
        parts: list[str | Side] = []
        used = lead
        for relation, side in chain.links:
            needed = width(side) + 3
            if parts and used + needed > measure.row:
                cut.append(Row(left, tuple(parts)))
                left, parts, used = None, [], lead
            total = _total(side) if lead + needed > measure.sum else None
            if total is not None:
                first, *rest = _broken(total, measure.sum - lead)
                cut.append(Row(left, (relation, first)))
                for more in rest:
                    sign, size = signed(more.sides[0])
                    cut.append(Row(None, (sign, Total((size, *more.sides[1:]))), continues=True))
                left, parts, used = None, [], lead
                continue
            parts += [relation, side]
            used += needed
        if parts:
            cut.append(Row(left, tuple(parts)))
    return tuple(cut)


def apart(cut: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with each left side on a row of its own, for a display that is too narrow for both.

    >>> from symbolic_mem.base.symbols import L, P
    >>> [(row.left, row.parts, row.continues) for row in apart([Row(P, ("=", L))])]
    [(None, (P,), False), (None, ('=', L), True)]
    """
    return tuple(
        row
        for one in cut
        for row in (
            *(() if one.left is None else (Row(None, (one.left,)),)),
            Row(None, one.parts, continues=True),
        )
    )


def _total(side: Side) -> Total | None:
    """A side as a sum that can be broken; None where it is none."""
    match side:
        case Total():
            return side
        case Put(expr=sp.Add()):
            return Total(tuple(Put(term, side.values) for term in ordered_terms(side.expr)))
        case sp.Add():
            return Total(tuple(ordered_terms(side)))
    return None


def _broken(total: Total, limit: int) -> list[Total]:
    lines: list[list[Side]] = [[]]
    used = 0
    for side in total.sides:
        needed = width(side) + 3
        if lines[-1] and used + needed > limit:
            lines.append([])
            used = 0
        lines[-1].append(side)
        used += needed
    return [Total(tuple(line)) for line in lines]
