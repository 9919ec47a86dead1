"""The changes that slips are made of: each takes a `Case` and returns the slipped one, or None where it cannot occur."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import lookup, table
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.case import Case
from symbolic_mem.models.tensors import Layer, Tensor
from symbolic_mem.recipes.states import State

Change = Callable[..., Case | None]


def read_capacity(case: Case, unit: str) -> Case | None:
    """Read the label of the device with the other meaning of its unit: GB for GiB, or GiB for GB."""
    capacity = case.capacity
    if capacity is None or {capacity.unit, unit} != {"GB", "GiB"}:
        return None
    nominal = Fraction(capacity.nominal, BYTES_PER[capacity.unit]) * BYTES_PER[unit]
    if nominal.denominator != 1:
        return None
    return replace(case, capacity=replace(capacity, nominal=int(nominal), unit=unit, reading=None))


def show(case: Case, unit: str) -> Case:
    """Write the number of one unit with the name of the other: ``binary`` as decimal, or ``decimal`` as binary."""
    return replace(case, shown=unit)


def set_rest(case: Case, rest: str) -> Case | None:
    """Keep or drop what is not divided, against the question."""
    changed = tuple((k, replace(p, rest=rest) if p.fraction < 1 else p) for k, p in case.placement)
    return None if changed == case.placement else replace(case, placement=changed)


def set_fraction(case: Case, whole: bool) -> Case | None:
    """Divide also the part that every device keeps, or divide nothing of a kind that is divided in part."""
    share = sp.S.One if whole else sp.S.Zero
    changed = tuple((k, replace(p, fraction=share) if 0 < p.fraction < 1 else p) for k, p in case.placement)
    return None if changed == case.placement else replace(case, placement=changed)


def count_kinds(case: Case, kinds: list[str]) -> Case | None:
    """Count only some kinds of memory."""
    kept = tuple(kind for kind in case.kinds if kind in kinds)
    return None if not kept or kept == case.kinds else replace(case, kinds=kept)


def forget_kind(case: Case, kind: str) -> Case | None:
    """Leave one kind of memory out."""
    return None if kind not in case.present else replace(case, without=case.without | {kind})


def keep_moments(case: Case, copies: int) -> Case | None:
    """Keep fewer values for the optimizer's algorithm than it has."""
    states = tuple(replace(s, copies=copies) if s.moment and s.copies > copies else s for s in case.recipe.states)
    kept = tuple(state for state in states if state.copies)
    return None if kept == case.recipe.states else replace(case, recipe=replace(case.recipe, states=kept))


def add_state(case: Case, kind: str, size: int) -> Case:
    """Keep something more for every parameter."""
    more = State("added by the slip", kind, sp.Integer(size))
    return replace(case, recipe=replace(case.recipe, states=(*case.recipe.states, more)))


def size_of(case: Case, kind: str, size: int) -> Case | None:
    """Use another number of bytes for each element of a kind."""
    recipe = case.recipe
    if kind == "activations":
        changed = replace(recipe, activations=sp.Integer(size))
    else:
        states = tuple(replace(s, bytes_per_element=sp.Integer(size)) if s.kind == kind else s for s in recipe.states)
        changed = replace(recipe, states=states)
    return None if changed == recipe else replace(case, recipe=changed)


def set_value(case: Case, **formulas: str) -> Case | None:
    """Use the value of a formula for a symbol: ``S = "1"``, ``n_kv = "n_heads"``."""
    values = case.at
    names = {str(name.symbol): name.symbol for name in table(given=True)}
    for name, formula in formulas.items():
        symbol = lookup(name)
        expr = read_formula(formula, names, "a slip")
        if symbol is None or symbol not in values or expr.free_symbols - set(values):
            return None
        values[symbol] = expr.xreplace(case.at)
    changed = tuple(values.items())
    return None if changed == case.values else replace(case, values=changed)


def forget_saved(case: Case, tensor: str) -> Case | None:
    """Leave out one of the tensors that are kept for the backward pass."""
    return _layers(case, "saved", lambda one: one.name == tensor)


def forget_weights(case: Case, group: str) -> Case | None:
    """Leave out a group of weights, such as the head."""
    return _layers(case, "weights", lambda one: one.group == group)


def round_count(case: Case, how: str) -> Case:
    """Round a count down or to the nearest whole number instead of up."""
    return replace(case, rounding=how)


def round_before(case: Case, how: str) -> Case:
    """Round or cut amounts to three figures before they are divided."""
    return replace(case, before=how)


def cut_figures(case: Case) -> Case:
    """Cut the figures of the result off instead of rounding them."""
    return replace(case, cut=True)


def other_strictness(case: Case) -> Case:
    """Take "less than" for "at most", or the other way round."""
    return replace(case, strict=not case.strict)


def set_overlap(case: Case) -> Case:
    """Add the times along the axes where the question takes the longest, or the other way round."""
    return replace(case, overlap="max" if case.overlap == "sum" else "sum")


def set_axes(case: Case) -> Case:
    """Choose the best mesh where the question gives one, or the other way round."""
    return replace(case, axes="given" if case.axes == "optimal" else "optimal")


def count_per(case: Case, unit: str) -> Case:
    """Count the batch per chip, per rank, in sequences or whole, whatever is asked."""
    return replace(case, per=unit)


def round_first(case: Case, unit: str) -> Case:
    """Round the batch up on each chip or rank before it is put together."""
    return replace(case, first=unit)


def saved_tensors(case: Case) -> tuple[Tensor, ...]:
    """The tensors that are kept for the backward pass, one of each name."""
    by_name = {tensor.name: tensor for layer in case.model.layers for tensor in layer.saved}
    return tuple(by_name.values()) if len(by_name) > 1 else ()


def _layers(case: Case, field: str, drop: Callable[[Tensor], bool]) -> Case | None:
    def without(layer: Layer) -> Layer:
        return replace(layer, **{field: tuple(one for one in getattr(layer, field) if not drop(one))})

    layers = tuple(without(layer) for layer in case.model.layers)
    return None if layers == case.model.layers else replace(case, model=replace(case.model, layers=layers))


CHANGES: dict[str, Change] = {
    change.__name__: change
    for change in (
        read_capacity,
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
        round_count,
        round_before,
        cut_figures,
        other_strictness,
        set_overlap,
        set_axes,
        count_per,
        round_first,
    )
}
