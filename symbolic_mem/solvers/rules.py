"""Integer rules of real clusters: which whole degrees are allowed; each rule is a small value that says what it asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import lcm
from typing import cast

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Given, evaluate
from symbolic_mem.base.values import dataclass
from symbolic_mem.solvers.host import HostHolds


@dataclass(frozen=True)
class MultipleOf:
    """The degree is a multiple of `factor`, or `rest` more than one: nodes of 8 devices are used whole."""

    factor: sp.Expr | int
    why: str = ""
    rest: int = 0

    @property
    def symbols(self) -> frozenset[sp.Symbol]:
        """The symbols whose values decide what the rule allows."""
        return _symbols(self.factor)

    def at(self, values: Given) -> MultipleOf:
        """Return the rule with its number in place of symbols."""
        return replace(self, factor=_whole(self.factor, values, "a multiple of"))

    @property
    def words(self) -> str:
        """What the rule asks, as the end of a sentence."""
        more = f"{self.rest} more than " if self.rest else ""
        return _because(f"{more}a multiple of {self.factor}", self.why)


@dataclass(frozen=True)
class PowerOfTwo:
    """The degree is 1, 2, 4, 8, ..."""

    why: str = ""

    @property
    def symbols(self) -> frozenset[sp.Symbol]:
        """None: the rule has no number."""
        return frozenset()

    def at(self, values: Given) -> PowerOfTwo:
        """Return the rule itself: it has no number."""
        return self

    @property
    def words(self) -> str:
        """What the rule asks, as the end of a sentence."""
        return _because("a power of two", self.why)


@dataclass(frozen=True)
class Divides:
    """The degree divides `number`, such as the batch, the heads or the rows of a tensor, without remainder."""

    number: sp.Expr | int
    why: str = ""

    @property
    def symbols(self) -> frozenset[sp.Symbol]:
        """The symbols whose values decide what the rule allows."""
        return _symbols(self.number)

    def at(self, values: Given) -> Divides:
        """Return the rule with its number in place of symbols, which its words still name."""
        named = f"{self.number}" if isinstance(self.number, sp.Expr) and self.number.free_symbols else ""
        return replace(self, number=_whole(self.number, values, "a divisor of"), why=self.why or named)

    @property
    def words(self) -> str:
        """What the rule asks, as the end of a sentence."""
        return _because(f"a divisor of {self.number}", self.why)


@dataclass(frozen=True)
class AtMost:
    """There are no more than `limit` devices."""

    limit: sp.Expr | int
    why: str = ""

    @property
    def symbols(self) -> frozenset[sp.Symbol]:
        """The symbols whose values decide what the rule allows."""
        return _symbols(self.limit)

    def at(self, values: Given) -> AtMost:
        """Return the rule with its number in place of symbols."""
        return replace(self, limit=_whole(self.limit, values, "at most"))

    @property
    def words(self) -> str:
        """What the rule asks, as the end of a sentence."""
        return _because(f"at most {self.limit}", self.why)


@dataclass(frozen=True)
class AtLeast:
    """There are no fewer than `limit`: a token visits so many experts, so many blocks are dense."""

    limit: sp.Expr | int
    why: str = ""

    @property
    def symbols(self) -> frozenset[sp.Symbol]:
        """The symbols whose values decide what the rule allows."""
        return _symbols(self.limit)

    def at(self, values: Given) -> AtLeast:
        """Return the rule with its number in place of symbols."""
        return replace(self, limit=_whole(self.limit, values, "at least"))

    @property
    def words(self) -> str:
        """What the rule asks, as the end of a sentence."""
        return _because(f"at least {self.limit}", self.why)


Rule = MultipleOf | PowerOfTwo | Divides | AtMost | AtLeast | HostHolds


@dataclass(frozen=True)
class Allowed:
    """All rules together: the multiples of `factor` that divide `number`, from `least` to `limit`, optionally powers of two.

    The `host` holds what lives on it. With a `rest` they are so much more than multiples.
    """

    factor: int = 1
    power: bool = False
    numbers: tuple[int, ...] = ()
    limit: int | None = None
    host: HostHolds | None = None
    least: int = 1
    rest: int = 0

    def admits(self, n: int) -> bool:
        """Tell whether every rule allows `n` devices."""
        return self._numbered(n) and (self.host is None or self.host.admits(n))

    def _numbered(self, n: int) -> bool:
        """The same, whatever the host holds."""
        return (
            n % self.factor == self.rest
            and (not self.power or n & (n - 1) == 0)
            and all(number % n == 0 for number in self.numbers)
            and self.least <= n
            and (self.limit is None or n <= self.limit)
        )

    def first(self, start: int) -> int | None:
        """Return the smallest allowed degree of at least `start`, or None when there is none.

        >>> Allowed(factor=8).first(46), Allowed(factor=8, power=True).first(46), Allowed(numbers=(126,)).first(46)
        (48, 64, 63)
        """
        found = self._first(start)
        while found is not None and self.host is not None and not self.host.admits(found):
            reached = self.host.first(found)
            found = None if reached is None else self._first(reached)
        return found

    def _first(self, start: int) -> int | None:
        """The same, whatever the host holds."""
        start = max(start, self.least)
        if self.numbers and not self.power:
            found = next((n for n in self._divisors() if n >= start and self._numbered(n)), None)
        elif self.power:
            found = max(1 << (start - 1).bit_length(), self.factor)
        else:
            found = start + (self.rest - start) % self.factor
        return found if found is not None and self._numbered(found) else None

    def last(self, end: int) -> int | None:
        """Return the largest allowed degree of at most `end`, or None when there is none.

        >>> Allowed(factor=8).last(47), Allowed(numbers=(128,)).last(63), Allowed(factor=8).last(7)
        (40, 32, None)
        """
        found = self._last(end)
        while found is not None and self.host is not None and not self.host.admits(found):
            reached = self.host.last(found)
            found = None if reached is None else self._last(reached)
        return found

    def _last(self, end: int) -> int | None:
        """The same, whatever the host holds."""
        end = end if self.limit is None else min(end, self.limit)
        if end < 1:
            return None
        if self.numbers and not self.power:
            return next((n for n in reversed(self._divisors()) if n <= end and self._numbered(n)), None)
        if self.power:
            powers = (1 << bit for bit in reversed(range(end.bit_length())))
            return next((n for n in powers if self._numbered(n)), None)
        found = end - (end - self.rest) % self.factor
        return found if found >= self.least else None

    @property
    def largest(self) -> int | None:
        """A number that no allowed degree exceeds, or None where there is no end."""
        ends = [*self.numbers, *([] if self.limit is None else [self.limit])]
        return min(ends, default=None)

    def _divisors(self) -> list[int]:
        return [n for n in sp.divisors(int(sp.igcd(0, *self.numbers))) if n % self.factor == self.rest]


def allowed(rules: Sequence[Rule]) -> Allowed:
    """Combine rules that carry numbers into the degrees that satisfy them all.

    >>> allowed([MultipleOf(6), MultipleOf(4), AtMost(100)])
    Allowed(factor=12, power=False, numbers=(), limit=100, host=None, least=1, rest=0)
    >>> allowed([MultipleOf(4), AtLeast(6)]).first(1), allowed([MultipleOf(4), AtLeast(6)]).last(7)
    (8, None)
    >>> [allowed([MultipleOf(4), MultipleOf(6, rest=rest)]).last(30) for rest in (1, 2)]
    [None, 20]
    """
    limits = [int(rule.limit) for rule in rules if isinstance(rule, AtMost)]
    multiples = [(rule.rest, int(rule.factor)) for rule in rules if isinstance(rule, MultipleOf)]
    common = _together(multiples)
    limits += [0] if common is None else []
    rest, factor = common or (0, 1)
    return Allowed(
        factor=factor,
        power=any(isinstance(rule, PowerOfTwo) for rule in rules),
        numbers=tuple(int(rule.number) for rule in rules if isinstance(rule, Divides)),
        limit=min(limits, default=None),
        host=next((rule for rule in rules if isinstance(rule, HostHolds)), None),
        least=max((int(rule.limit) for rule in rules if isinstance(rule, AtLeast)), default=1),
        rest=rest,
    )


def _together(multiples: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The rest and the factor of the numbers that are a rest more than a multiple of a factor for all; None where none is."""
    rest, factor = 0, 1
    for more, each in multiples:
        found = next((n for n in range(rest, rest + factor * each, factor) if n % each == more % each), None)
        if found is None:
            return None
        factor = lcm(factor, each)
        rest = found % factor
    return rest, factor


def contradiction(rules: Sequence[Rule], start: int = 1) -> tuple[Rule, ...]:
    """Return a smallest group of rules that no degree from `start` on satisfies together; empty when some degree does.

    >>> [rule.words for rule in contradiction([AtMost(64), MultipleOf(8), Divides(126)])]
    ['a multiple of 8', 'a divisor of 126']
    >>> [rule.words for rule in contradiction([MultipleOf(2), PowerOfTwo(), AtMost(6)], 6)]
    ['a power of two', 'at most 6']
    """
    if allowed(rules).first(start) is not None:
        return ()
    group = list(rules)
    for rule in rules:  # drop what is not needed for the contradiction
        without = [other for other in group if other is not rule]
        if allowed(without).first(start) is None:
            group = without
    return tuple(group)


def _symbols(given: sp.Expr | int) -> frozenset[sp.Symbol]:
    return cast("frozenset[sp.Symbol]", frozenset(sp.sympify(given).free_symbols))


def _whole(given: sp.Expr | int, values: Given, what: str) -> int:
    found = evaluate(sp.sympify(given), values, f"the rule “{what} {given}”")
    if not found.is_Integer or found < 1:
        raise BadInput(f"the rule “{what} {given}” needs a whole number of at least 1, not {found}")
    return int(found)


def _because(words: str, why: str) -> str:
    return f"{words} ({why})" if why else words
