"""The exact numbers of a list of nodes, as `Nodes` writes it, at given values: whole-number arithmetic that needs no SymPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any

Number = int | Fraction


def numbers(nodes: Sequence[Any], values: Mapping[str, Number]) -> list[Number | None]:
    """Return the number of each node; None where a symbol in it has no value.

    >>> numbers([16, "L", ["^", 1, 2], ["*", 0, 2], "B", ["^", 4, -1], ["*", 3, 5], ["c", 6]], {"L": 3, "B": 5})
    [16, 3, 9, 144, 5, Fraction(1, 5), Fraction(144, 5), 29]
    >>> numbers([["n", "9007199254740993"], "L", ["+", 0, 1]], {})
    [9007199254740993, None, None]
    """
    found: list[Number | None] = []
    for node in nodes:
        found.append(node if type(node) is int else values.get(node) if type(node) is str else _number(node, found))
    return found


def renumbered(
    nodes: Sequence[Any], found: Sequence[Number | None], changed: Mapping[str, Number]
) -> Sequence[Number | None]:
    """Return the numbers of nodes, `found` at other values, where these symbols have `changed`: only what has them is asked again.

    >>> nodes = ["L", "B", ["*", 0, 1], ["^", 0, 2], ["+", 2, 3]]
    >>> renumbered(nodes, numbers(nodes, {"L": 3, "B": 5}), {"B": 7})
    [3, 7, 21, 9, 30]
    """
    moved = {place for place, node in enumerate(nodes) if type(node) is str and node in changed}
    if not moved:
        return found
    again = list(found)
    for place in range(min(moved), len(nodes)):
        node = nodes[place]
        if type(node) is str:
            again[place] = changed.get(node, found[place])
        elif type(node) is not int and not moved.isdisjoint(_inside(node)):
            again[place] = _number(node, again)
            moved.add(place)
    return again


def _inside(node: Sequence[Any]) -> Sequence[int]:
    """The places of the nodes that a node is made of."""
    return () if node[0] in _WRITTEN else node[1:2] if node[0] == "^" else node[1:]


def _number(node: Sequence[Any], found: Sequence[Number | None]) -> Number | None:
    sign = node[0]
    if sign == "n":
        return int(node[1])
    if sign == "q":
        return Fraction(int(node[1]), int(node[2]))
    if sign == "^":
        base = found[node[1]]
        return None if base is None else _whole(Fraction(base) ** node[2]) if node[2] < 0 else base ** node[2]
    parts = [found[place] for place in node[1:]]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return _whole(_OF[sign](known))


def _whole(value: Number) -> Number:
    return value.numerator if type(value) is Fraction and value.denominator == 1 else value


_WRITTEN = ("n", "q")
_OF = {
    "+": sum,
    "*": prod,
    "M": max,
    "m": min,
    "c": lambda parts: -(-parts[0] // 1),
    "f": lambda parts: parts[0] // 1,
}
