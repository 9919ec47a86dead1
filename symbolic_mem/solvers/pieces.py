"""A memory that grows in pages, or only up to a window: in one piece of its range it is a polynomial again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
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

    Of a number of `blocks` the pages are those of a rule that recomputes some of so many.
    """

    memory: Memory
    pages: tuple[sp.Expr, ...] = ()
    windows: tuple[sp.Expr, ...] = ()
    reached: bool = False
    blocks: bool = False

    def steps(self, values: Given) -> Iterator[MultipleOf]:
        """Yield what the unknown is a multiple of, as rules: several ranks that share a cache keep as many pages, or tokens."""
        for page in self.pages:
            words = (
                "caches are kept in pages" if page.is_number else "each rank that shares a cache keeps as much of it"
            )
            words = "some of so many blocks are recomputed" if self.blocks else words
            yield MultipleOf(int(Numbers.of(values)[page]), words)


def pieces(memory: Memory, symbol: sp.Symbol) -> tuple[Piece, ...]:
    """Return the pieces of a memory in the unknown `symbol`: one beyond all windows, then one inside them, if there are any.

    >>> from symbolic_mem.accounts.terms import Memory, Term
    >>> from symbolic_mem.base.symbols import S, S_window
    >>> kept = Term("keys", "cache", 16 * sp.ceiling(S / 16) + sp.Min(S, S_window), sp.Integer(2), "")
    >>> [(one.memory.total, one.pages, one.windows) for one in pieces(Memory((kept,)), S)]
    [(2*S + 2*S_window, (16,), (S_window,)), (4*S, (16,), (S_window,))]
    """
    found = {one for term in memory for expr in _expressions(term) for one in _bends(expr) if one.has(symbol)}
    least = {one for one in found if isinstance(one, sp.Min)}
    whole = found - least
    if not least and not whole:
        return (Piece(memory),)
    windows: tuple[Any, ...] = tuple(sorted({arg for one in least for arg in one.args if not arg.has(symbol)}, key=str))
    pages = tuple(sorted({_page(one) for one in whole}, key=str))
    if not windows:
        return (Piece(_in(memory, symbol, False), pages, blocks=symbol == L),)
    return tuple(Piece(_in(memory, symbol, reached), pages, windows, reached) for reached in (True, False))


def _expressions(term: Term) -> Iterator[sp.Expr]:
    if not term.parts:
        yield term.elements
    for part in term.parts:
        yield part.copies
        yield from part.shape


@lru_cache(maxsize=4096)
def _bends(expr: sp.Expr) -> frozenset[sp.Expr]:
    """The parts of an expression that keep it from being a polynomial: terms of many instants share most of theirs."""
    return frozenset(cast("set[sp.Expr]", expr.atoms(sp.Min, sp.ceiling)))


def _page(one: sp.Expr) -> sp.Expr:
    """What the unknown, or the smaller of it and a window, is divided by inside a ceiling."""
    (inner,) = one.args
    return sp.denom(sp.together(inner))


def _in(memory: Memory, symbol: sp.Symbol, reached: bool) -> Memory:
    def change(expr: Any) -> Any:
        if not _bends(expr):
            return expr
        expr = expr.replace(
            lambda e: isinstance(e, sp.Min) and e.has(symbol),
            lambda e: sp.Min(*(arg for arg in e.args if arg.has(symbol) is not reached)),
        )
        return expr.replace(lambda e: isinstance(e, sp.ceiling) and e.has(symbol), lambda e: _at_pages(e, symbol))

    return Memory(tuple(_term(term, change) for term in memory), memory.definitions)


def _at_pages(one: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    """A ceiling where what has the unknown in it is whole: of ``(L - 1)/3`` at multiples of 3 it is ``L/3``.

    >>> from symbolic_mem.base.symbols import L
    >>> _at_pages(sp.ceiling((L - 1) / 3), L), _at_pages(sp.ceiling((L + 1) / 3), L)
    (L/3, L/3 + 1)
    """
    rest, turns = sp.expand(one.args[0]).as_independent(symbol, as_Add=True)
    return turns + sp.ceiling(rest)


def _term(term: Term, change: Any) -> Term:
    if not any(map(_bends, _expressions(term))):
        return term
    parts = tuple(
        replace(part, copies=change(part.copies), shape=tuple(map(change, part.shape))) for part in term.parts
    )
    elements = later(lambda: change(term.elements))
    return replace(term, elements=elements, parts=parts, part_of=None, reason=term.reason)
