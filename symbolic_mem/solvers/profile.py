"""`Profile`: the exact memory of one device as a function of the degree, with whole rows, and its smallest degree."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isqrt

from symbolic_mem.base.errors import BadInput
from symbolic_mem.solvers.rules import Allowed


@dataclass(frozen=True)
class Rows:
    """`rows` cut into whole rows over ``over * n`` devices: each holds ceil(rows / (over n)) rows of `bytes` each."""

    rows: Fraction
    bytes: Fraction
    over: Fraction = Fraction(1)

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

    fixed: Fraction
    divided: Fraction = Fraction(0)
    rows: tuple[Rows, ...] = ()
    gathered: tuple[Rows, ...] = ()

    def at(self, n: int) -> Fraction:
        """Exact bytes of one device at degree `n`.

        >>> Profile(Fraction(0), rows=(Rows(Fraction(10), Fraction(4)),)).at(4)
        Fraction(12, 1)
        """
        held = sum((part.bytes * part.held(n) for part in self.rows), Fraction(0))
        whole = sum((part.bytes * part.over * n * part.held(n) for part in self.gathered), Fraction(0))
        return self.fixed + self.divided / n + held + whole

    @cached_property
    def limit(self) -> Fraction | None:
        """Bytes that remain as the degree grows without end; None when they grow."""
        if self.gathered:
            return None
        return self.fixed + sum((part.bytes for part in self.rows), Fraction(0))

    @cached_property
    def turning(self) -> int:
        """A degree from which on the memory never falls again; only where rows are gathered."""
        grows = sum((part.bytes * part.over for part in self.gathered), Fraction(0))
        lowest = isqrt(int(self.divided / grows)) + 1  # divided/n + grows n is least at the square root
        return max(lowest, *(part.single for part in (*self.rows, *self.gathered)))

    @cached_property
    def falling(self) -> Profile:
        """A bound from below that never grows with n: what is gathered counted without its padding."""
        unpadded = sum((part.bytes * part.rows for part in self.gathered), Fraction(0))
        return Profile(self.fixed + unpadded, self.divided, self.rows)

    def smallest(self, capacity: Fraction, *, strict: bool = False, allowed: Allowed | None = None) -> int | None:
        """Return the smallest allowed degree whose memory is at most (`strict`: less than) `capacity`, or None.

        Where nothing is gathered the memory never grows with n, so a bisection is exact. Else candidates are tried
        one by one, from where the bound from below first fits to the degree after which the memory only grows.

        >>> Profile(Fraction(2), Fraction(100)).smallest(Fraction(12)), Profile(Fraction(2)).smallest(Fraction(1))
        (10, None)
        """
        allowed = allowed or Allowed()
        if self.divided < 0 or any(part.bytes < 0 for part in (*self.rows, *self.gathered)):
            raise BadInput("a part that is divided has less than zero bytes: the memory does not fall with the degree")
        start = self.falling.first_fit(capacity, strict)
        if start is None:
            return None
        n = allowed.first(start)
        if not self.gathered:
            return n
        while n is not None and not _fits(self.at(n), capacity, strict):
            if n >= self.turning:
                return None
            n = allowed.first(n + 1)
        return n

    def first_fit(self, capacity: Fraction, strict: bool) -> int | None:
        """Return the first degree that fits where the memory never grows with n, or None; by bisection."""
        assert self.limit is not None
        # With a divided part the limit is approached from above and never reached; without one it is reached.
        reached = self.divided == 0 and _fits(self.limit, capacity, strict)
        if self.limit >= capacity and not reached:
            return None
        high = 1
        while not _fits(self.at(high), capacity, strict):
            high *= 2
        low = high // 2  # does not fit, or is zero
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _fits(self.at(middle), capacity, strict) else (middle, high)
        return high


def _fits(amount: Fraction, capacity: Fraction, strict: bool) -> bool:
    return amount < capacity if strict else amount <= capacity
