"""`Stated`: a claimed number in its unit, held against an exact one by the rule, rightly or as a slip reads it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from symbolic_mem.base.units import whole_figures
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.case import Misreading, Result
from symbolic_mem.claims.measures import MULTIPLIERS
from symbolic_mem.claims.rule import right_to
from symbolic_mem.study.claimed import Claimed

_BINARY = {unit: power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB", "PiB", "EiB"), start=1)}
_RATIO = Fraction(1000, 1024)


@dataclass(frozen=True)
class Stated:
    """A `number` (None: it is claimed that there is none) of units of which each is `scale` of the quantity's own.

    A `computed` number is that of a formula, which is rounded nowhere.
    """

    number: Fraction | None
    scale: Fraction = Fraction(1)
    unit: str = ""
    computed: bool = False

    @property
    def value(self) -> Fraction | None:
        """The number in the unit of the quantity: bytes, or a count."""
        return None if self.number is None else self.number * self.scale

    def agrees(self, claimed: Claimed, found: Result, misread: Misreading) -> int | None:
        """Return to how many figures it is the number that was `found`; 0 where it is exact, None where it is another."""
        if self.number is None or found.value is None:
            return 0 if self.number is None and found.value is None else None
        whole = claimed.whole and misread.rounding != "none"
        if claimed.whole and not whole and self.number.denominator == 1:
            return None  # a whole number was rounded
        others = () if claimed.counts is None else claimed.counts.amounts
        for exact in (found.value, *map(Fraction, others)):
            for factor in self._factors(claimed, exact, misread.shown):
                if whole or self.computed:
                    right = 0 if self.value == exact * factor else None
                else:
                    right = right_to(exact / self.scale * factor, self.number, cut=misread.cut)
                    if right is None and self._is_whole_bytes_of(exact * factor, claimed):
                        right = whole_figures(self.number)
                if right is not None:
                    return right
        return None

    def _is_whole_bytes_of(self, exact: Fraction, claimed: Claimed) -> bool:
        """Whether it is the whole bytes that a number of them takes, as records give it: a part of a byte takes one."""
        return claimed.measures == "bytes" and self.scale == 1 and self.number == ceil(exact)

    def _factors(self, claimed: Claimed, exact: Fraction, shown: str) -> Iterator[Fraction]:
        """What the number may be multiplied by where its unit is mistaken for one of the other family."""
        binary = _BINARY.get(self.unit, 0)
        if shown == "as said":
            yield Fraction(1)
        elif shown == "things":
            power = MULTIPLIERS.get(self.unit.partition(" ")[0], 0) // 3
            if power in (1, 2) and (claimed.whole or claimed.unit == "parameters"):
                yield _RATIO**power
        elif claimed.unit == "parameters":
            if shown == "billions":
                yield _RATIO**3
        elif claimed.measures == "bytes":
            match shown:
                case "binary" if not binary:  # counted in GiB, say, and then called GB, or a thousandth of it TB
                    power = _power(exact)
                    yield from (_RATIO**other for other in (power, power - 1) if other > 0)
                case "decimal" if binary:
                    yield 1 / _RATIO**binary
                case "thousands" if binary != 1:
                    yield 1 / _RATIO if binary else _RATIO


def _power(amount: Fraction) -> int:
    """Of the binary units, the largest in which it is at least one: 3 for GiB."""
    power = 0
    while abs(amount) >= 1024 ** (power + 1):
        power += 1
    return power
