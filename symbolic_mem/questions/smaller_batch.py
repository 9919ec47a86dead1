"""The question `smaller_batch`: ways to stay bound by the mathematics at a smaller batch, each derived and measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.symbols import E, T, T_min, X, d_ff, k, local
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Table
from symbolic_mem.document.words import about, joined, sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.keys import whole
from symbolic_mem.questions.parts.setting import Setting, setting
from symbolic_mem.questions.parts.times import line
from symbolic_mem.questions.parts.way import Way, no_batch, way_step
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
        lacking = no_batch(case.roofline, case.values)
        needed = start + bound_on(case, overlap="sum") + best_mesh(case.roofline).tokens("max")
        study.need(needed.xreplace(dict(case.values)), f"question {self.label}")
        chips = sp.Integer(case.chips or 1)
        return FoundWays(study, self, case.values, chips, start, bound_on(case), all_ways(case), lacking)

    def steps(self, found: FoundWays) -> Iterator[Block]:
        """Write the starting point, every way, and all of them side by side."""
        work = Work(found.known)
        tokens = work.define(T_min, found.start)
        said = text("The starting point is the mesh as given, its two axes sending at the same time:")
        if found.lacking is not None:
            yield work.step(said, Chain(T_min, (("=", found.start),)), reason=found.lacking)
        else:
            yield work.step(
                said, Chain(T_min, (("=", found.start), ("=", work.put(found.start)), amount(tokens, "tokens")))
            )
        yield from map(way_step, found.ways)
        yield _summary(found)
        if any(tokens is None for tokens in (found.tokens, *(way.tokens for way in found.ways))):
            yield Paragraph(text("A dash stands where there is no such batch."))

    def sentence(self, found: FoundWays) -> Prose:
        """Say what the ways do to the bound, in numbers."""
        if found.tokens is None:
            return sentences(
                text("On the mesh as given no batch is large enough."),
                *_with_ways(found),
                text("Neither more axes for FSDP nor gradient accumulation changes that."),
            )
        if not all(way.tokens is not None and way.tokens < found.tokens for way, _ in _named(found)):
            return sentences(
                say("As given the bound is {base} tokens.", base=about(Amount(found.tokens))),
                *_with_ways(found),
                say(
                    "More axes and overlap are already used. Gradient accumulation multiplies the bound, and experts "
                    "multiply it by {ratio} unless they stay in place.",
                    ratio=E / k,
                ),
            )
        return say(
            "From {base} tokens the bound falls to {shape}, to {bytes} with one byte per element sent, and to {stages} with "
            "four pipeline stages that keep their weights; more axes and overlap are already used. Gradient accumulation "
            "multiplies it, and experts multiply it by {ratio} unless they stay in place.",
            ratio=E / k,
            base=about(Amount(found.tokens)),
            **{way.key: _bound(way) for way, _ in _named(found)},
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
    lacking: Prose | None = None

    @property
    def tokens(self) -> sp.Expr | None:
        """The tokens that a batch must exceed at the start; None where no batch is large enough."""
        return None if self.lacking is not None else self.start.xreplace(dict(self.known))

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
    rows = [_row(text("as given"), found.general, found.tokens, None)]
    for way in found.ways:
        without = found.tokens if way.without is None else way.without
        if way.used:
            rows.append(_row(text(f"{way.title} (already used)"), found.general, found.tokens, way.tokens))
        else:
            rows.append(_row(text(way.title), way.bound, way.tokens, without))
        if way.whole is not None and way.whole.tokens is not None:
            name = say("The best mesh of whole axes, {x} × {y}", x=way.whole.x, y=way.whole.y)
            rows.append(_row(name, found.general, way.whole.tokens, without))
    return Table(
        text("What each way does to the smallest batch, all else alike (the examples are those of the steps)"),
        (
            Column(text("way"), "text"),
            Column(say("{t} >", t=T)),
            Column(text("with it"), "right"),
            Column(text("without it"), "right"),
            Column(text("with to without"), "right"),
        ),
        tuple(rows),
    )


def _row(name: Prose, bound: sp.Expr, tokens: sp.Expr | None, without: sp.Expr | None) -> tuple[Prose, ...]:
    ratio = tokens / without if tokens is not None and without else None
    cells = (text("–") if number is None else about(Amount(number)) for number in (tokens, without, ratio))
    return (name, say("{f}", f=bound), *cells)


def _bound(way: Way) -> Prose:
    """The bound under a way; of the shape of the mesh that on whole axes, and the real one beside it."""
    shown = about(Amount(way.bound.xreplace(dict(way.values))))
    if way.whole is None or way.whole.tokens is None or way.x is None:
        return shown
    best = way.x.xreplace(dict(way.values))
    pieces = {"whole": about(Amount(way.whole.tokens)), "x": way.whole.x, "y": way.whole.y, "real": shown}
    if best.is_Integer:
        return say("{whole} on the best mesh, {x} × {y}", **pieces)
    return say(
        "{whole} on the best mesh of whole axes, {x} × {y} ({real} at {best}, which is no whole number of chips)",
        best=Chain(X, (amount(best),)),
        **pieces,
    )


def _named(found: FoundWays) -> tuple[tuple[Way, Prose], ...]:
    """The ways that the sentence names, in its words."""
    return (
        (found.way("shape"), text("with the best shape of the mesh")),
        (found.way("bytes"), text("with one byte per element sent")),
        (found.way("stages"), text("with four pipeline stages that keep their weights")),
    )


def _with_ways(found: FoundWays) -> Iterator[Prose]:
    """Say the bound under each of these ways, and where there is none."""
    there = [
        say("{t} tokens {words}", t=about(Amount(way.tokens)), words=words)
        for way, words in _named(found)
        if way.tokens is not None
    ]
    if there and found.tokens is not None:
        yield say("It is {bounds}.", bounds=joined(there))
    elif there:
        yield say("The bound is {bounds}.", bounds=joined(there))
    absent = [words for way, words in _named(found) if way.tokens is None]
    if absent:
        yield say("There is none {ways}.", ways=joined(absent, last=" or "))
