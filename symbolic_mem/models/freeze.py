"""What of a model's weights is frozen: every layer says it of its own, and what is trained as a copy is there twice."""

from __future__ import annotations

from dataclasses import replace

from symbolic_mem.models.tensors import Layer, Tensor
from symbolic_mem.models.trained import Trained


def frozen(layers: tuple[Layer, ...], trained: Trained) -> tuple[Layer, ...]:
    """Return the layers whose weights are trained or not as `trained` says; adapters always are.

    >>> layer = Layer("head", (Tensor("W_head", (), group="head"),))
    >>> [weight.trained for weight in frozen((layer,), Trained(("W_q",), whole=()))[0].weights]
    [False]
    """
    if trained.everything:
        return layers
    return tuple(replace(layer, weights=_weights(layer, trained)) if layer.weights else layer for layer in layers)


def _weights(layer: Layer, trained: Trained) -> tuple[Tensor, ...]:
    found: list[Tensor] = []
    for weight in layer.weights:
        whole = weight.group == "adapters" or weight.group in trained.whole
        found.append(replace(weight, trained=whole))
        if weight.group in trained.copied:
            found.append(replace(weight, name=f"trained copy of {weight.name}", trained=True))
    return tuple(found)
