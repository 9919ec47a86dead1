"""Linear layers of a block on a `Tape`: trained or frozen, with an adapter or without, packed or not."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import r_lora
from symbolic_mem.models import autograd as do
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.tape import Tape, Value

Shape = tuple[sp.Expr, sp.Expr]
FP32 = sp.Integer(4)


def product(
    tape: Tape,
    how: Profile,
    x: Value,
    name: str,
    shape: Shape,
    group: str,
    *,
    bias: bool = False,
    fused: bool = False,
) -> Value:
    """Multiply `x` by the weight `name` of `shape` (out, in), and add what its adapter gives, if it has one."""
    trained = how.trained
    tape.label = f"the product with {name}"
    whole, packed = trained.trains(group), trained.unpacks(group)
    out = do.linear(tape, x, name, shape, bias=bias, fused=fused, trained=whole, packed=packed)
    if not trained.adapts(name, group):
        return out
    tape.label = f"the adapter of {name}"
    converted = do.cast(tape, x, FP32) if trained.converts else x
    dropped = do.dropped_out(tape, converted) if trained.dropout else converted
    entering = do.cast(tape, dropped, x.tensor.bytes_per_element)
    if entering is not dropped and dropped is not converted:
        tape.drop(dropped)
    rank = trained.rank(name, r_lora)
    low = do.linear(tape, entering, f"A of {name}", (rank, shape[1]))
    if entering is not x:
        tape.drop(entering)
    wide = do.linear(tape, low, f"B of {name}", (shape[0], rank))
    tape.drop(low)
    scaled = do.times(tape, wide)
    tape.drop(wide)
    total = do.add(tape, out, scaled)
    tape.drop(out, scaled, *((converted,) if converted is not x else ()))  # PEFT has a name for it until it returns
    return total
