"""`Limit`: at most a capacity, or less than it; its signs, and the whole number that a bound then gives, written once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

import sympy as sp


@dataclass(frozen=True)
class Limit:
    """What an amount is held against: ``at most`` the capacity, or ``less than`` it where it is `strict`.

    >>> Limit(10).holds(10), Limit(10, strict=True).holds(10), Limit(10, strict=True).first_whole(Fraction(4))
    (True, False, 5)
    """

    capacity: Any
    strict: bool = False

    @property
    def sign(self) -> str:
        """The relation of an amount that fits to the capacity."""
        return "<" if self.strict else "≤"

    @property
    def fails(self) -> str:
        """The relation of an amount that does not fit to the capacity."""
        return "≥" if self.strict else ">"

    @property
    def reach(self) -> str:
        """The relation of a degree that fits to the quotient that it must reach."""
        return ">" if self.strict else "≥"

    @property
    def words(self) -> str:
        """The relation in words."""
        return "less than" if self.strict else "at most"

    @property
    def relation(self) -> type[sp.Rel]:
        """The relation as SymPy has it."""
        return sp.StrictLessThan if self.strict else sp.LessThan

    def holds(self, amount: Any) -> bool:
        """Whether an amount fits, exactly."""
        return bool(amount < self.capacity if self.strict else amount <= self.capacity)

    def first_whole(self, quotient: Fraction | int) -> int:
        """The first whole number that reaches a quotient: the smallest degree."""
        return floor(quotient) + 1 if self.strict else ceil(quotient)

    def last_whole(self, quotient: Fraction | int) -> int:
        """The last whole number that a quotient allows: the largest batch."""
        return ceil(quotient) - 1 if self.strict else floor(quotient)

    def first(self, quotient: sp.Expr) -> sp.Expr:
        """The formula of `first_whole`, as it is written."""
        return sp.floor(quotient, evaluate=False) + 1 if self.strict else sp.ceiling(quotient, evaluate=False)

    def last(self, quotient: sp.Expr) -> sp.Expr:
        """The formula of `last_whole`, as it is written."""
        return sp.ceiling(quotient, evaluate=False) - 1 if self.strict else sp.floor(quotient, evaluate=False)
