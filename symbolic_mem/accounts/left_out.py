"""What an account leaves out because a step holds it for a moment only, with its size on one device where it is known.

U is the number of parameters of one unit: a block, or all that lies outside the blocks (the root of PyTorch's
``fully_shard``); w is the bytes of a gathered weight. The sizes are those of measured runs on fake tensors, PyTorch 2.13,
and each is the most that there is of its kind: they are not all there at one moment.

- The loss holds the gradients of the log probabilities and of the logits together: 2 b B S V with gradients of b bytes,
  beside the log probabilities that the account counts.
- FSDP2 holds two units whole at a time: a block and the root at the loss, w (U_block + U_root); else two blocks, 2 w U.
  Of other engines the one unit is listed that computes: no engine needs less.
- In the backward pass of a unit its gradients are whole, as computed and as sent: (w + 4) U under FSDP2.
- What the optimizer holds in its step: ``torch.optim.AdamW`` (foreach, its default) makes one copy of all parameters of the rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

import sympy as sp

from symbolic_mem.accounts.momentary import called, logits_of, loss_is_known, loss_term, step_terms
from symbolic_mem.accounts.terms import Term
from symbolic_mem.accounts.units import units
from symbolic_mem.base.errors import MissingValue
from symbolic_mem.base.exact import Given, Numbers
from symbolic_mem.base.rational import Number, ratio, symbolic
from symbolic_mem.base.symbols import B, P, S, V, n_cp, n_fsdp, n_replica
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.attention import repeats
from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import Layer, Model, Part
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.not_counted import NotCounted
from symbolic_mem.recipes.optimizers import in_step
from symbolic_mem.recipes.recipe import Recipe

LOSS, GATHERED, GRADIENTS, STEP, OTHER = "loss", "gathered weights", "whole gradients", "optimizer step", "other"
ACTIVATIONS = "activations"
WORKING, CACHE = "working", "cache"
FP32 = sp.Integer(4)
ROWS = "row padding"
OVER = "loss over what it keeps"
CONVERTED = "converted weights"
AGAIN = "a product kept again"
OF_A_PASS = "weights gathered for a pass"
ROTATIONS, WINDOWS = "rotations", "tokens of a pass beside windows"
KERNEL = "kernel"
STAYS = (ROWS, OVER, CONVERTED, AGAIN, OF_A_PASS, ROTATIONS, WINDOWS, KERNEL)
"""What no instant counts, whatever its size."""
_FLASH = ("flash", "flash_gqa")
_ON_A_GPU = ("torch-cuda", "hf-cuda", "hf-2023-cuda")
_MHA_BWD = "PyTorch 2.13, aten/src/ATen/native/transformers/cuda/flash_attn/flash_api.cpp: mha_bwd; read, not measured"
_FSDP2 = "PyTorch 2.13 fully_shard, measured: the peaks of a rank over what it keeps"
_ALONE = "PyTorch 2.13 fully_shard on one device, measured: the peaks over what it keeps"
_LOSS_HOLDS = "what the loss holds for a moment beside what is kept, such as the gradients of the logits"
_GRADIENTS_AT_LEAST = "the gradients of the logits, which the loss makes at least"
_NO_SIZE = {
    "jax": ", which is known when XLA has compiled the step",
    "textbook": ", which is beyond its source: that counts what the forward pass stores",
}  # by engine, why what the loss holds has no size
_WORKS_WITH = "what a block works with inside its backward pass, such as the gradients of its activations"
_BESIDE_THE_MLP = "what a block works with inside its backward pass, beside the gradients inside its MLP"
_LESS_THAN_IT_KEEPS = ", less than twice what one keeps"
_OF_OTHERS = (
    "blocks whose operations are described: from 0.09 to 1.6 times what one keeps, over the fuller of its two ends"
)

Parts = tuple[Part, ...]


@dataclass(frozen=True)
class LeftOut:
    """Something that is not counted, in `words`, and why it is there; its bytes on one device where they are known.

    They are `each` for every element of the largest of several `sets` of tensors, divided over `degree` devices: no
    sets, no size. `short` is the same number written with the model's named parts. A recipe's words for several things
    `covers` their names. What is there `among` several devices alone is not where that degree is 1. What has no size may have a
    range, from the least to the most `seen`; that of what `software` holds for itself stands in software.toml.
    """

    name: str
    words: str
    sets: tuple[Parts, ...] = ()
    each: sp.Expr = sp.S.One
    degree: sp.Expr = sp.S.One
    reason: str = ""
    source: str = ""
    short: sp.Expr | None = None
    covers: tuple[str, ...] = ()
    among: sp.Symbol | None = None
    seen: tuple[sp.Expr, sp.Expr] | None = None
    software: tuple[str, ...] = ()

    def there(self, values: Given) -> bool:
        """Whether it is there at a degree, or while that has no value."""
        return self.among is None or values.get(self.among) != 1

    @cached_property
    def size(self) -> sp.Expr | None:
        """Bytes on one device as a formula, or None where they are not known."""
        if not self.sets:
            return None
        sums = [sp.Add(*(part.elements for part in parts)) for parts in self.sets]
        most = sums[0] if len(sums) == 1 else sp.Max(*sums, evaluate=False)
        return self.each * most / self.degree

    def at(self, values: Given | Numbers) -> Number | None:
        """The exact bytes on one device; None where they are not known, or while a symbol has no value."""
        numbers = Numbers.of(values, self.words)
        try:
            each, degree = numbers[self.each], numbers[self.degree]
            return (
                ratio(each * max(self.elements(parts, numbers) for parts in self.sets), degree) if self.sets else None
            )
        except MissingValue:
            return None

    def elements(self, parts: Parts, numbers: Numbers) -> Number:
        """How many elements a set of tensors has."""
        return sum(numbers[part.copies] * numbers.product(part.shape) for part in parts)


def left_out(built: Built, recipe: Recipe, placement: Mapping[str, Placed] | None) -> tuple[LeftOut, ...]:
    """List what the account of training leaves out: what is sized, then the recipe's own words for the rest.

    Without a `placement` it is not known what is divided; an empty one divides nothing.

    >>> from symbolic_mem.models.ffn import ffn
    >>> from symbolic_mem.recipes.read import recipe
    >>> divided = {kind: Placed(n_fsdp) for kind in ("weights", "gradients", "optimizer")}
    >>> [(one.name, one.size) for one in left_out(Built(ffn(), {}), recipe("fsdp2"), divided)][:2]
    [('gathered weights', 8*d_ff*d_model), ('whole gradients', 12*d_ff*d_model)]
    """
    placed = placement or {}
    found = [
        *(LeftOut(ACTIVATIONS, built.not_described) for _ in built.not_described[:1]),
        *_loss(built, recipe, placed),
        *of_units(built.model, recipe, placed),
        *_converted(built.model, recipe, placed),
        *_step(built, recipe, placed),
        *_kernel(built, recipe, placed),
        *unread(built),
    ]
    replaced = {said.instead_of for said in recipe.not_counted}
    found = [one for one in found if one.name not in replaced]
    sized = {one.name for one in found if one.sets}
    if placement is not None:  # what is whole on every device is not made whole for a moment
        sized |= {
            name
            for name, kind in ((GATHERED, "weights"), (GRADIENTS, "gradients"))
            if not _gathers(placement.get(kind))
        }
    if any("activations" in layer.saved_kinds for layer in built.model.layers):
        sized.add(ACTIVATIONS)
    copied = any("buffers" in layer.saved_kinds for layer in built.model.layers)
    unsaid = (
        one
        for one in recipe.not_counted
        if not (one.sized_as and sized.issuperset(one.sized_as)) and not (one.copies and copied)
    )
    return (*found, *(said(one, built.model, recipe, placed) for one in unsaid))


def said(one: NotCounted, model: Model, recipe: Recipe, placement: Mapping[str, Placed]) -> LeftOut:
    """What a recipe says in its own words, with its size or its range where it has one."""
    name, source = ROWS if one.rows else OTHER, one.source or recipe.source
    if one.fixed:
        return LeftOut(name, one.words, ((Part(sp.Integer(one.fixed), ()),),), source=source)
    if one.range is not None:
        low, high = map(symbolic, one.range)
        return LeftOut(name, one.words, source=source, seen=(low, high))
    weights = [(layer.repeat, weight) for layer in model.layers for weight in layer.weights]
    if not (one.bytes and weights):
        return LeftOut(name, one.words, source=source, covers=one.sized_as, software=one.software)
    share, degree = _split(placement.get(one.kind))
    parts = tuple(Part(times, weight.shape) for times, weight in weights if weight.trained or one.kind != "gradients")
    sets = {
        "": (parts,),
        "tensor": tuple((Part(sp.S.One, shape),) for shape in dict.fromkeys(part.shape for part in parts)),
        "block": tuple(unit.trained for unit in units(model).blocks) or (parts,),
    }[one.of]
    short = share * one.bytes * P / degree if model.weights.all_are("trained") and not one.of else None
    return LeftOut(name, one.words, sets, share * one.bytes, degree, source=source, short=short)


def unread(built: Built) -> Iterator[LeftOut]:
    """What fields of a file that nothing reads may change."""
    if built.unread:
        names = ", ".join(built.unread)
        yield LeftOut(OTHER, f"what these fields of the config.json may change, which are not read: {names}")


def beyond(
    model: Model,
    recipe: Recipe,
    placement: Mapping[str, Placed],
    found: Iterable[LeftOut],
    *,
    mlp: bool = False,
) -> tuple[LeftOut, ...]:
    """Of what an account leaves out, return what a timeline of the step leaves out too: what has no size, and the padding of rows.

    Where the operations of a block are not described, what it works with inside its backward pass comes first: less than
    twice what it keeps, as of all blocks that are. The timeline of a cluster has the gradients inside its `mlp`.
    """
    unsized = tuple(one for one in found if one.name in STAYS or not (one.sets or one.covers))
    others = tuple(unit for unit in units(model).blocks if not unit.described)
    if not others:
        return unsized
    words, source = _BESIDE_THE_MLP if mlp else _WORKS_WITH, ""
    sets = tuple(parts for unit in others if (parts := _activations(unit.layers, recipe)))
    if sets:
        words, source = words + _LESS_THAN_IT_KEEPS, _OF_OTHERS
    share, degree = _split(placement.get("activations"))
    return (LeftOut(WORKING, words, sets, 2 * share, degree, source=source), *unsized)


def _activations(layers: Iterable[Layer], recipe: Recipe) -> Parts:
    """What layers keep for the backward pass, each element so many times as it has bytes."""
    return tuple(
        Part(
            one.repeat * (recipe.activations if kept.bytes_per_element is None else kept.bytes_per_element), kept.shape
        )
        for one in layers
        for kept in one.saved
        if kept.kind == "activations"
    )


def _loss(built: Built, recipe: Recipe, placement: Mapping[str, Placed]) -> Iterator[LeftOut]:
    architecture = built.architecture
    if architecture is not None and (not architecture.described or architecture.head != "language model"):
        return
    if architecture is None:
        logits = [tensor for layer in built.model.layers for tensor in layer.saved if V in tensor.shape]
        for one in logits[:1]:
            share, degree = _split(placement.get("activations"))
            each = recipe.activations if one.bytes_per_element is None else one.bytes_per_element
            yield LeftOut(OVER, _GRADIENTS_AT_LEAST, ((Part(each, one.shape),),), share, degree)
        return
    if not loss_is_known(built):
        if built.how is None or not built.how.loss_holds:
            why, source = ("", "") if built.how is None else (_NO_SIZE.get(built.how.engine, ""), built.how.source)
            yield LeftOut(LOSS, f"{_LOSS_HOLDS}{why}", source=source)
            return
        share, degree = _split(placement.get("activations"))
        sets = ((Part(sp.Integer(built.how.loss_holds), logits_of(built)),),)
        yield LeftOut(OVER, _LOSS_HOLDS, sets, share, degree, source=built.how.source)
        return
    held = loss_term(built, recipe)
    if held is not None:
        words = "the gradients of the log probabilities and of the logits, which the loss holds together"
        if held.parts[0].copies == 1:
            words = f"{held.reason}, which the loss holds"
        yield _sized(LOSS, words, held, placement.get("activations"))


def _sized(name: str, words: str, held: Term, placed: Placed | None, short: sp.Expr | None = None) -> LeftOut:
    """What a timeline has as a term, as something left out: the term of one device."""
    share, degree = _split(placed)
    each = share * held.bytes_per_element
    short = None if short is None else each * short / degree
    return LeftOut(name, words, (held.parts,), each, degree, held.reason, held.source, short)


def _kernel(built: Built, recipe: Recipe, placement: Mapping[str, Placed]) -> Iterator[LeftOut]:
    """What FlashAttention makes in the backward pass of a block: sums in FP32, of tokens in 128s and widths in 32s, above 128 in 64s.

    They are for the gradients of queries, and one for each row. Keys and values of fewer heads have gradients for every query head.
    """
    a, how = built.architecture, built.how
    if recipe.engine != "torch" or a is None or how is None or not a.described:
        return
    kernel = built.kernel or how.kernel
    if kernel not in _FLASH or how.engine not in _ON_A_GPU or how.precision == "FP32":
        return
    cut = built.cut
    heads, tokens = (a.n_heads, S) if cut is None else (cut.of("heads", a.n_heads), cut.tokens.inside)
    width = a.d_head if a.latent is None else a.latent.d_nope + a.latent.d_rope
    known, fewer = width.xreplace(a.values()), (a.n_kv - a.n_heads).xreplace(a.values()) != 0
    unit = 32 if not known.is_number or known <= 128 else 64
    rounded = width if known.is_number and known % unit == 0 else unit * sp.ceiling(width / unit)
    parts = [Part(FP32, (B, 128 * sp.ceiling(tokens / 128), heads, rounded + 1))]
    words = "what FlashAttention works with in the backward pass of a block, for a moment"
    if a.latent is None and fewer and not repeats(how.using(kernel=kernel)):
        parts.append(Part(2 * recipe.activations, (B, tokens, heads, width)))
    share, degree = _split(placement.get("activations"))
    yield LeftOut(KERNEL, words, (tuple(parts),), share, degree, source=_MHA_BWD)


def _split(placed: Placed | None) -> tuple[sp.Expr, sp.Expr]:
    """The factor and the divisor of one device's share; what is dropped of a kind is there for a moment all the same."""
    if placed is None or placed.fraction == 0:
        return sp.S.One, sp.S.One
    if placed.fraction == 1 or placed.rest == "dropped":
        return sp.S.One, placed.degree
    return placed.fraction / placed.degree + 1 - placed.fraction, sp.S.One


def of_units(model: Model, recipe: Recipe, placement: Mapping[str, Placed]) -> Iterator[LeftOut]:
    """What is whole while a unit computes: its gathered weights, and its gradients before they are divided."""
    weights, gradients = placement.get("weights"), placement.get("gradients")
    if not (_gathers(weights) or _gathers(gradients)):
        return
    found, each = units(model), recipe.gathers
    if each is None:  # in several sizes, as they are kept
        each, made = sp.S.One, _bytes_of(recipe, "gradients")
        blocks = tuple(_stored(model, unit.layers, recipe) for unit in found.blocks)
        root = _stored(model, (*found.before, *found.after), recipe)
    else:
        blocks, root, made = tuple(unit.weights for unit in found.blocks), found.root, each + (recipe.reduces or 0)
    if not blocks:
        if _gathers(weights):
            yield LeftOut(GATHERED, "the gathered weights of what is computed at a time")
        if _gathers(gradients):
            yield LeftOut(GRADIENTS, "the gradients of what is computed at a time, before they are divided")
        return
    pair, every = recipe.units > 1, (*blocks, root) if root else blocks
    if weights is not None and _gathers(weights):
        sets, times = every, 1
        if pair and root:
            words = "the gathered weights of a block and of all that lies outside the blocks"
            sets = tuple((*block, *root) for block in blocks)
        elif pair:
            words, times = "the gathered weights of two blocks, of the one that computes and of the next", 2
        elif root:
            words = "the gathered weights of the larger of a block and all that lies outside the blocks"
        else:
            words = "the gathered weights of the block that is being computed"
        yield _whole(GATHERED, words, sets, times * each, weights, recipe)
    if gradients is not None and _gathers(gradients):
        words = "the gradients of the block that is being computed, before they are divided"
        if root:
            words = (
                "the gradients of the larger of a block and all that lies outside the blocks, before they are divided"
            )
        trained = tuple(unit.trained for unit in found.blocks)
        every = (*trained, found.trained_root) if found.trained_root else trained
        yield _whole(GRADIENTS, words, every, made, gradients, recipe)


def _converted(model: Model, recipe: Recipe, placement: Mapping[str, Placed]) -> Iterator[LeftOut]:
    """The weights in the dtype of the computation, where they are whole in another one and the recipe keeps no copies of them."""
    found, kept = units(model), {one.bytes_per_element for one in recipe.states if one.kind == "weights"}
    buffers = any(one.kind == "buffers" for one in recipe.states)
    if (
        not recipe.schedule
        or recipe.gathers is None
        or buffers
        or len(kept) != 1
        or kept == {recipe.gathers}
        or not found.blocks
    ):
        return
    if _gathers(placement.get("weights")) or "weights" in recipe.offload:
        return
    words = "the weights in the dtype of the computation, of a block"
    words += " and of all that lies outside the blocks" if found.root else ""
    sets = tuple((*unit.weights, *found.root) for unit in found.blocks)
    degree = placement["weights"].degree if "weights" in placement else sp.S.One
    yield LeftOut(CONVERTED, words, sets, recipe.gathers, degree, "they are converted for it", _ALONE)


def _bytes_of(recipe: Recipe, kind: str) -> sp.Expr:
    """Bytes of an element of what the recipe keeps of a kind."""
    return sp.Add(*(one.copies * one.bytes_per_element for one in recipe.states if one.kind == kind))


def _stored(model: Model, layers: tuple[Layer, ...], recipe: Recipe) -> Parts:
    """The weights of some layers as the recipe keeps them, each so many times as it has bytes for an element."""
    unit = replace(model, layers=layers)
    kept = (one for one in recipe.states if one.kind == "weights")
    return tuple(Part(one.bytes_per_element * part.copies, part.shape) for one in kept for part in one.parts(unit))


def _whole(name: str, words: str, sets: tuple[Parts, ...], each: sp.Expr, placed: Placed, recipe: Recipe) -> LeftOut:
    """What is divided over the data-parallel devices, whole again; another parallelism divides it still."""
    degree = placed.degree.xreplace({n_fsdp: sp.S.One, n_replica: sp.S.One, n_cp: sp.S.One})
    source = _FSDP2 if recipe.reduces is not None else "at least that: a unit is computed with whole weights"
    return LeftOut(name, words, sets, placed.fraction * each, degree, "a unit is computed whole", source)


def _gathers(placed: Placed | None) -> bool:
    return placed is not None and placed.fraction != 0 and placed.degree.has(n_fsdp)


def _step(built: Built, recipe: Recipe, placement: Mapping[str, Placed]) -> Iterator[LeftOut]:
    if recipe.engine != "torch" or "optimizer" in recipe.offload:
        return
    known = in_step(recipe.optimizer)
    if known is None:
        yield LeftOut(STEP, "what the optimizer holds for a moment in its step")
        return
    held = step_terms(built.model, recipe)
    if held and recipe.foreach:  # a rank steps those parameters whose moments it holds
        words = f"the {held[0][0].name} that {called(recipe)} makes in its step, when the activations are gone"
        short = known.together * P if built.model.weights.all_are("trained") else None
        yield _sized(STEP, words, held[0][0], placement.get("optimizer"), short)
    elif held:
        words = f"the tensors that {called(recipe)} makes in its step, when the activations are gone"
        share, degree = _split(placement.get("optimizer"))
        first = held[0][0]
        sets = tuple(one.parts for one, _ in held)
        yield LeftOut(STEP, words, sets, share * first.bytes_per_element, degree, first.reason, first.source)
