"""The question `smaller_batch`: ways to stay bound by the mathematics at a smaller batch, each derived and measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.symbols import E, T, T_min, d_ff, k, local
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Column, Table
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.keys import whole
from symbolic_mem.questions.parts.setting import Setting, setting
from symbolic_mem.questions.parts.times import line
from symbolic_mem.questions.parts.way import Way, way_step
from symbolic_mem.questions.parts.ways import best_shape, bound_on, more_axes, overlapped_axes, pipelined, wider_layer
from symbolic_mem.questions.parts.ways_sent import accumulated, experts, fewer_bytes, grouped
from symbolic_mem.solvers.critical import critical
from symbolic_mem.solvers.optimum import best_mesh
from symbolic_mem.study.question import Found, Question, key
from symbolic_mem.study.study import Study


@dataclass(frozen=True)
class SmallerBatch(Question):
    """The ways to a smaller critical batch, and what each does to it in numbers; for a stack of blocks nine."""

    ask = "smaller_batch"
    subject = "layers"

    chips: int | None = key(whole)

    def answer(self, study: Study) -> FoundWays:
        """Bound the batch on the mesh as given, and again under every way."""
        case = setting(study, "fsdp+tp", "forward", self.chips, short=True)
        start = critical(case.roofline, "max").tokens
        needed = start + bound_on(case, overlap="sum") + best_mesh(case.roofline).tokens("max")
        study.need(needed.xreplace(dict(case.values)), f"question {self.label}")
        return FoundWays(study, self, case.values, sp.Integer(case.chips or 1), start, bound_on(case), all_ways(case))

    def steps(self, found: FoundWays) -> Iterator[Block]:
        """Write the starting point, every way, and all of them side by side."""
        work = Work(found.known)
        tokens = work.define(T_min, found.start)
        yield work.step(
            text("The starting point is the mesh as given, its two axes sending at the same time:"),
            Chain(T_min, (("=", found.start), ("=", work.put(found.start)), amount(tokens, "tokens"))),
        )
        yield from map(way_step, found.ways)
        yield _summary(found)

    def sentence(self, found: FoundWays) -> Prose:
        """Say what the ways do to the bound, in numbers."""
        return say(
            "From {base} tokens the bound falls to {shape} with the best shape of the mesh, to {low} with one byte per "
            "element sent, and to {pipe} with four pipeline stages that keep their weights; more axes and overlap are "
            "already used. Gradient accumulation multiplies it, and experts multiply it by {ratio} unless they stay in "
            "place.",
            ratio=E / k,
            base=Amount(found.tokens),
            shape=Amount(found.way("shape").tokens),
            low=Amount(found.way("bytes").tokens),
            pipe=Amount(found.way("stages").tokens),
        )

    def heading(self, found: FoundWays) -> str:
        """The title where the study gives none."""
        return self.title or "How the batch can be smaller at the same throughput"


def all_ways(case: Setting) -> tuple[Way, ...]:
    """Return every way that applies to a setting: nine for a stack of feed-forward blocks."""
    return (
        more_axes(case),
        best_shape(case),
        *([wider_layer(case)] if case.load.flops.has(d_ff) else []),
        accumulated(case),
        fewer_bytes(case),
        grouped(case),
        overlapped_axes(case),
        pipelined(case),
        experts(case),
    )


@dataclass(frozen=True, repr=False)
class FoundWays(Found):
    """The bound on the batch at the `start`, and the `ways` from it, with the numbers `known` of the mesh.

    `general` is the starting bound for any mesh; the one at the start leaves out axes of a single chip.
    """

    known: Values
    chips: sp.Expr
    start: sp.Expr
    general: sp.Expr
    ways: tuple[Way, ...]

    @property
    def tokens(self) -> sp.Expr:
        """The tokens that a batch must exceed at the start."""
        return self.start.xreplace(dict(self.known))

    def way(self, name: str) -> Way:
        """Return the way of that key."""
        return next(way for way in self.ways if way.key == name)

    @property
    def ledger(self) -> Ledger:
        """The bound at the start, and under each way with the numbers of its example: a line with the key of the way."""
        under = (
            Line(local("T", way.key), way.bound.xreplace(dict(way.example)), "tokens", way.title) for way in self.ways
        )
        return Ledger((line(T_min, self.start), *under), self.known)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The bound at the start, and under each way by its title."""
        return {"critical_batch_tokens": self.tokens, "ways": {way.title: way.tokens for way in self.ways}}


def _summary(found: FoundWays) -> Table:
    rows = [_row(text("as given"), found.general, found.tokens, found)]
    rows += [_row(text(way.title), way.bound, way.tokens, found) for way in found.ways]
    return Table(
        text("What each way does to the smallest batch (the examples are those of the steps)"),
        (
            Column(text("way"), "text"),
            Column(say("{t} >", t=T)),
            Column(text("whole batch"), "right"),
            Column(text("per chip"), "right"),
            Column(text("against as given"), "right"),
        ),
        tuple(rows),
    )


def _row(name: Prose, bound: sp.Expr, tokens: sp.Expr, found: FoundWays) -> tuple[Prose, ...]:
    numbers = (tokens, tokens / found.chips, tokens / found.tokens)
    return (name, say("{f}", f=bound), *(Prose((Amount(number),)) for number in numbers))
