"""The feed-forward stack of CS336 assignment 2: blocks of two bias-free linear layers and nothing else."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
from symbolic_mem.models.tensors import LINEAR, Layer, Matmul, Model, Op, Tensor

SOURCE = "Stanford CS336, assignment 2, handout 1.0.4 (2025-05-03, commit 54e4efe), section 2.4, problem communication_accounting"


def ffn(blocks: sp.Expr = L, inner: sp.Expr = d_ff) -> Model:
    """Build a stack of `blocks` two-matrix feed-forward layers, `inner` wide inside, without activation function, attention or embedding.

    A linear layer keeps its input for the backward pass (the gradient of its weight needs it) and not its output.

    >>> ffn().parameters
    2*L*d_ff*d_model
    """
    x = Tensor(
        "x", (B, S, d_model), "input of the first linear layer: the gradient of its weight needs it", feeds=LINEAR
    )
    h = Tensor(
        "h", (B, S, inner), "input of the second linear layer: the gradient of its weight needs it", feeds=LINEAR
    )
    y = Tensor("y", (B, S, d_model), "output of the block")
    block = Layer(
        name="feed-forward block",
        repeat=blocks,
        weights=(
            Tensor("W_in", (inner, d_model), "first linear layer, d_model to d_ff, no bias"),
            Tensor("W_out", (d_model, inner), "second linear layer, d_ff to d_model, no bias"),
        ),
        saved=(x, h),
        matmuls=(
            Matmul("x W_in", B * S, d_model, inner, enters=True),
            Matmul("h W_out", B * S, inner, d_model, leaves=True),
        ),
        source=SOURCE,
        block="feed-forward block",
        ops=(Op("x W_in", (h,), (), ("W_in",), ("x",), into=(x,)), Op("h W_out", (y,), (h,), ("W_out",), ("h",))),
        working=((y,),),
        passing=((h, y),),
    )
    return Model(
        name="stack of feed-forward blocks",
        layers=(block,),
        assumptions=(
            "Each block is two bias-free linear layers; there is no attention, embedding, normalisation or output layer.",
        ),
        unless_recomputed=(
            "Nothing is recomputed: the input of every linear layer is kept until the backward pass has used it.",
        ),
        batch=x,
    )
