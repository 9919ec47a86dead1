"""What the modules of an engine compute in the MLP of a block, on a `Tape`.

Source: transformers 5.24 and plain PyTorch 2.13 modules, each operation followed on fake tensors.
"""

from __future__ import annotations

import sympy as sp

from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.program_linear import product
from symbolic_mem.models.tape import Tape, Value

KERNELS = ("gelu", "gelu_tanh", "silu")


def mlp_described(a: Architecture) -> bool:
    """Say whether the operations of an MLP are described."""
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
