"""Routers of a mixture of experts on a `Tape`: a softmax whose greatest scores count, and the routers of DeepSeek.

Source: transformers 5.24, each operation followed on fake tensors, those of DeepSeek in passes of inference.
"""

from __future__ import annotations

import sympy as sp

from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Experts
from symbolic_mem.models.linear import TOKENS
from symbolic_mem.models.tape import Free, Make, Shape, Size, Tape, Value

DEEPSEEK = ("deepseek_v2", "deepseek_v3")
FOUR, EIGHT = sp.Integer(4), sp.Integer(8)


def router_program(
    tape: Tape, experts: Experts, x: Value, rows: Shape, exact: Size, trained: bool
) -> tuple[Value, tuple[Value, ...]]:
    """Record the scores of all experts, the greatest of them, divided by their sum; also what stays named."""
    tape.label = "the router"
    every = (*TOKENS, experts.experts)
    logits = do.linear(tape, x, "W_router", (experts.experts, x.tensor.shape[-1]), trained=trained)
    scores = do.cast(tape, logits, exact)
    probabilities = tape.new("probabilities", every, exact)
    tape.record(probabilities, (probabilities,), [Make("gradient", every, exact)], {scores: "gradient"})
    tape.drop(*((scores,) if scores is not logits else ()))
    chosen = tape.new("chosen", rows, EIGHT, needs=False)
    best = tape.new("greatest scores", rows, exact)
    steps = [Make("zeros", every, exact), Make("gradient", every, exact), Free("zeros")]
    tape.record(best, (chosen,), steps, {probabilities: "gradient"})
    tape.drop(probabilities)
    return _divided(tape, best, rows, exact) if experts.normalised else best, (logits, chosen)


def deepseek_router(
    tape: Tape, experts: Experts, x: Value, rows: Shape, trained: bool
) -> tuple[Value, tuple[Value, ...]]:
    """Record a router in FP32, whose chosen scores are scaled; also what stays named. Its forward pass alone.

    What it makes of groups of experts is not among it: a few numbers for each, which are gone before experts work.
    """
    tape.label = "the router"
    wide = do.cast(tape, x, FOUR)
    logits = do.linear(tape, wide, "W_router", (experts.experts, x.tensor.shape[-1]), trained=trained)
    tape.drop(*((wide,) if wide is not x else ()))
    probabilities = do.kept_result(tape, logits, "probabilities")
    chosen = tape.new("chosen", rows, EIGHT, needs=False)
    best = tape.record(tape.new("greatest scores", rows, FOUR), (chosen,))
    if experts.normalised:
        best = _divided(tape, best, rows, FOUR)
    scaled = do.times(tape, best)
    tape.drop(probabilities, best)
    return scaled, (logits, chosen)


def _divided(tape: Tape, best: Value, rows: Shape, exact: Size) -> Value:
    """The greatest scores divided by their sum, in place."""
    tape.drop(best)
    total = tape.new("sum of them", TOKENS, exact, needs=False)
    normal = tape.new("divided scores", rows, exact)
    steps = [Make("first", rows, exact), Make("second", rows, exact), Make("gradient", rows, exact)]
    tape.record(normal, (best, total), steps, {best: "gradient"})
    tape.drop(total)
    return normal
