"""`Case`: a study, the question that is claimed about, and how its number was read off; a slip changes one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from fractions import Fraction
from math import floor
from typing import Any

from symbolic_mem.base.units import whole_figures
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

_BEFORE_FIGURES = 3


@dataclass(frozen=True)
class Misreading:
    """How a number was read off an answer: all defaults read it rightly.

    `rounding` is what happens to a count (``up``, ``down``, ``nearest``, ``none``), `before` what happens to amounts
    before they are divided (``exact``, ``rounded``, ``cut``), `cut` whether figures are cut off, and `shown` how an
    amount gets its unit. A batch is counted `per` another unit (empty: as asked), or rounded in another unit `first`; a
    number of parameters is taken `times` the bytes of one, or as another number. Memory is `spread` over another number of devices.
    """

    rounding: str = "up"
    before: str = "exact"
    cut: bool = False
    shown: str = "as said"
    per: str = ""
    first: str = ""
    times: int | Fraction = 1
    spread: Fraction = Fraction(1)


@dataclass(frozen=True)
class Case:
    """The study as the question sees it, and the question (None: a claim about the account itself).

    `counted` are the kinds that make up all memory; `instead` are numbers in the place of other lines of the answer.
    With `peak` the claim is the bytes of one device at the fullest instant of a step. `taken` names a number of the account
    and the one that stands in its place.
    """

    study: Study
    question: Question | None
    misread: Misreading = field(default=Misreading())
    counted: tuple[str, ...] = KINDS
    instead: Mapping[str, Fraction] = field(default_factory=dict)
    peak: bool = False
    taken: tuple[str, str] | None = None

    def reading(self, **changes: Any) -> Case:
        """The case read off otherwise."""
        return replace(self, misread=replace(self.misread, **changes))

    def asks_as(self, other: Case) -> bool:
        """Whether two cases differ at most in how the number is read off."""
        mine, theirs = ((one.instead, one.taken) for one in (self, other))
        return self.study is other.study and self.question is other.question and mine == theirs

    def steps_as(self, other: Case) -> bool:
        """Whether two cases have the same step of training, on devices of any memory."""
        here, there = self.study, other.study
        names = ("built", "recipe", "values", "placement", "plan", "mistaken")
        return all(getattr(here, name) is getattr(there, name) for name in names)


@dataclass(frozen=True)
class Result:
    """What a claim is held against: the `value` (None: there is none) and, of a count, the `quotient` before rounding."""

    value: Fraction | None
    quotient: Fraction | None = None


def read_off(claimed: Claimed, how: Misreading) -> Result | None:
    """Read a number off an answer, rightly or not; None where a misreading has no meaning for it."""
    if claimed.value is None:
        return Result(None)
    if how.times != 1:
        all_of_them = claimed.unit == "parameters" and not claimed.of_one
        return Result(Fraction(claimed.value * how.times)) if all_of_them else None
    if how.spread != 1:
        return Result(Fraction(claimed.value) * how.spread) if claimed.measures == "bytes" else None
    if claimed.measures == "tokens":
        return _tokens(claimed, how)
    if how.per or how.first:
        return None
    if (how.rounding, how.before) == ("up", "exact"):
        return Result(Fraction(claimed.value), _exact(claimed.quotient))
    return _devices(claimed, how) if claimed.measures == "devices" else None


def _devices(claimed: Claimed, how: Misreading) -> Result | None:
    if how.rounding == "none" and how.before == "exact":
        return None if claimed.quotient is None else Result(Fraction(claimed.quotient), Fraction(claimed.quotient))
    if claimed.parts is None:
        return None
    divided, fixed, limit = claimed.parts
    if how.before != "exact":
        divided, fixed = (_few_figures(Fraction(part), cut=how.before == "cut") for part in (divided, fixed))
    if not limit.holds(fixed) or (fixed == limit.capacity and divided):
        return Result(None)
    quotient = Fraction(divided) / (limit.capacity - fixed) if divided else Fraction(0)
    if how.rounding == "none":
        return Result(quotient, quotient)
    whole = {
        "up": limit.first_whole(quotient),
        "down": floor(quotient),
        "nearest": floor(quotient + Fraction(1, 2)),
    }[how.rounding]
    return Result(Fraction(max(whole, 1)), quotient)


def _tokens(claimed: Claimed, how: Misreading) -> Result | None:
    """Tokens of the batch, per chip, per rank or in sequences: `claimed.per` holds the size of each unit in tokens."""
    if how.before != "exact" or {how.per, how.first} - {"", *claimed.per}:
        return None
    if claimed.tokens is None:  # counted from another number of tokens: nothing is left to round
        return Result(Fraction(claimed.value)) if how == Misreading(cut=how.cut, shown=how.shown) else None
    tokens, unit = Fraction(claimed.tokens), Fraction(claimed.per[how.per or claimed.counted])
    if how.first and tokens > 0:
        first = Fraction(claimed.per[how.first])
        quotient = (floor(tokens / first) + 1) * first / unit
        return Result(Fraction(-floor(-quotient)), quotient)
    quotient = tokens / unit
    if how.rounding == "none":
        return Result(quotient, quotient)
    whole = {"up": floor(quotient) + 1, "down": floor(quotient), "nearest": floor(quotient + Fraction(1, 2))}
    return Result(Fraction(whole[how.rounding]), quotient)


def _exact(number: Any) -> Fraction | None:
    return None if number is None else Fraction(number)


def _few_figures(amount: Fraction, *, cut: bool) -> Fraction:
    """The amount in three figures, as somebody would copy it from a page."""
    if amount == 0:
        return amount
    step = Fraction(10) ** (whole_figures(amount) - _BEFORE_FIGURES)
    return (floor(amount / step) if cut else floor(amount / step + Fraction(1, 2))) * step
