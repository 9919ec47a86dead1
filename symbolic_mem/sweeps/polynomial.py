"""`Polynomial`: an expression over the symbols that are varied, with exact factors, and what bounds it over a box."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import lcm, prod

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Given, number
from symbolic_mem.base.rational import Number, plain
from symbolic_mem.base.values import dataclass

Monomial = tuple[tuple[int, int], ...]
"""Positions of generators, each with its power (not 0), in order."""


@dataclass(frozen=True)
class Polynomial:
    """A sum of monomials of generators, each with its factor (not 0); powers may be negative until it is scaled."""

    terms: Mapping[Monomial, Number]

    def __iter__(self) -> Iterator[tuple[Monomial, Number]]:
        return iter(self.terms.items())

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __add__(self, other: Polynomial) -> Polynomial:
        found = dict(self.terms)
        for monomial, factor in other:
            total = found.get(monomial, 0) + factor
            if total:
                found[monomial] = total
            else:
                del found[monomial]
        return Polynomial(found)

    def __mul__(self, other: Polynomial) -> Polynomial:
        found: dict[Monomial, Number] = {}
        for one, factor in self:
            for two, times in other:
                monomial = _together(one, two)
                found[monomial] = found.get(monomial, 0) + factor * times
        return Polynomial({monomial: factor for monomial, factor in found.items() if factor})

    def __sub__(self, other: Polynomial) -> Polynomial:
        return self + other * constant(-1)

    def most(self, largest: Sequence[int]) -> int:
        """No sum of some of the terms, nor any product inside one, exceeds this where no generator exceeds its `largest`.

        The factors are whole and the powers positive; it is the corner of the box, in exact integers.

        >>> from symbolic_mem.base.symbols import B, S
        >>> names = Generators((B, S))
        >>> names.read(3 * B * S**2 - 5 * B, {}).most((10, 100))
        300050
        """
        return sum(abs(int(factor)) * prod(max(largest[i], 1) ** power for i, power in term) for term, factor in self)

    def least(self, lowest: Sequence[int], largest: Sequence[int]) -> Fraction:
        """It is nowhere less than this where each generator lies from its `lowest`, not below 0, to its `largest`."""
        low = Fraction(0)
        for term, factor in self:
            corner = lowest if factor > 0 else largest
            low += factor * prod(Fraction(corner[i]) ** power for i, power in term)
        return low


def constant(value: Number) -> Polynomial:
    """A number as a polynomial."""
    return Polynomial({(): plain(value)} if value else {})


def _together(one: Monomial, two: Monomial) -> Monomial:
    if not one or not two:
        return one or two
    powers = dict(one)
    for position, power in two:
        powers[position] = powers.get(position, 0) + power
    return tuple(sorted((position, power) for position, power in powers.items() if power))


def split(polynomial: Polynomial, places: frozenset[int]) -> dict[Monomial, Polynomial]:
    """What stands before each monomial of the generators at some places.

    >>> split(Polynomial({((0, 1), (1, 2)): 5, ((0, 2), (1, 2)): 7, ((0, 1),): 3}), frozenset({1}))
    {((1, 2),): Polynomial(terms={((0, 1),): 5, ((0, 2),): 7}), (): Polynomial(terms={((0, 1),): 3})}
    """
    found: dict[Monomial, dict[Monomial, Number]] = {}
    for term, factor in polynomial:
        inside = tuple(one for one in term if one[0] in places)
        found.setdefault(inside, {})[tuple(one for one in term if one[0] not in places)] = factor
    return {inside: Polynomial(before) for inside, before in found.items()}


class Generators:
    """What polynomials are made of: symbols that are varied, then ceilings and the like of them, as they are met.

    >>> from symbolic_mem.base.symbols import B, L, S
    >>> names = Generators((B, L))
    >>> names.read(B * S * (sp.ceiling(L / 2) + 1), {S: 10}).terms
    {((0, 1),): 10, ((0, 1), (2, 1)): 10}
    >>> names.all
    (B, L, ceiling(L/2))
    """

    def __init__(self, symbols: Sequence[sp.Symbol]) -> None:
        self.symbols = tuple(symbols)
        self._place: dict[sp.Expr, int] = {symbol: i for i, symbol in enumerate(self.symbols)}

    @property
    def all(self) -> tuple[sp.Expr, ...]:
        """Every generator in order."""
        return tuple(self._place)

    @property
    def inside(self) -> frozenset[sp.Symbol]:
        """The varied symbols that stand inside of ceilings and the like."""
        free = set().union(*(one.free_symbols for one in self.all[len(self.symbols) :]))
        return frozenset(symbol for symbol in self.symbols if symbol in free)

    def read(self, expr: sp.Expr, values: Given) -> Polynomial:
        """Return an expression as a polynomial; all symbols that are not varied take their `values`.

        Raises `MissingValue` for a symbol without a value, and `BadInput` for a root or a quotient by a sum.
        """
        return self._read(expr, values, {})

    def _read(self, expr: sp.Expr, values: Given, known: dict[sp.Expr, Polynomial]) -> Polynomial:
        found = known.get(expr)
        if found is None:
            found = known[expr] = self._made(expr, values, known)
        return found

    def _made(self, expr: sp.Expr, values: Given, known: dict[sp.Expr, Polynomial]) -> Polynomial:
        if expr in self._place:
            return Polynomial({((self._place[expr], 1),): 1})
        if expr.is_Rational:
            return constant(plain(expr))
        if isinstance(expr, sp.Add | sp.Mul):
            parts = [self._read(part, values, known) for part in expr.args]
            whole = parts[0]
            for part in parts[1:]:
                whole = whole + part if isinstance(expr, sp.Add) else whole * part
            return whole
        if not any(symbol in self._place for symbol in expr.free_symbols):
            return constant(number(expr, values, "a sweep"))
        if isinstance(expr, sp.Pow) and expr.exp.is_Integer:
            return _power(self._read(expr.base, values, known), int(expr.exp), expr)
        if isinstance(expr, sp.Function | sp.Max | sp.Min):
            self._place[expr] = len(self._place)
            return Polynomial({((self._place[expr], 1),): 1})
        raise _refused(expr)


def _power(base: Polynomial, exponent: int, expr: sp.Expr) -> Polynomial:
    if exponent > 0:
        whole = base
        for _ in range(exponent - 1):
            whole = whole * base
        return whole
    if len(base.terms) != 1:
        raise _refused(expr)
    ((term, factor),) = base.terms.items()
    power = Fraction(factor) ** exponent
    return Polynomial({tuple((place, one * exponent) for place, one in term): plain(power)})


def _refused(expr: sp.Expr) -> BadInput:
    return BadInput(f"{expr} is no sum of products of whole powers, which a sweep evaluates; ask about single values")


def scale(polynomials: Sequence[Polynomial]) -> Polynomial:
    """Return the smallest monomial by which all of them have whole factors and no negative powers."""
    below = lcm(*(Fraction(factor).denominator for one in polynomials for _, factor in one))
    lowest: dict[int, int] = {}
    for one in polynomials:
        for term, _ in one:
            for place, power in term:
                lowest[place] = max(lowest.get(place, 0), -power)
    return Polynomial({tuple(sorted((place, power) for place, power in lowest.items() if power)): below})
