"""The stages of ZeRO: which states each of them divides over the devices."""

from __future__ import annotations

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.symbols import n_fsdp, n_tp
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.plans.placement import Placed

DIVIDED: dict[int, tuple[str, ...]] = {0: (), 1: ("optimizer",), 2: ("gradients", "optimizer"), 3: STATIC}
TITLES = {0: "baseline", 1: "stage 1", 2: "stage 2", 3: "stage 3"}


def stage(memory: Memory, number: int, *, tensor_parallel: bool = False) -> Memory:
    """Return the states of one device under a stage of ZeRO; tensor parallelism divides every term as well.

    Stages 1, 2 and 3 divide the optimizer state, then also the gradients, then also the weights over n_fsdp devices
    (Rajbhandari et al., 2020, arXiv:1910.02054, section 5).

    >>> from symbolic_mem import account, recipe
    >>> from symbolic_mem.models.parameters import parameters_only
    >>> stage(account(parameters_only(), recipe("zero-16")), 1).total
    4*Psi + 12*Psi/n_fsdp
    """
    states = memory.of(*STATIC)
    if tensor_parallel:
        states = states.placed(dict.fromkeys(STATIC, Placed(n_tp)))
    return states.placed(dict.fromkeys(DIVIDED[number], Placed(n_fsdp)))
