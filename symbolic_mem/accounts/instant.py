"""`Instant`: an instant of a training step, with the memory of one device at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace
from functools import cached_property

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import MissingValue
from symbolic_mem.base.exact import Numbers, missing
from symbolic_mem.base.rational import Number
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import STATIC

LATE = 10**9
Called = tuple[str, str, str]  # the name of an instant, its place and its words; without words all of that place


def _lasts(term: Term) -> bool:
    return term.kind in (*STATIC, "cache") or bool(term.layer)


@dataclass(frozen=True)
class Instant:
    """An instant of a `phase` of a step, in `words`; it exists where `count` is at least `least`, and at most `most` (None: any).

    `turn` is when its block has its turn in the phase, counted from 0; what comes before all blocks has -1, after all
    blocks `LATE`.
    Those of one `place` differ in what is there inside a block or behind the last alone, which has the size `inside`; one that has
    none is compared for itself. One of a `rank` can be what `lasting` alone is there.
    """

    name: str
    phase: str
    words: str
    make: Callable[[], Memory] = field(compare=False, repr=False)
    count: sp.Expr = sp.S.One
    least: int = 1
    most: int | None = None
    turn: int = field(default=LATE, compare=False)
    place: str = ""
    inside: Callable[[Numbers], Number] | None = field(default=None, compare=False, repr=False)
    rank: str = ""
    lasting: bool = False

    @property
    def kept(self) -> Instant:
        """Of a rank what it keeps by then, without what is there for a moment only."""
        words = f"what is kept on {self.rank}"
        return replace(self, words=words, make=lambda: self.memory.where(_lasts), lasting=True)

    @property
    def called(self) -> Called:
        """Its name, place and words: how a slip names the instants that count."""
        return self.name, self.place, self.words

    @cached_property
    def memory(self) -> Memory:
        """What one device holds, before its kinds are placed; what is whole on each device is a buffer."""
        return self.make()

    def without(self, names: Sequence[str]) -> Instant:
        """The instant without the terms of some names."""
        return replace(self, make=lambda: self.memory.where(lambda term: term.name not in names))

    def in_turn(self) -> Instant:
        """The instant without what is gathered before its block has its turn."""
        return replace(self, make=lambda: Memory(tuple(map(Term.in_turn, self.memory)), self.memory.definitions))

    def exists(self, numbers: Numbers) -> bool:
        """Whether there are as many blocks as it needs; where their number is not known they are many."""
        if self.count not in numbers and missing(self.count, numbers.values_given):
            return self.most is None
        count = numbers[self.count]
        return self.least <= count and (self.most is None or count <= self.most)


def decided(step: Sequence[Instant], numbers: Numbers) -> tuple[Instant, ...]:
    """Return of the instants inside one block the fullest at `numbers`, which a degree or a number of blocks does not change.

    All of them stay where a symbol of what is there has no value.
    """
    inside: dict[tuple[str, str], list[Instant]] = {}
    for one in step:
        if one.inside is not None:
            inside.setdefault((one.name, one.place), []).append(one)
    try:
        chosen = {id(_fullest(alike, numbers)) for alike in inside.values()}
    except MissingValue:
        return tuple(step)
    return tuple(one for one in step if one.inside is None or id(one) in chosen)


def _fullest(alike: Sequence[Instant], numbers: Numbers) -> Instant:
    """The first of those instants inside one block that hold most there."""
    return alike[0] if len(alike) == 1 else max(alike, key=lambda one: one.inside(numbers) if one.inside else 0)
