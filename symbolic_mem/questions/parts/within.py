"""The largest value of a symbol under a limit of bytes, in the piece of a memory's pages and windows that holds it."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.exact import number
from symbolic_mem.base.limit import Limit
from symbolic_mem.solvers.inverse import Upper, upper_anyway
from symbolic_mem.solvers.pieces import pieces
from symbolic_mem.solvers.rules import MultipleOf, Rule
from symbolic_mem.study.study import Study


def largest_within(
    study: Study, memory: Memory, symbol: sp.Symbol, limit: Limit, rules: Sequence[Rule], turn: MultipleOf | None = None
) -> Upper:
    """Return the largest `symbol` that obeys the `rules` and at which a `memory` of the study, in bytes, fits the limit.

    The memory may hold nothing of it. Beyond its windows it is tried first: an answer inside them has not reached them.
    A number of blocks is what its `turn` says, where a rule recomputes some of so many: a multiple, or a rest more.
    """
    opened = study.without(symbol)
    known = opened.values
    for piece in pieces(memory, symbol, 0 if turn is None else turn.rest):
        steps = piece.steps(known) if turn is None else (turn,)
        found = upper_anyway(piece.memory, symbol, limit).at(opened.numbers, (*rules, *steps))
        if not piece.reached or found.unbounded:
            break
        most = max(number(window, known, "the sliding window") for window in piece.windows)
        if found.value is not None and found.value >= most:
            break
    return found
