"""`LookedUp`: stands where arithmetic looks its numbers up, and writes down as nodes what would be computed with them."""

from __future__ import annotations

from typing import cast

import sympy as sp

from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.nodes import Nodes
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True, eq=False)
class Node:
    """A number that is not known yet: a sum (``+``) or a product (``*``) of nodes, which is put down when it is asked for."""

    nodes: Nodes
    sign: str
    parts: tuple[int, ...]

    @property
    def place(self) -> int:
        """Where it stands in the list of nodes."""
        return self.nodes.put(self.sign, self.parts)

    def over(self, other: Node) -> Node:
        """The quotient."""
        return Node(self.nodes, "*", (*self._factors, self.nodes.inverse(other.place)))

    def __add__(self, other: Node | int) -> Node:
        if isinstance(other, int):
            assert other == 0, "a sum starts with 0"
            return self
        return Node(self.nodes, "+", (*self._addends, *other._addends))

    def __mul__(self, other: Node | int) -> Node:
        if isinstance(other, int):
            assert other == 1, "a product starts with 1"
            return self
        return Node(self.nodes, "*", (*self._factors, *other._factors))

    __radd__, __rmul__ = __add__, __mul__

    @property
    def _addends(self) -> tuple[int, ...]:
        return self.parts if self.sign == "+" else (self.place,)

    @property
    def _factors(self) -> tuple[int, ...]:
        return self.parts if self.sign == "*" else (self.place,)


class LookedUp(Numbers):
    """Gives the node of each expression that is looked up, and adds it to `nodes` where it is not there.

    >>> from symbolic_mem.base.symbols import B, L, S
    >>> found = LookedUp(nodes := Nodes())
    >>> (found[B] * found[S] + found[L]).place, nodes.listed
    (4, ['B', 'S', 'L', ['*', 0, 1], ['+', 2, 3]])
    """

    def __init__(self, nodes: Nodes) -> None:
        super().__init__({})
        self.nodes = nodes

    def __missing__(self, expr: sp.Expr) -> Node:  # ty: ignore[incompatible-method-override]
        found = self[expr] = Node(self.nodes, "*", (self.nodes.add(expr),))  # ty: ignore[invalid-assignment]
        return found

    def node(self, expr: sp.Expr) -> Node:
        """The node of an expression."""
        return cast(Node, self[expr])
