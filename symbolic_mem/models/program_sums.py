"""Adapters of weights that all experts of a block have in one tensor, on a `Tape`: PEFT adds B A to it for every pass.

Source: PEFT 0.21, tuners/lora/layer.py: ParamWrapper, each operation followed on fake tensors.
"""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import r_lora
from symbolic_mem.models.architecture import Experts
from symbolic_mem.models.linear import SUMMED
from symbolic_mem.models.live import Storage
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.tape import GRADIENT, Applied, Free, Make, Shape, Tape, Value
from symbolic_mem.models.tensors import Tensor

FOUR = sp.Integer(4)


class Sums:
    """The sums of weights and adapters in a block, which keeps a name for each until its experts are done."""

    def __init__(self, tape: Tape, how: Profile, experts: Experts, width: sp.Expr) -> None:
        self.size, self.converts = how.compute, how.trained.converts
        self.factors: dict[str, tuple[Value, Value]] = {}
        self.named: list[Value] = []
        wanted = {
            "W_down": ("W_down", (experts.experts, width, experts.d_expert)),
            "W_gate": (SUMMED, (experts.experts, 2 * experts.d_expert, width)),
        }
        for one, (name, shape) in wanted.items():
            if how.trained.sums(one, "experts"):
                self.factors[name] = _factors(tape, how, name, shape)

    def sum(self, tape: Tape, name: str, shape: Shape) -> Value | None:
        """Add what the adapters give to the weights of all experts, where they have some."""
        if name not in self.factors:
            return None
        b, a = self.factors[name]
        size, label = self.size, tape.label
        tape.label = f"the sum of {name} and its adapters"
        out = tape.new("sum of weights and adapters", shape, size)
        self.named.append(out)
        steps: list[Make | Free | Applied] = [
            Make("by A", b.tensor.shape, size),
            Make("gradient of B", b.tensor.shape, size),
            Free("by A"),
            Make("by B", a.tensor.shape, size),
            Make("gradient of A", a.tensor.shape, size, "" if self.converts else "A"),
            Free("by B"),
        ]
        gives = {b: "gradient of B"} | ({a: "gradient of A"} if self.converts else {})
        tape.record(out, (), steps, gives)
        tape.label = label
        return out


def _factors(tape: Tape, how: Profile, name: str, shape: Shape) -> tuple[Value, Value]:
    """Look at B and A expert by expert, in the dtype of the weights; the gradient of B is laid out as it is stored.

    Where they are converted, the recipe counts these copies.
    """
    tape.label = f"the adapters of {name} of the experts"
    stack, out, width = shape
    size = how.compute
    shapes = (stack, out, r_lora), (stack, r_lora, width)
    b, a = (
        Value(Storage(Tensor(letter, one, bytes_per_element=size))) for letter, one in zip("BA", shapes, strict=True)
    )
    if how.trained.converts:
        tape.record(a, (), [Make("gradient", shapes[1], FOUR, "A")])
        steps = [Make("in FP32", shapes[0], FOUR), Free(GRADIENT), Make("gradient", shapes[0], FOUR, "B")]
        tape.record(b, (), steps)
    else:
        tape.record(b, (), [Make("gradient", shapes[0], size, "B")])
    return b, a
