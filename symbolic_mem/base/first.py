"""The first whole numbers that are enough: of a quotient, and of a memory that is divided; arithmetic of Python alone."""

from __future__ import annotations

from fractions import Fraction

Number = int | Fraction


def first_degree(divided: Number, fixed: Number, capacity: Number, *, strict: bool = False) -> int | None:
    """Return the smallest whole n for which ``fixed + divided/n`` fits into `capacity`, None where none does.

    >>> first_degree(80, 2, 10), first_degree(80, 2, 10, strict=True), first_degree(1, 10, 10)
    (10, 11, None)
    """
    room = capacity - fixed
    if room > 0:
        n = first_whole(divided, room, strict=strict)
        return n if n > 0 else 1
    return 1 if room == 0 and divided == 0 and not strict else None


def first_whole(above: Number, below: Number, *, strict: bool) -> int:
    """Return the first whole number that reaches, or with `strict` exceeds, a quotient of positive numbers.

    >>> first_whole(80, 8, strict=False), first_whole(80, 8, strict=True)
    (10, 11)
    """
    return above // below + 1 if strict else -(-above // below)
