"""The MLP of a transformer block, plain or gated (Shazeer, 2020, GLU Variants, arXiv:2002.05202)."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base.symbols import d_ff, d_model
from symbolic_mem.models.linear import join, keeping, linear, needing
from symbolic_mem.models.profile import Profile, Shape
from symbolic_mem.models.tensors import LINEAR, Layer, Tensor

_LEARNED = {"xielu": ("alpha_p", "alpha_n")}


def mlp(
    profile: Profile,
    activation: str = "gelu",
    *,
    gated: bool = False,
    bias: bool = False,
    dropout: bool = False,
    fused_gate: bool = False,
    width: sp.Expr = d_model,
    inner: sp.Expr = d_ff,
    rows: Shape | None = None,
    producer: str = "",
    keep_input: bool = True,
    group: str = "mlp",
    stack: Shape = (),
) -> Layer:
    """Build an MLP from `width` to `inner` and back; `gated` multiplies a second projection into the activation.

    `activation` is an operation of profiles.toml, or "none". `fused_gate` makes both first projections with one
    weight. With `dropout` the output is dropped out.

    >>> from symbolic_mem.models.profile import profile
    >>> layer = mlp(profile("torch-cuda-bf16"), "silu", gated=True)
    >>> layer.parameters, [tensor.name for tensor in layer.saved]
    (3*d_ff*d_model, ['input', 'preactivation', 'activation', 'up', 'product'])
    """
    if not gated:
        first = {"W_in": inner}
    elif fused_gate:
        first = {"W_gate_up": 2 * inner}
    else:
        first = {"W_gate": inner, "W_up": inner}
    kept_rows = profile.inputs if rows is None else rows
    leaving = profile.stream if rows is None else rows
    rows = profile.inside if rows is None else rows
    shapes = {"inner": (*rows, inner)}
    kept = profile.kept(activation, shapes) + (profile.kept("gate", shapes) if gated else ())
    learned = tuple(
        Tensor(name, (sp.S.One,), "learned by the activation", group=group) for name in _LEARNED.get(activation, ())
    )
    last = "W_down" if gated else "W_out"
    fed = "product" if gated else "activation"
    if activation != "relu" and not needing(profile, (last,), group):  # only the gradient of the weight needs it
        kept = tuple(tensor for tensor in kept if tensor.name != fed)
    parts = [
        linear(
            profile,
            first,
            width,
            bias=bias,
            rows=rows,
            keeps_rows=kept_rows,
            producer=producer,
            keep_input=keep_input,
            group=group,
            stack=stack,
            enters=True,
        ),
        replace(keeping(profile, kept, {fed: LINEAR}), weights=learned),
        linear(
            profile,
            {last: width},
            inner,
            bias=bias,
            rows=rows,
            keep_input=False,
            group=group,
            stack=stack,
            leaves=True,
        ),
    ]
    if dropout:
        parts.append(keeping(profile, profile.kept("dropout", {"input": (*leaving, width)}, label="residual dropout")))
    return join("MLP", *parts)
