"""The two ends of a language model: token and position embeddings, and the head with the cross entropy."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.symbols import B, S, d_model
from symbolic_mem.models.linear import join, keeping, linear
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.tensors import EMBEDDING, Layer, Tensor


def embedding(
    profile: Profile,
    *,
    vocabulary: sp.Expr = s.V,
    width: sp.Expr = d_model,
    n_pos: sp.Expr | None = None,
    rotary_width: sp.Expr | None = None,
    dropout: bool = False,
    narrow: sp.Expr | None = None,
    without: tuple[str, ...] = (),
) -> Layer:
    """Build the token embedding, with learned positions if `n_pos` is given and rotary tables if `rotary_width` is.

    A `narrow` embedding has this width, and a projection leads from it to `width`. Where layers with a sliding window have tables
    of their own, some may be `without` use.

    >>> from symbolic_mem.models.profile import profile
    >>> layer = embedding(profile("torch-cuda-bf16"), n_pos=s.n_pos)
    >>> layer.parameters, [str(tensor.elements) for tensor in layer.saved]
    (V*d_model + d_model*n_pos, ['S'])
    """
    tokens = profile.inside
    weights = [Tensor("W_E", (vocabulary, narrow or width), "vector of each token", group="token embedding")]
    if narrow is not None:
        weights.append(Tensor("W_in", (width, narrow), "from the narrow embedding", group="token embedding"))
    ids = () if profile.trained.trains("token embedding") else ("token_ids", "scale")
    saved = profile.kept("embedding", {"tokens": tokens, "mask": (B, tokens[1], S)}, omit=ids)
    if n_pos is not None:
        weights.append(Tensor("W_pos", (n_pos, width), "vector of each position", group="position embedding"))
        if profile.trained.trains("position embedding"):
            saved += profile.kept("position_embedding", {"positions": tokens[1:], "tokens": tokens})
    if dropout:
        saved += profile.kept("embedding_dropout", {"input": (*profile.stream, width)}, label="dropout")
    if rotary_width is not None:
        shapes = {"table": (*tokens[1:], rotary_width), "half_table": (*tokens[1:], rotary_width / 2)}
        saved += profile.kept("rotary_tables", shapes, omit=without)
    return Layer(EMBEDDING, tuple(weights), saved, source=profile.source)


def head(
    profile: Profile,
    *,
    vocabulary: sp.Expr = s.V,
    width: sp.Expr = d_model,
    tied: bool = False,
    bias: bool = False,
    narrow: sp.Expr | None = None,
    logits: sp.Expr | None = None,
) -> Layer:
    """Build the projection to the vocabulary and the cross entropy; a `tied` head has no matrix of its own.

    Before it, a projection leads to the `narrow` width of the embedding, if it is given. The loss works on so many
    `logits` of a token (None: on all that the matrix gives), where a rank gathers what several have.
    The loss is the profile's: "cross_entropy" in the dtype of the logits, or "cross_entropy_fp32" after a conversion.

    >>> from symbolic_mem.models.profile import profile
    >>> [tensor.name for tensor in head(profile("torch-cuda-bf16")).saved]
    ['input', 'log probabilities', 'total weight']
    """
    projection = linear(
        profile,
        {"W_head": vocabulary},
        narrow or width,
        bias=bias,
        group="head",
        keeps_rows=profile.inputs,
        enters=narrow is None,
    )
    if tied:
        kept = tuple(weight for weight in projection.weights if weight.name != "W_head")
        projection = replace(projection, weights=kept)
    if narrow is not None:
        projection = join("head", linear(profile, {"W_out": narrow}, width, group="head", enters=True), projection)
    words, batch, tokens = logits or vocabulary, *profile.inside
    shapes = {"logits": (batch, tokens, words), "tokens": (batch, tokens)}
    shapes |= {f"{name} but the last": (batch, tokens - 1, *shape[2:]) for name, shape in shapes.items()}
    loss = profile.kept(profile.loss, shapes)
    return join("head and loss", projection, keeping(profile, loss))


def score(profile: Profile, labels: sp.Expr, *, width: sp.Expr = d_model, bias: bool = False, layers: int = 1) -> Layer:
    """Build a head that gives `labels` numbers instead of a token, of one linear layer or of two with a ReLU between.

    What its loss keeps is not described: a few numbers for each sequence.

    >>> from symbolic_mem.models.profile import profile
    >>> layer = score(profile("torch-cuda-bf16"), sp.Integer(2))
    >>> layer.parameters, [tensor.name for tensor in layer.saved]
    (2*d_model, ['input'])
    """
    two = layers == 2
    last = linear(
        profile, {"W_score": labels}, width, bias=bias or two, group="head", keep_input=not two, enters=not two
    )
    if not two:
        return replace(last, name="score head")
    first = linear(profile, {"W_hidden": width}, width, bias=True, group="head", enters=True)
    return join("score head", first, keeping(profile, profile.kept("relu", {"inner": (*profile.inside, width)})), last)
