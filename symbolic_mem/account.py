"""Model x Recipe -> Memory: one term for every thing that a person would name."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.models.tensors import Layer, Model, Tensor
from symbolic_mem.recipes.recipe import Recipe, State
from symbolic_mem.symbols import P
from symbolic_mem.terms import Memory, Part, Term


def account(model: Model, recipe: Recipe) -> Memory:
    """Return the memory of training `model` with `recipe`, in bytes: states of the parameters, then activations.

    >>> from symbolic_mem import ffn, recipe
    >>> [str(term.bytes) for term in account(ffn(), recipe("cs336"))]
    ['8*L*d_ff*d_model', '8*L*d_ff*d_model', '16*L*d_ff*d_model', '2*B*L*S*(d_ff + d_model)']
    """
    parameters = model.parameters
    terms = [_state(state, model, parameters, recipe) for state in recipe.states]
    for layer in model.layers:
        terms += _activations(layer, recipe)
    return Memory(tuple(terms), definitions=((P, parameters),))


def _state(state: State, model: Model, parameters: sp.Expr, recipe: Recipe) -> Term:
    return Term(
        name=state.name,
        kind=state.kind,
        elements=state.copies * parameters,
        bytes_per_element=state.bytes_per_element,
        reason=state.reason,
        source=recipe.source,
        short=state.bytes_per_element * state.copies * P,
        parts=tuple(
            Part(state.copies * layer.repeat, weight.shape) for layer in model.layers for weight in layer.weights
        ),
    )


def _activations(layer: Layer, recipe: Recipe) -> list[Term]:
    by_size: dict[sp.Expr, list[Tensor]] = {}
    for tensor in layer.saved:
        size = recipe.activations if tensor.bytes_per_element is None else tensor.bytes_per_element
        by_size.setdefault(size, []).append(tensor)
    terms = []
    for size, tensors in by_size.items():
        suffix = "" if len(by_size) == 1 else f" ({size} bytes each)"
        terms.append(
            Term(
                name=f"activations of the {layer.name}{suffix}",
                kind="activations",
                elements=sp.gcd_terms(layer.repeat * sp.Add(*(tensor.elements for tensor in tensors))),
                bytes_per_element=size,
                reason="; ".join(f"{tensor.name}: {tensor.reason}" for tensor in tensors),
                source=layer.source,
                parts=tuple(Part(layer.repeat, tensor.shape) for tensor in tensors),
            )
        )
    return terms
