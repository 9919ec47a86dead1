"""A mixture of experts in place of the MLP.

Sources: Shazeer et al. (2017), arXiv:1701.06538; Dai et al. (2024), DeepSeekMoE, arXiv:2401.06066.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.symbols import d_model
from symbolic_mem.models.linear import join, keeping, linear
from symbolic_mem.models.mlp import mlp
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.tensors import Layer, Tensor


def moe(
    profile: Profile,
    activation: str = "silu",
    *,
    experts: sp.Expr = s.E,
    top_k: sp.Expr = s.k,
    d_expert: sp.Expr = s.d_expert,
    d_shared: sp.Expr = sp.S.Zero,
    width: sp.Expr = d_model,
    gated: bool = True,
    fused_gate: bool = False,
    router_bias: bool = False,
    expert_bias: bool = False,
    correction: bool = False,
    normalised: bool = True,
    shared_gate: bool = False,
    shared_bias: bool = False,
    routed_among: sp.Expr | None = None,
    gathered: sp.Expr = sp.S.One,
    load: sp.Expr = sp.S.One,
    producer: str = "",
) -> Layer:
    """Build a router, `experts` of inner width `d_expert` that see `top_k` choices of every token, and shared experts.

    No token is dropped and none is padded: the experts together see B S `top_k` rows. `d_shared` is the inner width
    of all shared experts together; `shared_gate` weighs what they give. The scores of the
    chosen experts are divided by their sum if they are `normalised`. The balancing
    bias of DeepSeek-V3 is a buffer and not counted; `correction` counts one that is a parameter. A rank that holds some
    of the experts is sent `load` times as many rows as it sends, once where their load is balanced; a token is `routed_among`
    all of them. Ranks with parts of the same experts work on what `gathered` ranks are sent.

    >>> from symbolic_mem.models.profile import profile
    >>> moe(profile("torch-cuda-bf16"), d_shared=s.d_expert).parameters
    3*E*d_expert*d_model + E*d_model + 3*d_expert*d_model
    """
    among, tokens = experts if routed_among is None else routed_among, profile.inputs
    rows = (*tokens, top_k)
    shapes = {
        "router": (*tokens, among),
        "choices": rows,
        "tokens": tokens,
        "expert_rows": (*rows, width),
        "experts": (among,),
        "input": (*tokens, width),
        "weight": (among, width),
    }
    router = linear(
        profile,
        {"W_router": among},
        width,
        rows=tokens,
        bias=router_bias,
        producer=producer,
        group="router",
        label="router",
        enters=True,
    )
    routed = mlp(
        profile,
        activation,
        gated=gated,
        fused_gate=fused_gate,
        bias=expert_bias,
        width=width,
        inner=d_expert,
        rows=(*tokens, top_k * gathered * load),
        producer=producer,
        group="experts",
        stack=(experts,),
    )
    omit = () if normalised else ("top_weights", "top_sum")
    omit += () if profile.trained.trains("router") else ("input_copy",)
    parts = [
        router,
        *_correction(among, correction),
        keeping(profile, profile.kept("router", shapes, omit=omit)),
        routed,
        keeping(profile, profile.kept("dispatch", shapes)),
    ]
    routed_input = profile.trained.trains("router")
    if d_shared != 0:
        # The shared experts read the tensor that the router keeps already, unless each converts it for itself.
        shared = mlp(
            profile,
            activation,
            gated=gated,
            width=width,
            inner=d_shared,
            bias=shared_bias,
            producer=producer,
            keep_input=(bool(producer) and not profile.shares_input(producer)) or not routed_input,
            group="shared experts",
        )
        parts.append(shared)
        if shared_gate:
            gate = linear(
                profile, {"W_shared_gate": sp.S.One}, width, keep_input=False, group="shared experts", enters=True
            )
            kept = profile.kept("shared_gate", {"tokens": tokens, "input": (*tokens, width)}, label="shared")
            parts.append(join("shared gate", gate, keeping(profile, kept)))
    return join("mixture of experts", *parts)


def _correction(experts: sp.Expr, counted: bool) -> Iterator[Layer]:
    if counted:
        bias = Tensor("b_correction", (experts,), "balances the experts; no gradient reaches it", group="router")
        yield Layer("correction", (bias,))
