"""Norms on a `Tape`: one kernel, or the elementary operations that transformers writes an RMSNorm out in."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.models import autograd as do
from symbolic_mem.models.profile import Profile, Shape
from symbolic_mem.models.tape import Tape, Value

Weights = tuple[tuple[str, Shape], ...]
FOUR = sp.Integer(4)


def norm_program(
    tape: Tape, kind: str, how: Profile, x: Value, rows: Shape, weights: Weights, *, by_hand: bool
) -> Value:
    """Record a norm of so many `rows`: a LayerNorm is one kernel, an RMSNorm one of plain modules, and not `by_hand`."""
    trained = how.trained.trains("norm")
    if kind == "layer" or not by_hand:
        return do.normalise(tape, x, rows, 2 if kind == "layer" else 1, weights if trained else ())
    wide = do.cast(tape, x, FOUR)
    squared = do.power(tape, wide)
    mean = do.mean(tape, squared, rows)
    tape.drop(squared)
    bounded = do.plus(tape, mean)
    rstd = do.rsqrt(tape, bounded)
    tape.drop(bounded)
    normal = do.multiply(tape, wide, rstd, reduced=rows)
    tape.drop(wide, rstd)
    narrow = do.cast(tape, normal, x.tensor.bytes_per_element)
    out = do.scale(tape, narrow, *weights[0], trained=trained)
    tape.drop(narrow, normal, mean)
    return out
