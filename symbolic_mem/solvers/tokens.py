"""How many tokens a device may hold: the inverse of a bound in T = B S, where only that product matters."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.symbols import B, S, T


def in_tokens(expr: sp.Expr) -> sp.Expr | None:
    """Write `expr` in the number of tokens T = B S, or return None where B and S matter on their own.

    >>> from symbolic_mem.base.symbols import d_model
    >>> in_tokens(2 * B * S * d_model), in_tokens(B * S**2)
    (2*T*d_model, None)
    """
    if not expr.has(B) and not expr.has(S):
        return None
    written = sp.expand(expr.xreplace({B: T / S}))
    return None if written.has(S) or written.has(B) else sp.gcd_terms(written)


def most_tokens(fixed: sp.Expr, capacity: sp.Expr) -> sp.Expr | None:
    """Return the real number of tokens at which the part that every device holds reaches `capacity` bytes.

    Fewer tokens than this leave room, so that some degree exists; None where the part is not linear in T.
    """
    written = in_tokens(fixed)
    if written is None:
        return None
    slope, rest = written.coeff(T, 1) if written.is_Add else written / T, written.xreplace({T: sp.S.Zero})
    if slope.has(T):
        slope = sp.expand(written).coeff(T, 1)
    if slope.has(T) or sp.expand(slope * T + rest - written) != 0:
        return None
    return (capacity - rest) / slope
