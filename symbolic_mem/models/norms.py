"""LayerNorm (Ba et al., 2016, arXiv:1607.06450) and RMSNorm (Zhang and Sennrich, 2019, arXiv:1910.07467)."""

from __future__ import annotations

from collections.abc import Collection

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import d_model
from symbolic_mem.models.linear import TOKENS
from symbolic_mem.models.profile import Profile, Shape
from symbolic_mem.models.tensors import Layer, Tensor

OPERATIONS = {"layer": "layernorm", "rms": "rmsnorm"}


def norm(
    profile: Profile,
    kind: str = "rms",
    *,
    name: str = "norm",
    width: sp.Expr = d_model,
    rows: Shape = TOKENS,
    gain: bool = True,
    bias: bool = False,
    heads: Shape = (),
    by_hand: bool = False,
    given: str = "residual",
    label: str = "",
    omit: Collection[str] = (),
) -> Layer:
    """Build a normalisation of `rows` of `width` elements: `kind` is "rms" or "layer", with a `gain` and a `bias`.

    `heads` are leading dimensions of these weights: each head has its own.

    `by_hand` is written out in elementary operations; `given` is the dtype of what is normalised: of the residual
    stream, or "compute" for queries and keys.

    >>> from symbolic_mem.models.profile import profile
    >>> [str(tensor.elements) for tensor in norm(profile("torch-cuda-bf16"), "layer", bias=True).saved]
    ['B*S*d_model', 'B*S', 'B*S']
    """
    weights = [Tensor(f"gain of the {name}", (*heads, width), "scale of each element", group="norm")] if gain else []
    if bias:
        weights.append(Tensor(f"bias of the {name}", (*heads, width), "shift of each element", group="norm"))
    if not profile.trained.trains("norm"):
        omit = (*omit, "normalised")  # the gradient of a frozen gain is not made
    operation = norm_operation(kind) + ("_by_hand" if by_hand else "")
    shapes = {"input": (*rows, width), "rows": rows, "width": (*heads, width)}
    return Layer(
        name=name,
        weights=tuple(weights),
        saved=profile.kept(operation, shapes, given=given, label=label, omit=omit),
        source=profile.source,
    )


def norm_operation(kind: str) -> str:
    """Return the operation of profiles.toml that a norm of this `kind` is; raises `BadInput` for an unknown kind."""
    if kind not in OPERATIONS:
        raise BadInput.unknown(f"unknown norm {kind!r}", kind, OPERATIONS)
    return OPERATIONS[kind]
