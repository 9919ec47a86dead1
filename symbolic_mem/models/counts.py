"""Parameters of a model by group, in all and active for one token: sums over its layers, which alone say the shapes."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.tensors import GROUPS, Model


def parameters_by_group(model: Model) -> dict[str, sp.Expr]:
    """Return the parameters of each group of weights, in the order of `GROUPS`; a weight in none is under its layer.

    Norms of queries and keys count as norms; the bias of a matrix counts with the matrix.

    >>> from symbolic_mem.models.ffn import ffn
    >>> parameters_by_group(ffn())
    {'feed-forward block': 2*L*d_ff*d_model}
    """
    parts: dict[str, list[sp.Expr]] = {group: [] for group in GROUPS}
    for layer in model.layers:
        for weight in layer.weights:
            parts.setdefault(weight.group or layer.name, []).append(layer.repeat * weight.elements)
    return {group: sp.Add(*terms) for group, terms in parts.items() if terms}


def active_parameters(model: Model, architecture: Architecture) -> sp.Expr:
    """Return the parameters that one token visits: of the routed experts k in E, of everything else all.

    The embedding and the head count in full, as in the totals that models are named by (Jiang et al., 2024,
    "Mixtral of Experts": 13B active of 47B).
    """
    return sp.Add(*_active_by_weight(model, architecture))


def _active_by_weight(model: Model, architecture: Architecture) -> Iterator[sp.Expr]:
    experts = architecture.experts
    for layer in model.layers:
        for weight in layer.weights:
            elements = layer.repeat * weight.elements
            routed = experts is not None and weight.group == "experts"
            yield elements * experts.top_k / experts.experts if routed else elements
