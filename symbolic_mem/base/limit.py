"""`Limit`: an amount held at most at, or less than, a capacity: its signs, its words and its whole numbers, once."""

from __future__ import annotations

from typing import cast

import sympy as sp

from symbolic_mem.base.exact import Given, number
from symbolic_mem.base.first import first_whole
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Limit:
    """At most `capacity`, or less than it when `strict`; the capacity is a number or an expression."""

    capacity: sp.Expr | Number
    strict: bool = False

    @property
    def sign(self) -> str:
        """The sign between an amount that fits and the capacity."""
        return "<" if self.strict else "≤"

    @property
    def fails(self) -> str:
        """The sign between an amount that does not fit and the capacity."""
        return "≥" if self.strict else ">"

    @property
    def reach(self) -> str:
        """The sign between a degree that is enough and the quotient that it must reach."""
        return ">" if self.strict else "≥"

    @property
    def words(self) -> str:
        """The sign of an amount that fits, in words."""
        return "less than" if self.strict else "at most"

    @property
    def expr(self) -> sp.Expr:
        """The capacity as SymPy's."""
        return symbolic(self.capacity)

    def at(self, values: Given, what: str = "the capacity") -> Limit:
        """The same limit with the number of its capacity at `values`."""
        return Limit(number(self.expr, values, what), self.strict)

    def holds(self, amount: Number, times: int = 1) -> bool:
        """Whether that amount fits into so many `times` the capacity, where that is a Python number.

        >>> Limit(10).holds(10), Limit(10, strict=True).holds(10), Limit(10, strict=True).holds(19, times=2)
        (True, False, True)
        """
        capacity = cast(int, self.capacity) * times
        return amount < capacity if self.strict else amount <= capacity

    def first_whole(self, above: Number, below: Number = 1) -> int:
        """Return the first whole number that reaches ``above / below``, a quotient of positive numbers.

        >>> Limit(10).first_whole(80, 8), Limit(10, strict=True).first_whole(80, 8)
        (10, 11)
        """
        return first_whole(above, below, strict=self.strict)

    def last_whole(self, above: Number, below: Number = 1) -> int:
        """Return the last whole number that the quotient ``above / below`` allows.

        >>> Limit(10).last_whole(80, 8), Limit(10, strict=True).last_whole(80, 8)
        (10, 9)
        """
        return -(-above // below) - 1 if self.strict else above // below

    def first(self, quotient: sp.Expr) -> sp.Expr:
        """Write the first whole number that reaches `quotient`.

        >>> from symbolic_mem.base.symbols import B
        >>> Limit(10).first(B / 2), Limit(10, strict=True).first(B / 2)
        (ceiling(B/2), floor(B/2) + 1)
        """
        return sp.floor(quotient, evaluate=False) + 1 if self.strict else sp.ceiling(quotient, evaluate=False)

    def last(self, quotient: sp.Expr) -> sp.Expr:
        """Write the last whole number that `quotient` allows.

        >>> from symbolic_mem.base.symbols import B
        >>> Limit(10).last(B / 2), Limit(10, strict=True).last(B / 2)
        (floor(B/2), ceiling(B/2) - 1)
        """
        return sp.ceiling(quotient, evaluate=False) - 1 if self.strict else sp.floor(quotient, evaluate=False)

    def fits(self, amount: sp.Expr) -> sp.Rel:
        """Write that `amount` fits, unevaluated.

        >>> from symbolic_mem.base.symbols import B
        >>> Limit(10).fits(2 * B), Limit(10, strict=True).fits(2 * B)
        (2*B <= 10, 2*B < 10)
        """
        relation = sp.StrictLessThan if self.strict else sp.LessThan
        return relation(amount, self.expr, evaluate=False)
