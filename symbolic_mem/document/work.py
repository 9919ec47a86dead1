"""`Work`: the numbers known while a derivation is written; every displayed line is checked against them."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base.exact import Values, put
from symbolic_mem.document.prose import Amount, Brief, Chain, Long, Prose, Put, Side, Total, apart, link
from symbolic_mem.document.steps import Step


class FalseLine(AssertionError):
    """A line that was about to be displayed is not true: a defect of this package, never a user's fault."""


class Work:
    """The numbers known so far while a derivation is written; every displayed line is checked against them."""

    def __init__(self, values: Values) -> None:
        """Start from the given values."""
        self.values: dict[sp.Symbol, sp.Expr] = dict(values)

    def define(self, symbol: sp.Symbol, expr: sp.Expr) -> sp.Expr:
        """Give `symbol` the number that `expr` has, and return that number (`expr` itself while symbols are open)."""
        self.values[symbol] = self.number(expr)
        return self.values[symbol]

    def number(self, expr: sp.Expr) -> sp.Expr:
        """The number that `expr` has with what is known."""
        return put(sp.sympify(expr), self.values)

    def put(self, expr: sp.Expr) -> Put:
        """`expr` with the known numbers in place of its symbols."""
        free = expr.free_symbols
        known = {symbol: value for symbol, value in self.values.items() if symbol in free}
        return Put(expr, tuple(sorted(known.items(), key=lambda item: str(item[0]))))

    def step(self, statement: Prose, *chains: Chain, reason: Prose | None = None, brief: bool = False) -> Step:
        """Make a step after checking each of its lines, those that may be left out among them."""
        for chain in chains:
            self.check(chain)
        return Step(statement, tuple(map(legible, chains)), reason, brief)

    def check(self, chain: Chain) -> None:
        """Raise `FalseLine` unless every link of the chain holds at the known values."""
        if chain.asked or chain.general:
            return
        left = chain.left
        for relation, right in chain.links:
            if not self._holds(left, relation, right):
                raise FalseLine(f"{left} {relation} {right} is false at {self.values}")
            left = right

    def _holds(self, left: Side, relation: str, right: Side) -> bool:
        if isinstance(right, Brief):
            return self._holds(left, relation, _inner(right))
        one, other = self._value(left), self._value(right)
        if isinstance(right, Amount) and relation in ("=", "≈"):
            return (relation == "=") == right.shown.exact and _equal(one, other)
        match relation:
            case "=":
                return _equal(one, other)
            case "≈":
                return abs(sp.N(one - other)) <= abs(sp.N(one)) / 100
            case "<":
                return bool(one < other)
            case "≤":
                return bool(one <= other)
            case ">":
                return bool(one > other)
            case "≥":
                return bool(one >= other)
        raise ValueError(f"unknown relation {relation!r}")

    def _value(self, side: Side) -> sp.Expr:
        match side:
            case Amount():
                return side.value
            case Put():
                return put(side.expr, {**self.values, **dict(side.values)}).xreplace(self.values)
            case Total():
                return sp.Add(*(self._value(part) for part in side.sides))
            case Long():
                return self._value(side.expr)
            case Brief():
                return self._value(_inner(side))
        return self.number(side).doit()


def legible(chain: Chain) -> Chain:
    """Return a chain whose figures show what it says: numbers that are compared differ, and none is shown twice.

    >>> almost = link(Amount(sp.Integer(4 * 2**30 - 1), "GiB"))
    >>> legible(Chain(sp.Symbol("M"), (almost, ("<", Amount(sp.Integer(4 * 2**30), "GiB"))))).links[0][1].shown.plain
    '≈ 3.999999999 GiB'
    """
    links: list[tuple[str, Side]] = []
    for relation, right in chain.links:
        left = links[-1][1] if links else chain.left
        if isinstance(left, Amount) and relation not in ("=", "≈"):
            number = Amount(right, left.unit) if isinstance(right, sp.Integer) else right
            if isinstance(number, Amount) and links:
                clearer, number = apart(left, number)
                links[-1] = link(clearer) if links[-1][0] in ("=", "≈") else (links[-1][0], clearer)
                right = number if isinstance(right, Amount) else right
        if not (isinstance(left, Amount) and isinstance(right, Amount) and left.shown == right.shown):
            links.append((relation, right))
    return replace(chain, links=tuple(links))


def _inner(brief: Brief) -> Side:
    if isinstance(brief.shown, Prose):
        raise TypeError(f"words are no side of a line: {brief}")
    return brief.shown


def _equal(one: sp.Expr, other: sp.Expr) -> bool:
    if one == other:
        return True
    difference = one - other
    if difference.is_number:
        return difference == 0 or bool(difference.equals(0))
    return sp.expand(difference) == 0 or sp.cancel(difference) == 0
