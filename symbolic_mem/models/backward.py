"""What a backward pass computes: the gradients of inputs that need one, and those of trained weights."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import ADAPTERS, SCORES, Layer
from symbolic_mem.models.trained import Trained


def backward_flops(built: Built) -> sp.Expr:
    """Return the floating-point operations of the products of a backward pass over the batch.

    A product W x has one for the gradient of x, where something before it is trained or a gradient has to reach what enters the
    first block (`Trained.reached`), and one for that of W, where W is trained or is summed with adapters. The kernel of attention
    makes the gradients of queries, keys and values together.
    Source: PyTorch 2.13, tools/autograd/derivatives.yaml: each gradient of `mm` is made where its operand requires one.

    >>> from symbolic_mem.models.ffn import ffn
    >>> backward_flops(Built(ffn(), {})) == 2 * ffn().forward_flops
    True
    """
    model, trained = built.model, built.trained
    if trained.everything:
        return 2 * model.forward_flops
    parallel = built.architecture is not None and built.architecture.parallel_residual
    embedding = next((layer.weights[0].group for layer in model.layers if layer.weights), "")
    reached = all(layer.reached for layer in model.layers)
    entered, block, found = reached, "", []
    for layer in model.layers:
        if not parallel or layer.block != block:  # parallel parts of a block read the same
            entered, block = reached, layer.block
        head = embedding if not layer.weights else None
        times = _gradients(layer, trained, head, entered=entered, reached=reached)
        found += [layer.repeat * number * product.flops for number, product in zip(times, layer.matmuls, strict=True)]
        reached = reached or any(weight.trained for weight in layer.weights)
    return sp.Add(*found)


def _gradients(layer: Layer, trained: Trained, head: str | None, *, entered: bool, reached: bool) -> Iterator[int]:
    """How many products the backward pass makes for each of a layer: none, one or two.

    What enters the layer needs a gradient where it is `entered` by one, and what it works with inside where it is `reached`. A
    `head` without a weight of its own has one of that group.
    """
    inside, adapted = reached, any(weight.group == ADAPTERS for weight in layer.weights)
    here = trained if adapted else trained.without_adapters
    for product in layer.matmuls:
        name, group = product.name.split()[-1], product.group
        if group == SCORES:
            yield 2 * inside
        elif group == ADAPTERS and not product.name.startswith("A "):
            yield 2  # B reads what the trained A gives, or is multiplied with it
        else:
            weight = group == ADAPTERS or here.trains(head or group) or here.sums(name, group)
            yield (entered if product.enters else inside) + weight
        if group != ADAPTERS:  # an adapter reads what the product beside it reads
            inside = inside or here.trains(group) or here.adapts(name, group) or here.sums(name, group)
