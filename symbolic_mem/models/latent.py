"""Multi-head latent attention (DeepSeek-AI, 2024, DeepSeek-V2, arXiv:2405.04434, section 2.1)."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.symbols import d_model
from symbolic_mem.models.attention import core, core_shapes
from symbolic_mem.models.linear import join, linear
from symbolic_mem.models.norms import norm, norm_operation
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.tensors import Layer


def latent_attention(
    profile: Profile,
    *,
    n_heads: sp.Expr = s.n_heads,
    d_c: sp.Expr = s.d_c,
    d_cq: sp.Expr | None = s.d_cq,
    d_nope: sp.Expr = s.d_nope,
    d_rope: sp.Expr = s.d_rope,
    d_v: sp.Expr = s.d_v,
    width: sp.Expr = d_model,
    norm_kind: str = "rms",
    qkv_bias: bool = False,
    o_bias: bool = False,
    attention_dropout: bool = False,
    producer: str = "",
) -> Layer:
    """Build attention whose keys and values come from a vector of `d_c`, and queries from one of `d_cq` (None: none).

    In training the narrow vectors are expanded: every head has keys of `d_nope` + `d_rope` and values of `d_v`.

    >>> from symbolic_mem.models.profile import profile
    >>> layer = latent_attention(profile("torch-cuda-bf16"))
    >>> [weight.name for weight in layer.weights][:4]
    ['W_q_down', 'W_kv_down', 'gain of the q norm', 'W_q_up']
    """
    q, kv, out = n_heads * (d_nope + d_rope), n_heads * (d_nope + d_v), n_heads * d_v
    down = {"W_q": q} if d_cq is None else {"W_q_down": d_cq}
    down["W_kv_down"] = d_c + d_rope
    narrow_rows = profile.inputs
    first = linear(
        profile, down, width, rows=narrow_rows, bias=qkv_bias, producer=producer, group="attention", enters=True
    )
    if d_cq is None:  # in DeepSeek's code only the narrowing projections have the bias that a config can ask for
        first = replace(first, weights=tuple(weight for weight in first.weights if weight.name != "b_q"))
    parts = [first]
    if d_cq is not None:
        parts.append(
            norm(profile, norm_kind, name="q norm", width=d_cq, rows=narrow_rows, given="compute", label="q norm")
        )
        parts.append(
            linear(profile, {"W_q_up": q}, d_cq, keeps_rows=narrow_rows, group="attention", label="narrow query")
        )
    parts.append(_norm_of_a_part(profile, norm_kind, d_c, d_c + d_rope))
    parts.append(
        linear(profile, {"W_kv_up": kv}, d_c, keeps_rows=narrow_rows, group="attention", label="narrow key-value")
    )
    shapes = core_shapes(q, q, out, n_heads, profile.tokens.attended, profile.inside)
    shapes |= dict.fromkeys(("v", "v_expanded"), (*profile.inside, kv))  # a view: the whole expanded vector stays
    shapes |= {"k_expanded": shapes["k"], "v_copied": shapes["out"]}
    parts.append(core(profile, shapes, d_nope + d_rope, d_v, n_heads, dropout=attention_dropout))
    parts.append(linear(profile, {"W_o": width}, out, bias=o_bias, keep_input=False, group="attention", leaves=True))
    return join("attention", *parts)


def _norm_of_a_part(profile: Profile, kind: str, width: sp.Expr, buffer: sp.Expr) -> Layer:
    """Build the norm of the first `width` of a projection; its unconverted input keeps the whole `buffer`."""
    rows = profile.inputs
    layer = norm(profile, kind, name="kv norm", width=width, rows=rows, given="compute", label="kv norm")
    if profile.row(norm_operation(kind)).get("input") != "input":
        return layer
    saved = tuple(
        replace(tensor, shape=(*rows, buffer)) if tensor.name == "kv norm input" else tensor for tensor in layer.saved
    )
    return replace(layer, saved=saved)
