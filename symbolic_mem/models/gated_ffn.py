"""The gated feed-forward stack of CS336 (2026), assignment 2, section 8: blocks of three matrices."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
from symbolic_mem.models.tensors import LINEAR, Layer, Matmul, Model, Op, Tensor


def gated_ffn(blocks: sp.Expr = L, inner: sp.Expr = d_ff, *, residual: bool = False) -> Model:
    """Build a stack of gated feed-forward blocks, `inner` wide inside: three matrices, as in SwiGLU (Shazeer, 2020), and nothing else.

    With `residual` each block adds its input to its output; nothing more is kept for that.

    >>> gated_ffn().parameters
    3*L*d_ff*d_model
    """
    up = tuple(Tensor(name, (inner, d_model), "d_model to d_ff, no bias") for name in ("W_gate", "W_up"))
    tokens, wide = (B, S, d_model), (B, S, inner)
    x = Tensor("x", tokens, "input of the gate and of the up projection", feeds=LINEAR)
    g = Tensor("g", wide, "output of the gate: the gradient of its activation function needs it")
    a = Tensor("a", wide, "the activated gate: the gradient of the up projection needs it")
    u = Tensor("u", wide, "output of the up projection: the gradient of the gate needs it")
    h = Tensor("h", wide, "input of the down projection: the gradient of its weight needs it", feeds=LINEAR)
    down, y = (Tensor(name, tokens, "output of the block") for name in ("h W_down", "y"))
    by_gate, by_up, by_both = (Tensor(f"x by {way}", tokens) for way in ("the gate", "the up projection", "both"))
    block = Layer(
        name="gated feed-forward block",
        repeat=blocks,
        weights=(*up, Tensor("W_down", (d_model, inner), "d_ff to d_model, no bias")),
        saved=(x, g, a, u, h),
        matmuls=(
            Matmul("x W_gate", B * S, d_model, inner, enters=True),
            Matmul("x W_up", B * S, d_model, inner, enters=True),
            Matmul("h W_down", B * S, inner, d_model, leaves=True),
        ),
        source="Shazeer, GLU variants improve Transformer (2020), equation 6",
        block="gated feed-forward block",
        ops=(
            Op("the sum at x", (by_both if residual else by_up, by_gate), into=(x,)),
            Op("x W_gate", (g,), (), ("W_gate",), ("x",), into=(by_gate,)),
            Op("the activation of the gate", (a,), (g,), (), ("g",)),
            *((Op("the sum at x", (y, by_up), into=(by_both,)),) if residual else ()),
            Op("x W_up", (u,), (), ("W_up",), into=(by_up,)),
            Op("the product of gate and up projection", (h,), (a, u), (), ("a", "u")),
            Op("h W_down", () if residual else (y,), (h,), ("W_down",), ("h",)),
        ),
        working=((down, y) if residual else (y,),),
        passing=((a, u, h), (h, down), (down, y)) if residual else ((a, u, h), (h, y)),
    )
    return Model(
        "stack of gated feed-forward blocks",
        (block,),
        ("There is no attention, embedding or output layer.",),
        batch=x,
    )
