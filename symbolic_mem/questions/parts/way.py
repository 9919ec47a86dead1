"""`Way`: one way to a smaller critical batch, with its bound, its numbers and the lines beside it, and its step."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.symbols import N_devices, T_min, X
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Step
from symbolic_mem.document.words import about, sentences
from symbolic_mem.document.work import Work
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.solvers.critical import critical
from symbolic_mem.solvers.optimum import BestMesh, WholeMesh


@dataclass(frozen=True)
class Beside:
    """A line beside a bound: `expr` with its number in a `unit`, and a side that it is compared with, if any.

    `under` is a symbol that must exceed it; with `over_one` it must exceed one itself.
    """

    expr: sp.Expr
    unit: str = ""
    under: sp.Symbol | None = None
    over_one: bool = False


@dataclass(frozen=True)
class Way:
    """One way, known by its `key`: what it does in words, and the `bound` on the tokens that it leads to.

    `example` are the numbers that the study does not give; `tokens` is the bound at these `values`, None where there is
    no such batch: `lacking` then says why. `against` is the bound without this way, where that is not the mesh as given;
    of a way that the mesh as given is `used` with, `bound` is that without it. `whole` is the best mesh of whole axes,
    where the way is the shape of the mesh, of all `meshes` that were tried, and `x` the best real axis.
    """

    key: str
    title: str
    statement: Prose
    bound: sp.Expr
    example: Values
    values: Values
    reason: Prose | None = None
    beside: tuple[Beside, ...] = ()
    lacking: Prose | None = None
    against: sp.Expr | None = None
    used: bool = False
    whole: WholeMesh | None = None
    meshes: tuple[WholeMesh, ...] = ()
    x: sp.Expr | None = None

    @property
    def without(self) -> sp.Expr | None:
        """The tokens without this way and all else alike; None where that is the mesh as given."""
        return None if self.against is None else self.against.xreplace(dict(self.values))

    @property
    def tokens(self) -> sp.Expr | None:
        """The tokens that a batch must exceed; None where no batch is large enough, or there is no such mesh."""
        return None if self.lacking is not None else self.bound.xreplace(dict(self.values))


def way_step(way: Way) -> Step:
    """Write the bound of a way with its numbers, and the lines beside it."""
    work = Work(way.values)
    tokens = work.define(T_min, way.bound)
    beside = (_chain(line, work) for line in way.beside)
    if way.lacking is not None:
        said = way.lacking if way.reason is None else sentences(way.lacking, way.reason)
        return work.step(way.statement, Chain(T_min, (("=", way.bound),)), *beside, reason=said)
    chain = Chain(T_min, (("=", way.bound), ("=", work.put(way.bound)), amount(tokens, "tokens")))
    return work.step(way.statement, chain, *beside, reason=way.reason)


def way_words(way: Way) -> Prose:
    """The same in one sentence; its reason and the lines beside it are left to a full derivation."""
    if way.lacking is not None or way.tokens is None:
        return sentences(Prose((*way.statement.parts, " …")), way.lacking or Prose(()))
    return say(
        "{statement} {line}.",
        statement=way.statement,
        line=Chain(T_min, (("=", way.bound), amount(way.tokens, "tokens"))),
    )


def no_batch(roofline: Roofline, values: Values, overlap: str = "max") -> Prose | None:
    """Say that no batch is large enough for a pass at these numbers; None where one is."""
    if critical(roofline.on(values), overlap).feasible(values):
        return None
    return text(
        "No batch is large enough then: what is sent grows with the batch at least as fast as what is computed."
    )


def no_mesh(best: BestMesh, values: Values) -> Prose | None:
    """Say that the best X is not on the mesh at these numbers; None where it is."""
    x, chips = best.x_at("max").xreplace(dict(values)), values[N_devices]
    if 1 <= x <= chips:
        return None
    return say("That {X} would be {x} on {chips} chips: there is no such mesh.", X=X, x=about(Amount(x)), chips=chips)


def _chain(line: Beside, work: Work) -> Chain:
    number = work.number(line.expr)
    links = (("=", work.put(line.expr)), amount(number, line.unit))
    if line.under is not None:
        return Chain(line.under, ((">" if number < work.number(line.under) else "≤", line.expr), *links))
    if line.over_one:
        return Chain(line.expr, (*links, (">" if number > 1 else "≤", sp.S.One)))
    return Chain(line.expr, links)
