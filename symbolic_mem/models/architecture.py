"""`Architecture`: what a decoder-only transformer is made of, in symbols, with the numbers of one model beside them."""

from __future__ import annotations

from dataclasses import field

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass

NORMS = ("rms", "layer")
NORM_PLACES = ("before", "after", "around")
QK_NORMS = ("", "head", "heads", "width", "plain")
POSITIONS = ("rotary", "learned", "alibi", "none")
ACTIVATIONS = ("relu", "relu2", "gelu", "gelu_tanh", "gelu_new", "gelu_bloom", "silu", "silu_clamped", "xielu")
HEADS = ("language model", "none", "score", "reward")


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
    of E numbers that balances the load in DeepSeek-V3 (section 2.1.2) and is not a parameter; where it is one that no
    gradient reaches, `correction_parameter` counts it. The scores of the
    chosen experts are divided by their sum where they are `normalised`. `shared_gate` weighs what
    the shared experts give by the sigmoid of one number for each token (Qwen2-MoE). On a rank that holds some of the
    experts a token is `routed_among` more (None: there are no others), and the rank gets `load` times the rows of a balanced
    load; ranks that have parts of the same experts gather the rows of `gathered` ranks. Of blocks of both kinds the first is dense, unless one with experts `leads`.
    """

    experts: sp.Expr = s.E
    top_k: sp.Expr = s.k
    d_expert: sp.Expr = s.d_expert
    d_shared: sp.Expr = sp.S.Zero
    dense_layers: sp.Expr = sp.S.Zero
    leads: bool = False
    router_bias: bool = False
    expert_bias: bool = False
    correction_bias: bool = False
    correction_parameter: bool = False
    normalised: bool = True
    shared_gate: bool = False
    routed_among: sp.Expr | None = None
    gathered: sp.Expr = sp.S.One
    load: sp.Expr = sp.S.One


@dataclass(frozen=True)
class Window:
    """Sliding windows: so many `layers` attend to the last `size` tokens only, the others to all.

    `kinds` say of each layer whether it is one of them, where that is known.
    """

    size: sp.Expr = s.S_window
    layers: sp.Expr = s.L_window
    kinds: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Architecture:
    """A decoder-only transformer; every size is an expression, by default the symbol of that name.

    `norm_place` is where a block normalises: ``before`` each of its two parts, ``after`` them (OLMo 2) or ``around``
    (Gemma: four norms); with `shared_norm` one norm feeds both parts, which then are parallel. A norm has a gain of
    its width unless `norm_gain` is off. `qk_norm` normalises queries and keys per ``head`` (a weight of d_head for all
    of them), per head with a weight for each of the ``heads``, per head without weights (``plain``), or over their
    ``width`` (n_heads d_head and n_kv d_head). `d_rotary` is the part of a head that is rotated, and `d_embed` the width
    of the embedding where a projection leads to d_model; None: all of it, and none. `head` is what ends the model: a
    ``score`` of `labels` numbers, the two layers of a ``reward`` model, or ``none``; `logits` are those of a token that the
    loss works on (None: one for each word of the vocabulary). After it come `mtp` modules that each predict one token more, as in
    DeepSeek-V3: see `models/prediction.py`; their projections give `joined` numbers a token (None: d_model). The projections of keys
    and of values give `projected` numbers each (None: n_kv d_head). `described` says whether what the
    blocks keep is known; if not, only their weights are counted, and where it `passes` what a pass of inference holds. `numbers` are the sizes of one model, in the order of
    `symbols`, and `reach` how many positions rotary ones are made for, where that is known, of which all tables together have `rotations`; `assumptions` are one-line sentences that a document can print, and `unread` the fields of its file that
    nothing reads although they may change the model.

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
    norm_gain: bool = True
    norm_bias: bool = False
    norm_place: str = "before"
    embedding_norm: bool = False
    final_norm: bool = True
    shared_norm: bool = False
    qk_norm: str = ""
    qk_norm_bias: bool = False
    # attention
    qkv_bias: bool = False
    o_bias: bool = False
    fused_qkv: bool = False
    projected: sp.Expr | None = None
    sinks: bool = False
    position: str = "rotary"
    n_pos: sp.Expr = s.n_pos
    d_rotary: sp.Expr | None = None
    latent: Latent | None = None
    window: Window | None = None
    # MLP
    gated: bool = True
    activation: str = "silu"
    mlp_bias: bool = False
    fused_gate: bool = False
    experts: Experts | None = None
    # the ends and the whole
    tied: bool = False
    head: str = "language model"
    head_bias: bool = False
    labels: sp.Expr = sp.S.One
    logits: sp.Expr | None = None
    d_embed: sp.Expr | None = None
    mtp: sp.Expr = sp.S.Zero
    joined: sp.Expr | None = None
    parallel_residual: bool = False
    attention_dropout: sp.Rational = sp.S.Zero
    residual_dropout: sp.Rational = sp.S.Zero
    embedding_dropout: sp.Rational = sp.S.Zero
    described: bool = True
    passes: bool = True
    numbers: tuple[tuple[sp.Symbol, sp.Rational], ...] = ()
    reach: int | None = field(default=None, compare=False)
    rotations: int | None = field(default=None, compare=False)
    assumptions: tuple[str, ...] = field(default=(), compare=False)
    unread: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for what, given, allowed in (
            ("norm", self.norm, NORMS),
            ("place of the norms", self.norm_place, NORM_PLACES),
            ("norm of queries and keys", self.qk_norm, QK_NORMS),
            ("position", self.position, POSITIONS),
            ("activation", self.activation, ACTIVATIONS),
            ("head", self.head, HEADS),
        ):
            if given not in allowed:
                raise BadInput.unknown(f"the {what} is {given!r}", given, filter(None, allowed))

    @property
    def expert_layers(self) -> sp.Expr:
        """Blocks with a mixture of experts; the other `layers` have an ordinary MLP."""
        return sp.S.Zero if self.experts is None else self.layers - self.experts.dense_layers

    @property
    def dense_layers(self) -> sp.Expr:
        """Blocks with an ordinary MLP."""
        return self.layers if self.experts is None else self.experts.dense_layers

    @property
    def turned(self) -> sp.Expr | None:
        """The part of a head that rotary positions turn; None without them."""
        if self.position != "rotary":
            return None
        return self.d_rotary or (self.d_head if self.latent is None else self.latent.d_rope)

    def values(self) -> dict[sp.Symbol, sp.Rational]:
        """Return the number of each symbol that this model fixes; empty for an architecture in symbols only."""
        return dict(self.numbers)
