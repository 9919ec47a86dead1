"""Norms on a `Tape`: one kernel, or the elementary operations that transformers writes an RMSNorm out in.

Three kinds of these: the normalised rows are converted before they are scaled (Llama), after that (OLMo 2), or scaled by
one plus a gain in FP32 (Gemma).
"""

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
    row, size = how.row("rmsnorm"), x.tensor.bytes_per_element
    if "gain" in row:
        return _by_one_and_gain(tape, x, rows, *weights[0], trained=trained)
    wide = do.cast(tape, x, FOUR)
    squared = do.power(tape, wide)
    mean = do.mean(tape, squared, rows)
    tape.drop(squared)
    bounded = do.plus(tape, mean)
    rstd = do.rsqrt(tape, bounded)
    tape.drop(bounded)
    normal = do.multiply(tape, wide, rstd, reduced=rows)
    tape.drop(wide, rstd)
    if row.get("normalised", "input") == "input":  # a profile of one's own may keep none of them
        narrow = do.cast(tape, normal, size)
        out = do.scale(tape, narrow, *weights[0], trained=trained)
        tape.drop(narrow, normal, mean)
        return out
    scaled = do.scale(tape, normal, *weights[0], trained=trained, stored=size)
    out = do.cast(tape, scaled, size)
    tape.drop(scaled, normal, mean)
    return out


def _by_one_and_gain(tape: Tape, x: Value, rows: Shape, weight: str, shape: Shape, *, trained: bool) -> Value:
    size = x.tensor.bytes_per_element
    wide = do.cast(tape, x, FOUR)
    squared = do.power(tape, wide)
    mean = do.mean(tape, squared, rows)
    tape.drop(squared)
    bounded = do.plus(tape, mean)
    tape.drop(mean)
    rstd = do.rsqrt(tape, bounded)
    tape.drop(bounded)
    normal = do.multiply(tape, wide, rstd, reduced=rows)
    tape.drop(wide, rstd)
    converted = do.wide_weight(tape, weight, shape, size, trained=trained)
    gain = do.plus(tape, converted)
    tape.drop(converted)
    scaled = do.multiply(tape, normal, gain, reduced=shape)
    tape.drop(normal, gain)
    out = do.cast(tape, scaled, size)
    tape.drop(scaled)
    return out
