"""The gated feed-forward stack of CS336 (2026), assignment 2, section 8: blocks of three matrices and nothing else."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
from symbolic_mem.models.tensors import LINEAR, Layer, Matmul, Model, Tensor


def gated_ffn(blocks: sp.Expr = L) -> Model:
    """Build a stack of gated feed-forward blocks: three matrices, as in SwiGLU (Shazeer, 2020), and nothing else.

    >>> gated_ffn().parameters
    3*L*d_ff*d_model
    """
    up = tuple(Tensor(name, (d_ff, d_model), "d_model to d_ff, no bias") for name in ("W_gate", "W_up"))
    tokens = B * S
    block = Layer(
        name="gated feed-forward block",
        repeat=blocks,
        weights=(*up, Tensor("W_down", (d_model, d_ff), "d_ff to d_model, no bias")),
        saved=(
            Tensor("x", (B, S, d_model), "input of the gate and of the up projection", feeds=LINEAR),
            Tensor("g", (B, S, d_ff), "output of the gate: the gradient of its activation function needs it"),
            Tensor("a", (B, S, d_ff), "the activated gate: the gradient of the up projection needs it"),
            Tensor("u", (B, S, d_ff), "output of the up projection: the gradient of the gate needs it"),
            Tensor(
                "h", (B, S, d_ff), "input of the down projection: the gradient of its weight needs it", feeds=LINEAR
            ),
        ),
        matmuls=(
            Matmul("x W_gate", tokens, d_model, d_ff),
            Matmul("x W_up", tokens, d_model, d_ff),
            Matmul("h W_down", tokens, d_ff, d_model),
        ),
        source="Shazeer, GLU variants improve Transformer (2020), equation 6",
    )
    return Model("stack of gated feed-forward blocks", (block,), ("There is no attention, embedding or output layer.",))
