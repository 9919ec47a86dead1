"""Long formulas as sums whose lines can break: a product with a long bracket is multiplied out, once."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.document.prose import Side, Total

LONGEST = 58  # characters of a formula that still stands on one line


def spread(expr: sp.Expr) -> Side:
    """Return `expr` as it is when it is short, and otherwise as a sum of terms that a display breaks between.

    >>> from symbolic_mem.base.symbols import L, V, d_model
    >>> spread(2 * L * (d_model + V))
    2*L*(V + d_model)
    """
    if len(str(expr)) <= LONGEST:
        return expr
    terms = _terms(expr)
    return Total(tuple(terms)) if len(terms) > 1 else expr


def _terms(expr: sp.Expr) -> list[sp.Expr]:
    """The terms of a sum; a term that is itself too long for a line is multiplied out."""
    if expr.is_Add:
        return [term for part in expr.as_ordered_terms() for term in _terms(part)]
    if expr.is_Mul and len(str(expr)) > LONGEST:
        sums = [factor for factor in expr.args if isinstance(factor, sp.Add)]
        if sums:
            longest = max(sums, key=lambda factor: len(str(factor)))
            return [expr / longest * term for term in longest.as_ordered_terms()]
    return [expr]
