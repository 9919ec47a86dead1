"""Layers of one name counted together: how often the model has them, and what one of them holds."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import Layer, Model


@dataclass(frozen=True)
class Group:
    """All layers of one name and equal size; `repeat` counts them over the whole model."""

    name: str
    repeat: sp.Expr
    parameters: sp.Expr
    layer: Layer


def groups(model: Model) -> tuple[Group, ...]:
    """Return the layers that hold weights, those of one name and size together, in the model's order.

    >>> from symbolic_mem.models.transformer import transformer
    >>> [(group.name, group.repeat, group.parameters) for group in groups(transformer())][:2]
    [('embedding', 1, V*d_model), ('attention norm', L, d_model)]
    """
    found: dict[tuple[str, sp.Expr], Group] = {}
    for layer in model.layers:
        if layer.weights:
            key = (layer.name, layer.parameters)
            before = found[key].repeat if key in found else sp.S.Zero
            found[key] = Group(layer.name, before + layer.repeat, layer.parameters, layer)
    return tuple(found.values())
