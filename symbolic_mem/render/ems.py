"""How wide something is set, guessed in widths of a quad; in a formula subscripts are small and factors stand close."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import sympy as sp

from symbolic_mem.base.symbols import Written, written
from symbolic_mem.document.prose import Prose, Side
from symbolic_mem.render.text import as_set, plain_prose

_SMALL = 0.72
_TIMES_TEN = 1.6  # what "\N{MULTIPLICATION SIGN} 10" is wider than the "e" that stands for it


def prose_ems(cell: Prose) -> float:
    """How wide a sentence or a cell is on one line.

    >>> from symbolic_mem.document.prose import text
    >>> prose_ems(text("sum")) < prose_ems(text("the sum"))
    True
    """
    return _prose_ems(cell, written())


@lru_cache(maxsize=4096)  # a table asks again and again how wide its cells are
def _prose_ems(cell: Prose, _written: Written) -> float:
    wide = 0.0
    for part in cell.parts:
        words = isinstance(part, str)
        said = part if words else plain_prose(Prose((part,)))
        wide += _ems(said, gap=0.2 if isinstance(part, sp.Expr) else 0.33, subscripts=not words)
    return wide


def side_ems(side: Side) -> float:
    """How wide one side of a displayed line is.

    >>> from symbolic_mem.base.symbols import L, d_ff
    >>> side_ems(L) < side_ems(d_ff) < side_ems(L * d_ff)
    True
    """
    said = as_set(side)
    return _ems(said, gap=0.25, subscripts=True) + _TIMES_TEN * len(re.findall(r"\de-?\d", said))


def _ems(said: str, *, gap: float, subscripts: bool) -> float:
    small = "".join(re.findall(r"_(\w+)", said)) if subscripts else ""
    full = re.sub(r"_\w+", "", said) if subscripts else said
    return sum(gap if sign == " " else _em(sign) for sign in full) + _SMALL * sum(map(_em, small))


@cache
def _em(sign: str) -> float:
    if sign in " .,:;'|ijlt":
        return 0.33 if sign == " " else 0.29
    if sign in "()[]fr":
        return 0.4
    if sign in "mwMW≈=+−<>≤≥%×":
        return 1.1 if sign == "×" else 0.85
    return 0.72 if sign.isupper() else 0.5
