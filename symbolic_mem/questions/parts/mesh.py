"""`FreeMesh`: the best shape of a mesh of N chips, found both ways, and the meshes of whole axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.symbols import N_devices, T, T_min, X, X_best, Y, local, t_fsdp, t_math, t_tp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Column, Step, Table
from symbolic_mem.document.work import Work
from symbolic_mem.plans.words import OVERLAPS
from symbolic_mem.questions.parts.setting import Setting
from symbolic_mem.solvers.optimum import WholeMesh, best_mesh, least, whole_meshes

_T_BEST = local("T", "best")  # the bound at the best X, where the question asks for that of another mesh


@dataclass(frozen=True)
class FreeMesh:
    """The shape of a mesh of N chips as something to choose; seconds, tokens and chips in symbols.

    `fsdp` and `tensor` are the times of the two axes with Y = N/X, and `slope` the derivative of their sum by X; the
    parts that change with X are `rising` and `falling`. They are equal, and the sum is least, at `best_x`, where each
    is `each`. `equal` says that all of both times is equal there (long rings). `tokens` and `x` are, for each rule of
    overlap, the bound on the batch and the best X at it; `meshes` have whole axes.
    """

    fsdp: sp.Expr
    tensor: sp.Expr
    slope: sp.Expr
    rising: sp.Expr
    falling: sp.Expr
    best_x: sp.Expr
    each: sp.Expr
    equal: bool
    tokens: Mapping[str, sp.Expr]
    x: Mapping[str, sp.Expr]
    meshes: Mapping[str, tuple[WholeMesh, ...]]
    best_whole: Mapping[str, WholeMesh | None]


def free_mesh(case: Setting) -> FreeMesh:
    """Find the best shape of the mesh of a setting, and the critical batch of each shape of whole axes."""
    best, chips = best_mesh(case.roofline), case.chips or 1
    meshes = {overlap: whole_meshes(case.roofline, chips, case.values, overlap) for overlap in OVERLAPS}
    return FreeMesh(
        fsdp=best.fsdp,
        tensor=best.tensor,
        slope=best.slope,
        rising=best.p * X,
        falling=best.q * T / X,
        best_x=best.x,
        each=sp.Pow(sp.factor(best.p * best.q * T), sp.S.Half, evaluate=False),
        equal=best.r == 0 and best.s == 0,
        tokens={overlap: best.tokens(overlap) for overlap in OVERLAPS},
        x={overlap: best.x_at(overlap) for overlap in OVERLAPS},
        meshes=meshes,
        best_whole={overlap: least(shapes) for overlap, shapes in meshes.items()},
    )


def shape_blocks(free: FreeMesh, values: Values, answers: str | None) -> Iterator[Block]:
    """Find the best X at fixed N = X Y twice, by minimising the sum of the times and by equating them; then the batch.

    Of the two overlaps the one that `answers` the question has the symbol of its answer; None where the mesh is given.
    """
    known = {symbol: value for symbol, value in values.items() if symbol not in (X, Y)}
    work = Work(known)
    work.define(X_best, free.best_x)
    at_best = {X: X_best}
    work.check(Chain(free.slope.xreplace(at_best), (("=", sp.S.Zero),)))
    work.check(Chain(free.rising.xreplace(at_best), (("=", free.falling.xreplace(at_best)), ("=", free.each))))
    yield Step(
        say("If the shape of the mesh is free, with {n} chips, then {y} and the times are", n=N_devices, y=_y()),
        (Chain(t_fsdp, (("=", free.fsdp),)), Chain(t_tp, (("=", free.tensor),))),
    )
    yield Step(
        say("First way, minimise their sum: its derivative by {x} is zero at the best {x},", x=X),
        (Chain(free.slope, (("=", sp.S.Zero),), asked=True), Chain(X, (("=", free.best_x),), asked=True)),
        text("The second derivative is positive, so the sum is least there."),
    )
    best = Chain(X, (("=", free.best_x),), asked=True)
    reason = text("Both ways lead to the same X: a sum p X + q/X is least exactly where its terms are equal.")
    if free.equal:
        work.check(Chain(free.fsdp.xreplace(at_best), (("=", free.tensor.xreplace(at_best)),)))
        yield Step(
            text("Second way, equate the two times, because the slower one decides when they overlap:"),
            (Chain(free.fsdp, (("=", free.tensor),), asked=True), best),
            reason,
        )
        yield Step(
            text("There each of the two times is"), (Chain(t_fsdp, (("=", t_tp), ("=", free.each)), asked=True),)
        )
    else:
        yield Step(
            text("Second way, equate the two parts that change with X:"),
            (Chain(free.rising, (("=", free.falling),), asked=True), best),
            reason,
        )
    for overlap in OVERLAPS:
        yield _free_threshold(free, overlap, known, T_min if overlap == answers else _T_BEST)


def _free_threshold(free: FreeMesh, overlap: str, known: Values, least: sp.Symbol) -> Step:
    """Write the batch at the best X for it, after checking that the times are there what the rule wants."""
    work = Work(known)
    tokens, x = free.tokens[overlap], free.x[overlap]
    bound, best_x = work.define(least, tokens), work.define(X_best, x)
    there = Work({**work.values, T: bound, X: best_x})
    wanted = (free.fsdp, free.tensor) if overlap == "max" else (free.slope, sp.S.Zero)
    there.check(Chain(wanted[0], (("=", wanted[1]),)))
    return work.step(
        text("If the axes send at the same time, each must be faster than the products (they are equal):")
        if overlap == "max"
        else text("If they send one after the other, both together must be faster:"),
        Chain(t_math, ((">", t_fsdp if overlap == "max" else t_fsdp + t_tp),), asked=True),
        Chain(T, ((">", least),), asked=True),
        Chain(least, (("=", tokens), ("=", work.put(tokens)), amount(bound, "tokens"))),
        Chain(X_best, (("=", x), amount(best_x, "chips"))),
    )


def meshes_table(free: FreeMesh, chips: sp.Expr) -> Table:
    """Tabulate every mesh of whole axes with the tokens that a batch must exceed on it, and per chip."""
    rows = []
    for quick, slow in zip(free.meshes["max"], free.meshes["sum"], strict=True):
        cells = [_cell(mesh.tokens, divisor) for mesh in (quick, slow) for divisor in (sp.S.One, chips)]
        rows.append((say("{x}", x=sp.Integer(quick.x)), say("{y}", y=sp.Integer(quick.y)), *cells))
    heads = ("max: whole batch", "per chip", "sum: whole batch", "per chip")
    return Table(
        say("Meshes of {n} chips; a dash where no batch is large enough", n=chips),
        (
            Column(say("{x}", x=X), "right"),
            Column(say("{y}", y=Y), "right"),
            *(Column(text(head), "right") for head in heads),
        ),
        tuple(rows),
    )


def _cell(tokens: sp.Expr | None, divisor: sp.Expr) -> Prose:
    return text("–") if tokens is None else Prose((Amount(tokens / divisor),))


def _y() -> Chain:
    return Chain(Y, (("=", N_devices / X),), asked=True)
