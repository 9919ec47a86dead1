"""What one rank of a cluster sends in a step along each axis of its mesh, in bytes, for a transformer."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symbolic_mem.base.symbols import B, n_cp, n_ep, n_fsdp, n_micro, n_pp, n_tp
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.cut import Cut

BF16, FP32 = 2, 4


def sent(a: Architecture, cut: Cut, parameters: sp.Expr, micro: sp.Expr = n_micro) -> Mapping[sp.Symbol, sp.Expr]:
    """Return the bytes that a rank sends in a step, by axis: forward and backward passes of `micro` micro-batches.

    Of a ring each rank sends all but its own share of what is gathered or summed. Tensor parallelism gathers and sums the
    residual stream twice in a block, forward and backward, and with a divided stream gathers each input once more
    (Korthikanti et al., 2022, section 4.2.2); a stage hands its share of the stream on and its gradient back; context
    parallelism passes keys and values on, and back with their gradients; experts are sent their tokens and send them back, both ways,
    the fullest rank as many as its load says;
    the optimizer sums FP32 gradients and gathers BF16 weights once for all micro-batches.

    >>> from symbolic_mem.base.symbols import L, P
    >>> sent(Architecture(), Cut(), P)[n_pp]
    4*B*S*d_model*n_micro
    """
    tokens, stream, inputs = cut.tokens.inside, cut.tokens.stream, cut.tokens.inputs
    whole = BF16 * B * tokens * a.d_model
    again = sp.Integer(2) if inputs != tokens else sp.S.Zero
    blocks = a.layers / n_pp
    keys = BF16 * 2 * B * tokens * cut.of("keys", a.n_kv) * a.d_head if a.latent is None else sp.S.Zero
    found = {
        n_tp: micro * blocks * (8 + again) * whole * (n_tp - 1) / n_tp,
        n_pp: micro * 2 * BF16 * B * stream * a.d_model,
        n_cp: micro * blocks * 3 * keys * (n_cp - 1),
        n_fsdp: (FP32 + BF16) * parameters * (n_fsdp * n_cp - 1) / (n_fsdp * n_cp),
    }
    if a.experts is not None:
        choices = BF16 * B * inputs * a.d_model * a.experts.top_k
        found[n_ep] = micro * (2 + 2 * cut.load) * choices * a.expert_layers / n_pp * (n_ep - 1) / n_ep
    return found
