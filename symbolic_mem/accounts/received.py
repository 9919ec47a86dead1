"""`received` and `returned`: what a stage under Megatron-LM still holds of tensors that came from the stage before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symbolic_mem.accounts.account import saved_terms
from symbolic_mem.accounts.ranks import Rank
from symbolic_mem.accounts.terms import Term
from symbolic_mem.accounts.units import units
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.symbols import n_micro
from symbolic_mem.models.tensors import Layer
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import block_input

BLOCK = "Megatron-LM d98e8a6, core/transformer/transformer_block.py: set_input_tensor"
SCHEDULE = "Megatron-LM d98e8a6, core/pipeline_parallel/schedules.py: backward_step and the loops that call it"


def received(rank: Rank, recipe: Recipe) -> Iterator[Term]:
    """Yield the last input that each chunk of a rank was given, with its gradient: its block refers to it until the next."""
    reason = f"each chunk refers to the input it was given last, until it is given another; {BLOCK}"
    yield from _several(
        "last inputs from other stages, and their gradients", reason, sp.Integer(2 * _fed(rank)), rank, recipe
    )


def returned(rank: Rank, recipe: Recipe, numbers: Numbers) -> Iterator[Term]:
    """Yield the gradient that a rank sent back for the micro-batch before, where one is back while the others are in flight."""
    if not _fed(rank) or numbers[n_micro] * len(rank.held) <= numbers[sp.Add(*rank.held)]:
        return
    reason = f"the schedule refers to what it sent last, until it sends the next; {SCHEDULE}"
    yield from _several("gradient of the micro-batch before", reason, sp.S.One, rank, recipe)


def _fed(rank: Rank) -> int:
    """How many chunks of a rank are fed by another stage: all but the one with the first block."""
    return sum(first > 0 for first, _ in rank.stage.chunks)


def _several(name: str, reason: str, times: sp.Expr, rank: Rank, recipe: Recipe) -> Iterator[Term]:
    blocks = units(rank.model).blocks
    if times == 0 or not blocks:
        return
    stream = replace(block_input(blocks[0].layers[0]), reason=reason)
    yield from saved_terms(name, "", (Layer("", saved=(stream,), repeat=times),), recipe)
