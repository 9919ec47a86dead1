"""Parameters of one rank that are sent alike: in how many bytes each is gathered, and in how many its gradient goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

import sympy as sp

from symbolic_mem.accounts.units import units
from symbolic_mem.base.symbols import local, n_pp
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import ADAPTERS, SOME, Tensor
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.recipes.bases import is_packed, packed_bytes
from symbolic_mem.recipes.recipe import COPIES, Recipe
from symbolic_mem.study.study import Study

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "dense": "of all else",
        "experts": "of routed experts",
        "adapters": "of adapters",
        "whole": "that are trained whole",
        "frozen": "that are frozen",
        "packed": "that are frozen and packed",
        "frozen_experts": "of routed experts, frozen",
        "packed_experts": "of routed experts, frozen and packed",
        "frozen_below": "that are frozen, below the first adapter",
        "packed_below": "that are frozen and packed, below the first adapter",
        "frozen_experts_below": "of routed experts, frozen, below the first adapter",
        "packed_experts_below": "of routed experts, frozen and packed, below the first adapter",
    }
)


@dataclass(frozen=True)
class Sort:
    """So `many` parameters of a rank, all stages together, which formulas call P with a `name`; `words` say which.

    One is gathered in so many bytes of `weights`, and its gradient is sent in so many of `gradients`: 0 where none is sent. It is
    gathered `again` for the backward pass, where that reaches its block.
    """

    name: str
    words: str
    experts: bool
    weights: sp.Rational
    gradients: sp.Rational
    many: sp.Expr
    again: bool = True

    @property
    def symbol(self) -> sp.Symbol:
        """The symbol that stands for one stage's share of them."""
        return local("P", self.name)


def sorts(study: Study) -> tuple[Sort, ...]:
    """Return the parameters of a rank by what is sent of one, as the recipe has it, those of routed experts apart.

    Weights that are gathered for a pass have the bytes in which the engine gathers them, or of the activations, and packed ones
    stay packed; those that are gathered after the step have the bytes in which they are kept. Gradients have those in which the
    engine reduces divided weights' ones, else those in which they are summed, or of the weights where the recipe keeps none.
    A block has no backward pass where no gradient has to reach it (PyTorch 2.13, _fully_shard/_fsdp_state.py: hooks that gather are
    on outputs that need a gradient).

    >>> from symbolic_mem.library.read import load_study
    >>> [(one.name, one.weights, one.gradients) for one in sorts(load_study("cluster-gpt-3-175b"))]
    [('dense', 2, 4)]
    """
    everything = study.model.weights.all_are("trained")
    divided = study.plan is not None and study.plan.sends in ("fsdp", "hsdp")
    found: dict[tuple[str, bool, sp.Rational, sp.Rational, bool], sp.Expr] = {}
    copied, ends = apart(study), _ranks_with_both_ends(study)
    below = {unit.name for unit in units(study.model).blocks if not unit.goes_back} if divided else ()
    for layer in study.model.layers:
        for weight in layer.weights:
            packed = bool(layer.block) and is_packed(weight, study.recipe.tuned.trained.packed)
            sent, again = _sent(study.recipe, weight, divided=divided, packed=packed), layer.block not in below
            name = _name(weight, everything=everything, packed=packed) + ("" if again else "_below")
            key = (name, weight.group == "experts", *sent, again)
            times = layer.repeat if layer.block else layer.repeat * ends + int(weight in copied)
            found[key] = found.get(key, sp.S.Zero) + times * weight.elements
    names, so_far = Counter(name for name, *_ in found), Counter[str]()
    made = []
    for (name, experts, weight_bytes, gradient_bytes, again), many in found.items():
        so_far[name] += 1
        called = name if names[name] == 1 else f"{name}_{so_far[name]}"
        made.append(Sort(called, WORDS[name], experts, weight_bytes, gradient_bytes, many, again))
    return tuple(made)


def apart(study: Study) -> tuple[Tensor, ...]:
    """The matrix of the embedding, where two ranks of a pipeline have a copy each: the first and the last."""
    plan = study.plan
    if plan is None or not plan.pipelined or study.values.get(n_pp, 1) == 1:
        return ()
    how = pipeline(plan.schedule)
    return () if how.order != "loop" or how.vocabulary else units(study.model).shared


def _ranks_with_both_ends(study: Study) -> sp.Expr:
    """Of how many ranks of a pipeline each has what it has of the embedding and the head: of all, where these divide the vocabulary."""
    plan = study.plan
    parted = plan is not None and plan.pipelined and study.values.get(n_pp, 1) != 1
    return n_pp if parted and plan is not None and pipeline(plan.schedule).vocabulary else sp.S.One


def gathered_in(recipe: Recipe) -> sp.Rational:
    """The bytes of a weight that is gathered for a pass, where it is not packed."""
    return recipe.gathers or recipe.activations


def gradient_sent(recipe: Recipe, weight: Tensor, *, divided: bool) -> sp.Rational:
    """The bytes of a number of the gradient of a weight, as ranks sum it, of weights that are `divided` or whole.

    Where gradients are kept as they are made and summed in FP32 beside, the sums are sent (Hugging Face nanotron 069c21c,
    optim/gradient_accumulator.py, `get_fp32_accum_hook`).
    """
    if not weight.trained:
        return sp.S.Zero
    if divided and recipe.reduces:
        return recipe.reduces
    made = [one.bytes_per_element for one in recipe.states if one.kind == "gradients" and SOME[one.only](weight)]
    return max(made, default=gathered_in(recipe) if divided else _kept(recipe, weight))


def _sent(recipe: Recipe, weight: Tensor, *, divided: bool, packed: bool) -> tuple[sp.Rational, sp.Rational]:
    back = gradient_sent(recipe, weight, divided=divided)
    if divided:
        return packed_bytes(recipe.states) if packed else gathered_in(recipe), back
    return _kept(recipe, weight) if weight.trained else sp.S.Zero, back


def _kept(recipe: Recipe, weight: Tensor) -> sp.Rational:
    """The bytes of a weight as it is kept, or as it is gathered where it is kept in several ways."""
    kept = {
        one.bytes_per_element
        for one in recipe.states
        if one.kind == "weights" and not one.cast and one.name not in COPIES.values() and SOME[one.only](weight)
    }
    return kept.pop() if len(kept) == 1 else gathered_in(recipe)


def _name(weight: Tensor, *, everything: bool, packed: bool) -> str:
    experts = weight.group == "experts"
    if everything:
        return "experts" if experts else "dense"
    if weight.trained:
        return "adapters" if weight.group == ADAPTERS else "experts" if experts else "whole"
    return ("packed" if packed else "frozen") + ("_experts" if experts else "")
