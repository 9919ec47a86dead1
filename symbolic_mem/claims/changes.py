"""What slips do: each takes a `Case` and returns the slipped one, or None where it cannot occur."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import lookup, spelled
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.amounts import (
    add_state,
    count_active,
    count_file,
    count_kinds,
    count_tied,
    divide_only,
    forget_ahead,
    forget_kind,
    forget_matrix,
    forget_momentary,
    forget_saved,
    forget_there,
    forget_weights,
    keep_moments,
    multiply_experts,
    set_gradients,
    size_of,
    sum_what_is_kept,
    take_instant,
)
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.spread import take_all, take_one
from symbolic_mem.claims.worked import forget_share, stop_before
from symbolic_mem.hardware.catalogue import device as device_of
from symbolic_mem.plans.placement import Placed
from symbolic_mem.study.setting import OneDevice

Slipped = Callable[..., Case | None]


def read_capacity(case: Case, unit: str) -> Case | None:
    """Read the label of the device with the other meaning of its unit: GB for GiB, or GiB for GB."""
    if not case.study.device.known:
        return None
    if case.study.device.name is not None:
        return read_label(case, {"GB": "marketed", "GiB": "binary"}[unit])
    capacity = case.study.capacity
    if {capacity.unit, unit} != {"GB", "GiB"}:
        return None
    nominal = Fraction(capacity.nominal, BYTES_PER[capacity.unit]) * BYTES_PER[unit]
    if nominal.denominator != 1:
        return None
    device = OneDevice(amount=f"{nominal} B", reserved=capacity.reserved, usable=capacity.usable)
    return replace(case, study=case.study.on_device(device))


def read_label(case: Case, reading: str) -> Case | None:
    """Count the bytes of a device of the catalogue in another reading of its label."""
    device = case.study.device
    if device.name is None:
        return None
    known = device_of(device.name, case.study.devices)
    if reading == (device.reading or known.nearest_reading) or getattr(known, reading) is None:
        return None
    return replace(case, study=case.study.on_device(replace(device, reading=reading)))


def show(case: Case, unit: str) -> Case:
    """Write the number of one unit with the name of another: ``binary``, ``decimal``, ``thousands``, ``billions``, ``things``."""
    return case.reading(shown=unit)


def set_rest(case: Case, rest: str) -> Case | None:
    """Keep or drop what is not divided, against the question."""
    return _placed(case, lambda placed: replace(placed, rest=rest) if placed.fraction < 1 else placed)


def set_fraction(case: Case, whole: bool) -> Case | None:
    """Divide also the part that is not divided, or keep all of a kind on every device that keeps a part of it."""
    share = sp.S.One if whole else sp.S.Zero

    def slipped(placed: Placed) -> Placed:
        partly = 0 < placed.fraction < 1 and (whole or placed.rest == "kept")
        return replace(placed, fraction=share) if partly else placed

    return _placed(case, slipped)


def set_value(case: Case, **formulas: str) -> Case | None:
    """Use the value of a formula for a symbol: ``S = "1"``, ``n_kv = "n_heads"``; None where no such model has these sizes."""
    given = case.study.values
    values = dict(given)
    for name, formula in formulas.items():
        symbol, expr = lookup(name), _formula(formula)
        if symbol is None or symbol not in values or expr.free_symbols - set(values):
            return None
        values[symbol] = expr.xreplace(dict(given))
    if values == dict(given):
        return None
    try:
        case.study.built.check(values, "a slip")
    except BadInput:
        return None
    return replace(case, study=replace(case.study, values=values))


def take_bytes(case: Case, each: int) -> Case:
    """Take the bytes of all parameters for their number."""
    return case.reading(times=each)


def round_count(case: Case, how: str) -> Case:
    """Round a count down, to the nearest whole number, or not at all, instead of up."""
    return case.reading(rounding=how)


def round_before(case: Case, how: str) -> Case:
    """Round or cut amounts to three figures before they are divided."""
    return case.reading(before=how)


def cut_figures(case: Case) -> Case:
    """Cut the figures of the result off instead of rounding them."""
    return case.reading(cut=True)


def other_strictness(case: Case) -> Case | None:
    """Take "less than" for "at most", or the other way round."""
    return _question(case, "strict", lambda strict: not strict)


def set_overlap(case: Case) -> Case | None:
    """Add the times along the axes where the question takes the longest, or the other way round."""
    return _question(case, "overlap", lambda overlap: "max" if overlap == "sum" else "sum")


def set_axes(case: Case) -> Case | None:
    """Choose the best mesh where the question gives one, or the other way round."""
    if case.question is None or case.question.subject != "layers":
        return None
    from symbolic_mem.questions.compute_bound import ComputeBound

    if not isinstance(case.question, ComputeBound):
        return None
    axes = "given" if case.question.resolved(case.study).axes == "optimal" else "optimal"
    return replace(case, question=replace(case.question, axes=axes))


def forget_rules(case: Case) -> Case | None:
    """Take the smallest number that fits, and forget the rules that it must also obey."""
    hosts = {name: None for name in ("host", "per_host") if getattr(case.question, name, None) is not None}
    if not getattr(case.question, "rules", ()) and not hosts:
        return None
    bare = dict.fromkeys(("whole_samples", "padded_rows", "multiple_of", "power_of_two", "divides", "at_most"), ())
    return replace(case, question=replace(case.question, **bare, **hosts))  # ty: ignore[invalid-argument-type]


def count_another(case: Case, of: str, taken: str) -> Case | None:
    """Take another number of the account for the one that is claimed."""
    return replace(case, taken=(of, taken)) if case.question is None else None


def count_per(case: Case, unit: str) -> Case:
    """Count the batch per chip, per rank, in sequences or whole, whatever is asked."""
    return case.reading(per=unit)


def round_first(case: Case, unit: str) -> Case:
    """Round the batch up on each chip or rank before it is put together."""
    return case.reading(first=unit)


@cache
def _formula(formula: str) -> sp.Expr:
    return read_formula(formula, spelled(), "a slip")


def _question(case: Case, name: str, change: Callable[[object], object]) -> Case | None:
    """The case with one key of its question changed; None where the question has no such key."""
    if not hasattr(case.question, name):
        return None
    changed = {name: change(getattr(case.question, name))}
    return replace(case, question=replace(case.question, **changed))  # ty: ignore[invalid-argument-type]


def _placed(case: Case, change: Callable[[Placed], Placed]) -> Case | None:
    placement = {kind: change(placed) for kind, placed in case.study.placement.items()}
    changed = placement != dict(case.study.placement)
    return replace(case, study=replace(case.study, placement=placement)) if changed else None


CHANGES: dict[str, Slipped] = {
    change.__name__: change
    for change in (
        sum_what_is_kept,
        take_instant,
        forget_momentary,
        forget_there,
        forget_ahead,
        set_gradients,
        read_capacity,
        read_label,
        show,
        set_rest,
        set_fraction,
        count_kinds,
        forget_kind,
        keep_moments,
        add_state,
        size_of,
        set_value,
        forget_saved,
        forget_weights,
        forget_matrix,
        divide_only,
        take_bytes,
        count_file,
        count_active,
        count_another,
        count_tied,
        multiply_experts,
        round_count,
        round_before,
        cut_figures,
        other_strictness,
        set_overlap,
        set_axes,
        forget_rules,
        count_per,
        round_first,
        take_one,
        take_all,
        forget_share,
        stop_before,
    )
}
# What only leaves memory out, or only adds some, whatever else slipped, on each device at each instant.
FORGETTING = frozenset(
    change.__name__ for change in (count_kinds, forget_kind, forget_saved, forget_weights, forget_matrix)
)
ADDING = frozenset((add_state.__name__,))
