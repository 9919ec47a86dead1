"""The transformer of CS336 assignment 1, with the activations that its handouts list one by one."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, L, S, V, d_ff, d_model, n_heads
from symbolic_mem.models.tensors import AFTER_ATTENTION, LINEAR, SCORES, Layer, Matmul, Model, Tensor

SOURCES = {
    2025: "Stanford CS336, assignment 1, handout 1.0.6 (2025-08-28, commit 87524b3), problem adamwAccounting",
    2026: "Stanford CS336, assignment 1, handout 26.0.3 (2026-04-07, commit a158843), problem adamw_accounting",
}


def cs336_transformer(blocks: sp.Expr = L, edition: int = 2025) -> Model:
    """Build the language model of assignment 1: RMSNorm, attention without bias, SwiGLU, untied embeddings.

    The activations are those of the list in the handout of that `edition` (2025 or 2026) and no others: for each block
    2 norms, Q K V, the scores, the softmax, the weighted values, the output projection, and of the feed-forward network
    the products with W1 and W2 and the SiLU, in 2026 also the product with W3 and the gated product; then the last norm,
    the logits and the cross-entropy. Raises `BadInput` for another edition.

    >>> from symbolic_mem.base.exact import evaluate
    >>> sizes = {V: 50257, L: 48, d_model: 1600, d_ff: 6400}
    >>> evaluate(cs336_transformer().parameters, {symbol: sp.Integer(n) for symbol, n in sizes.items()})
    2127057600
    """
    if edition not in SOURCES:
        raise BadInput.one_of(f"edition = {edition!r} of assignment 1 is not known", SOURCES)
    stream, scores, inner = (B, S, d_model), (B, n_heads, S, S), (B, S, d_ff)
    gated = (
        Tensor("x W3", inner, "product with W3"),
        Tensor("gated", inner, "SiLU times that product, element by element", feeds=LINEAR),
    )
    block = Layer(
        name="transformer block",
        repeat=blocks,
        weights=(
            *(Tensor(f"W_{name}", (d_model, d_model), "attention, no bias", group="attention") for name in "qkvo"),
            Tensor("W1", (d_ff, d_model), "SwiGLU, no bias", group="mlp"),
            Tensor("W3", (d_ff, d_model), "SwiGLU, no bias", group="mlp"),
            Tensor("W2", (d_model, d_ff), "SwiGLU, no bias", group="mlp"),
            Tensor("g1", (d_model,), "RMSNorm before attention", group="norm"),
            Tensor("g2", (d_model,), "RMSNorm before the feed-forward network", group="norm"),
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
            Tensor("x W1", inner, "product with W1"),
            Tensor("SiLU", inner, "SiLU of that product"),
            *(gated if edition == 2026 else ()),
            Tensor("h W2", stream, "product with W2"),
        ),
        matmuls=(
            *(Matmul(f"x W_{name}", B * S, d_model, d_model, "attention", enters=True) for name in "qkv"),
            Matmul("q k", B * n_heads * S, d_model / n_heads, S, SCORES),
            Matmul("p v", B * n_heads * S, S, d_model / n_heads, SCORES),
            Matmul("a W_o", B * S, d_model, d_model, "attention", leaves=True),
            Matmul("x W1", B * S, d_model, d_ff, "mlp", enters=True),
            Matmul("x W3", B * S, d_model, d_ff, "mlp", enters=True),
            Matmul("h W2", B * S, d_ff, d_model, "mlp", leaves=True),
        ),
        source=SOURCES[edition],
        block="transformer block",
    )
    ends = Layer(
        name="embedding and head",
        weights=(
            Tensor("E", (V, d_model), "token embedding", group="token embedding"),
            Tensor("gain", (d_model,), "last RMSNorm", group="norm"),
            Tensor("W_out", (V, d_model), "head, not tied to the embedding", group="head"),
        ),
        saved=(
            Tensor("last norm", stream, "last RMSNorm"),
            Tensor("logits", (B, S, V), "output embedding"),
            Tensor("cross-entropy", (B, S, V), "cross-entropy on the logits"),
        ),
        matmuls=(Matmul("x W_out", B * S, d_model, V, "head", enters=True),),
        source=SOURCES[edition],
    )
    matrices = (
        "The activations are those of the handout's list, which names two matrices of the feed-forward network.",
        "So the third product of SwiGLU and its gate are not among them, while all three matrices count as weights.",
    )
    said = (
        *(matrices if edition == 2025 else ("The activations are those of the handout's list.",)),
        "Each listed tensor is kept once; nothing is recomputed.",
    )
    return Model("transformer of CS336 assignment 1", (block, ends), assumptions=said, of_activations=said)
