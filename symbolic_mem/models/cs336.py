"""The transformer of CS336 assignment 1, with the activations that its handout lists one by one."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, L, S, V, d_ff, d_model, n_heads
from symbolic_mem.models.tensors import AFTER_ATTENTION, LINEAR, Layer, Model, Tensor

SOURCE = "Stanford CS336 (2025), assignment 1, problem adamwAccounting"


def cs336_transformer(blocks: sp.Expr = L) -> Model:
    """Build the language model of assignment 1: RMSNorm, attention without bias, SwiGLU, untied embeddings.

    The activations are those of the handout's list and no others: for each block 2 norms, Q K V, the scores, the
    softmax, the weighted values, the output projection, and of the feed-forward network the products with W1 and W2
    and the SiLU between them; then the last norm, the logits and the cross-entropy.

    >>> from symbolic_mem.base.exact import evaluate
    >>> sizes = {V: 50257, L: 48, d_model: 1600, d_ff: 6400}
    >>> evaluate(cs336_transformer().parameters, {symbol: sp.Integer(n) for symbol, n in sizes.items()})
    2127057600
    """
    stream, scores = (B, S, d_model), (B, n_heads, S, S)
    block = Layer(
        name="transformer block",
        repeat=blocks,
        weights=(
            *(Tensor(f"W_{name}", (d_model, d_model), "attention, no bias") for name in "qkvo"),
            Tensor("W1", (d_ff, d_model), "SwiGLU, no bias"),
            Tensor("W3", (d_ff, d_model), "SwiGLU, no bias"),
            Tensor("W2", (d_model, d_ff), "SwiGLU, no bias"),
            Tensor("g1", (d_model,), "RMSNorm before attention"),
            Tensor("g2", (d_model,), "RMSNorm before the feed-forward network"),
        ),
        saved=(
            Tensor(
                "norms",
                (sp.Integer(2), *stream),
                "RMSNorm before attention and before the feed-forward network",
                feeds=LINEAR,
            ),
            Tensor("q, k, v", (sp.Integer(3), *stream), "projections that attention reads"),
            Tensor("scores", scores, "Q times K transposed, for every head"),
            Tensor("softmax", scores, "attention weights"),
            Tensor("weighted values", stream, "softmax times V", feeds=AFTER_ATTENTION),
            Tensor("attention output", stream, "output projection"),
            Tensor("x W1", (B, S, d_ff), "product with W1"),
            Tensor("SiLU", (B, S, d_ff), "SiLU of that product"),
            Tensor("h W2", stream, "product with W2"),
        ),
        source=SOURCE,
        block="transformer block",
    )
    ends = Layer(
        name="embedding and head",
        weights=(
            Tensor("E", (V, d_model), "token embedding"),
            Tensor("gain", (d_model,), "last RMSNorm"),
            Tensor("W_out", (V, d_model), "head, not tied to the embedding"),
        ),
        saved=(
            Tensor("last norm", stream, "last RMSNorm"),
            Tensor("logits", (B, S, V), "output embedding"),
            Tensor("cross-entropy", (B, S, V), "cross-entropy on the logits"),
        ),
        source=SOURCE,
    )
    return Model(
        name="transformer of CS336 assignment 1",
        layers=(block, ends),
        assumptions=(
            "The activations are those of the handout's list, which names two matrices of the feed-forward network.",
            "So the third product of SwiGLU and its gate are not among them, while all three matrices count as weights.",
            "Each listed tensor is kept once; nothing is recomputed.",
        ),
    )
