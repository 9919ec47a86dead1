"""What a notebook shows of a memory: its terms in a small table, with their formulas."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Column, Section, Table
from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.render.document import fragment_html

_NO_TITLE = Prose(())


def memory_html(memory: Memory) -> str:
    """Write a memory as an HTML table: each term with its bytes and its reason, and their sum.

    >>> from symbolic_mem.base.symbols import P
    >>> from symbolic_mem.accounts.terms import Memory, Term
    >>> "gradients" in memory_html(Memory((Term("gradients", "gradients", P, 2 * P / P, "one BF16 number each"),)))
    True
    """
    rows = [(text(term.name), _bytes(term.bytes), text(term.reason)) for term in memory.terms]
    rows.append((text("total"), _bytes(memory.total), _NO_TITLE))
    columns = (Column(text("term")), Column(text("bytes")), Column(text("reason"), "text"))
    table = Table(text("Memory"), columns, tuple(rows), totals=True)
    return fragment_html(Derivation("", "", (Section(_NO_TITLE, (table,)),)))


def _bytes(expr: sp.Expr) -> Prose:
    if not expr.is_Rational:
        return say("{formula}", formula=expr)
    shown = Amount(expr, "GiB")
    return say("{bytes} {sign} {gib}", bytes=expr, sign="=" if shown.shown.exact else "≈", gib=shown)
