"""Blocks that communication problems are stated for, as ordinary models."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.models.tensors import Layer, Matmul, Model, Tensor
from symbolic_mem.symbols import B, L, S, d_ff, d_model


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
            Tensor("x", (B, S, d_model), "input of the gate and of the up projection"),
            Tensor("g", (B, S, d_ff), "output of the gate, before its activation function"),
            Tensor("u", (B, S, d_ff), "output of the up projection"),
            Tensor("h", (B, S, d_ff), "input of the down projection"),
        ),
        matmuls=(
            Matmul("x W_gate", tokens, d_model, d_ff),
            Matmul("x W_up", tokens, d_model, d_ff),
            Matmul("h W_down", tokens, d_ff, d_model),
        ),
        source="Shazeer, GLU variants improve Transformer (2020), equation 6",
    )
    return Model("stack of gated feed-forward blocks", (block,), ("There is no attention, embedding or output layer.",))
