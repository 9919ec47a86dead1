"""Parameters of a model by group, in all and active for one token: sums over its layers, which alone say the shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy as sp

from symbolic_mem.models.tensors import GROUPS, Model

if TYPE_CHECKING:
    from symbolic_mem.models.architecture import Architecture


def parameters_by_group(model: Model) -> dict[str, sp.Expr]:
    """Return the parameters of each group of weights, in the order of `GROUPS`; a weight in none is under its layer.

    Norms of queries and keys count as norms; the bias of a matrix counts with the matrix.

    >>> from symbolic_mem.models.ffn import ffn
    >>> parameters_by_group(ffn())
    {'feed-forward block': 2*L*d_ff*d_model}
    """
    repeats: dict[str, dict[sp.Expr, sp.Expr]] = {group: {} for group in GROUPS}
    for layer in model.layers:
        for weight in layer.weights:
            sizes = repeats.setdefault(weight.group or layer.name, {})
            sizes[weight.elements] = sizes.get(weight.elements, sp.S.Zero) + layer.repeat
    return {
        group: sp.Add(*(repeat * elements for elements, repeat in sizes.items()))
        for group, sizes in repeats.items()
        if sizes
    }


def trainable_parameters(model: Model) -> sp.Expr:
    """Return the parameters that training updates: all of a model, or what adapters and modules trained whole leave of it.

    >>> from symbolic_mem.models.ffn import ffn
    >>> trainable_parameters(ffn())
    2*L*d_ff*d_model
    """
    return sp.Add(*(held.repeat * one.elements for held in model.weights.trained.held for one in held.weights))


def active_parameters(model: Model, architecture: Architecture | None, visited: sp.Expr = sp.S.One) -> sp.Expr:
    """Return the parameters that one token visits: of the routed experts k in E, of everything else all.

    The embedding and the head count in full, as in the totals that models are named by (Jiang et al., 2024,
    "Mixtral of Experts": 13B active of 47B).
    """
    return sp.Add(*active_by_group(model, architecture, visited).values())


def active_by_group(model: Model, architecture: Architecture | None, visited: sp.Expr = sp.S.One) -> dict[str, sp.Expr]:
    """Return the parameters that one token visits, by group: of routed experts ``top_k / experts``, of others all.

    Without an architecture, the share `visited` of the experts says it.
    """
    experts, groups = None if architecture is None else architecture.experts, parameters_by_group(model)
    share = visited if experts is None else experts.top_k / experts.experts
    if share == 1 or "experts" not in groups:
        return groups
    return groups | {"experts": groups["experts"] * share}
