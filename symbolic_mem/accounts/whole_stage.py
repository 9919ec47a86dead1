"""`whole_stage`: what a stage of PyTorch's pipelining over `fully_shard` holds whole, and what it receives and sends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symbolic_mem.accounts.account import saved_terms
from symbolic_mem.accounts.momentary import logits_of
from symbolic_mem.accounts.ranks import Rank
from symbolic_mem.accounts.stage import stage_model
from symbolic_mem.accounts.terms import Term, of_parts
from symbolic_mem.accounts.units import units
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.symbols import n_micro
from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import Layer, Model, Part, Tensor
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import block_input

FSDP = (
    "PyTorch 2.13 torch.distributed.fsdp.fully_shard, torch/distributed/pipelining/stage.py: backward_maybe_with_nosync"
)
STAGE = "PyTorch 2.13, torch/distributed/pipelining/stage.py: args_recv_info, grad_recv_info, fwd_cache, output_chunks"


def whole_stage(rank: Rank, built: Built, recipe: Recipe, numbers: Numbers) -> Iterator[Term]:
    """Yield the gathered weights of a rank, their whole gradients where it adds up several micro-batches, and what stages send.

    The weights are gathered once in a step; until the last micro-batch is back, gradients are added up in the dtype of the
    reduction: those of one chunk alone, the fullest, where all its micro-batches come back before another's turn. A stage has a
    tensor to receive each micro-batch, which is the first input that it keeps of those in flight, and one for each gradient; it
    keeps what it sent of those in flight. The last one keeps the logits of all.
    """
    parts = _weights(rank.model)
    if recipe.gathers is None or recipe.reduces is None or not rank.held:
        return
    reason = "they stay gathered from one micro-batch to the next"
    yield of_parts("gathered weights of the stage", "buffers", parts, recipe.gathers, reason, source=FSDP)
    if numbers[n_micro] > 1:
        reason = "added up whole, and sent when the last micro-batch is back"
        added = _weights(_adding(rank, built, numbers))
        yield of_parts("gradients of whole weights", "buffers", added, recipe.reduces, reason, source=FSDP)
    sent = block_input(units(rank.model).blocks[0].layers[0])
    times = 2 * n_micro * len(rank.held)
    times -= n_micro - rank.held[0] if rank.stage.first else 0
    times -= n_micro + rank.held[-1] if rank.stage.last else 0
    reason = f"received and sent between stages, of each micro-batch and its gradient; {STAGE}"
    yield from saved_terms("received and sent between stages", "", (_several(sent, reason, times),), recipe)
    if rank.stage.last and built.architecture is not None and built.how is not None:
        held = any(tensor.name == "logits" for layer in rank.model.layers for tensor in layer.saved)
        logits = Tensor("logits", logits_of(built), bytes_per_element=built.how.compute)
        reason = f"the last stage keeps those of all micro-batches; {STAGE}"
        yield from saved_terms(
            "logits of other micro-batches", "", (_several(logits, reason, n_micro - int(held)),), recipe
        )


def _weights(model: Model) -> tuple[Part, ...]:
    return tuple(Part(layer.repeat, weight.shape) for layer in model.layers for weight in layer.weights)


def _adding(rank: Rank, built: Built, numbers: Numbers) -> Model:
    """What a rank adds up gradients of at a time: all that it has, or its fullest chunk.

    The source is PyTorch 2.13's schedules.py, `_add_reduce_grad`: gradients of a chunk are sent after its last micro-batch.
    """
    if rank.order is None or not rank.order.in_turn(numbers.values_given):
        return rank.model
    stage = rank.stage
    last = len(stage.chunks) - 1
    chunks = (
        stage_model(
            built.model,
            replace(stage, chunks=(chunk,), first=stage.first and number == 0, last=stage.last and number == last),
            numbers,
        )
        for number, chunk in enumerate(stage.chunks)
    )
    return max(chunks, key=lambda model: numbers[model.parameters])


def _several(tensor: Tensor, reason: str, times: sp.Expr) -> Layer:
    return Layer("", saved=(replace(tensor, kind="activations", reason=reason),), repeat=times)
