"""What a step holds for a moment beside what it keeps: the gradients inside the loss, and what the optimizer works with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import sympy as sp

from symbolic_mem.accounts.terms import Term, of_parts
from symbolic_mem.accounts.units import adapted
from symbolic_mem.base.symbols import B, S
from symbolic_mem.models.built import Built
from symbolic_mem.models.profile import LOSS_COPY
from symbolic_mem.models.tensors import Model, Part, Tensor
from symbolic_mem.recipes.optimizers import InStep, in_step, optimizer
from symbolic_mem.recipes.recipe import Recipe

if TYPE_CHECKING:
    from symbolic_mem.models.losses import Loss

Shape = tuple[sp.Expr, ...]
SOFTCAP = "logits_softcap"  # what the tanh that bounds logits keeps
LOSS_SOURCE = "PyTorch 2.13 cross_entropy, measured: the peak of its backward pass over what is kept"
PARALLEL_SOURCE = (
    "PyTorch 2.13 loss_parallel, measured on a fake process group: the peak of its backward pass over what is kept"
)
STEP_SOURCE = "torch.optim, PyTorch 2.13, measured: the peak of its step over what is kept"
_NUMBERS = ("", "copy", "two copies", "three copies")
_MADE = ("nothing", "one tensor", "two tensors")


@lru_cache(maxsize=256)
def _loss(logits: Shape, size: sp.Expr, copies: int, chunks: int, source: str, alone: str = "logits") -> Term:
    of_a_part = "" if chunks == 1 else f", for one of {chunks} parts of the tokens at a time"
    made = {
        1: f"the gradient of the {alone}",
        2: "the gradients of the log probabilities and of the logits: the loss makes the one from the other",
        3: "the gradients of the log probabilities and of the logits, and a product that is added: each a tensor of its own",
    }[copies]
    return Term(
        "gradients inside the loss",
        "activations",
        sp.Rational(copies, chunks) * sp.Mul(*logits),
        size,
        f"{made}{of_a_part}",
        source,
        parts=(Part(sp.Rational(copies, chunks), logits),),
    )


def loss_is_known(built: Built) -> bool:
    """Say whether it has been measured what the loss of a model holds for a moment; a bound of its logits adds nothing to that."""
    architecture = built.architecture
    if architecture is None or not architecture.described or architecture.head != "language model":
        return False
    how = built.how
    assert how is not None
    row = how.families.get(architecture.family, {}).get(how.loss)
    own = row is not None and {name: kept for name, kept in row.items() if name != SOFTCAP} != dict(how.keeps[how.loss])
    return bool(built.loss) or not (how.loss_gradients == "" or own)


def loss_term(built: Built, recipe: Recipe) -> Term | None:
    """Return what the loss holds for a moment, or None where that is nothing, or it has not been measured."""
    if not loss_is_known(built):
        return None
    assert built.architecture is not None
    if built.loss:
        from symbolic_mem.models.losses import loss

        chosen = loss(built.loss)
        if not chosen.gradients:
            return None
        source, copies = chosen.source or LOSS_SOURCE, chosen.copies
        if _over_ranks(built, chosen):
            source, copies = PARALLEL_SOURCE, 3
        return _loss(logits_of(built), sp.Integer(chosen.gradients), copies, chosen.chunks, source)
    how = built.how
    assert how is not None
    size = how.bytes(how.loss_gradients)
    size = recipe.activations if size is None else size
    if LOSS_COPY in how.keeps[how.loss]:
        return _loss(logits_of(built), size, 1, 1, LOSS_SOURCE, "copy of the log probabilities in FP32")
    return _loss(logits_of(built), size, 2, 1, LOSS_SOURCE)


def _over_ranks(built: Built, chosen: Loss) -> bool:
    """Whether it is PyTorch's loss over logits that several ranks have parts of: loss_parallel.

    Under Megatron-LM, which has projections fused, a loss over a divided vocabulary is one of its own.
    """
    cut = built.cut
    parallel = cut is not None and not cut.fused and cut.degree("logits") != 1
    return parallel and not chosen.source and chosen.chunks == 1


def logits_of(built: Built) -> Shape:
    """The logits that the loss of a rank works on."""
    assert built.architecture is not None
    cut, vocabulary = built.cut, built.architecture.vocabulary
    return (B, S, vocabulary) if cut is None else (B, cut.tokens.inside, cut.of("logits", cut.vocabulary(vocabulary)))


def loss_tensors(built: Built, recipe: Recipe) -> tuple[Tensor, ...]:
    """Return what the forward pass of the loss holds for a moment beside what is kept; nothing where that is not known."""
    term = loss_term(built, recipe)
    if term is None:
        return ()
    from symbolic_mem.models.losses import loss

    how = built.how
    assert how is not None
    kept = {tensor.name for layer in built.model.layers for tensor in layer.saved}
    logits = logits_of(built)
    found = [] if "logits" in kept else [Tensor("logits", logits, bytes_per_element=how.compute)]
    copied = not built.loss and LOSS_COPY in how.keeps[how.loss]
    if term.bytes_per_element == 4 and how.compute != 4 and recipe.activations != 4 and not copied:
        chunks = loss(built.loss).chunks if built.loss else 1
        part = (*logits[:-1], logits[-1] / chunks)
        found.append(Tensor("logits in FP32", part, bytes_per_element=sp.Integer(4)))
    if built.loss and _over_ranks(built, loss(built.loss)):
        names = ["logits less their maximum"]
        if term.bytes_per_element != 4:
            names += ["logits in FP32", "log probabilities in FP32"]
        found += [Tensor(name, logits, bytes_per_element=sp.Integer(4)) for name in names]
    if "labels" in kept:
        found.append(Tensor("labels with one more", (B, S + 1), bytes_per_element=sp.Integer(8)))
    return tuple(found)


def step_terms(model: Model, recipe: Recipe) -> tuple[tuple[Term, sp.Expr], ...]:
    """Return what the optimizer holds for a moment in its step: one term, or several of which the largest counts.

    Beside each stands 1, or the number of blocks of which it takes two. On
    all tensors at once (``foreach``) AdamW makes a copy of all parameters. Tensor by tensor it makes two of the size of the
    one at work, while a third, of the one before, is still there: see `InStep`. Where the optimizer holds nothing, or what it
    holds is not known, there are none.
    """
    held = in_step(recipe.optimizer)
    if held is None or "optimizer" in recipe.offload or held.nothing(foreach=recipe.foreach):
        return ()
    who = called(recipe)
    if recipe.foreach:
        parts = tuple(
            Part(held.together * layer.repeat, weight.shape)
            for layer in model.layers
            for weight in layer.weights
            if weight.trained
        )
        parts = recipe.scaled("optimizer", parts, adapted(model))
        name, them = ("copy", "them") if held.together == 1 else ("copies", f"them {held.together} times")
        reason = f"{who} works on all tensors at once and copies {them}"
        return ((_copies(f"{name} of the parameters", parts, recipe, reason), sp.S.One),)
    shapes = adapted(model)
    return tuple((_pair(one, before, recipe, held, shapes), count) for one, before, count in _neighbours(model))


def called(recipe: Recipe) -> str:
    """What the optimizer of a recipe is called in a sentence."""
    return optimizer(recipe.optimizer).title.partition(",")[0]


def at_work(recipe: Recipe) -> int:
    """How many tensors of the size of the one at work an optimizer holds that works on one alone, in the backward pass."""
    held = in_step(recipe.optimizer)
    return 0 if held is None else held.together if recipe.foreach else held.each


def _neighbours(model: Model) -> Iterator[tuple[Shape, Shape | None, sp.Expr]]:
    """Each shape of a weight with that before it, in the order of the model, and 1 or the number of blocks of which it takes two.

    The first weight of a block comes after the last one of the block before.
    """
    found: dict[tuple[Shape, Shape | None], sp.Expr] = {}
    before = None
    every = (replace(one, weights=tuple(w for w in one.weights if w.trained)) for one in model.layers)
    layers = [layer for layer in every if layer.weights]
    for position, layer in enumerate(layers):
        for weight in layer.weights:
            found[weight.shape, before] = sp.S.One
            before = weight.shape
        last = position + 1 == len(layers) or layers[position + 1].block != layer.block
        if layer.block and last:
            first = next(one for one in layers if one.block == layer.block)
            found.setdefault((first.weights[0].shape, before), first.repeat)
    return ((one, earlier, count) for (one, earlier), count in found.items())


def _pair(one: Shape, before: Shape | None, recipe: Recipe, held: InStep, adapters: frozenset[Shape]) -> Term:
    last = held.before if before is not None else 0
    whole = held.each + last if before == one else held.each
    parts = (Part(sp.Integer(whole), one),)
    name = f"{_NUMBERS[whole]} of a tensor"
    reason = f"{called(recipe)} makes {_MADE[held.each]} of the size of the one at work"
    if held.before:
        reason += " while one of the tensor before is still there"
    if last and before is not None and before != one:
        parts, name = (*parts, Part(sp.Integer(last), before)), f"{name} and one of that before it"
    return _copies(name, recipe.scaled("optimizer", parts, adapters), recipe, reason)


def _copies(name: str, parts: tuple[Part, ...], recipe: Recipe, reason: str) -> Term:
    return of_parts(name, "optimizer", parts, recipe.moments, reason, source=STEP_SOURCE)
