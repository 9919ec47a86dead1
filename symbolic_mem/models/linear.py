"""Linear layers that read one input, and the composition of small layers into larger ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.symbols import B, S, r_lora
from symbolic_mem.models.profile import Profile, Shape
from symbolic_mem.models.tensors import LINEAR, Layer, Matmul, Tensor

TOKENS = (B, S)
NOT_QUANTISED = ("router", "head")
SUMMED = "W_gate_up"


def linear(
    profile: Profile,
    outputs: Mapping[str, sp.Expr],
    width: sp.Expr,
    *,
    bias: bool = False,
    rows: Shape | None = None,
    keeps_rows: Shape | None = None,
    producer: str = "",
    keep_input: bool = True,
    group: str = "",
    stack: Shape = (),
    label: str = "",
    enters: bool = False,
    leaves: bool = False,
) -> Layer:
    """Build the linear layers from one input of `width` to `outputs`, which gives the output width of each by name.

    They keep their input once, or once each where `producer` hands it on in another dtype; not at all with
    `keep_input` off, because another operation keeps that tensor already. Where a rank multiplies `rows` that it has
    gathered, it may keep fewer: those of `keeps_rows`. `stack` are leading dimensions of the
    weights (experts). A frozen layer keeps no input unless it has an adapter (see `Trained`). Whether they read the residual
    stream or are added to it say `enters` and `leaves` (see `Matmul`).

    >>> from symbolic_mem.models.profile import profile
    >>> from symbolic_mem.base.symbols import d_ff, d_model
    >>> layer = linear(profile("torch-cuda-bf16"), {"W_gate": d_ff, "W_up": d_ff}, d_model)
    >>> layer.parameters, [tensor.name for tensor in layer.saved]
    (2*d_ff*d_model, ['input'])
    """
    rows = profile.inside if rows is None else rows
    kept_rows = rows if keeps_rows is None else keeps_rows
    weights, saved, matmuls = [], [], []
    feeds = "" if group in NOT_QUANTISED else LINEAR
    shared = not producer or profile.shares_input(producer)
    needed = needing(profile, outputs, group)
    for position, (name, out) in enumerate(outputs.items()):
        shape = (*stack, out, width)
        weights.append(Tensor(name, shape, "linear layer", group=group))
        if bias:
            weights.append(Tensor(name.replace("W", "b", 1), (*stack, out), "bias of a linear layer", group=group))
        kept = keep_input and name in needed and (name == needed[0] or not shared)
        for tensor in profile.kept("linear", {"input": (*kept_rows, width), "weight": shape}, label=label):
            if tensor.kind == "buffers":
                saved.append(Tensor(f"copy of {name}", shape, tensor.reason, tensor.bytes_per_element, kind="buffers"))
            elif kept:
                another = tensor.name if position == 0 else f"{tensor.name} for {name}"
                saved.append(replace(tensor, name=another, feeds=feeds))
        if profile.trained.adapts(name, group):
            added = _adapter(profile, name, (*stack, out), width, rows, kept_rows)
            weights += added.weights
            saved += added.saved
            first, second = added.matmuls  # what the second gives is added before the ranks sum
            matmuls += (replace(first, enters=enters), second)
        matmuls.append(Matmul(name, sp.Mul(*rows), width, out, group, enters, leaves))
    if any(profile.trained.sums(name, group) for name in outputs):
        added = _summed(
            profile, SUMMED if len(outputs) > 1 else next(iter(outputs)), stack, sp.Add(*outputs.values()), width
        )
        weights += added.weights
        saved += added.saved
        matmuls += added.matmuls
    saved.sort(key=lambda tensor: tensor.kind)
    return Layer("linear layers", tuple(weights), tuple(saved), tuple(matmuls), source=profile.source)


def needing(profile: Profile, names: Iterable[str], group: str) -> tuple[str, ...]:
    """Return those of the linear layers that need their input in the backward pass: all, unless they are frozen."""
    return tuple(name for name in names if profile.trained.needs_input(name, group))


def _adapter(profile: Profile, name: str, outs: Shape, width: sp.Expr, rows: Shape, kept_rows: Shape) -> Layer:
    """The adapter beside a product: two matrices of its rank, and what it keeps beside the input of the product."""
    rank = profile.trained.rank(name, r_lora)
    first, second = (*outs[:-1], rank, width), (*outs, rank)
    weights = (
        Tensor(f"A of {name}", first, "adapter, from the input to rank r", group="adapters"),
        Tensor(f"B of {name}", second, "adapter, from rank r to the output", group="adapters"),
    )
    saved = []
    shapes = {"input": (*kept_rows, width)}
    if profile.trained.dropout:
        saved += profile.kept("dropout", shapes, label=f"dropout before A of {name}:")
    if profile.trained.dropout or profile.trained.converts:
        done, how = ("dropped", "dropped out") if profile.trained.dropout else ("converted", "converted")
        reason = f"input of A, {how} for this adapter alone: the gradient of A needs it"
        for own in _inputs(profile, shapes | {"weight": first}):
            saved.append(replace(own, name=f"{done} input of A of {name}", reason=reason))
    for narrow in _inputs(profile, {"input": (*rows, rank), "weight": second}):
        saved.append(replace(narrow, name=f"A x for {name}", reason="input of B: the gradient of B needs it"))
    for label, shape in (("A", first), ("B", second)):
        copies = (t for t in profile.kept("linear", {"input": (*rows, rank), "weight": shape}) if t.kind == "buffers")
        saved += (replace(copy, name=f"copy of {label} of {name}") for copy in copies)
    tokens = sp.Mul(*rows)
    matmuls = (
        Matmul(f"A of {name}", tokens, width, rank, "adapters"),
        Matmul(f"B of {name}", tokens, rank, outs[-1], "adapters"),
    )
    return Layer("adapter", weights, tuple(saved), matmuls)


def _summed(profile: Profile, name: str, stack: Shape, out: sp.Expr, width: sp.Expr) -> Layer:
    """An adapter whose product is added to the weights of all experts (PEFT's ``target_parameters``), and their sum.

    Source: PEFT 0.21, tuners/lora/layer.py: ParamWrapper.
    """
    first, second = (*stack, r_lora, width), (*stack, out, r_lora)
    weights = (
        Tensor(f"A of {name} of the experts", first, "adapters, from the input to rank r", group="adapters"),
        Tensor(f"B of {name} of the experts", second, "adapters, from rank r to the output", group="adapters"),
    )
    reason = "the weights of all experts with what their adapters give: the gradients of the adapters and of the input need it"
    saved = (Tensor(f"sum of {name} and its adapters", (*stack, out, width), reason, profile.compute),)
    matmul = Matmul(f"B A of {name}", sp.Mul(*stack, out), r_lora, width, "adapters")
    return Layer("summed adapter", weights, saved, (matmul,))


def _inputs(profile: Profile, shapes: Mapping[str, Shape]) -> tuple[Tensor, ...]:
    """The input that a linear layer keeps under a profile, or would keep."""
    return tuple(one for one in profile.kept("linear", shapes) if one.kind == "activations")


def join(name: str, *parts: Layer, repeat: sp.Expr = sp.S.One, block: str = "") -> Layer:
    """Return one layer with the weights, saved tensors and matmuls of all `parts`, in their order."""
    return Layer(
        name=name,
        weights=tuple(weight for part in parts for weight in part.weights),
        saved=tuple(tensor for part in parts for tensor in part.saved),
        matmuls=tuple(matmul for part in parts for matmul in part.matmuls),
        repeat=repeat,
        source="; ".join(dict.fromkeys(part.source for part in parts if part.source)),
        block=block,
    )


def keeping(profile: Profile, saved: tuple[Tensor, ...], feeds: Mapping[str, str] | None = None) -> Layer:
    """Return a part without weights: the tensors that an operation keeps, and which of them `feeds` a linear layer."""
    known = feeds or {}
    saved = tuple(replace(one, feeds=known[one.name]) if one.name in known else one for one in saved)
    return Layer("operation", saved=saved, source=profile.source)
