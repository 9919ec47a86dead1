"""Model x Recipe -> Memory: one term for every thing that a person would name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from typing import NamedTuple

import sympy as sp

from symbolic_mem.accounts.cached import cache_terms
from symbolic_mem.accounts.instants import Instant, instant
from symbolic_mem.accounts.terms import Inside, Memory, Term
from symbolic_mem.base.errors import BadInput, clipped
from symbolic_mem.base.factors import common_factors_first
from symbolic_mem.base.once import later
from symbolic_mem.base.rational import fraction, rational
from symbolic_mem.base.shown import bytes_words
from symbolic_mem.base.symbols import B, P, S
from symbolic_mem.models.packing import shape_by
from symbolic_mem.models.tensors import Layer, Model, Part, Tensor, Weights
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import recompute, transient
from symbolic_mem.recipes.states import EVERY_ELEMENT, State, parts_of
from symbolic_mem.recipes.widths import Widths


def account(model: Model, recipe: Recipe, at: str | Instant = "backward", kinds_apart: tuple[str, ...] = ()) -> Memory:
    """Return the memory of training `model` with `recipe`, in bytes: states of the parameters, then activations.

    Of a recipe of inference it is the weights and the caches, at every moment.

    `at` is the moment: the start of the ``backward`` pass, when all activations are there, or the optimizer ``step``,
    when none is. Gradients that persist between micro-batches are there at both. Gradients that do not persist grow
    while the activations shrink: there are none at the start of the backward pass and all at the step, so that a run
    needs the larger of the two accounts: see `instants`. An account is made once for each model and recipe, whatever
    the values. States of the kinds in `kinds_apart` are two terms each: of routed experts, and of all other parameters.

    >>> from symbolic_mem import ffn, recipe
    >>> [str(term.bytes) for term in account(ffn(), recipe("cs336"))]
    ['8*L*d_ff*d_model', '8*L*d_ff*d_model', '16*L*d_ff*d_model', '2*B*L*S*(d_ff + d_model)']
    """
    if not isinstance(model, Model):
        raise BadInput(
            f"account takes a model, and {clipped(str(model))} is none; give transformer(...), or study.model"
        )
    if not isinstance(recipe, Recipe):
        raise BadInput(f"account takes a recipe, and {clipped(str(recipe))} is none; give recipe(NAME)")
    moment = instant(at, recipe) if isinstance(at, str) else at
    return _account(model, recipe, moment.absent, kinds_apart)


@lru_cache(maxsize=512)
def _account(model: Model, recipe: Recipe, absent: tuple[str, ...], kinds_apart: tuple[str, ...]) -> Memory:
    _need_shapes(model, recipe)
    if not recipe.trains:
        states = _states(model, recipe, recipe.states, kinds_apart)
        return Memory((*states, *cache_terms(model, recipe)), definitions=((P, model.parameters),))
    whole, model = model, recompute(model, recipe.recompute)
    counted = (state for state in recipe.states if _counts(state, model, recipe) and state.kind not in absent)
    terms = [*_states(model, recipe, counted, kinds_apart)]
    terms += [term for kind in ("activations", "buffers") if kind not in absent for term in _saved(model, recipe, kind)]
    if recipe.recompute.transient and "buffers" not in absent:
        again = tuple(transient(whole, recipe.recompute))
        terms.append(_saved_term("recomputed activations", "", again, recipe.widths))
    present = (term for term in terms if any(part.copies != 0 for part in term.parts))
    return Memory(tuple(present), definitions=((P, whole.parameters),))


@lru_cache(maxsize=512)
def states_of(model: Model, recipe: Recipe, kinds: tuple[str, ...], kinds_apart: tuple[str, ...] = ()) -> Memory:
    """Return of an account what is there at every moment of some `kinds`, weights or optimizer; nothing else of it is made.

    >>> from symbolic_mem import ffn, recipe
    >>> states_of(ffn(), recipe("cs336"), ("optimizer",)) == account(ffn(), recipe("cs336")).of("optimizer")
    True
    """
    _need_shapes(model, recipe)
    kept = (state for state in recipe.states if state.kind in kinds)
    return Memory(tuple(_states(model, recipe, kept, kinds_apart)), definitions=((P, model.parameters),))


def _states(model: Model, recipe: Recipe, some: Iterable[State], kinds_apart: tuple[str, ...]) -> Iterator[Term]:
    """Yield what some states of the recipe keep on the device; of inference nothing is two terms."""
    for state in some:
        if state.kind not in recipe.offload:
            two = kinds_apart if recipe.trains else ()
            yield from state_terms(state, model.weights, recipe.source, two, model.parameters)


def _need_shapes(model: Model, recipe: Recipe) -> None:
    """Refuse states that depend on the shapes of the matrices in the blocks where these are not given."""
    by_shape = any(shape_by(state.rule) is not None for state in recipe.states)
    if recipe.trains and by_shape and not any(held.in_block for held in model.weights.held):
        raise BadInput(
            f"recipe {recipe.name!r} keeps the matrices of the blocks in other bytes than the rest, and of {model.name} the "
            "shapes are not given; choose another recipe"
        )


def _counts(state: State, model: Model, recipe: Recipe) -> bool:
    """Whether the recipe's own copies of the weights count: not where the model says which copies it keeps."""
    if state.kind != "buffers":
        return True
    if any("buffers" in layer.saved_kinds for layer in model.layers):
        return False
    if recipe.recompute.rule == "half":
        raise BadInput(
            f"recipe {recipe.name!r} keeps {state.name}, and half recomputation keeps those of some products of a block "
            "only; choose recompute = { every = 2 } or another recipe"
        )
    return True


def state_terms(
    state: State, weights: Weights, source: str, kinds_apart: tuple[str, ...] = (), parameters: sp.Expr | None = None
) -> Iterator[Term]:
    """Yield what a state keeps for some weights: nothing where it is of none of them, two terms where its kind is among `kinds_apart`."""
    two = state.kind in kinds_apart
    terms = apart(state, weights, source) if two else (state_term(state, weights, source, parameters),)
    return (term for term in terms if term.parts)


def apart(state: State, weights: Weights, source: str) -> Iterator[Term]:
    """Yield what a state keeps for all weights but those of routed experts, and for these, where there are any."""
    for experts in (False, True):
        some = weights.only(experts=experts)
        if some.held:
            term = state_term(state, some, source)
            yield replace(term, name=f"{term.name} of the experts", experts=True) if experts else term


@lru_cache(maxsize=256)
def on_host(model: Model, recipe: Recipe, kinds_apart: tuple[str, ...] = ()) -> Memory:
    """Return what of the training the host's memory holds, in bytes of all devices: the kinds that the recipe offloads.

    Gradients are those of all trained weights, and activations those of the blocks; copies that are cast for products are made on
    the device. States of the kinds in `kinds_apart` are two
    terms each: of routed experts, and of all other parameters.

    >>> from symbolic_mem import ffn, recipe
    >>> [term.name for term in on_host(ffn(), recipe("pure-bf16").with_offload(("optimizer",)))]
    ['AdamW moments']
    """
    parameters, kept = model.parameters, recompute(model, recipe.recompute)
    terms = [
        term
        for state in recipe.states
        if state.kind in recipe.offload and not state.cast
        for term in state_terms(state, model.weights, recipe.source, kinds_apart, parameters)
    ]
    if "activations" in recipe.offload:
        terms += _of_kind(tuple(layer for layer in kept.layers if layer.block), recipe, "activations")
    return Memory(tuple(terms), definitions=((P, parameters),))


@lru_cache(maxsize=2048)
def state_term(state: State, weights: Weights, source: str, parameters: sp.Expr | None = None) -> Term:
    """Return what a state keeps for some weights; for those of a whole model, with its number of `parameters`."""
    parts = parts_of(state.rule, state.copies, state.kind, weights, state.only, state.among, state.apart)
    whole = state.rule == EVERY_ELEMENT and parameters is not None and (not state.only or weights.all_are(state.only))
    return Term(
        name=state.name,
        kind=state.kind,
        elements=state.copies * parameters if whole else later(lambda: sp.Add(*(part.elements for part in parts))),
        bytes_per_element=state.bytes_per_element,
        reason=state.reason,
        source=source,
        short=state.bytes_per_element * state.copies * P if whole else None,
        parts=parts,
    )


def _saved(model: Model, recipe: Recipe, kind: str) -> Iterator[Term]:
    """One term for every name of a layer; all copies of weights are one term."""
    gone = kind == "activations" and kind in recipe.offload
    return _of_kind(tuple(layer for layer in model.layers if not (gone and layer.block)), recipe, kind)


def _of_kind(every: tuple[Layer, ...], recipe: Recipe, kind: str) -> Iterator[Term]:
    if kind == "activations":
        for name, layers in by_name(every, lambda layer: kind in layer.saved_kinds):
            yield _saved_term(f"activations of the {name}", name, layers, recipe.widths, kind)
        return
    copies = tuple(layer for layer in every if kind in layer.saved_kinds)
    if copies:
        yield _saved_term("copies of the weights", "", copies, recipe.widths, kind)


def by_name(every: Iterable[Layer], saves: Callable[[Layer], object]) -> Iterator[tuple[str, tuple[Layer, ...]]]:
    """Yield the layers of each name that save something, in the order of their first one, also where that is not reached."""
    found: dict[str, list[Layer]] = {}
    for layer in every:
        if saves(layer) or not layer.reached:
            same = found.setdefault(layer.name, [])
            same += (layer,) if saves(layer) else ()
    return ((name, tuple(same)) for name, same in found.items() if same)


def saved_terms(title: str, name: str, layers: Iterable[Layer], recipe: Recipe) -> Iterator[Term]:
    """Yield what some layers save as one term called `title`, of the layer called `name`: none where they save nothing.

    Copies of weights that are saved, too, are a term of their own.
    """
    layers = tuple(layers)
    for kind, called in (("activations", title), ("buffers", f"copies of weights, {title}")):
        kept = tuple(layer for layer in layers if kind in layer.saved_kinds)
        if kept:
            yield _saved_term(called, name, kept, recipe.widths, kind)


class _Kept(NamedTuple):
    """A saved tensor with its bytes per element, and the layer whose repetitions save it."""

    tensor: Tensor
    size: sp.Expr
    layer: Layer


@lru_cache(maxsize=4096)
def _saved_term(name: str, layer: str, layers: tuple[Layer, ...], widths: Widths, kind: str | None = None) -> Term:
    """What `layers` save of one kind (None: everything, as buffers) as one term.

    Tensors of several sizes are counted in units of their greatest common size.
    """
    kept = [
        _Kept(tensor, widths.of(tensor), layer)
        for layer in layers
        for tensor in layer.saved
        if kind in (None, tensor.kind)
    ]
    sizes = {size: fraction(size) for size in {one.size for one in kept}}
    unit = fraction(gcd(*(size.numerator for size in sizes.values()))) / lcm(*(s.denominator for s in sizes.values()))
    times = {size: rational(exact / unit) for size, exact in sizes.items()}
    several = len(sizes) > 1
    parts = tuple(
        Part(one.layer.repeat * times[one.size] if several else one.layer.repeat, one.tensor.shape) for one in kept
    )
    return Term(
        name=name,
        kind=kind or "buffers",
        elements=later(lambda: _factored(parts)),
        bytes_per_element=rational(unit),
        reason=later(lambda: _in_turn(_reason(one, sizes) for one in kept)),
        source=later(lambda: _in_turn(one.layer.source for one in kept if one.layer.source)),
        parts=parts,
        layer=layer,
        inside=tuple(Inside(one.tensor.name, one.size) for one in kept),
    )


def _reason(kept: _Kept, sizes: Mapping[sp.Expr, Fraction]) -> str:
    bytes_each = f" ({bytes_words(sizes[kept.size])} each)" if len(sizes) > 1 else ""
    return f"{kept.tensor.name}{bytes_each}: {kept.tensor.reason}"


def _in_turn(sentences: Iterable[str]) -> str:
    """All sentences in their order, each once."""
    return "; ".join(dict.fromkeys(sentences))


def _factored(parts: tuple[Part, ...]) -> sp.Expr:
    """Sum the elements, each size once, with the number of tokens as a factor of all that grow with it."""
    copies: dict[tuple[sp.Expr, bool], sp.Expr] = {}
    for part in parts:
        size = (sp.Mul(*part.shape), {B, S} <= set(part.shape))
        copies[size] = copies.get(size, sp.S.Zero) + part.copies
    per_token = [count * size for (size, grows), count in copies.items() if grows]
    rest = [count * size for (size, grows), count in copies.items() if not grows]
    return common_factors_first(sp.Add(*per_token)) + common_factors_first(sp.Add(*rest))
