"""The instants that must fit where a symbol of the memory is open: what it may grow to is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import L, n_chunks, n_pp
from symbolic_mem.questions.parts.instants import instants
from symbolic_mem.study.study import Study

GIVEN = (
    "for = 'L': the plan gives the blocks of each of its {stages} stages (layers), and another number of blocks has others; leave "
    "layers out, or ask for another symbol"
)


def grown_instants(study: Study, kinds: Sequence[str], symbol: sp.Symbol | None) -> tuple[Study, ...]:
    """Return the study at each instant that must fit, without a value of `symbol`.

    Those of an open number of blocks are the instants of many. The ranks of a pipeline are known of a number of blocks only; with
    equal stages they hold as many times an L-th of the blocks at any. Raises `BadInput` where the stages are given.
    """
    pieces = stages(study)
    if symbol != L or pieces == 1:
        return instants(opened(study, symbol), kinds)
    if study.plan is not None and study.plan.layers:
        raise BadInput(GIVEN.format(stages=pieces))
    blocks = study.values.get(L, sp.Integer(pieces))
    there = instants(replace(study, values={**study.values, L: blocks}), kinds)
    return tuple(opened(one, symbol) for one in there)


def opened(study: Study, symbol: sp.Symbol | None) -> Study:
    """The study without a value of the symbol, where there is one."""
    if symbol not in study.values:
        return study
    return replace(study, values={each: value for each, value in study.values.items() if each != symbol})


def stages(study: Study) -> int:
    """Into how many stages its plan cuts the blocks; 1 where it cuts none."""
    if study.plan is None or not study.plan.pipelined:
        return 1
    return int(study.values.get(n_pp, 1)) * int(study.values.get(n_chunks, 1))
