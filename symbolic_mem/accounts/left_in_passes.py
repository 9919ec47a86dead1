"""`left_in_passes`: what an account of inference leaves out, with its size on one device or its range where it is known.

What vLLM holds beside weights and caches is read from its sources, not measured: the tables of rotations
(model_executor/layers/rotary_embedding), the tokens of a pass in layers with sliding windows (v1/kv_cache_interface.py:
SlidingWindowSpec.max_memory_usage_bytes), and the sampler of its trial run (v1/worker/gpu_model_runner.py:
_dummy_sampler_run; v1/sample/ops/topk_topp_sampler.py; engine/arg_utils.py: get_batch_defaults).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import sympy as sp

from symbolic_mem.accounts.cached import bytes_each
from symbolic_mem.accounts.left_out import (
    AGAIN,
    CACHE,
    GATHERED,
    OF_A_PASS,
    OTHER,
    ROTATIONS,
    WINDOWS,
    WORKING,
    LeftOut,
    of_units,
    said,
    unread,
)
from symbolic_mem.base.symbols import B, S
from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import EXPANDED, Cached, Part
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe

FP32 = sp.Integer(4)
TRIAL = sp.Integer(1024)  # max_num_seqs of vLLM on devices of 70 GiB and more
SAMPLED = (2 + FP32, 2 + 2 * FP32 + 8 + 1 + FP32 + 1)
"""Bytes for each logit: BF16 and FP32 alone; beside those what PyTorch sorts, with 64-bit indices, and the masks and sums of top-k and top-p."""


def left_in_passes(built: Built, recipe: Recipe, placement: Mapping[str, Placed]) -> tuple[LeftOut, ...]:
    """List what the account of inference leaves out: what a pass works with, what an engine keeps beside, the recipe's own words.

    >>> from symbolic_mem.models.transformer import transformer
    >>> from symbolic_mem.recipes.read import recipe
    >>> [one.words for one in left_in_passes(Built(transformer(), {}), recipe("inference"), {})][:1]
    ['the activations of a pass, and the logits']
    """
    gathered = (one for one in of_units(built.model, recipe, placement) if one.name == GATHERED)
    return (
        *(replace(one, name=OF_A_PASS) for one in gathered),
        LeftOut(WORKING, "the activations of a pass, and the logits", covers=(WORKING,)),
        *_not_cached(built),
        *_beside_windows(built, recipe),
        *_taken_into_queries(built, recipe),
        *unread(built),
        *_rotations(built, recipe),
        *_sampler(built, recipe),
        *(said(one, built.model, recipe, placement) for one in recipe.not_counted),
    )


def _not_cached(built: Built) -> Iterator[LeftOut]:
    if not built.model.cached:
        yield LeftOut(CACHE, "what decoding keeps of the tokens that it has seen, which is not described")


def _beside_windows(built: Built, recipe: Recipe) -> Iterator[LeftOut]:
    """The tokens of a pass of prefill, which layers with a sliding window keep beside those of the window."""
    held = [one for one in built.model.cached if one.window is not None]
    if not (recipe.page > 1 and recipe.prefill and held):
        return
    parts = tuple(part for one in held for part in _of_a_pass(one, recipe, recipe.prefill))
    yield LeftOut(
        WINDOWS,
        "in layers with sliding windows, the tokens of a pass of prefill beside those of the window",
        (parts,),
        source="vLLM, v1/kv_cache_interface.py: SlidingWindowSpec.max_memory_usage_bytes",
    )


def _of_a_pass(held: Cached, recipe: Recipe, prefill: int) -> Iterator[Part]:
    """As many tokens as a pass reads, or as all sequences have beyond their windows; each element so many times as it has bytes."""
    assert held.window is not None
    tokens = sp.Min(prefill, B * sp.Max(0, S - held.window))
    for one in held.tensors:
        each = bytes_each(one.bytes_per_element, held, recipe)
        yield Part(held.repeat * each, (tokens, *one.shape[2:]))


def _taken_into_queries(built: Built, recipe: Recipe) -> Iterator[LeftOut]:
    """The product of keys and values of latent attention once more, in 16 bits, where a file has it packed and vLLM serves it.

    Source: vLLM, model_executor/layers/attention/mla_attention.py: process_weights_after_loading.
    """
    latent = built.architecture is not None and built.architecture.latent is not None
    if not (recipe.serves and latent and built.packing is not None and built.packing.how is not None):
        return
    parts = tuple(
        Part(layer.repeat, weight.shape)
        for layer in built.model.layers
        for weight in layer.weights
        if weight.name == EXPANDED and built.packing.packs(weight)
    )
    if parts:
        words = f"the product of keys and values once more, in 16 bits, as {recipe.serves} takes it into the queries of decoding"
        yield LeftOut(AGAIN, words, (parts,), sp.Integer(2), source=recipe.source)


def _rotations(built: Built, recipe: Recipe) -> Iterator[LeftOut]:
    """A cosine and a sine for each pair of numbers that is turned, of every position, in 16 bits.

    FlashInfer turns the part of a head that latent attention turns by a table in FP32.
    """
    a = built.architecture
    if not recipe.serves or a is None or a.turned is None:
        return
    words, source = (
        "the table of rotations, of all positions that the model has",
        "vLLM, model_executor/layers/rotary_embedding",
    )
    if a.rotations is None:
        yield LeftOut(ROTATIONS, f"{words}, a number that its file does not give", source=source)
        return
    each = recipe.activations if a.latent is None else FP32
    yield LeftOut(ROTATIONS, words, ((Part(sp.Integer(a.rotations), (a.turned,)),),), each, source=source)


def _sampler(built: Built, recipe: Recipe) -> Iterator[LeftOut]:
    a = built.architecture
    if recipe.serves and a is not None and a.head == "language model":
        low, high = (each * TRIAL * a.vocabulary for each in SAMPLED)
        words = f"the logits and the sampler of vLLM's trial run, of {TRIAL} sequences where max_num_seqs is not given"
        yield LeftOut(OTHER, words, source="vLLM, v1/sample/ops/topk_topp_sampler.py", seen=(low, high))
