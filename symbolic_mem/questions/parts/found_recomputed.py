"""`FoundRecomputed`: the degree under another rule of recomputation, and the study as it stands beside it."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.document.words import about, count, gib
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.assumptions import divided_model, idle_degrees, whose
from symbolic_mem.questions.parts.found_degree import FoundDegree
from symbolic_mem.questions.parts.instants import instant_words
from symbolic_mem.questions.parts.words import placement_sentences


@dataclass(frozen=True)
class Kept:
    """One side: its rule and placement, bytes of the activations (kept, and counted on one device), and the degree."""

    rule: str
    placed: Placed | None
    kept: sp.Rational
    counted: sp.Rational
    value: int | None


@dataclass(frozen=True, repr=False)
class FoundRecomputed(FoundDegree):
    """The degree under the other rule; `sides` are the study as it stands, and with the other rule."""

    sides: tuple[Kept, ...] = ()

    @property
    def reason(self) -> Prose | None:
        """Why there is no degree."""
        return None if self.feasible else text("what every device holds in full is already too much")

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """The rule, and where the memory lives."""
        rule = say("Recomputation: {rule}.", rule=text(str(self.study.recipe.recompute)))
        return (
            rule,
            *idle_degrees(self.study),
            *divided_model(self.study),
            *placement_sentences(self.kinds, self.study.placement, whose(self.study)),
            *instant_words(self.study),
            *self.fuller,
            *self.one_words,
        )


def sides_table(found: FoundRecomputed) -> Table:
    """Tabulate the study as it stands beside the other rule."""
    rows = tuple(
        (
            text(side.rule),
            text(_share(side.placed)),
            about(gib(side.kept)),
            about(gib(side.counted)),
            text("none is enough") if side.value is None else count(side.value),
        )
        for side in found.sides
    )
    return Table(
        text("The study as it stands, and with this recomputation"),
        (
            Column(text("recomputation"), "text"),
            Column(text("placement of the activations"), "text"),
            Column(text("activations"), "right"),
            Column(text("counted"), "right"),
            Column(say("smallest {n}", n=found.symbol), "right"),
        ),
        rows,
    )


def _share(placed: Placed | None) -> str:
    if placed is None or placed.fraction == 0:
        return "whole on every device"
    if placed.fraction == 1:
        return "divided"
    return f"{placed.fraction} divided, the rest {placed.rest}"
