"""Bounds in tokens, and memories that grow in pages: what has neither stays as it is."""

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.symbols import B, S, S_window, d_model
from symbolic_mem.solvers.pieces import pieces
from symbolic_mem.solvers.tokens import in_tokens, most_tokens


def kept(elements: sp.Expr) -> Memory:
    return Memory((Term("keys", "cache", elements, sp.Integer(2), ""),))


def test_what_holds_no_tokens_is_no_number_of_them():
    assert in_tokens(d_model) is None and in_tokens(S * d_model) is None and in_tokens(B) is None
    assert most_tokens(d_model, sp.Integer(100)) is None
    assert most_tokens(6 * B * S + 4, sp.Integer(100)) == 16


def test_pages_and_windows_make_pieces_and_nothing_else_does():
    paged, windowed, plain = 16 * sp.ceiling(S / 16), sp.Min(S, S_window), S
    told = [
        [(one.memory.total, one.pages, one.windows, one.reached) for one in pieces(kept(each), S)]
        for each in (paged, windowed, plain)
    ]
    assert told == [
        [(2 * S, (16,), (), False)],
        [(2 * S_window, (), (S_window,), True), (2 * S, (), (S_window,), False)],
        [(2 * S, (), (), False)],
    ]
