"""How many layers of a model have an ordinary MLP where others have experts, however its config says it."""

from __future__ import annotations

from typing import Any

from symbolic_mem.base import symbols as s
from symbolic_mem.models.fields import Fields


def dense_layers(fields: Fields) -> int:
    """Return the number of layers without experts; raises `BadInput` for a list that does not fit the layers."""
    layers = int(fields.numbers[s.L])
    return layers - len(_expert_layers(fields, layers))


def experts_lead(fields: Fields) -> bool:
    """Say whether the first layer has experts."""
    return 0 in _expert_layers(fields, int(fields.numbers[s.L]))


def _expert_layers(fields: Fields, layers: int) -> Any:
    family = fields.family
    if family.reads("mlp_types") and fields.find("mlp_types")[1] is not None:
        kinds = fields.kinds("mlp_types", ("dense", "sparse"), layers)
        return [layer for layer, kind in enumerate(kinds) if kind == "sparse"]
    if family.reads("first_dense"):
        return range(min(fields.whole("first_dense", 0), layers), layers)
    if family.reads("sparse_step"):
        step, plain = fields.whole("sparse_step"), set(fields.layers("dense_indices", layers) or ())
        return [layer for layer in range(layers) if (layer + 1) % step == 0 and layer not in plain]
    if family.reads("expert_indices"):
        listed = fields.layers("expert_indices", layers)
        return _every(fields, layers) if listed is None else sorted(set(listed))
    if family.reads("first_expert"):
        first, last = fields.whole("first_expert", 0), fields.whole("last_expert", -1)
        return [layer for layer in _every(fields, layers) if first <= layer and (layer <= last or last == -1)]
    return range(layers)


def _every(fields: Fields, layers: int) -> range:
    step = fields.whole("expert_step")
    return range(step - 1, layers, step)
