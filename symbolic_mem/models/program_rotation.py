"""Queries and keys turned by their positions, on a `Tape`: whole heads, or parts of them that are joined with the rest.

Source: transformers 5.24 and plain PyTorch 2.13 modules, each operation followed on fake tensors.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.attention import by_parts_of_heads
from symbolic_mem.models.families import does
from symbolic_mem.models.profile import Profile
from symbolic_mem.models.tape import GRADIENT, Make, Tape, Value
from symbolic_mem.models.tensors import Tensor

ROTATION = "the rotation"
REST = "gradient with nothing for the others"


def turned(
    tape: Tape, a: Architecture, how: Profile, q: Value, k: Value, tables: tuple[Value, ...]
) -> tuple[Value, Value]:
    """Record the rotation of queries and keys, with tables in their own dtype, or in FP32 and converted back.

    What a family's code turns in parts stays named: queries and keys are then parts of one product.
    """
    tape.label = ROTATION
    if does(a.family, "joins"):
        return _in_parts(tape, a, q, k, in_turn=not does(a.family, "joins at once"))
    if by_parts_of_heads(a, how):
        found = _in_parts(tape, a, q, k)
        tape.drop(*_whole(q, k))
        return found
    size = how.compute if tables else how.bytes(how.row("rotary_tables")["cos"])
    if size == q.tensor.bytes_per_element:
        found = [do.rotate(tape, one, tables) for one in (q, k)]
    else:
        wide = [do.rotate_in_fp32(tape, one) for one in (q, k)]
        found = [do.cast(tape, one, q.tensor.bytes_per_element) for one in wide]
        tape.drop(*wide)
    tape.drop(*_whole(q, k))
    return found[0], found[1]


def _whole(*values: Value) -> Iterator[Value]:
    """Those that are tensors of their own; views of one product are there as long as that is."""
    return (one for one in values if one.view is None)


def part(tape: Tape, x: Value, width: sp.Expr, name: str = "a part of all") -> Value:
    """Look at a part of each row; its gradient is written among nothing for the others, unless it is all there is."""
    shape, size = x.tensor.shape, x.tensor.bytes_per_element
    out = Value(x.storage, x.needs, Tensor(name, (*shape[:-1], width), bytes_per_element=size))
    if width == shape[-1]:
        return tape.record(out, (), (), {x: GRADIENT})
    return tape.record(out, (), [Make(REST, shape, size)], {x: REST})


def _in_parts(tape: Tape, a: Architecture, q: Value, k: Value, *, in_turn: bool = False) -> tuple[Value, Value]:
    share = sp.S.One if a.d_rotary is None else a.d_rotary / a.d_head
    parts = []
    for one in (q, k):
        width = one.tensor.shape[-1]
        parts.append((part(tape, one, width * share), part(tape, one, width * (1 - share)), one))
    if in_turn:
        there = [(do.rotate(tape, some), rest, one) for some, rest, one in parts]
        found = [_joined(tape, *each) for each in there]
    else:
        found = [_joined(tape, do.rotate(tape, some), rest, one) for some, rest, one in parts]
    return found[0], found[1]


def _joined(tape: Tape, some: Value, rest: Value, like: Value) -> Value:
    """Copy what is turned and the rest into one tensor, whose gradient both look at."""
    out = tape.new("joined", like.tensor.shape, like.tensor.bytes_per_element)
    tape.drop(some)
    return tape.record(out, (), (), {some: GRADIENT, rest: GRADIENT})
