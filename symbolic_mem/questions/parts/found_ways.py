"""`FoundWays`: the bound on the batch as given, and under every way to a smaller one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.symbols import T, T_min, X, d_ff, local
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.document.words import about, counted, joined
from symbolic_mem.questions.parts.setting import Setting
from symbolic_mem.questions.parts.times import line
from symbolic_mem.questions.parts.way import Way
from symbolic_mem.questions.parts.ways import best_shape, more_axes, overlapped_axes, pipelined, wider_layer
from symbolic_mem.questions.parts.ways_sent import accumulated, experts, fewer_bytes, grouped
from symbolic_mem.study.found import Found


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


def ways_table(found: FoundWays) -> Table:
    """Tabulate the ways beside the mesh as given."""
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


def bound_words(way: Way) -> Prose:
    """The bound under a way; of the shape of the mesh that on whole axes, and the real one beside it."""
    shown = about(Amount(way.bound.xreplace(dict(way.values))))
    if way.whole is None or way.whole.tokens is None or way.x is None:
        return shown
    pieces = {"whole": about(Amount(way.whole.tokens)), "x": way.whole.x, "y": way.whole.y, "real": beside_whole(way)}
    if way.x.xreplace(dict(way.values)).is_Integer:
        return say("{whole} on the best mesh, {x} × {y}", **pieces)
    return say("{whole} on the best mesh{real}", **pieces)


def beside_whole(way: Way) -> Prose:
    """Of which meshes the best one is, and the bound on the best real one, where that has no whole axes."""
    assert way.whole is not None and way.x is not None, "a mesh of whole axes stands beside the best real one"
    best = way.x.xreplace(dict(way.values))
    if best.is_Integer:
        return text("")
    if way.tokens is None:
        return say(" of whole axes, {x} × {y}", x=way.whole.x, y=way.whole.y)
    return say(
        " of whole axes, {x} × {y} ({real} at {best}, which is no whole number of chips)",
        x=way.whole.x,
        y=way.whole.y,
        real=about(Amount(way.bound.xreplace(dict(way.values)))),
        best=Chain(X, (amount(best),)),
    )


def named_ways(found: FoundWays) -> tuple[tuple[Way, Prose], ...]:
    """The ways that the sentence names, in its words."""
    return (
        (found.way("shape"), text("with the best shape of the mesh")),
        (found.way("bytes"), text("with one byte per element sent")),
        (found.way("stages"), text("with four pipeline stages that keep their weights")),
    )


def with_ways(found: FoundWays) -> Iterator[Prose]:
    """Say the bound under each of these ways, and where there is none."""
    there = [_tokens_with(way, words) for way, words in named_ways(found) if _there(way)]
    if there and found.tokens is not None:
        yield say("It is {bounds}.", bounds=joined(there))
    elif there:
        yield say("The bound is {bounds}.", bounds=joined(there))
    absent = [words for way, words in named_ways(found) if not _there(way)]
    if absent:
        yield say("There is none {ways}.", ways=joined(absent, last=" or "))


def _there(way: Way) -> bool:
    """Whether a way leads to a bound: of the shape of the mesh also where only a mesh of whole axes has one."""
    return way.tokens is not None or (way.whole is not None and way.whole.tokens is not None)


def _tokens_with(way: Way, words: Prose) -> Prose:
    if way.whole is not None and way.whole.tokens is not None and way.x is not None:
        return say("{t} on the best mesh{real}", t=counted(way.whole.tokens, "tokens"), real=beside_whole(way))
    assert way.tokens is not None, "a bound that is there"
    return say("{t} {words}", t=counted(way.tokens, "tokens"), words=words)
