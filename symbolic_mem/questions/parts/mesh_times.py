"""How long one rank of a cluster computes and sends in a step, at the rates of a chip, and the batch from which it computes longer."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symbolic_mem.base.exact import number
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import B, C, W, W_dcn, n_fsdp, n_micro, n_pp, n_replica
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.backward import backward_flops
from symbolic_mem.models.tensors import Model
from symbolic_mem.questions.parts.sends import Sent
from symbolic_mem.study.study import Study

BETWEEN = (n_pp, n_fsdp, n_replica)  # of which the ranks are in other nodes, where a rate between nodes is given


@dataclass(frozen=True)
class Times:
    """Seconds of a step: those that a rank computes, and those that it sends along each axis.

    `passes` are the forward passes whose operations a step has: three, and one more where everything is recomputed; `less` says which
    gradients are not made. With `enough` micro-batches, `sequences` in all, a rank computes as long as it sends along n_fsdp, which it does once in a step.
    """

    computes: sp.Expr
    passes: int
    less: str
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

    Matrix products are counted, of causal attention all; for the backward pass see `backward_flops`. Stages are taken to be alike.
    """
    if not {C, W} <= set(study.values):
        return None
    passes = 4 if study.recipe.recompute.rule == "full" else 3
    known = found.known
    once, back = study.model.forward_flops, backward_flops(study.rank)
    assert study.plan is not None
    operations = (once * (passes - 2) + back) * found.micro / study.plan.stages
    computes = symbolic(number(operations, known, "the operations of a step")) / known[C]
    sends = {}
    for axis, (_, size) in found.axes.items():
        rate = known[W_dcn] if axis in BETWEEN and W_dcn in known else known[W]
        sends[axis] = symbolic(size) / rate
    each = computes / known[n_micro] if found.micro == n_micro else computes
    enough = sp.ceiling(sends[n_fsdp] / each) if n_fsdp in sends and sends[n_fsdp] != 0 and found.once else None
    sequences = None if enough is None else int(enough * known[B] * known[n_fsdp] * known[n_replica])
    less = "" if back == 2 * once else _less(study.model)
    return Times(computes, passes, less, sends, None if enough is None else int(enough), sequences)


def _less(model: Model) -> str:
    """Which gradients a backward pass does not make, where not all weights are trained."""
    ends = (
        ""
        if all(layer.reached for layer in model.layers)
        else " and of all that no gradient has to reach below the first adapter"
    )
    return f"the gradients of frozen weights{ends}"
