"""`left_by_plan`: what the instants of a step leave out because a plan divides the model, with its size on one rank.

Each size is the most that there is of its kind, on the rank that has most of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from symbolic_mem.accounts.kept import TABLES
from symbolic_mem.accounts.left_out import LeftOut
from symbolic_mem.accounts.ranks import Rank, ranks
from symbolic_mem.accounts.schedule import schedule_of
from symbolic_mem.accounts.units import units
from symbolic_mem.base.exact import Numbers, missing
from symbolic_mem.base.symbols import B, n_cp, n_fsdp
from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import Part
from symbolic_mem.plans.engines import engines
from symbolic_mem.plans.plan import Plan
from symbolic_mem.plans.volumes import attended
from symbolic_mem.recipes.read import recipe as preset
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.states import State

BF16, FP32, IDS = sp.Integer(2), sp.Integer(4), sp.Integer(8)
ALIGNED = sp.Integer(64 * (2 + 4))  # a tensor begins at a multiple of 64 numbers, of BF16 weights and FP32 gradients
PADDING, WORDS, RING, SHARED = "padding of buffers", "words", "keys and values of others", "shared key-value heads"
BUCKETS, COPIES, CUTS = "buckets of gradients", "copies of gradients", "tensors that parts cut"
STAY = "buckets that stay"
DDP = "PyTorch 2.13, DistributedDataParallel: gradient_as_bucket_view, which is false unless it is set"
DDP_BUCKETS = "the buckets of DistributedDataParallel, a copy of all gradients unless gradient_as_bucket_view is set"
DEEPSPEED = "DeepSpeed 0.19.8, runtime/zero/stage_1_and_2.py and config.py; measured: tests/data/measure_deepspeed.py"
DEEPSPEED_BUCKET = (
    "the bucket in which DeepSpeed reduces gradients, and a copy of it: reduce_bucket_size, {numbers:,} numbers by default; "
    "one bucket more with overlap_comm; recipe deepspeed-bf16 counts it"
)
DEEPSPEED_STEP = "the copies that DeepSpeed makes of a rank's gradients for its step: flattened, and in FP32"
CUT_TENSORS = (
    "what the tensors that a rank has a part of have beyond it, whose gradients DeepSpeed keeps whole, less than"
)
LARGE = "the gradient of a tensor larger than the bucket while that of the next is made, and a copy of it, less than"
OF_STAGE_3 = "the bucket in which DeepSpeed's stage 3 reduces gradients"
LIVE = "the weights that DeepSpeed's stage 3 keeps gathered at most, stage3_max_live_parameters, 1,000,000,000 numbers by default"
MAY_LIVE = sp.Integer(1_000_000_000)
DEEPSPEED_3 = "DeepSpeed 0.19.8, runtime/zero/stage3.py and config.py; read, not measured"
ROTATIONS = "tables of rotations"
ROTARY = "Megatron-LM d98e8a6, rotary_pos_embedding.py, whose forward pass is cached; multi_latent_attention.py"
BUFFERS = "Megatron-LM d98e8a6, core/optimizer/param_layout.py"
PASS_ROUND = "keys and values that go round the ring, for each piece on its way"
GATHERED = "keys and values of the whole sequence, for each query head, which context parallelism gathers for a moment"


def left_by_plan(plan: Plan, whole: Built, built: Built, recipe: Recipe, numbers: Numbers) -> Iterator[LeftOut]:
    """Yield what nothing counts of the tensors that a plan has on one rank: `whole` is the model, `built` what a rank has.

    Sources: Megatron-LM's buffers, its embedding, which keeps the token ids, its tables of rotations, rings of keys and values (Liu et al.,
    2023), PyTorch's context parallelism, which gathers them (torchtitan's default), and the buckets of gradients of PyTorch
    and of DeepSpeed.
    """
    yield from _buckets(plan, built, recipe, numbers)
    if plan.engine and engines()[plan.engine].refers:
        found = ranks(plan, built, numbers, every=False)
        most = found[0] if len(found) == 1 else max(found, key=lambda rank: numbers[_weights(rank)], default=None)
        if most is not None:
            parts = (Part(_weights(most), ()),)
            words = "padding of the buffers of weights and gradients, less than"
            yield LeftOut(PADDING, words, (parts,), ALIGNED, source=BUFFERS)
            held = found[0].held[0] if found[0].held else sp.S.One
            words = "the token ids of the micro-batches in flight"
            yield _of_tokens(WORDS, words + (", on the first stage" if found[0].held else ""), held, IDS, built)
            yield from _rotations(whole, built, found, numbers)
    yield from _of_others(plan, whole, built, recipe, numbers)


def _rotations(whole: Built, built: Built, found: Sequence[Rank], numbers: Numbers) -> Iterator[LeftOut]:
    """Megatron-LM's table of rotations in FP32, where the profile has none: of each chunk, or of each block with latent attention."""
    a, cut = whole.architecture, built.cut
    if a is None or a.turned is None or cut is None:
        return
    if any(tensor.name in TABLES for layer in built.model.layers for tensor in layer.saved):
        return
    chunks = max(1, len(found[0].held))
    times = sp.Integer(chunks)
    words = "the tables of rotations in FP32, one for each chunk" if chunks > 1 else "the table of rotations in FP32"
    if a.latent is not None:
        blocks = (sp.Add(*(unit.count for unit in units(rank.model).blocks)) for rank in found)
        times = max(blocks, key=lambda number: numbers[number])
        words = "the tables of rotations in FP32, one for each block, as latent attention makes them"
    parts = (Part(times, (cut.tokens.inside, a.turned)),)
    yield LeftOut(ROTATIONS, words, (parts,), FP32, source=ROTARY)


def _buckets(plan: Plan, built: Built, recipe: Recipe, numbers: Numbers) -> Iterator[LeftOut]:
    """In what gradients are summed that are whole on each device, or that are divided while weights are not, and their copies."""
    if recipe.schedule == "deepspeed" and "weights" in plan.divided and "gradients" not in recipe.offload:
        for words, number in ((OF_STAGE_3, sp.Integer(recipe.bucket)), (LIVE, MAY_LIVE)):
            yield LeftOut(words, words, ((Part(number, ()),),), recipe.gradient_bytes(), source=DEEPSPEED_3)
    if plan.engine or plan.sends != "dp" or "gradients" in recipe.offload:
        return
    if schedule_of(recipe, built.model, plan.shares).startswith("deepspeed"):
        yield from _beyond_parts(built, recipe, numbers)
        return
    own = [one for one in recipe.states if one.kind == "gradients"]
    if "gradients" not in plan.divided:
        yield from _all_of(own, {}, built, STAY, DDP_BUCKETS, DDP)
        return
    kept = next((one.bytes_per_element for one in recipe.states if one.kind == "weights"), recipe.activations)
    default = preset("deepspeed-bf16").bucket
    words = DEEPSPEED_BUCKET.format(numbers=default)
    yield LeftOut(BUCKETS, words, ((Part(sp.Integer(default), ()),),), 2 * kept, source=DEEPSPEED, among=n_fsdp)
    if recipe.moments == FP32:
        made = {one: FP32 + (0 if one.bytes_per_element == FP32 else one.bytes_per_element) for one in own}
        yield from _all_of(own, made, built, COPIES, DEEPSPEED_STEP, DEEPSPEED, plan.shares["gradients"].degree)


def _beyond_parts(built: Built, recipe: Recipe, numbers: Numbers) -> Iterator[LeftOut]:
    """What DeepSpeed holds beyond a rank's part of the gradients: of the tensors at its two ends, and of those that fill no bucket."""
    each = recipe.gradient_bytes()
    trained = dict.fromkeys(one.shape for layer in built.model.layers for one in layer.weights if one.trained)
    sets = tuple((Part(sp.Integer(2), shape),) for shape in trained)
    if sets:
        yield LeftOut(CUTS, CUT_TENSORS, sets, each, source=DEEPSPEED, among=n_fsdp)
    of_blocks = [Part(sp.S.One, part.shape) for unit in units(built.model).blocks for part in unit.trained]
    known = [part for part in of_blocks if not missing(sp.Mul(*part.shape), numbers.values_given)]
    large = tuple((part,) for part in known if numbers.product(part.shape) > recipe.bucket)
    if large and recipe.bucket:
        yield LeftOut(BUCKETS, LARGE, large, 2 * each, source=DEEPSPEED)


def _all_of(
    states: Sequence[State],
    bytes_of: Mapping[State, sp.Expr],
    built: Built,
    name: str,
    words: str,
    source: str,
    degree: sp.Expr = sp.S.One,
) -> Iterator[LeftOut]:
    """Something of the size of some states of a model, an element in as many bytes as the state has, or as `bytes_of` it says."""
    parts = tuple(
        Part(bytes_of.get(one, one.bytes_per_element) * part.copies, part.shape)
        for one in states
        for part in one.parts(built.model)
    )
    if parts:
        yield LeftOut(name, words, (parts,), sp.S.One, degree, source=source, among=n_fsdp)


def _of_others(plan: Plan, whole: Built, built: Built, recipe: Recipe, numbers: Numbers) -> Iterator[LeftOut]:
    """What attention is given by other ranks, for a moment."""
    architecture, cut, values = whole.architecture, built.cut, numbers.values_given
    if architecture is None or cut is None:
        return
    if "tokens" in dict(plan.cuts) and values.get(n_cp, 1) != 1 and not plan.exchanged:
        queries, keys, out = attended(architecture, cut)
        if recipe.engine == "torch":
            yield _of_tokens(RING, GATHERED, (queries + out) * n_cp, BF16, built)
        else:
            yield _of_tokens(RING, PASS_ROUND, keys, BF16, built)
    if cut.copied and architecture.latent is None:
        width = (architecture.n_heads + 2 * architecture.n_kv) * architecture.d_head
        words = (
            "queries, keys and values of all ranks, several of which work with the same key-value head, for a moment"
        )
        yield _of_tokens(SHARED, words, width, BF16, built)


def _of_tokens(name: str, words: str, times: sp.Expr, each: sp.Expr, built: Built) -> LeftOut:
    """So many numbers for each token of a rank."""
    assert built.cut is not None
    return LeftOut(name, words, ((Part(times, (B, built.cut.tokens.inside)),),), each)


def _weights(rank: Rank) -> sp.Expr:
    """How many tensors of weights a rank has."""
    return sp.Add(*(layer.repeat * len(layer.weights) for layer in rank.model.layers))
