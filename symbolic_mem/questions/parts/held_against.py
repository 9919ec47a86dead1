"""Whether a number can be the smallest degree: it is held against each instant, until one asks for more."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.first import first_degree
from symbolic_mem.base.rational import plain
from symbolic_mem.questions.parts.instants import decided_instants, staged
from symbolic_mem.questions.parts.one_device import fewest, on_one_device
from symbolic_mem.solvers.layout import profile
from symbolic_mem.study.study import Study

ALWAYS = ("weights", "optimizer")  # kinds that are there at each instant


def can_be_smallest(
    value: Fraction | int, study: Study, kinds: tuple[str, ...], symbol: sp.Symbol, *, strict: bool, ruled: bool
) -> bool:
    """Whether no instant of the study asks for more than degree `value`, a whole number, and one of them for as much.

    Where it is `ruled` none need ask for as much: rules only ask for more.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> asked = study.question("b")
    >>> seen = study.under(asked)
    >>> [n for n in range(30, 60) if can_be_smallest(n, seen, asked.counted, n_fsdp, strict=False, ruled=False)]
    [46]
    """
    if value < 1 or value.denominator != 1:
        return False
    capacity, reached = plain(study.capacity.counted), ruled

    def needed(memory: Memory) -> int | None:
        held = profile(memory, symbol, study.numbers)
        return first_degree(held.divided, held.fixed, capacity, strict=strict)

    always = tuple(kind for kind in kinds if kind in ALWAYS)
    if always and value > 1 and not staged(study):
        least = needed(study.at_least(always))
        if least is None or least > value:
            return False
    alone = on_one_device(study, kinds, symbol) if value == fewest(study, symbol) else ()
    for one in alone or decided_instants(study, kinds):
        least = needed(one.placed(kinds))
        if least is None or least > value:
            return False
        reached = reached or least == value
    return reached
