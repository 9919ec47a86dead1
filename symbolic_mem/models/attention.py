"""Attention with many, few or one key-value head.

Sources: Vaswani et al. (2017), arXiv:1706.03762; Shazeer (2019), arXiv:1911.02150; Ainslie et al. (2023),
arXiv:2305.13245; rotation: Su et al. (2021), arXiv:2104.09864; kernels: Dao et al. (2022), arXiv:2205.14135.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, S, d_model
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.linear import TOKENS, join, keeping, linear, needing
from symbolic_mem.models.norms import norm
from symbolic_mem.models.profile import Profile, Shape
from symbolic_mem.models.tensors import AFTER_ATTENTION, SCORES, Layer, Matmul, Tensor

HEADS_WITH_KEYS = ("all", "some", "one")
BY_PARTS = ("eager", "math")  # kernels whose backward pass does not need what attention gives: its projection does
BY_HEAD = "out by head"  # what a kernel gives where the projection has a copy of its own, in rows


def attention(
    profile: Profile,
    *,
    n_heads: sp.Expr = s.n_heads,
    n_kv: sp.Expr = s.n_kv,
    d_head: sp.Expr = s.d_head,
    width: sp.Expr = d_model,
    rotary: bool = True,
    d_rotary: sp.Expr | None = None,
    qkv_bias: bool = False,
    o_bias: bool = False,
    fused_qkv: bool = False,
    qk_norm: str = "",
    qk_norm_kind: str = "rms",
    qk_norm_bias: bool = False,
    sinks: bool = False,
    attention_dropout: bool = False,
    dropout: bool = False,
    heads_with_keys: str = "some",
    producer: str = "",
    projected: sp.Expr | None = None,
) -> Layer:
    """Build causal self-attention and its projections, with the attention kernel of the profile.

    `heads_with_keys` says whether "all" query heads have keys of their own, "some" (grouped queries) or "one": an
    engine that repeats keys for every query head copies nothing for "all". `qk_norm` and `projected` are as in `Architecture`.

    >>> from symbolic_mem.models.profile import profile
    >>> layer = attention(profile("torch-cuda-bf16", kernel="flash"))
    >>> [tensor.name for tensor in layer.saved]
    ['input', 'q', 'k', 'v', 'out', 'logsumexp', 'seed', 'offset']
    """
    if heads_with_keys not in HEADS_WITH_KEYS:
        raise BadInput.unknown(f"heads_with_keys is {heads_with_keys!r}", heads_with_keys, HEADS_WITH_KEYS)
    q, kv, rows = n_heads * d_head, n_kv * d_head, profile.inside
    made = kv if projected is None else projected
    outputs = {"W_qkv": q + 2 * made} if fused_qkv else {"W_q": q, "W_k": made, "W_v": made}
    parts = [
        linear(
            profile,
            outputs,
            width,
            bias=qkv_bias,
            producer=producer,
            group="attention",
            keeps_rows=profile.inputs,
            enters=True,
        )
    ]
    parts += _qk_norms(profile, qk_norm, qk_norm_kind, qk_norm_bias, n_heads, n_kv, d_head)
    if sinks:
        parts.append(Layer("sinks", (Tensor("sinks", (n_heads,), "logit of attending nowhere", group="attention"),)))
    if rotary:
        shapes = {"q": (*rows, q), "k": (*rows, kv), "table": (rows[1], d_rotary or d_head), "positions": rows[1:]}
        parts.append(keeping(profile, profile.kept("rotary", shapes)))
    # Without rotation, norm or repetition the values are views of the fused projection, which is kept whole.
    v_stored = q + 2 * kv if fused_qkv and rotary else kv
    columns = profile.tokens.attended + (1 if sinks else 0)
    shapes = core_shapes(q, kv, q, n_heads, columns, rows) | {
        "v": (*rows, v_stored),
        "k_expanded": (*rows, q if heads_with_keys == "some" else kv),
        "v_expanded": (*rows, {"some": q, "one": kv, "all": v_stored}[heads_with_keys]),
    }
    parts.append(core(profile, shapes, d_head, d_head, n_heads, dropout=attention_dropout))
    parts.append(linear(profile, {"W_o": width}, q, bias=o_bias, keep_input=False, group="attention", leaves=True))
    if dropout:
        parts.append(
            keeping(profile, profile.kept("dropout", {"input": (*profile.stream, width)}, label="residual dropout"))
        )
    return join("attention", *parts)


def repeats(how: Profile) -> bool:
    """Say whether the attention kernel of a profile is given keys that are repeated for every query head.

    >>> from symbolic_mem.models.profile import profile
    >>> [repeats(profile("hf-cuda-bf16", kernel=kernel)) for kernel in ("flash", "flash_gqa")]
    [True, False]
    """
    keys = how.row(f"attention {how.kernel}").get("k")
    return isinstance(keys, Mapping) and keys["shape"] in ("k_expanded", "k_repeated")


def heads_with_keys(n_kv: sp.Expr, n_heads: sp.Expr, values: Mapping[sp.Symbol, sp.Rational]) -> str:
    """Say which of the query heads have keys of their own: all of them, some, or one.

    >>> heads_with_keys(s.n_kv, s.n_heads, {s.n_kv: sp.Integer(1)})
    'one'
    """
    n_kv, n_heads = n_kv.xreplace(dict(values)), n_heads.xreplace(dict(values))
    return "all" if n_kv == n_heads else "one" if n_kv == 1 else "some"


def given(a: Architecture, how: Profile) -> tuple[Tensor, ...]:
    """Return what a block is given beside its input, in copies of its own: rotary tables that it has converted."""
    row = how.row("rotary") if how.given else {}
    copied = how.kept("rotary", {"table": (how.inside[1], a.d_head)}) if row else ()
    return tuple(one for one in copied if one.name in how.given)


def by_parts_of_heads(a: Architecture, how: Profile) -> bool:
    """Say whether plain modules turn a part of each head and join it with the rest: what FlashAttention is given then is laid out by heads.

    Source: PyTorch 2.13, torch.cat of views of heads, and _scaled_dot_product_flash_attention, whose result is laid out as its queries are.
    """
    return how.engine in ("torch-cuda", "torch-meta") and a.position == "rotary" and a.d_rotary is not None


def two_kinds(how: Profile) -> bool:
    """Whether layers with a sliding window have rotary tables of their own, and a mask, even where all layers are of one kind."""
    return "cos_local" in how.row("rotary_tables")


def core_shapes(
    q: sp.Expr, kv: sp.Expr, out: sp.Expr, n_heads: sp.Expr, columns: sp.Expr, rows: Shape = TOKENS
) -> dict[str, Shape]:
    """Return the shapes of operation "attention" for projections of width `q`, `kv` and `out`, of `rows` of tokens."""
    batch, tokens = rows
    return {
        "q": (*rows, q),
        "k": (*rows, kv),
        "k_repeated": (*rows, q),
        "v_repeated": (*rows, out),
        "v_copied": (*rows, kv),
        "out": (*rows, out),
        "scores": (batch, n_heads, tokens, columns),
        "square": (tokens, S),
        "heads": (batch, n_heads, tokens),
        "padded": (
            batch,
            n_heads,
            32 * sp.ceiling(tokens / 32, evaluate=not tokens.is_Symbol),
        ),  # which has no whole part
    }


def core(
    profile: Profile, shapes: dict[str, Shape], d_qk: sp.Expr, d_v: sp.Expr, n_heads: sp.Expr, *, dropout: bool = False
) -> Layer:
    """Build softmax(q k) v with the profile's kernel: its saved tensors and its two products, not halved by a mask."""
    row = f"attention {profile.kernel}"
    if dropout and profile.kernel not in profile.regenerates:
        row += "_dropout"
    queries, attended = B * n_heads * profile.tokens.inside, profile.tokens.attended
    saved = keeping(profile, profile.kept(row, shapes), {"out": AFTER_ATTENTION}).saved
    of_projection = profile.kernel.startswith(BY_PARTS) or any(tensor.name == BY_HEAD for tensor in saved)
    if of_projection and not needing(profile, ("W_o",), "attention"):
        saved = tuple(tensor for tensor in saved if tensor.name != "out")
    return Layer(
        "attention core",
        saved=saved,
        matmuls=(
            Matmul("q k", queries, d_qk, attended, SCORES),
            Matmul("p v", queries, attended, d_v, SCORES),
        ),
        source=profile.source,
    )


def _qk_norms(
    profile: Profile, place: str, kind: str, bias: bool, n_heads: sp.Expr, n_kv: sp.Expr, d_head: sp.Expr
) -> Iterator[Layer]:
    if not place:
        return
    for letter, heads in (("q", n_heads), ("k", n_kv)):
        rows, width = (profile.inside, heads * d_head) if place == "width" else ((*profile.inside, heads), d_head)
        yield norm(
            profile,
            kind,
            name=f"{letter} norm",
            width=width,
            rows=rows,
            gain=place != "plain",
            bias=bias,
            heads=(heads,) if place == "heads" else (),
            given="compute",
            label=f"{letter} norm",
        )
