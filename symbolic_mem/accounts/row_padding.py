"""What whole rows take beside the share that the formulas count, where PyTorch's ``fully_shard`` cuts tensors over ranks.

A rank stores ceil(rows/n) rows of every tensor: less than one row more than rows/n. What is gathered, and gradients that are
sent, are n such shares: less than n rows more than the tensor. At most four copies of a block are gathered at a time, two of
all that lies outside the blocks, and the gradients of one of them are sent; where weights stay gathered, so do all blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy as sp

from symbolic_mem.accounts.left_out import ROWS, LeftOut, Parts
from symbolic_mem.accounts.units import units
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.models.tensors import STATIC, Model, Part
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe

COPIES = sp.Integer(4)
KEPT = "row padding of what each device keeps, less than one row of each tensor"
WHOLE = "row padding of what is gathered and sent for a moment, less than one row for each device of each tensor"
SOURCE = "PyTorch 2.13 torch.distributed.fsdp.fully_shard: shards are padded to equal size on every rank"


def row_padding(
    model: Model, recipe: Recipe, placement: Mapping[str, Placed], *, stays: bool = False
) -> Iterator[LeftOut]:
    """Yield bounds of both, in bytes of one device; nothing where no tensor is divided over `n_fsdp`. Gathered weights may stay so.

    >>> from symbolic_mem.models.ffn import ffn
    >>> from symbolic_mem.recipes.read import recipe
    >>> divided = {kind: Placed(n_fsdp) for kind in ("weights", "gradients", "optimizer")}
    >>> [one.size for one in row_padding(ffn(), recipe("fsdp2"), divided)]
    [16*L*d_ff + 16*L*d_model, 12*n_fsdp*(d_ff + d_model)]
    """
    cut = {kind: placed for kind, placed in placement.items() if kind in STATIC and placed.degree.has(n_fsdp)}
    own = tuple(Part(one.repeat, weight.shape) for one in model.layers for weight in one.weights)
    kept = (state for state in recipe.states if state.kind in cut and state.kind not in recipe.offload)
    each = sp.Add(*(one.copies * one.bytes_per_element * n_fsdp / cut[one.kind].degree for one in kept))
    if not own or each == 0:
        return
    yield LeftOut(ROWS, KEPT, (_rows(own),), each, source=SOURCE)
    found, sent = units(model), recipe.reduces
    if "weights" not in cut or recipe.gathers is None or sent is None or not found.blocks:
        return
    sets = (own,) if stays else tuple((*block.weights, *found.root) for block in found.blocks)
    rest = cut["weights"].degree / n_fsdp
    yield LeftOut(ROWS, WHOLE, tuple(map(_rows, sets)), n_fsdp * (COPIES * recipe.gathers + sent) / rest, source=SOURCE)


def _rows(parts: Parts) -> Parts:
    """One row of each tensor."""
    return tuple(Part(part.copies, part.shape[1:]) for part in parts)
