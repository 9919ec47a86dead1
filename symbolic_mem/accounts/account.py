"""Model x Recipe -> Memory: one term for every thing that a person would name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.symbols import B, P, S
from symbolic_mem.models.tensors import Layer, Model, Part, Tensor
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.recompute import recompute, transient
from symbolic_mem.recipes.states import EVERY_ELEMENT, State

MOMENTS = ("backward", "step")


def account(model: Model, recipe: Recipe, at: str = "backward") -> Memory:
    """Return the memory of training `model` with `recipe`, in bytes: states of the parameters, then activations.

    `at` is the moment: the start of the ``backward`` pass, when all activations are there, or the optimizer ``step``,
    when none is. Gradients that persist between micro-batches are there at both. Gradients that do not persist grow
    while the activations shrink: there are none at the start of the backward pass and all at the step, so that a run
    needs the larger of the two accounts.

    >>> from symbolic_mem import ffn, recipe
    >>> [str(term.bytes) for term in account(ffn(), recipe("cs336"))]
    ['8*L*d_ff*d_model', '8*L*d_ff*d_model', '16*L*d_ff*d_model', '2*B*L*S*(d_ff + d_model)']
    """
    parameters = model.parameters
    whole, model = model, recompute(model, recipe.recompute)
    terms = [_state(state, model, parameters, recipe) for state in recipe.states if _counts(state, model, recipe)]
    terms += [*_saved(model, recipe, "activations"), *_saved(model, recipe, "buffers")]
    if recipe.recompute.transient:
        terms += _recomputed(whole, recipe)
    absent = _absent(recipe, at)
    present = (term for term in terms if term.kind not in absent and term.elements != 0)
    return Memory(tuple(present), definitions=((P, parameters),))


def _absent(recipe: Recipe, at: str) -> tuple[str, ...]:
    if at == "step":
        return ("activations", "buffers")
    if at == "backward":
        return () if recipe.gradients_persist else ("gradients",)
    raise BadInput(f"unknown moment {at!r} of a training step; {nearest(at, MOMENTS)}")


def _counts(state: State, model: Model, recipe: Recipe) -> bool:
    """Whether the recipe's own copies of the weights count: not where the model says which copies it keeps."""
    if state.kind != "buffers":
        return True
    if any(tensor.kind == "buffers" for layer in model.layers for tensor in layer.saved):
        return False
    if recipe.recompute.rule == "half":
        raise BadInput(
            f"recipe {recipe.name!r} keeps {state.name}, and half recomputation keeps those of some products of a block "
            "only; choose recompute = { every = 2 } or another recipe"
        )
    return True


def _state(state: State, model: Model, parameters: sp.Expr, recipe: Recipe) -> Term:
    whole = state.rule == EVERY_ELEMENT
    parts = state.parts(model)
    return Term(
        name=state.name,
        kind=state.kind,
        elements=state.copies * parameters if whole else sp.Add(*(part.elements for part in parts)),
        bytes_per_element=state.bytes_per_element,
        reason=state.reason,
        source=recipe.source,
        short=state.bytes_per_element * state.copies * P if whole else None,
        parts=parts,
    )


def _recomputed(model: Model, recipe: Recipe) -> list[Term]:
    kept = [
        Kept(tensor, _size(tensor, recipe), layer)
        for layer in transient(model, recipe.recompute)
        for tensor in layer.saved
    ]
    return [_term("recomputed activations", "buffers", kept)] if kept else []


def _size(tensor: Tensor, recipe: Recipe) -> sp.Expr:
    return recipe.activations if tensor.bytes_per_element is None else tensor.bytes_per_element


def _saved(model: Model, recipe: Recipe, kind: str) -> Iterator[Term]:
    """One term for every name of a layer; all copies of weights are one term."""
    by_name: dict[str, list[Kept]] = {}
    for layer in model.layers:
        name = f"activations of the {layer.name}" if kind == "activations" else "copies of the weights"
        for tensor in layer.saved:
            if tensor.kind == kind:
                by_name.setdefault(name, []).append(Kept(tensor, _size(tensor, recipe), layer))
    for name, kept in by_name.items():
        yield _term(name, kind, kept)


@dataclass(frozen=True)
class Kept:
    """A saved tensor with its bytes per element, and the layer whose repetitions save it."""

    tensor: Tensor
    size: sp.Expr
    layer: Layer


def _term(name: str, kind: str, kept: list[Kept]) -> Term:
    """Tensors of several sizes are one term, counted in units of their greatest common size."""
    unit = reduce(sp.gcd, (one.size for one in kept))
    several = any(one.size != unit for one in kept)
    parts = tuple(Part(one.layer.repeat * one.size / unit, one.tensor.shape) for one in kept)
    reasons = (
        f"{one.tensor.name} ({one.size} bytes each): {one.tensor.reason}"
        if several
        else f"{one.tensor.name}: {one.tensor.reason}"
        for one in kept
    )
    return Term(
        name=name,
        kind=kind,
        elements=_factored(parts),
        bytes_per_element=unit,
        reason="; ".join(dict.fromkeys(reasons)),
        source="; ".join(dict.fromkeys(one.layer.source for one in kept if one.layer.source)),
        parts=parts,
    )


def _factored(parts: tuple[Part, ...]) -> sp.Expr:
    """Sum the elements, each size once, with the number of tokens as a factor of all that grow with it."""
    copies: dict[tuple[sp.Expr, bool], sp.Expr] = {}
    for part in parts:
        size = (sp.Mul(*part.shape), {B, S} <= set(part.shape))
        copies[size] = copies.get(size, sp.S.Zero) + part.copies
    per_token = [count * size for (size, grows), count in copies.items() if grows]
    rest = [count * size for (size, grows), count in copies.items() if not grows]
    return sp.gcd_terms(sp.Add(*per_token)) + sp.gcd_terms(sp.Add(*rest))
