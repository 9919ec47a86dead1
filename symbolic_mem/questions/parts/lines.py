"""The named lines of an account and of a bound on a degree: what a ledger of memory holds."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.ledger import Line
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import C_mem, M_device, M_divided, M_fixed, M_static, M_total, P, local
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.questions.parts.words import KIND_SYMBOLS, KIND_WORDS
from symbolic_mem.solvers.bound import Bound
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.inverse import UpperBound
from symbolic_mem.study.study import Study

M_free = local("M", "free")
FREE = Line(M_free, C_mem - M_device, "bytes", "what is free on one device", of_one="device")


def capacity_line(capacity: Capacity) -> Line:
    """What counts of the memory of one device."""
    return Line(C_mem, symbolic(capacity.counted), "bytes", "what counts of one device", of_one="device")


def account_lines(study: Study, kinds: Sequence[str]) -> tuple[Line, ...]:
    """The parameters, the memory of each of the `kinds` that is kept, the states together, and all of it."""
    kept = study.seen_at(None)
    memory = kept.memory.of(*kinds)
    lines = [Line(P, study.model.parameters, "parameters", "number of parameters")]
    lines += [Line(KIND_SYMBOLS[kind], memory.of(kind).total, "bytes", KIND_WORDS[kind]) for kind in memory.kinds]
    static = [KIND_SYMBOLS[kind] for kind in memory.kinds if kind in STATIC]
    rest = [KIND_SYMBOLS[kind] for kind in memory.kinds if kind not in STATIC]
    lines.append(Line(M_static, sp.Add(*static), "bytes", "weights, gradients and optimizer state"))
    lines.append(Line(M_total, sp.Add(M_static, *rest), "bytes", "all that is counted"))
    return tuple(lines)


def degree_lines(bound: Bound, capacity: Capacity, fullest: sp.Expr | None = None) -> tuple[Line, ...]:
    """What is divided over the degree, what is not, what one device has, and what it holds.

    `fullest` is what it holds at the instant at which that is most, where there are several.
    """
    return (
        Line(M_divided, bound.divided, "bytes", "what is divided over the devices"),
        Line(M_fixed, bound.fixed, "bytes", "what every device holds in full", of_one="device"),
        capacity_line(capacity),
        Line(
            M_device,
            M_fixed + M_divided / bound.symbol if fullest is None else fullest,
            "bytes",
            "what one device holds",
            of_one="device",
        ),
        FREE,
    )


def power_lines(bound: UpperBound, capacity: Capacity, fullest: sp.Expr | None = None) -> tuple[Line, ...]:
    """The coefficients of the powers of an unknown, what one device has, and what it holds: see `degree_lines`."""
    coefficients = [Line(local("a", str(k)), a, "bytes", f"factor of {bound.symbol}^{k}") for k, a in bound.powers]
    held = sp.Add(*(line.symbol * bound.symbol**k for line, (k, _) in zip(coefficients, bound.powers, strict=True)))
    return (
        *coefficients,
        capacity_line(capacity),
        Line(M_device, held if fullest is None else fullest, "bytes", "what one device holds", of_one="device"),
        FREE,
    )
