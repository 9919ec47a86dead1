"""Which instants can bind anywhere in a box of values: all others are never evaluated.

What is held at an instant is F + P/n with polynomials F and P. An instant is left out where others hold at least as much of
both everywhere: one of them, or two of them mixed, w of the one and 1 - w of the other, since the larger of the two holds at
least what their mixture does. Everything is decided in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import prod
from operator import add, sub

from symbolic_mem.base.values import dataclass
from symbolic_mem.sweeps.polynomial import Monomial, Polynomial

SAMPLES = 64
Parts = tuple[list[int], list[int]]
"""The factors of P and of F, one for each monomial that occurs."""


@dataclass(frozen=True)
class Box:
    """Monomials with the least and the largest value that each has."""

    lows: list[int]
    highs: list[int]

    def least(self, factors: Sequence[int]) -> int:
        """A sum of the monomials with such factors is nowhere less than this."""
        each = zip(factors, self.lows, self.highs, strict=True)
        return sum(factor * (low if factor > 0 else high) for factor, low, high in each)

    def covers(self, more: Parts, *, first: bool) -> bool:
        """Whether both parts of a difference are nowhere negative; where it may be none, the one that is `first` binds."""
        divided, fixed = map(self.least, more)
        return divided >= 0 and fixed >= 0 and (first or divided > 0 or fixed > 0)


def binding(
    divided: Sequence[Polynomial], fixed: Sequence[Polynomial], lowest: Sequence[int], largest: Sequence[int]
) -> list[int]:
    """Return the positions of the instants that can hold most, where each generator lies from its `lowest` to its `largest`.

    All factors are whole and all powers positive. Of instants that hold the same the first binds.

    >>> from symbolic_mem.base.symbols import B
    >>> from symbolic_mem.sweeps.polynomial import Generators, constant
    >>> fixed = [Generators((B,)).read(one, {}) for one in (4 * B, B + 90, 2 * B + 30, B + 89)]
    >>> binding([constant(1)] * 4, fixed, [1], [100])
    [0, 1]
    """
    if min(lowest, default=1) < 0:
        return list(range(len(fixed)))
    monomials = list(dict.fromkeys(term for one in (*divided, *fixed) for term, _ in one))
    box = Box(_at(monomials, lowest), _at(monomials, largest))
    parts = [(_factors(p, monomials), _factors(f, monomials)) for p, f in zip(divided, fixed, strict=True)]
    kept = _without_covered(parts, box)
    if len(kept) < 3:
        return sorted(kept)
    often = _at_samples(parts, kept, monomials, lowest, largest)
    for k in [one for one in kept if one not in often]:
        if any(_mixed(parts, pair, k, box) for pair in combinations(often, 2)):
            kept.remove(k)
    return sorted(kept)


def _at(monomials: Sequence[Monomial], values: Sequence[int]) -> list[int]:
    return [prod(int(values[place]) ** power for place, power in term) for term in monomials]


def _factors(polynomial: Polynomial, monomials: Sequence[Monomial]) -> list[int]:
    return [int(polynomial.terms.get(term, 0)) for term in monomials]


def _without_covered(parts: Sequence[Parts], box: Box) -> list[int]:
    """The instants that no other one alone makes needless."""
    sizes = [sum(abs(f) * high for part in one for f, high in zip(part, box.highs, strict=True)) for one in parts]
    kept: list[int] = []
    for k in sorted(range(len(parts)), key=lambda one: -sizes[one]):
        if not any(box.covers(_difference(parts[other], parts[k]), first=other < k) for other in kept):
            kept.append(k)
    return kept


def _difference(one: Parts, other: Parts) -> Parts:
    return list(map(sub, one[0], other[0])), list(map(sub, one[1], other[1]))


def _at_samples(
    parts: Sequence[Parts],
    kept: Sequence[int],
    monomials: Sequence[Monomial],
    lowest: Sequence[int],
    largest: Sequence[int],
) -> list[int]:
    """The instants that hold most at some points of the box: they stay, and the others are compared to them alone."""
    found: dict[int, None] = {}
    spans = [(int(low), int(high)) for low, high in zip(lowest, largest, strict=True)]
    for number in range(SAMPLES):
        n, *values = (
            max(low, round(max(low, 1) * (high / max(low, 1)) ** share))
            for (low, high), share in zip([(1, 1 << 20), *spans], _shares(number), strict=False)
        )
        sizes = _at(monomials, values)
        held = [_sum(parts[k][1], sizes) * n + _sum(parts[k][0], sizes) for k in kept]
        found[kept[held.index(max(held))]] = None
    return list(found)


def _shares(number: int) -> Iterator[float]:
    """Places from 0 to 1, one for each direction, that together fill a box evenly as numbers go on."""
    step = 0.5
    while True:
        step = (step * 1.618033988749895 + 0.4142135623730951) % 1
        yield number * step % 1


def _sum(factors: Sequence[int], sizes: Sequence[int]) -> int:
    return sum(factor * size for factor, size in zip(factors, sizes, strict=True))


def _mixed(parts: Sequence[Parts], pair: tuple[int, int], k: int, box: Box) -> bool:
    """Whether two instants, mixed in some way, hold at least what `k` does; mixtures in which a monomial vanishes are tried."""
    one, other = (_difference(parts[each], parts[k]) for each in pair)
    shares = {
        (abs(v), abs(u) + abs(v))
        for mine, theirs in zip(one, other, strict=True)
        for u, v in zip(mine, theirs, strict=True)
        if u * v < 0
    }
    for share, whole in shares:
        mixture = [
            list(map(add, (share * u for u in mine), ((whole - share) * v for v in theirs)))
            for mine, theirs in zip(one, other, strict=True)
        ]
        if box.covers((mixture[0], mixture[1]), first=min(pair) < k):
            return True
    return False
