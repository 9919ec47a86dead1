"""`Architecture`: what a decoder-only transformer is made of, in symbols, with the numbers of one model beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput, nearest

NORMS = ("rms", "layer")
NORM_PLACES = ("before", "after", "around")
QK_NORMS = ("", "head", "width")
POSITIONS = ("rotary", "learned", "alibi", "none")
ACTIVATIONS = ("relu", "relu2", "gelu", "gelu_tanh", "gelu_new", "gelu_bloom", "silu", "silu_clamped")


@dataclass(frozen=True)
class Latent:
    """Multi-head latent attention (DeepSeek-V2, section 2.1): queries, keys and values come from narrow vectors.

    `d_cq` is None when queries come straight from the residual stream (``q_lora_rank: null``).
    """

    d_c: sp.Expr = s.d_c
    d_cq: sp.Expr | None = s.d_cq
    d_nope: sp.Expr = s.d_nope
    d_rope: sp.Expr = s.d_rope
    d_v: sp.Expr = s.d_v


@dataclass(frozen=True)
class Experts:
    """A mixture of experts in place of the MLP: `experts` of inner width `d_expert`, of which a token visits `top_k`.

    `dense_layers` of the model keep an ordinary MLP of width `d_ff`; `d_shared` is the inner width of the shared
    experts together (zero: none). `router_bias` and `expert_bias` are parameters; `correction_bias` is the buffer
    of E numbers that balances the load in DeepSeek-V3 (section 2.1.2) and is not a parameter.
    """

    experts: sp.Expr = s.E
    top_k: sp.Expr = s.k
    d_expert: sp.Expr = s.d_expert
    d_shared: sp.Expr = sp.S.Zero
    dense_layers: sp.Expr = sp.S.Zero
    router_bias: bool = False
    expert_bias: bool = False
    correction_bias: bool = False


@dataclass(frozen=True)
class Architecture:
    """A decoder-only transformer; every size is an expression, by default the symbol of that name.

    `norm_place` is where a block normalises: ``before`` each of its two parts, ``after`` them (OLMo 2) or ``around``
    (Gemma: four norms). `qk_norm` normalises queries and keys per ``head`` (a weight of d_head each) or over their
    ``width`` (n_heads d_head and n_kv d_head). `numbers` are the sizes of one model, in the order of `symbols`;
    `assumptions` are one-line sentences that a document can print, and `unread` the fields of its file that nothing
    reads although they may change the model.

    >>> Architecture().n_kv, Architecture(numbers=((s.L, sp.Integer(2)),)).values()
    (n_kv, {L: 2})
    """

    name: str = "decoder-only transformer"
    family: str = ""
    # sizes
    layers: sp.Expr = s.L
    d_model: sp.Expr = s.d_model
    d_ff: sp.Expr = s.d_ff
    n_heads: sp.Expr = s.n_heads
    n_kv: sp.Expr = s.n_kv
    d_head: sp.Expr = s.d_head
    vocabulary: sp.Expr = s.V
    # norms
    norm: str = "rms"
    norm_bias: bool = False
    norm_place: str = "before"
    embedding_norm: bool = False
    qk_norm: str = ""
    # attention
    qkv_bias: bool = False
    o_bias: bool = False
    fused_qkv: bool = False
    sinks: bool = False
    position: str = "rotary"
    n_pos: sp.Expr = s.n_pos
    latent: Latent | None = None
    # MLP
    gated: bool = True
    activation: str = "silu"
    mlp_bias: bool = False
    fused_gate: bool = False
    experts: Experts | None = None
    # the ends and the whole
    tied: bool = False
    parallel_residual: bool = False
    attention_dropout: sp.Rational = sp.S.Zero
    residual_dropout: sp.Rational = sp.S.Zero
    embedding_dropout: sp.Rational = sp.S.Zero
    numbers: tuple[tuple[sp.Symbol, sp.Rational], ...] = ()
    assumptions: tuple[str, ...] = field(default=(), compare=False)
    unread: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for what, given, allowed in (
            ("norm", self.norm, NORMS),
            ("place of the norms", self.norm_place, NORM_PLACES),
            ("norm of queries and keys", self.qk_norm, QK_NORMS),
            ("position", self.position, POSITIONS),
            ("activation", self.activation, ACTIVATIONS),
        ):
            if given not in allowed:
                raise BadInput(f"the {what} is {given!r}; {nearest(given, filter(None, allowed))}")

    @property
    def expert_layers(self) -> sp.Expr:
        """Blocks with a mixture of experts; the other `layers` have an ordinary MLP."""
        return sp.S.Zero if self.experts is None else self.layers - self.experts.dense_layers

    @property
    def dense_layers(self) -> sp.Expr:
        """Blocks with an ordinary MLP."""
        return self.layers if self.experts is None else self.experts.dense_layers

    def values(self) -> dict[sp.Symbol, sp.Rational]:
        """Return the number of each symbol that this model fixes; empty for an architecture in symbols only."""
        return dict(self.numbers)
