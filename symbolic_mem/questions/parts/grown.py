"""The instants that must fit where a symbol of the memory is open: what it may grow to is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import lcm

import sympy as sp

from symbolic_mem.accounts.account import on_host
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import L, n_chunks, n_pp
from symbolic_mem.questions.parts.instants import instants
from symbolic_mem.solvers.pieces import turns
from symbolic_mem.solvers.rules import MultipleOf, allowed
from symbolic_mem.study.study import Study

OF_TURNS = "the remainders are asked about one by one"
MANY = 1000  # blocks, of which all instants of a step are there
GIVEN = (
    "for = 'L': the plan gives the blocks of each of its {stages} stages (layers), and another number of blocks has others; leave "
    "layers out, or ask for another symbol"
)


def grown_instants(
    study: Study, kinds: Sequence[str], symbol: sp.Symbol | None, turn: MultipleOf | None = None
) -> tuple[Study, ...]:
    """Return the study at each instant that must fit, without a value of `symbol`.

    Those of an open number of blocks are the instants of many: of a number as its `turn` says, where a rule recomputes some
    of so many, since which of the last blocks are recomputed depends on it. The ranks of a pipeline are known of a number of blocks only; with
    equal stages they hold as many times an L-th of the blocks at any. Raises `BadInput` where the stages are given.
    """
    pieces = stages(study)
    if symbol == L and turn is not None and pieces == 1:
        return at_blocks(study, kinds, L, allowed((turn,)).first(MANY) or MANY)
    if symbol != L or pieces == 1:
        return instants(opened(study, symbol), kinds)
    if study.plan is not None and study.plan.layers:
        raise BadInput(GIVEN.format(stages=pieces))
    known = int(study.values.get(L, pieces))
    turned = None if turn is None else allowed((turn, MultipleOf(pieces))).first(known)
    return at_blocks(study, kinds, L, turned or known)


def blocks_turns(study: Study, kinds: Sequence[str], symbol: sp.Symbol) -> tuple[MultipleOf, ...]:
    """Return what a number of blocks is at each remainder, where a rule recomputes some of so many; none of another unknown.

    What is offloaded counts, too: the instants of a step depend on it.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("llama-3.1-8b").change(recompute="every=2")
    >>> [one.words for one in blocks_turns(study, (), L)]  # doctest: +ELLIPSIS
    ['a multiple of 2 (the remainders ...)', '1 more than a multiple of 2 (the remainders ...)']
    """
    if symbol != L:
        return ()
    memories = (study.memory, *([on_host(study.model, study.recipe)] if study.recipe.offload else []))
    several = lcm(*(turns(one.of(*kinds) if kinds else one, L) for one in memories))
    equal = stages(study)  # each counts its blocks from its own first one
    return tuple(MultipleOf(several * equal, OF_TURNS, equal * rest) for rest in range(several)) if several > 1 else ()


def at_blocks(study: Study, kinds: Sequence[str], symbol: sp.Symbol, blocks: int) -> tuple[Study, ...]:
    """The instants that there are with so many blocks, whose number stays open in their memory."""
    there = instants(replace(study, values={**study.values, symbol: sp.Integer(blocks)}, at=None), kinds)
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
