"""`Profile`: the exact memory of one device as a function of the degree, with whole rows, and its smallest degree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from math import isqrt, lcm
from typing import cast

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.first import first_degree
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.values import dataclass
from symbolic_mem.solvers.rules import Allowed


@dataclass(frozen=True)
class Rows:
    """`rows` cut into whole rows over ``over * n`` devices: each holds ceil(rows / (over n)) rows of `bytes` each."""

    rows: Number
    bytes: Number
    over: Number = 1

    def held(self, n: int) -> int:
        """Rows of one device at degree `n`."""
        return -(-self.rows // (self.over * n))

    @property
    def single(self) -> int:
        """The degree from which on every device holds one row."""
        return max(1, -(-self.rows // self.over))


@dataclass(frozen=True)
class Profile:
    """Bytes of one device at degree n: fixed + divided/n + whole rows + rows gathered again on every device.

    `gathered` rows cost ``bytes * over * n * ceil(rows / (over n))``: the padded tensor, whole. Without them no part
    grows with n. With them the memory is not monotone, and `smallest` walks through every candidate.
    """

    fixed: Number
    divided: Number = 0
    rows: tuple[Rows, ...] = ()
    gathered: tuple[Rows, ...] = ()

    @property
    def even(self) -> bool:
        """Whether all that is divided is divided evenly."""
        return not self.rows and not self.gathered

    def at(self, n: int) -> Fraction:
        """Exact bytes of one device at degree `n`.

        >>> Profile(0, rows=(Rows(10, 4),)).at(4)
        Fraction(12, 1)
        """
        return Fraction(self._times_n(n), self._scale * n)

    def written(self, n: sp.Symbol) -> sp.Expr:
        """The bytes of one device as a formula of the degree alone.

        >>> from symbolic_mem.base.symbols import n_fsdp
        >>> Profile(5, 8, rows=(Rows(10, 4),)).written(n_fsdp)
        4*ceiling(10/n_fsdp) + 5 + 8/n_fsdp
        """
        cut = [symbolic(p.bytes) * sp.ceiling(symbolic(p.rows) / (symbolic(p.over) * n)) for p in self.rows]
        whole = [
            symbolic(p.bytes) * symbolic(p.over) * n * sp.ceiling(symbolic(p.rows) / (symbolic(p.over) * n))
            for p in self.gathered
        ]
        return sp.Add(symbolic(self.fixed), symbolic(self.divided) / n, *cut, *whole)

    @cached_property
    def _scale(self) -> int:
        """A number that makes all bytes whole."""
        sizes = (*(part.bytes for part in self.rows), *(part.bytes * part.over for part in self.gathered))
        return lcm(*(amount.denominator for amount in (self.fixed, self.divided, *sizes)))

    @cached_property
    def _times_n(self) -> Callable[[int], int]:
        """A function of n: n times the memory, times the scale, in whole numbers alone."""
        scale = self._scale
        fixed, divided = int(self.fixed * scale), int(self.divided * scale)
        rows = _cuts((part, part.bytes * scale) for part in self.rows)
        gathered = _cuts((part, part.bytes * part.over * scale) for part in self.gathered)

        def times_n(n: int) -> int:
            held = sum(size * -(-count // (over * n)) for count, over, size in rows)
            whole = sum(size * -(-count // (over * n)) for count, over, size in gathered)
            return divided + n * (fixed + held + n * whole)

        return times_n

    def _holds(self, limit: Limit, n: int) -> bool:
        return limit.holds(self._times_n(n), times=self._scale * n)

    @cached_property
    def floor(self) -> Number | None:
        """Bytes that remain as the degree grows without end; None when they grow."""
        return None if self.gathered else self.fixed + sum(part.bytes for part in self.rows)

    @cached_property
    def turning(self) -> int:
        """A degree from which on the memory never falls again; only where rows are gathered."""
        grows = sum(part.bytes * part.over for part in self.gathered)
        lowest = isqrt(self.divided // grows) + 1  # divided/n + grows n is least at the square root
        return max(lowest, *(part.single for part in (*self.rows, *self.gathered)))

    @cached_property
    def falling(self) -> Profile:
        """A bound from below that never grows with n: what is gathered counted without its padding."""
        unpadded = sum(part.bytes * part.rows for part in self.gathered)
        return Profile(self.fixed + unpadded, self.divided, self.rows)

    def smallest(self, limit: Limit, allowed: Allowed | None = None) -> int | None:
        """Return the smallest allowed degree whose memory keeps the `limit`, or None.

        Where nothing is gathered the memory never grows with n, so a bisection is exact. Else candidates are tried
        one by one, from where the bound from below first fits to the degree after which the memory only grows.

        >>> Profile(2, 100).smallest(Limit(12)), Profile(2).smallest(Limit(1))
        (10, None)
        """
        allowed = allowed or Allowed()
        if self.divided < 0 or any(part.bytes < 0 for part in (*self.rows, *self.gathered)):
            raise BadInput("a part that is divided has less than zero bytes: the memory does not fall with the degree")
        start = self.falling.first_fit(limit)
        if start is None:
            return None
        n = allowed.first(start)
        if not self.gathered:
            return n
        while n is not None and not self._holds(limit, n):
            if n >= self.turning:
                return None
            n = allowed.first(n + 1)
        return n

    def first_fit(self, limit: Limit) -> int | None:
        """Return the first degree that fits where the memory never grows with n, or None; by bisection."""
        assert self.floor is not None
        # With a divided part the floor is approached from above and never reached; without one it is reached.
        held = limit.holds(self.floor) if self.divided == 0 else Limit(limit.capacity, strict=True).holds(self.floor)
        if not held:
            return None
        unrounded = self.divided + sum(Fraction(part.bytes * part.rows) / part.over for part in self.rows)
        low = high = first_degree(unrounded, self.fixed, cast(Number, limit.capacity), strict=limit.strict) or 1
        step = 1
        while not self._holds(limit, high):
            low, high, step = high, high + step, 2 * step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._holds(limit, middle) else (middle, high)
        return high


def _cuts(parts: Iterable[tuple[Rows, Number]]) -> list[tuple[int, int, int]]:
    """Rows as whole numbers a, b and a size, for ceil(a / (b n)) rows of that size; equal cuts are one."""
    sizes: dict[tuple[int, int], int] = {}
    for part, size in parts:
        share = part.rows if part.over == 1 else Fraction(part.rows) / part.over
        sizes[share.numerator, share.denominator] = sizes.get((share.numerator, share.denominator), 0) + int(size)
    return [(count, over, size) for (count, over), size in sizes.items()]
