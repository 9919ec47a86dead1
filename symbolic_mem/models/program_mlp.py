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


def mlp_described(a: Architecture, *, passing: bool) -> bool:
    """Say whether the operations of an MLP are described: where a block is `passing` tokens on, of plain modules all are."""
    if passing and not a.family:
        return True
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
        return ACTIVATIONS.get(a.activation, _in_one_kernel)(tape, value)

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


def _in_one_kernel(tape: Tape, x: Value) -> Value:
    return do.pointwise(tape, x, "activation function")


def _relu(tape: Tape, x: Value) -> Value:
    return do.kept_result(tape, x, "relu")


def _relu_squared(tape: Tape, x: Value) -> Value:
    bent = _relu(tape, x)
    out = do.power(tape, bent)
    tape.drop(bent)
    return out


def _xielu(tape: Tape, x: Value) -> Value:
    """Where x is positive a x² + b x, c (exp(min(x, e)) − 1 − x) + b x else, each operation a tensor."""
    learned = [tape.new(name, (), x.tensor.bytes_per_element) for name in ("a", "c")]
    positive = tape.new("where it is positive", x.tensor.shape, sp.S.One, needs=False)
    some = do.times(tape, x)
    square = do.multiply(tape, some, x)
    tape.drop(some)
    above = _with_line(tape, square, x)
    small = do.plus(tape, x)
    grown = do.kept_result(tape, small, "exponential")
    tape.drop(small)
    shifted = do.add(tape, grown, x)
    tape.drop(grown)
    scaled = do.times(tape, shifted)
    tape.drop(shifted)
    below = _with_line(tape, scaled, x)
    out = do.add(tape, above, below)
    tape.drop(positive, above, below, *learned)
    return out


def _with_line(tape: Tape, part: Value, x: Value) -> Value:
    line = do.times(tape, x)
    out = do.add(tape, part, line)
    tape.drop(part, line)
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


ACTIVATIONS = {  # in operations, where others are one kernel
    "relu": _relu,
    "relu2": _relu_squared,
    "gelu_new": _gelu_by_hand,
    "xielu": _xielu,
}
