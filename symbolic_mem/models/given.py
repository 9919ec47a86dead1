"""A model known by its number of parameters, of which each layer keeps a stated number of values for each token."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base.symbols import B, L, S
from symbolic_mem.models.parameters import parameters_only
from symbolic_mem.models.tensors import Layer, Model, Tensor


def given_parameters(saved_per_layer: sp.Expr | None = None, reason: str = "", source: str = "") -> Model:
    """Build a model of Psi parameters; each of L layers keeps `saved_per_layer` elements for each token.

    >>> from symbolic_mem import account, recipe
    >>> from symbolic_mem.base.symbols import d_model
    >>> account(given_parameters(4 * d_model), recipe("scaling-book-10")).of("activations").total
    8*B*L*S*d_model
    """
    model = parameters_only()
    if saved_per_layer is None:
        return model
    kept = Tensor("kept values", (B, S, saved_per_layer), reason or "kept for the backward pass")
    layer = Layer(name="layer", repeat=L, saved=(kept,), source=source)
    said = "Only the number of parameters and what a layer keeps for each token are given; the shapes are not."
    return replace(model, layers=(*model.layers, layer), assumptions=(said,))
