"""Expressions as data for another language: one list of nodes in which every part of every expression stands once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import sympy as sp

from symbolic_mem.base.errors import BadInput

Node = int | str | list[Any]
_SAFE = 2**53  # whole numbers below it are the same in a JSON reader that knows doubles alone


class Nodes:
    """A growing list of nodes; each names those before it by their place, so one walk through the list evaluates all.

    A node is a whole number, the name of a symbol, or a list: ``["n", digits]`` a larger whole number, ``["q", p, q]`` a
    fraction (of digits), ``["+", ...]``, ``["*", ...]``, ``["^", base, k]`` with a whole k, ``["c", x]`` and ``["f", x]``
    a number rounded up and down, ``["M", ...]`` and ``["m", ...]`` the largest and the smallest of several.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> nodes = Nodes()
    >>> nodes.add(16 * L * d_model**2), nodes.listed
    (4, [16, 'L', 'd_model', ['^', 2, 2], ['*', 0, 1, 3]])
    """

    def __init__(self) -> None:
        self.listed: list[Node] = []
        self._places: dict[Any, int] = {}
        self._known: dict[sp.Basic, int] = {}

    def add(self, expr: sp.Basic) -> int:
        """Return the place of an expression, adding what is not there; raises `BadInput` for what is not rational."""
        place = self._known.get(expr)
        if place is None:
            place = self._known[expr] = self._add(expr)
        return place

    def product(self, factors: Iterable[sp.Basic]) -> int:
        """Return the place of a product, without multiplying anything out."""
        return self.put("*", [self.add(factor) for factor in factors if factor != 1])

    def put(self, sign: str, places: Sequence[int]) -> int:
        """Return the place of a sum (``+``), product, largest or smallest of the nodes at some places."""
        if len(places) == 1:
            return places[0]
        if not places:
            return self.add(sp.S.One if sign == "*" else sp.S.Zero)
        return self._place([sign, *sorted(places)])

    def inverse(self, place: int) -> int:
        """Return the place of one over a node."""
        return self._place(["^", place, -1])

    def _add(self, expr: sp.Basic) -> int:
        match expr:
            case sp.Symbol():
                return self._place(str(expr))
            case sp.Integer():
                number = int(expr)
                return self._place(number if abs(number) < _SAFE else ["n", str(number)])
            case sp.Rational():
                return self._place(["q", str(expr.p), str(expr.q)])
            case sp.Pow() if expr.exp.is_Integer:
                return self._place(["^", self.add(expr.base), int(cast(sp.Integer, expr.exp))])
            case sp.ceiling():
                return self._place(["c", self.add(expr.args[0])])
            case sp.floor():
                return self._place(["f", self.add(expr.args[0])])
        for kind, sign in ((sp.Add, "+"), (sp.Mul, "*"), (sp.Max, "M"), (sp.Min, "m")):
            if isinstance(expr, kind):
                return self.put(sign, [self.add(part) for part in expr.args])
        raise BadInput(f"{expr} is more than rational arithmetic; a page cannot compute it exactly")

    def _place(self, node: Node) -> int:
        key = tuple(node) if isinstance(node, list) else node
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.listed)
            self.listed.append(node)
        return place


def script(expr: sp.Basic) -> list[Node]:
    """Return one expression as a list of nodes, of which the last is the whole.

    >>> from symbolic_mem.base.symbols import B
    >>> script(sp.ceiling(B / 3))
    [['q', '1', '3'], 'B', ['*', 0, 1], ['c', 2]]
    """
    nodes = Nodes()
    place = nodes.add(expr)
    return nodes.listed[: place + 1]
