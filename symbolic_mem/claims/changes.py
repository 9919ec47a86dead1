"""What slips do: each takes a `Case` and returns the slipped one, or None where it cannot occur."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache

import sympy as sp

from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import lookup, table
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.case import Case
from symbolic_mem.models.tensors import KINDS, Layer, Model, Tensor
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.recipes.states import State
from symbolic_mem.study.setting import OneDevice

Slipped = Callable[..., Case | None]


def read_capacity(case: Case, unit: str) -> Case | None:
    """Read the label of the device with the other meaning of its unit: GB for GiB, or GiB for GB."""
    if not case.study.device.known:
        return None
    capacity = case.study.capacity
    if {capacity.unit, unit} != {"GB", "GiB"}:
        return None
    nominal = Fraction(capacity.nominal, BYTES_PER[capacity.unit]) * BYTES_PER[unit]
    if nominal.denominator != 1:
        return None
    device = OneDevice(amount=f"{nominal} B", reserved=capacity.reserved, usable=capacity.usable)
    return replace(case, study=replace(case.study, device=device))


def show(case: Case, unit: str) -> Case:
    """Write the number of one unit with the name of the other: ``binary`` as decimal, or ``decimal`` as binary."""
    return case.reading(shown=unit)


def set_rest(case: Case, rest: str) -> Case | None:
    """Keep or drop what is not divided, against the question."""
    return _placed(case, lambda placed: replace(placed, rest=rest) if placed.fraction < 1 else placed)


def set_fraction(case: Case, whole: bool) -> Case | None:
    """Divide also the part that every device keeps, or divide nothing of a kind that is divided in part."""
    share = sp.S.One if whole else sp.S.Zero
    return _placed(case, lambda placed: replace(placed, fraction=share) if 0 < placed.fraction < 1 else placed)


def count_kinds(case: Case, kinds: list[str]) -> Case | None:
    """Count only some kinds of memory."""
    counted = case.question.counted if case.question is not None else KINDS
    present = [kind for kind in case.study.memory.kinds if kind in counted]
    kept = [kind for kind in present if kind in kinds]
    return None if not kept or kept == present else _without(case, [kind for kind in present if kind not in kinds])


def forget_kind(case: Case, kind: str) -> Case | None:
    """Leave one kind of memory out."""
    return _without(case, [kind]) if kind in case.study.memory.kinds else None


def keep_moments(case: Case, copies: int) -> Case | None:
    """Keep fewer values for the optimizer's algorithm than it has."""
    recipe = case.study.recipe
    states = tuple(replace(s, copies=copies) if s.moment and s.copies > copies else s for s in recipe.states)
    return _recipe(case, replace(recipe, states=tuple(state for state in states if state.copies)))


def add_state(case: Case, kind: str, size: int) -> Case | None:
    """Keep something more for every parameter."""
    more = State("added by the slip", kind, sp.Integer(size))
    return _recipe(case, replace(case.study.recipe, states=(*case.study.recipe.states, more)))


def size_of(case: Case, kind: str, size: int) -> Case | None:
    """Use another number of bytes for each element of a kind."""
    recipe = case.study.recipe
    if kind == "activations":
        return _recipe(case, replace(recipe, activations=sp.Integer(size)))
    states = tuple(replace(s, bytes_per_element=sp.Integer(size)) if s.kind == kind else s for s in recipe.states)
    return _recipe(case, replace(recipe, states=states))


def set_value(case: Case, **formulas: str) -> Case | None:
    """Use the value of a formula for a symbol: ``S = "1"``, ``n_kv = "n_heads"``."""
    given = case.study.values
    values = dict(given)
    for name, formula in formulas.items():
        symbol, expr = lookup(name), _formula(formula)
        if symbol is None or symbol not in values or expr.free_symbols - set(values):
            return None
        values[symbol] = expr.xreplace(dict(given))
    return None if values == dict(given) else replace(case, study=replace(case.study, values=values))


def forget_saved(case: Case, tensor: str) -> Case | None:
    """Leave out one of the tensors that are kept for the backward pass."""
    return _layers(case, "saved", lambda one: one.name == tensor)


def forget_weights(case: Case, group: str) -> Case | None:
    """Leave out a group of weights, such as the head."""
    return _layers(case, "weights", lambda one: one.group == group)


def round_count(case: Case, how: str) -> Case:
    """Round a count down or to the nearest whole number instead of up."""
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
    if not isinstance(case.question, ComputeBound):
        return None
    axes = "given" if case.question.resolved(case.study).axes == "optimal" else "optimal"
    return replace(case, question=replace(case.question, axes=axes))


def forget_rules(case: Case) -> Case | None:
    """Take the smallest number that fits, and forget the rules that it must also obey."""
    if not getattr(case.question, "rules", ()):
        return None
    bare = dict.fromkeys(("whole_samples", "padded_rows", "multiple_of", "power_of_two", "divides", "at_most"), ())
    return replace(case, question=replace(case.question, **bare))  # ty: ignore[invalid-argument-type]


def count_per(case: Case, unit: str) -> Case:
    """Count the batch per chip, per rank, in sequences or whole, whatever is asked."""
    return case.reading(per=unit)


def round_first(case: Case, unit: str) -> Case:
    """Round the batch up on each chip or rank before it is put together."""
    return case.reading(first=unit)


def saved_tensors(case: Case) -> tuple[Tensor, ...]:
    """The tensors that are kept for the backward pass, one of each name."""
    by_name = {tensor.name: tensor for layer in case.study.model.layers for tensor in layer.saved}
    return tuple(by_name.values()) if len(by_name) > 1 else ()


@cache
def _formula(formula: str) -> sp.Expr:
    return read_formula(formula, {str(name.symbol): name.symbol for name in table(given=True)}, "a slip")


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


def _recipe(case: Case, recipe: Recipe) -> Case | None:
    return None if recipe == case.study.recipe else replace(case, study=replace(case.study, recipe=recipe))


def _without(case: Case, kinds: Sequence[str]) -> Case:
    """The case whose model and recipe keep nothing of some kinds."""
    study = case.study
    recipe = replace(study.recipe, states=tuple(s for s in study.recipe.states if s.kind not in kinds))
    slipped = replace(case, study=replace(study, recipe=recipe))
    return _layers(slipped, "saved", lambda tensor: tensor.kind in kinds) or slipped


def _layers(case: Case, field: str, drop: Callable[[Tensor], bool]) -> Case | None:
    def without(layer: Layer) -> Layer:
        kept = tuple(one for one in getattr(layer, field) if not drop(one))
        return layer if len(kept) == len(getattr(layer, field)) else replace(layer, **{field: kept})

    model = case.study.model
    layers = tuple(without(layer) for layer in model.layers)
    if all(one is other for one, other in zip(layers, model.layers, strict=True)):
        return None
    slipped: Model = replace(model, layers=layers)
    return replace(case, study=replace(case.study, built=replace(case.study.built, model=slipped)))


CHANGES: dict[str, Slipped] = {
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
        forget_rules,
        count_per,
        round_first,
    )
}
