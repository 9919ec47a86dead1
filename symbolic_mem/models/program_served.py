"""A mixture of experts as an engine that serves models computes it, on a `Tape`: one operation, whose buffers all layers share.

Source: vLLM, model_executor/layers/fused_moe: experts/triton_moe.py, marlin_moe.py and deep_gemm_moe.py, workspace_shapes, which agree
but for rows that fill up tiles; modular_kernel.py, _allocate_buffers; v1/worker/workspace.py: the buffers stay as they are; runner/moe_runner.py.
"""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, S
from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.linear import TOKENS
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.program_mlp import mlp_program
from symbolic_mem.models.tape import Tape, Value
from symbolic_mem.models.tensors import Tensor

FOUR = sp.Integer(4)


def workspaces(a: Architecture, how: Profile) -> Tensor:
    """Return the buffers of all experts of a pass: one for both products of each choice of a token, one for what is between them.

    >>> from symbolic_mem.library.read import load_study
    >>> found = load_study("mixtral-8x7b").built
    >>> workspaces(found.architecture, found.how).shape
    (B, S, k, Max(d_ff, d_model) + Max(2*d_ff, d_model))
    """
    assert a.experts is not None
    inner = a.experts.d_expert
    width = sp.Max(inner, a.d_model) + sp.Max(2 * inner, a.d_model)
    return Tensor("workspaces of the experts", (B, S, a.experts.top_k, width), bytes_per_element=how.compute)


def served_experts(tape: Tape, a: Architecture, how: Profile, x: Value) -> Value:
    """Record a mixture of experts that reads `x`: what it gives is there beside the shared experts' result, to which it is added in place."""
    experts = a.experts
    assert experts is not None
    tape.label = "the router"
    logits = do.linear(tape, x, "W_router", (experts.experts, a.d_model))
    rows = (*TOKENS, experts.top_k)
    weights, chosen = (tape.new(name, rows, FOUR, needs=False) for name in ("weights of the choices", "choices"))
    own = mlp_program(tape, a, how, x, experts.d_shared, "shared experts") if experts.d_shared != 0 else None
    tape.label = "the experts"
    result = tape.record(tape.new("result of the experts", x.tensor.shape, x.tensor.bytes_per_element))
    tape.drop(logits, weights, chosen, *(() if own is None else (own,)))
    return result
