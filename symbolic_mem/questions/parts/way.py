"""`Way`: one way to a smaller critical batch, with its bound, its numbers and the lines beside it, and its step."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.symbols import T_min
from symbolic_mem.document.prose import Chain, Prose, amount
from symbolic_mem.document.steps import Step
from symbolic_mem.document.work import Work


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

    `example` are the numbers that the study does not give; `tokens` is the bound at these `values`.
    """

    key: str
    title: str
    statement: Prose
    bound: sp.Expr
    example: Values
    values: Values
    reason: Prose | None = None
    beside: tuple[Beside, ...] = ()

    @property
    def tokens(self) -> sp.Expr:
        """The tokens that a batch must exceed."""
        return self.bound.xreplace(dict(self.values))


def way_step(way: Way) -> Step:
    """Write the bound of a way with its numbers, and the lines beside it."""
    work = Work(way.values)
    tokens = work.define(T_min, way.bound)
    chain = Chain(T_min, (("=", way.bound), ("=", work.put(way.bound)), amount(tokens, "tokens")))
    beside = (_chain(line, work) for line in way.beside)
    return work.step(way.statement, chain, *beside, reason=way.reason)


def _chain(line: Beside, work: Work) -> Chain:
    number = work.number(line.expr)
    links = (("=", work.put(line.expr)), amount(number, line.unit))
    if line.under is not None:
        return Chain(line.under, ((">" if number < work.number(line.under) else "≤", line.expr), *links))
    if line.over_one:
        return Chain(line.expr, (*links, (">" if number > 1 else "≤", sp.S.One)))
    return Chain(line.expr, links)
