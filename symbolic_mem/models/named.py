"""What a formula may ask of a model by name: its parameters, the operations of its products, and what decoding keeps."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import local
from symbolic_mem.models.built import Built
from symbolic_mem.models.counts import active_parameters, parameters_by_group
from symbolic_mem.models.tensors import GROUPS, SCORES, Model

PRODUCTS = (*GROUPS, SCORES)


def _active(built: Built) -> sp.Expr:
    architecture = built.architecture
    return built.model.parameters if architecture is None else active_parameters(built.model, architecture)


def _parameters(group: str) -> Callable[[Built], sp.Expr]:
    return lambda built: parameters_by_group(built.model).get(group, sp.S.Zero)


def _flops(group: str) -> Callable[[Built], sp.Expr]:
    return lambda built: sp.Add(
        *(
            layer.repeat * matmul.flops
            for layer in built.model.layers
            for matmul in layer.matmuls
            if (matmul.group or layer.name) == group
        )
    )


def cached(model: Model) -> sp.Expr:
    """Return the elements that decoding keeps for each token in every layer, as long as it is inside all sliding windows.

    >>> from symbolic_mem.models.transformer import transformer
    >>> cached(transformer())
    2*L*d_head*n_kv
    """
    layers: dict[sp.Expr, sp.Expr] = {}
    for held in model.cached:
        if held.grows:
            width = sp.Add(*(sp.Mul(*tensor.shape[2:]) for tensor in held.tensors))  # of the shape (B, S, ...)
            layers[width] = layers.get(width, sp.S.Zero) + held.repeat
    return sp.Add(*(repeat * width for width, repeat in layers.items()))


_ASKED: dict[str, Callable[[Built], sp.Expr]] = {
    "parameters": lambda built: built.model.parameters,
    "active_parameters": _active,
    "forward_flops": lambda built: built.model.forward_flops,
    "kv_cache_per_token": lambda built: cached(built.model),
    **{f"parameters_{group.replace(' ', '_')}": _parameters(group) for group in GROUPS},
    **{f"flops_{group.replace(' ', '_')}": _flops(group) for group in PRODUCTS},
}
NAMED = {name: local(name, "") for name in _ASKED}


def unnamed(expr: sp.Expr, built: Built) -> sp.Expr:
    """Put what the model has in place of the names in a formula; raises `BadInput` for what it has none of.

    >>> from symbolic_mem.models.ffn import ffn
    >>> unnamed(4 * NAMED["parameters"], Built(ffn(), {}))
    8*L*d_ff*d_model
    """
    asked = {}
    for name, symbol in NAMED.items():
        if symbol in expr.free_symbols:
            asked[symbol] = _ASKED[name](built)
            if asked[symbol] == 0:
                raise BadInput(
                    f"the {built.model.name} has no {name.replace('_', ' ')}: leave {name} out of the formula"
                )
    return expr.xreplace(asked)
