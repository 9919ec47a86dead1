"""What the modules of an engine compute in the MLP of a block, on a `Tape`.

Source: transformers 5.24 and plain PyTorch 2.13 modules, each operation followed on fake tensors.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.families import does
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.program_linear import product
from symbolic_mem.models.tape import Make, Tape, Value
from symbolic_mem.models.tensors import Tensor

KERNELS = ("gelu", "gelu_tanh", "silu")


def mlp_described(a: Architecture) -> bool:
    """Say whether the operations of an MLP are described."""
    if does(a.family, "joins at once"):
        return a.activation in KERNELS
    return a.activation in (*KERNELS, "relu") or (a.activation == "gelu_new" and not a.gated)


def mlp_program(
    tape: Tape, a: Architecture, how: Profile, x: Value, width: sp.Expr | None = None, group: str = "mlp"
) -> Value:
    """Record an MLP, plain or gated, with its dropout, of its own inner width or that of the `group` shared experts."""
    width = a.d_ff if width is None else width

    def projected(value: Value, name: str, shape: tuple[sp.Expr, sp.Expr]) -> Value:
        return product(tape, how, value, name, shape, group, bias=a.mlp_bias)

    def activated(value: Value) -> Value:
        tape.label = "the activation function"
        if a.activation in KERNELS:
            return do.pointwise(tape, value, a.activation)
        return do.kept_result(tape, value, "relu") if a.activation == "relu" else _gelu_by_hand(tape, value)

    if not a.gated:
        inner = projected(x, "W_in", (width, a.d_model))
        active = activated(inner)
        tape.drop(inner)
        out = projected(active, "W_out", (a.d_model, width))
        tape.drop(active)
        if a.residual_dropout == 0:
            return out
        dropped = do.dropped_out(tape, out)
        tape.drop(out)
        return dropped
    if does(a.family, "joins at once"):
        return _in_one(tape, a, projected, x)
    gate = projected(x, "W_gate", (width, a.d_model))
    active = activated(gate)
    tape.drop(gate)
    up = projected(x, "W_up", (width, a.d_model))
    tape.label = "the product of gate and up projection"
    inner = do.multiply(tape, active, up)
    tape.drop(active, up)
    out = projected(inner, "W_down", (a.d_model, width))
    tape.drop(inner)
    return out


def _in_one(tape: Tape, a: Architecture, projected: Callable[..., Value], x: Value) -> Value:
    """A gated MLP whose gate and up projection are one product, of which it has a name for a part to its end."""
    whole = projected(x, "W_gate_up", (2 * a.d_ff, a.d_model))
    made, size = whole.tensor, whole.tensor.bytes_per_element
    half = Tensor("a part of all", (*made.shape[:-1], a.d_ff), bytes_per_element=size)
    gate, up = (Value(whole.storage, view=half) for _ in range(2))
    tape.split(whole, (gate, up), Make("gradient of all", made.shape, size))
    tape.label = "the activation function"
    active = do.pointwise(tape, gate, a.activation)
    tape.label = "the product of gate and up projection"
    inner = do.multiply(tape, up, active)
    tape.drop(active)
    out = projected(inner, "W_down", (a.d_model, a.d_ff))
    tape.drop(inner, whole)
    return out


def _gelu_by_hand(tape: Tape, x: Value) -> Value:
    """x/2 (1 + tanh(c (x + d x^3))), each operation a tensor."""
    half = do.times(tape, x)
    cube = do.power(tape, x)
    some = do.times(tape, cube)
    tape.drop(cube)
    total = do.add(tape, x, some)
    tape.drop(some)
    scaled = do.times(tape, total)
    tape.drop(total)
    bent = do.kept_result(tape, scaled, "tanh")
    tape.drop(scaled)
    shifted = do.plus(tape, bent)
    tape.drop(bent)
    out = do.multiply(tape, half, shifted)
    tape.drop(half, shifted)
    return out
