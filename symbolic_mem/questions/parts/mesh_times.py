"""How long one rank of a cluster computes and sends in a step, at the rates of a chip, and the batch from which it computes longer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from symbolic_mem.base.exact import number
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import B, C, W, W_dcn, n_fsdp, n_micro, n_pp, n_replica
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import Matmul, Model, Tensor
from symbolic_mem.questions.parts.sends import Sent
from symbolic_mem.study.study import Study

BETWEEN = (n_pp, n_fsdp, n_replica)  # of which the ranks are in other nodes, where a rate between nodes is given


@dataclass(frozen=True)
class Times:
    """Seconds of a step: those that a rank computes, and those that it sends along each axis.

    `passes` are the forward passes whose operations a step has: three, and one more where everything is recomputed; less those of the
    gradients of `frozen` weights, where there are some. With
    `enough` micro-batches, `sequences` in all, a rank computes as long as it sends along n_fsdp, which it does once in a step.
    """

    computes: sp.Expr
    passes: int
    frozen: bool
    sends: Mapping[sp.Symbol, sp.Expr]
    enough: int | None
    sequences: int | None

    @property
    def longest(self) -> sp.Symbol | None:
        """The axis along which a rank sends for longer than it computes, if there is one: the slowest of them."""
        slow = [axis for axis, seconds in self.sends.items() if seconds > self.computes]
        return max(slow, key=lambda axis: self.sends[axis], default=None)


def times(study: Study, found: Sent) -> Times | None:
    """Return the times of a step of a rank, at the rates of the study: None where it has none.

    Matrix products are counted, of causal attention all; a weight has one forward, one for the gradient of its input, and one for its own
    unless it is frozen. Stages are taken to be alike.
    """
    if not {C, W} <= set(study.values):
        return None
    passes = 4 if study.recipe.recompute.rule == "full" else 3
    known = found.known
    frozen = frozen_flops(study.model)
    operations = (study.model.forward_flops * passes - frozen) * found.micro / n_pp
    computes = symbolic(number(operations, known, "the operations of a step")) / known[C]
    sends = {}
    for axis, (_, size) in found.axes.items():
        rate = known[W_dcn] if axis in BETWEEN and W_dcn in known else known[W]
        sends[axis] = symbolic(size) / rate
    each = computes / known[n_micro] if found.micro == n_micro else computes
    enough = sp.ceiling(sends[n_fsdp] / each) if n_fsdp in sends and sends[n_fsdp] != 0 and found.once else None
    sequences = None if enough is None else int(enough * known[B] * known[n_fsdp] * known[n_replica])
    return Times(computes, passes, frozen != 0, sends, None if enough is None else int(enough), sequences)


def frozen_flops(model: Model) -> sp.Expr:
    """Return the operations of those products of a forward pass whose weight is frozen.

    A head without a weight of its own has that of the embedding.

    >>> from symbolic_mem.models.ffn import ffn
    >>> frozen_flops(ffn())
    0
    """
    first = next((layer.weights[:1] for layer in model.layers if layer.weights), ())
    return sp.Add(
        *(
            layer.repeat * product.flops
            for layer in model.layers
            for product in layer.matmuls
            if any(not weight.trained for weight in (_weight_of(product, layer.weights) if layer.weights else first))
        )
    )


def _weight_of(product: Matmul, weights: Sequence[Tensor]) -> Iterator[Tensor]:
    name = product.name.split()[-1]
    return (one for one in weights if one.name == name and one.group == product.group)
