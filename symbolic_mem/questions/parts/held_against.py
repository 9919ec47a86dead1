"""Whether a whole number can be the smallest degree: it is held against each instant, until one asks for more."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.first import first_degree
from symbolic_mem.base.rational import plain
from symbolic_mem.solvers.layout import profile
from symbolic_mem.study.study import Study


def can_be_smallest(
    value: int, moments: Sequence[Study], kinds: tuple[str, ...], symbol: sp.Symbol, *, strict: bool, ruled: bool
) -> bool:
    """Whether no instant asks for more than degree `value`, and one of them for as much.

    Where it is `ruled` none need ask for as much: rules only ask for more.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> asked = study.question("b")
    >>> seen = study.under(asked)
    >>> [n for n in range(30, 60) if can_be_smallest(n, (seen,), asked.counted, n_fsdp, strict=False, ruled=False)]
    [46]
    """
    capacity, reached = plain(moments[0].capacity.counted), ruled
    for one in moments:
        held = profile(one.placed(kinds), symbol, one.numbers)
        needed = first_degree(held.divided, held.fixed, capacity, strict=strict)
        if needed is None or needed > value:
            return False
        reached = reached or needed == value
    return reached
