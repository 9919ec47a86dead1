"""The conventions for a critical batch side by side, and the one that the given data select."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symbolic_mem.base.symbols import N_devices, T, X, Y
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.questions.parts.setting import Setting
from symbolic_mem.solvers.critical import critical
from symbolic_mem.solvers.optimum import best_mesh


@dataclass(frozen=True)
class Threshold:
    """The tokens that a batch must exceed under one convention, None when no batch is enough."""

    overlap: str
    axes: str
    formula: sp.Expr
    tokens: sp.Expr | None
    x: sp.Expr | None


def conventions(found: Setting) -> tuple[Threshold, ...]:
    """The critical batch under all four conventions, those with given axes only where X and Y are known."""
    rows = []
    if X in found.values and Y in found.values:
        for overlap in ("max", "sum"):
            bound = critical(found.roofline, overlap)
            rows.append(Threshold(overlap, "given", bound.tokens, bound.at(found.values), found.values[X]))
    best = best_mesh(found.roofline)
    for overlap in ("max", "sum"):
        formula = best.tokens(overlap)
        x = best.x_at(overlap).xreplace(dict(found.values))
        rows.append(Threshold(overlap, "optimal", formula, formula.xreplace(dict(found.values)), x))
    return tuple(rows)


def conventions_table(found: Setting, thresholds: tuple[Threshold, ...], overlap: str, axes: str) -> Table:
    """Tabulate the critical batch of every convention, and mark the one that is used."""
    rows = []
    for each in thresholds:
        mark = " (used here)" if (each.overlap, each.axes) == (overlap, axes) else ""
        shape = "X and Y given" if each.axes == "given" else "best X"
        cells = [text(f"{each.overlap}, {shape}{mark}"), say("{f}", f=each.formula)]
        if each.tokens is None:
            rows.append((*cells, *[text("–")] * 3))
            continue
        rank = text("–") if each.x is None else _number(each.tokens / each.x)
        chip = each.tokens / sp.Integer(found.chips or 1)
        rows.append((*cells, _number(each.tokens), _number(chip), rank))
    return Table(
        text(
            f"{'Four' if len(thresholds) == 4 else 'Two'} conventions for the same question: tokens that a batch must exceed"
        ),
        (
            Column(text("convention"), "text"),
            Column(say("{t} >", t=T)),
            Column(text("whole batch"), "right"),
            Column(say("per chip, {r}", r=T / N_devices), "right"),
            Column(say("per FSDP rank, {r}", r=T / X), "right"),
        ),
        tuple(rows),
    )


def _number(value: sp.Expr) -> Prose:
    return Prose((Amount(value),))


def why_this_one(found: Setting, overlap: str, axes: str) -> Prose:
    """Say which convention the given data select, and why."""
    shape = (
        say("X = {x} and Y = {y} are given, so their best values are not asked for", x=_at(found, X), y=_at(found, Y))
        if axes == "given"
        else text("X and Y are free, so the best of them is taken")
    )
    rule = (
        "the two axes are different links of the torus, which can send at the same time: the rule is max (the Scaling "
        "Book since August 2025; before, it added the two times, which at the best X asks for four times the batch)"
        if overlap == "max"
        else "the times of the two axes are added, as in the Scaling Book before August 2025"
    )
    return say(f"The convention that the given data select: {{shape}}, and {rule}.", shape=shape)


def _at(found: Setting, symbol: sp.Symbol) -> sp.Expr:
    return found.values.get(symbol, symbol)
