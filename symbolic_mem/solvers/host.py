"""`HostHolds`: the memory of the hosts as a rule for the degree, where a part of each device's memory lives there."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import cast

import sympy as sp

from symbolic_mem.base.exact import Given, number
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class HostHolds:
    """A host of `room` bytes holds the parts of the `shared` devices on it, each fixed + divided/n bytes at degree n.

    There are `ranks` devices for each of the degree; where there are fewer than `shared` in all, they share one host.
    `size` is the room as it was given.
    """

    divided: sp.Expr | Number
    fixed: sp.Expr | Number
    room: Number
    shared: int
    ranks: int = 1
    size: str = ""

    @property
    def symbols(self) -> frozenset[sp.Symbol]:
        """The symbols whose values decide what the rule allows."""
        both = sp.sympify(self.divided).free_symbols | sp.sympify(self.fixed).free_symbols
        return cast("frozenset[sp.Symbol]", frozenset(both))

    def at(self, values: Given) -> HostHolds:
        """Return the rule with its numbers in place of symbols."""
        both = (part if isinstance(part, sp.Expr) else symbolic(part) for part in (self.divided, self.fixed))
        divided, fixed = (number(part, values) for part in both)
        return replace(self, divided=divided, fixed=fixed)

    @property
    def words(self) -> str:
        """What the rule asks, as the end of a sentence."""
        devices = "its device" if self.shared == 1 else f"its {self.shared} devices"
        parts = "part" if self.shared == 1 else "parts"
        return f"such that a host of {self.size} holds the {parts} of {devices}"

    def on_one(self, n: int) -> int:
        """How many devices share a host at degree `n`."""
        return min(n * self.ranks, self.shared)

    def held(self, n: int) -> Fraction:
        """Exact bytes that one host holds at degree `n`, of the rule with its numbers.

        >>> rule = HostHolds(600, 5, 500, shared=8)
        >>> [int(rule.held(n)) for n in (1, 8, 10)]
        [605, 640, 520]
        """
        divided, fixed = self._parts
        return self.on_one(n) * (fixed + divided / n)

    def admits(self, n: int) -> bool:
        """Tell whether a host holds the parts of its devices at degree `n`."""
        return self.held(n) <= self.room

    def first(self, start: int) -> int | None:
        """Return the smallest degree of at least `start` that the rule allows, or None.

        What a host holds grows until it is full of devices, and falls from there on: one device may be enough where
        two are too many.

        >>> [HostHolds(600, 5, room, shared=8).first(1) for room in (605, 604, 500, 40)]
        [1, 9, 11, None]
        >>> [HostHolds(100, 10, 120, shared=8).first(start) for start in (1, 3)]
        [1, 20]
        """
        if self.admits(start):
            return start
        divided, fixed = self._parts
        left = self.room - self.shared * fixed
        return ceil(self.shared * divided / left) if left > 0 else None

    def last(self, end: int) -> int | None:
        """Return the largest degree of at most `end` that the rule allows, or None.

        >>> [HostHolds(100, 10, 120, shared=8).last(end) for end in (30, 19, 1)]
        [30, 2, 1]
        >>> HostHolds(600, 0, 500, shared=8).last(9) is None
        True
        """
        if self.admits(end):
            return end
        divided, fixed = self._parts
        if fixed == 0:
            return None
        few = int((Fraction(self.room) / self.ranks - divided) // fixed)
        return few if few >= 1 else None

    @property
    def _parts(self) -> tuple[Fraction, Fraction]:
        assert not isinstance(self.divided, sp.Expr), "a rule is asked with its numbers"
        assert not isinstance(self.fixed, sp.Expr), "a rule is asked with its numbers"
        return Fraction(self.divided), Fraction(self.fixed)
