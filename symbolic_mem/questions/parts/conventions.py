"""`Threshold`: the critical batch under one convention, the conventions side by side, and which the data select."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.exact import Values, evaluate
from symbolic_mem.base.symbols import N_devices, T, X, Y
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.plans.words import OVERLAPS
from symbolic_mem.questions.parts.setting import Setting
from symbolic_mem.solvers.critical import critical
from symbolic_mem.solvers.optimum import best_mesh


@dataclass(frozen=True)
class Threshold:
    """The `tokens` that a batch must exceed under one convention (None: no batch is enough), and the FSDP axis `x`.

    `conditions` must exceed one; `formula` is the bound in symbols.
    """

    overlap: str
    axes: str
    formula: sp.Expr
    tokens: sp.Expr | None
    x: sp.Expr | None
    conditions: tuple[sp.Expr, ...] = ()


def threshold(case: Setting, overlap: str, axes: str) -> Threshold:
    """Return the critical batch of a setting: on the mesh as ``given``, or on the ``optimal`` one of as many chips.

    Raises `MissingValue` for what the bound needs, and `BadInput` where no best mesh is defined.
    """
    if axes == "given":
        bound = critical(case.roofline, overlap)
        return Threshold(overlap, axes, bound.tokens, bound.at(case.values), case.values.get(X), bound.conditions)
    best = best_mesh(case.roofline)
    formula = best.tokens(overlap)
    tokens = evaluate(formula, case.values, "the critical batch on the best mesh")
    x = evaluate(best.x_at(overlap), case.values, "the best mesh")
    return Threshold(overlap, axes, formula, tokens, x)


def conventions(case: Setting) -> tuple[Threshold, ...]:
    """Return the critical batch under all four conventions, those with given axes only where X and Y are known."""
    given = ("given",) if X in case.values and Y in case.values else ()
    return tuple(threshold(case, overlap, axes) for axes in (*given, "optimal") for overlap in OVERLAPS)


def conventions_table(thresholds: Sequence[Threshold], used: Threshold, chips: sp.Expr) -> Table:
    """Tabulate the critical batch of every convention, and mark the one that is used."""
    rows = []
    for each in thresholds:
        cells = (_label(each, used), say("{f}", f=each.formula))
        if each.tokens is None:
            rows.append((*cells, *[text("–")] * 3))
            continue
        rank = text("–") if each.x is None else _number(each.tokens / each.x)
        rows.append((*cells, _number(each.tokens), _number(each.tokens / chips), rank))
    return Table(
        say(
            "{number} conventions for the same question: tokens that a batch must exceed on {chips} chips",
            number=text("Four" if len(rows) == 4 else "Two"),
            chips=Chain(N_devices, (("=", X * Y),)),
        ),
        (
            Column(text("convention"), "text"),
            Column(say("{t} >", t=T)),
            Column(text("whole batch"), "right"),
            Column(say("per chip, {r}", r=T / N_devices), "right"),
            Column(say("per rank, {r}", r=T / X), "right"),
        ),
        tuple(rows),
    )


def why_this_one(used: Threshold, values: Values) -> Prose:
    """Say which convention the given data select, and why."""
    x, y = values.get(X, X), values.get(Y, Y)
    match used.axes, used.overlap:
        case "given", "max":
            return say(
                "The convention that the given data select: X = {x} and Y = {y} are given, so their best values are not "
                "asked for, and the two axes are different links of the torus, which can send at the same time: the "
                "rule is max (the Scaling Book since August 2025; before, it added the two times, which at the best X "
                "asks for four times the batch).",
                x=x,
                y=y,
            )
        case "given", _:
            return say(
                "The convention that the given data select: X = {x} and Y = {y} are given, so their best values are not "
                "asked for, and the times of the two axes are added, as in the Scaling Book before August 2025.",
                x=x,
                y=y,
            )
        case _, "max":
            return text(
                "The convention that the given data select: X and Y are free, so the best of them is taken, and the two "
                "axes are different links of the torus, which can send at the same time: the rule is max (the Scaling "
                "Book since August 2025; before, it added the two times, which at the best X asks for four times the "
                "batch)."
            )
    return text(
        "The convention that the given data select: X and Y are free, so the best of them is taken, and the times of "
        "the two axes are added, as in the Scaling Book before August 2025."
    )


def _label(each: Threshold, used: Threshold) -> Prose:
    rule = text(each.overlap)
    if (each.overlap, each.axes) == (used.overlap, used.axes):
        if each.axes == "given":
            return say("{rule}, {x} and {y} given (used here)", rule=rule, x=X, y=Y)
        return say("{rule}, best {x} (used here)", rule=rule, x=X)
    if each.axes == "given":
        return say("{rule}, {x} and {y} given", rule=rule, x=X, y=Y)
    return say("{rule}, best {x}", rule=rule, x=X)


def _number(count: sp.Expr) -> Prose:
    return Prose((Amount(count),))
