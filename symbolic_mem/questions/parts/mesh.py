"""Steps about the shape of a mesh: the best X derived both ways, and meshes of whole axes."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import N_devices, T, T_min, X, X_best, Y, t_fsdp, t_math, t_tp
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Column, Step, Table
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.setting import Setting
from symbolic_mem.solvers.optimum import best_mesh, whole_meshes


def best_blocks(found: Setting) -> list[Block]:
    """Find the best X at fixed N = X Y twice: by minimising the sum of the times, and by equating them."""
    best = best_mesh(found.roofline)
    chips = sp.Integer(found.chips) if found.chips is not None else N_devices
    known = {s: v for s, v in found.values.items() if s not in (X, Y)}
    work = Work({**known, N_devices: chips})
    work.define(X_best, best.x)
    at_best = {X: X_best}
    work.check(Chain(best.slope.xreplace(at_best), (("=", sp.S.Zero),)))
    work.check(Chain(best.fsdp.xreplace(at_best), (("=", best.tensor.xreplace(at_best)),)))
    each = sp.Pow(sp.factor(best.p * best.q * T), sp.S.Half, evaluate=False)
    work.check(Chain(best.p * X_best, (("=", each),)))
    blocks: list[Block] = [
        Step(
            say("If the shape of the mesh is free, with {n} chips, then {y} and the times are", n=N_devices, y=_y()),
            (Chain(t_fsdp, (("=", best.fsdp),)), Chain(t_tp, (("=", best.tensor),))),
        ),
        Step(
            text("First way, minimise their sum: its derivative by X is zero at the best X,"),
            (Chain(best.slope, (("=", sp.S.Zero),), asked=True), Chain(X, (("=", best.x),), asked=True)),
            text("The second derivative is positive, so the sum is least there."),
        ),
        Step(
            text("Second way, equate the two times, because the slower one decides when they overlap:"),
            (Chain(best.fsdp, (("=", best.tensor),), asked=True), Chain(X, (("=", best.x),), asked=True)),
            text("Both ways lead to the same X: a sum p X + q/X is least exactly where its terms are equal."),
        ),
    ]
    if best.r == 0 and best.s == 0:
        blocks.append(
            Step(text("There each of the two times is"), (Chain(t_fsdp, (("=", t_tp), ("=", each)), asked=True),))
        )
    blocks += [_free_threshold(found, overlap, work) for overlap in ("max", "sum")]
    return blocks


def _free_threshold(found: Setting, overlap: str, work: Work) -> Step:
    best = best_mesh(found.roofline)
    tokens = best.tokens(overlap)
    value = work.define(T_min, tokens)
    sent = t_fsdp if overlap == "max" else t_fsdp + t_tp
    x = best.x_at(overlap)
    work.values[T] = value
    found_x = work.define(X_best, best.x)
    step = work.step(
        text("If the axes send at the same time, each must be faster than the products (they are equal):")
        if overlap == "max"
        else text("If they send one after the other, both together must be faster:"),
        Chain(t_math, ((">", sent),), asked=True),
        Chain(T, ((">", T_min),), asked=True),
        Chain(T_min, (("=", tokens), ("=", work.put(tokens)), amount(value, "tokens"))),
        Chain(X_best, (("=", x), amount(found_x, "chips"))),
    )
    del work.values[T]
    return step


def meshes_table(found: Setting) -> Table:
    """Tabulate every mesh of whole axes with the tokens that a batch must exceed on it, per chip."""
    chips = found.chips or 1
    by_rule = {rule: whole_meshes(found.roofline, chips, found.values, rule) for rule in ("max", "sum")}
    rows = []
    for quick, slow in zip(by_rule["max"], by_rule["sum"], strict=True):
        cells = [_cell(mesh.tokens, divisor) for mesh in (quick, slow) for divisor in (1, chips)]
        rows.append((say("{x}", x=sp.Integer(quick.x)), say("{y}", y=sp.Integer(quick.y)), *cells))
    heads = ("max: whole batch", "per chip", "sum: whole batch", "per chip")
    return Table(
        say("Meshes of {n} chips; a dash where no batch is large enough", n=sp.Integer(chips)),
        (
            Column(say("{x}", x=X), "right"),
            Column(say("{y}", y=Y), "right"),
            *(Column(text(head), "right") for head in heads),
        ),
        tuple(rows),
    )


def _cell(tokens: sp.Expr | None, divisor: int) -> Prose:
    return text("–") if tokens is None else Prose((Amount(tokens / divisor),))


def _y() -> Chain:
    return Chain(Y, (("=", N_devices / X),), asked=True)
