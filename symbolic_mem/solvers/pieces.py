"""A memory that grows in pages, or only up to a window: in one piece of its range it is a polynomial again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from math import lcm
from typing import Any, cast

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.exact import Given, Numbers
from symbolic_mem.base.once import later
from symbolic_mem.base.symbols import L
from symbolic_mem.base.values import dataclass
from symbolic_mem.solvers.rules import MultipleOf


@dataclass(frozen=True)
class Piece:
    """A memory as it is where an unknown is a multiple of each of `pages`, and has reached the `windows`, or none of them.

    Of a number of blocks the pages are those of a rule that recomputes some of so many, and it may be a rest more than a
    multiple: see `turns`.
    """

    memory: Memory
    pages: tuple[sp.Expr, ...] = ()
    windows: tuple[sp.Expr, ...] = ()
    reached: bool = False

    def steps(self, values: Given) -> Iterator[MultipleOf]:
        """Yield what the unknown is a multiple of, as rules: several ranks that share a cache keep as many pages, or tokens."""
        for page in self.pages:
            words = (
                "caches are kept in pages" if page.is_number else "each rank that shares a cache keeps as much of it"
            )
            yield MultipleOf(int(Numbers.of(values)[page]), words)


def pieces(memory: Memory, symbol: sp.Symbol, rest: int = 0) -> tuple[Piece, ...]:
    """Return the pieces of a memory in the unknown `symbol`: one beyond all windows, then one inside them, if there are any.

    In each the unknown is `rest` more than a multiple of its pages.

    >>> from symbolic_mem.accounts.terms import Memory, Term
    >>> from symbolic_mem.base.symbols import S, S_window
    >>> kept = Term("keys", "cache", 16 * sp.ceiling(S / 16) + sp.Min(S, S_window), sp.Integer(2), "")
    >>> [(one.memory.total, one.pages, one.windows) for one in pieces(Memory((kept,)), S)]
    [(2*S + 2*S_window, (16,), (S_window,)), (4*S, (16,), (S_window,))]
    """
    least, whole = _bent(memory, symbol)
    if not least and not whole:
        return (Piece(memory),)
    windows: tuple[Any, ...] = tuple(sorted({arg for one in least for arg in one.args if not arg.has(symbol)}, key=str))
    pages = tuple(sorted({_page(one) for one in whole}, key=str))
    if not windows:
        return (Piece(_in(memory, symbol, False, rest), pages),)
    return tuple(Piece(_in(memory, symbol, reached, rest), pages, windows, reached) for reached in (True, False))


def turns(memory: Memory, symbol: sp.Symbol) -> int:
    """Of how many blocks in a row a rule recomputes some: at each remainder of their number by it a memory is a polynomial.

    1 of another unknown, and where there is no such rule.

    >>> from symbolic_mem.accounts.terms import Memory, Term
    >>> kept = Memory((Term("kept", "activations", sp.floor(L / 2) + sp.ceiling(L / 3), sp.Integer(2), ""),))
    >>> turns(kept, L), [pieces(kept, L, rest)[0].memory.total for rest in (0, 1, 5)]
    (6, [5*L/3, 5*L/3 + 1/3, 5*L/3 - 1/3])
    """
    pages = {_page(one) for one in _bent(memory, symbol)[1]} if symbol == L else set()
    return lcm(*(int(page) for page in pages if page.is_Integer))


def _bent(memory: Memory, symbol: sp.Symbol) -> tuple[set[sp.Expr], set[sp.Expr]]:
    """What keeps a memory from being a polynomial in the unknown: the smaller of two, and what is rounded to whole numbers."""
    found = {one for term in memory for expr in _expressions(term) for one in _bends(expr) if one.has(symbol)}
    least: set[sp.Expr] = {one for one in found if isinstance(one, sp.Min)}
    return least, found - least


def _expressions(term: Term) -> Iterator[sp.Expr]:
    if not term.parts:
        yield term.elements
    for part in term.parts:
        yield part.copies
        yield from part.shape


@lru_cache(maxsize=4096)
def _bends(expr: sp.Expr) -> frozenset[sp.Expr]:
    """The parts of an expression that keep it from being a polynomial: terms of many instants share most of theirs."""
    return frozenset(cast("set[sp.Expr]", expr.atoms(sp.Min, sp.ceiling, sp.floor)))


def _page(one: sp.Expr) -> sp.Expr:
    """What the unknown, or the smaller of it and a window, is divided by inside a ceiling or a floor."""
    (inner,) = one.args
    return sp.denom(sp.together(inner))


def _in(memory: Memory, symbol: sp.Symbol, reached: bool, rest: int) -> Memory:
    def change(expr: Any) -> Any:
        if not _bends(expr):
            return expr
        expr = expr.replace(
            lambda e: isinstance(e, sp.Min) and e.has(symbol),
            lambda e: sp.Min(*(arg for arg in e.args if arg.has(symbol) is not reached)),
        )
        return expr.replace(
            lambda e: isinstance(e, sp.ceiling | sp.floor) and e.has(symbol), lambda e: _at_pages(e, symbol, rest)
        )

    return Memory(tuple(_term(term, change) for term in memory), memory.definitions)


def _at_pages(one: sp.Expr, symbol: sp.Symbol, rest: int = 0) -> sp.Expr:
    """A ceiling or a floor where the unknown is `rest` more than a multiple: of ``(L - 1)/3`` the ceiling is ``L/3`` at rest 0.

    >>> [_at_pages(sp.ceiling((L - 1) / 3), L, rest) for rest in range(3)], _at_pages(sp.floor((L + 1) / 3), L, 2)
    ([L/3, L/3 - 1/3, L/3 + 1/3], L/3 + 1/3)
    """
    given, grown = sp.expand(one.args[0]).as_independent(symbol, as_Add=True)
    begun = grown.xreplace({symbol: sp.Integer(rest)})
    return grown - begun + one.func(given + begun)


def _term(term: Term, change: Any) -> Term:
    if not any(map(_bends, _expressions(term))):
        return term
    parts = tuple(
        replace(part, copies=change(part.copies), shape=tuple(map(change, part.shape))) for part in term.parts
    )
    elements = later(lambda: change(term.elements))
    return replace(term, elements=elements, parts=parts, part_of=None, reason=term.reason)
