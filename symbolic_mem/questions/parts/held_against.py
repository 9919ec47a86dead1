"""Whether a whole number can be the smallest degree: it is held against each instant, and nothing is solved for."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import plain
from symbolic_mem.solvers.layout import profile
from symbolic_mem.study.study import Study


def can_be_smallest(
    value: int, moments: Sequence[Study], kinds: tuple[str, ...], symbol: sp.Symbol, *, strict: bool, ruled: bool
) -> bool:
    """Whether what is kept fits at degree `value` at every instant, and at one of them not at one less.

    Where it is `ruled`, a degree below may have been refused for another reason: rules ask for no less memory and no
    smaller degree, so that only the first is asked. What is no memory of less than zero bytes is not decided.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> asked = study.question("b")
    >>> seen = study.under(asked)
    >>> [n for n in range(30, 60) if can_be_smallest(n, (seen,), asked.counted, n_fsdp, strict=False, ruled=False)]
    [46]
    """
    limit = Limit(plain(moments[0].capacity.counted), strict)
    fewer = value == 1 or ruled
    for one in moments:
        held = profile(one.placed(kinds), symbol, one.numbers)
        if held.divided < 0:
            return True
        if not limit.holds(held.fixed * value + held.divided, times=value):
            return False
        fewer = fewer or not limit.holds(held.fixed * (value - 1) + held.divided, times=value - 1)
    return fewer
