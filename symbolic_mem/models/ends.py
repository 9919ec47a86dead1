"""The two ends of a language model: token and position embeddings, and the head with the cross entropy."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.symbols import S, d_model
from symbolic_mem.models.linear import TOKENS, join, keeping, linear
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.tensors import Layer, Tensor


def embedding(
    profile: Profile,
    *,
    vocabulary: sp.Expr = s.V,
    width: sp.Expr = d_model,
    n_pos: sp.Expr | None = None,
    rotary_width: sp.Expr | None = None,
    dropout: bool = False,
) -> Layer:
    """Build the token embedding, with learned positions if `n_pos` is given and rotary tables if `rotary_width` is.

    >>> from symbolic_mem.models.profile import profile
    >>> layer = embedding(profile("torch-cuda-bf16"), n_pos=s.n_pos)
    >>> layer.parameters, [str(tensor.elements) for tensor in layer.saved]
    (V*d_model + d_model*n_pos, ['S'])
    """
    weights = [Tensor("W_E", (vocabulary, width), "vector of each token", group="token embedding")]
    saved = profile.kept("embedding", {"tokens": TOKENS})
    if n_pos is not None:
        weights.append(Tensor("W_pos", (n_pos, width), "vector of each position", group="position embedding"))
        saved += profile.kept("position_embedding", {"positions": (S,)})
    if dropout:
        saved += profile.kept("embedding_dropout", {"input": (*TOKENS, width)}, label="dropout")
    if rotary_width is not None:
        saved += profile.kept("rotary_tables", {"table": (S, rotary_width), "half_table": (S, rotary_width / 2)})
    return Layer("embedding", tuple(weights), saved, source=profile.source)


def head(
    profile: Profile, *, vocabulary: sp.Expr = s.V, width: sp.Expr = d_model, tied: bool = False, bias: bool = False
) -> Layer:
    """Build the projection to the vocabulary and the cross entropy; a `tied` head has no weight of its own.

    The loss is the profile's: "cross_entropy" in the dtype of the logits, or "cross_entropy_fp32" after a conversion.

    >>> from symbolic_mem.models.profile import profile
    >>> [tensor.name for tensor in head(profile("torch-cuda-bf16")).saved]
    ['input', 'log probabilities', 'total weight']
    """
    projection = linear(profile, {"W_head": vocabulary}, width, bias=bias, group="head")
    if tied:
        projection = Layer("head", (), projection.saved, projection.matmuls, source=profile.source)
    loss = profile.kept(profile.loss, {"logits": (*TOKENS, vocabulary), "tokens": TOKENS})
    return join("head and loss", projection, keeping(profile, loss))
