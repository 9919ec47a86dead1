"""Every mesh of whole axes of as many chips: the batch that each wants, and why the best one is the best."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.symbols import T_min, X, Y
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Table, in_full, in_short
from symbolic_mem.document.words import about
from symbolic_mem.document.work import Work
from symbolic_mem.solvers.optimum import WholeMesh


def best_blocks(meshes: tuple[WholeMesh, ...], x: int) -> Iterator[Block]:
    """The bound of the best mesh with its numbers, and why no other is better: the next one, or all of them in a table."""
    best = next(mesh for mesh in meshes if mesh.x == x)
    work = Work(best.values)
    tokens = work.define(T_min, best.bound)
    shown = (("=", best.bound), ("=", work.put(best.bound))) if best.bound.free_symbols else ()
    head = {"x": best.x, "y": best.y, "n": len(meshes), "chips": best.x * best.y}
    chains = (
        Chain(T_min, (*shown, amount(tokens, "tokens"))),
        *(
            Chain(margin, (("=", work.put(margin)), amount(work.number(margin)), (">", sp.S.One)))
            for margin in best.margins
        ),
    )
    why = _why(meshes, best)
    step = work.step(
        say("{x} × {y} is the best of the {n} meshes of {chips} chips with whole axes. On it", **head),
        *chains,
        reason=why,
    )
    if why is None:
        yield step
    else:
        told = say(
            "The best of the {n} meshes of {chips} chips with whole axes is {x} × {y}, {bound}. {why}",
            **head,
            bound=chains[0],
            why=why,
        )
        yield from in_short([Paragraph(told)])
        yield from in_full([step])
    yield from (in_full if best.x == 1 or why is not None else tuple)([_table(meshes)])


def _why(meshes: tuple[WholeMesh, ...], best: WholeMesh) -> Prose | None:
    """Why a mesh is the best where the next smaller X lets no batch be large enough; None where that is not why."""
    smaller = next((mesh for mesh in reversed(meshes) if mesh.x < best.x), None)
    if smaller is None or smaller.tokens is not None:
        return None
    return say(
        "A larger {X} wants more tokens; on {x} × {y}, with the next smaller one, no batch is enough: the products take only "
        "{ratio} of the time of what is sent with the batch.",
        x=smaller.x,
        y=smaller.y,
        X=X,
        ratio=about(Amount(min(margin.xreplace(dict(smaller.values)) for margin in smaller.margins))),
    )


def _table(meshes: tuple[WholeMesh, ...]) -> Table:
    """Every mesh with its margins and its bound."""
    margins = tuple(dict.fromkeys(margin for mesh in meshes for margin in mesh.margins))
    rows = [
        (
            say("{x}", x=sp.Integer(mesh.x)),
            say("{y}", y=sp.Integer(mesh.y)),
            *(_number(margin, mesh.values) if margin in mesh.margins else text("–") for margin in margins),
            text("–") if mesh.tokens is None else about(Amount(mesh.tokens)),
        )
        for mesh in meshes
    ]
    return Table(
        text(
            "The meshes with whole axes; where the time of the products over that of what is sent with the batch does not "
            "exceed one, no batch is large enough (a dash)"
        )
        if margins
        else text("The meshes with whole axes; a dash where no batch is large enough"),
        (
            Column(say("{x}", x=X), "right"),
            Column(say("{y}", y=Y), "right"),
            *(Column(say("{margin}", margin=margin), "right") for margin in margins),
            Column(say("{t}, tokens", t=T_min), "right"),
        ),
        tuple(rows),
    )


def _number(margin: sp.Expr, values: Values) -> Prose:
    return about(Amount(margin.xreplace(dict(values))))
