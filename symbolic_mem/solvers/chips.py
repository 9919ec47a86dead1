"""The other direction: how many chips a given batch keeps busy."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.plans.roofline import Roofline, checked


def largest(roofline: Roofline, degree: sp.Symbol) -> sp.Expr:
    """Return the largest `degree` at which the pass still computes as long as it sends: degree <= this.

    For one axis: data parallelism, FSDP and tensor parallelism of CS336 (2026), assignment 2, section 8.

    >>> from symbolic_mem.plans.roofline import Roofline
    >>> from symbolic_mem.plans.schemes import scheme
    >>> from symbolic_mem.plans.schemes import Mesh
    >>> from symbolic_mem.plans.load import load
    >>> from symbolic_mem.plans.network import Network
    >>> from symbolic_mem.base import symbols
    >>> from symbolic_mem.models.gated_ffn import gated_ffn
    >>> work = scheme("fsdp", load(gated_ffn()), Mesh(axes_x=1)).forward
    >>> largest(Roofline(work, Network("one-way", "exact")), symbols.X) - 1
    T*W/C
    """
    times = roofline.by_axis
    if len(times) != 1:
        raise BadInput(f"a largest {degree} is defined for one mesh axis; this pass sends along {len(times)}")
    (sent,) = times.values()
    return _largest(roofline.math, sent, degree)


@lru_cache(maxsize=512)
def _largest(math: sp.Expr, sent: sp.Expr, degree: sp.Symbol) -> sp.Expr:
    excess = sp.expand(sp.cancel(degree * (math - sent)))
    constant, slope = excess.coeff(degree, 0), excess.coeff(degree, 1)
    if sp.expand(excess - constant - slope * degree) != 0 or slope == 0:
        raise BadInput(f"the times do not decide how large {degree} may be")
    return sp.expand(sp.cancel(-constant / slope))


def largest_mesh(fsdp: sp.Expr, tensor: sp.Expr, overlap: str, silent: int = 1) -> sp.Expr:
    """Return the largest N = X Y of a two-dimensional mesh from the largest degree of each axis alone.

    An axis of `silent` chips sends nothing: 1 of an exact ring, 0 where its limit is taken. With s for it, a = `fsdp` - s
    and b = `tensor` - s it is (s + a)(s + b) when the axes overlap, else (a b/4)(1 + s/a + s/b)^2, at
    X = (s + a + s a/b)/2 (see `only_axis`). For large a and b that is a quarter.

    >>> a, b = sp.symbols("a b", positive=True)
    >>> sp.limit(sp.limit(largest_mesh(1 + a, 1 + b, "sum") / (a * b), a, sp.oo), b, sp.oo)
    1/4
    >>> largest_mesh(a, b, "sum", silent=0)
    a*b/4
    """
    if checked(overlap) == "max":
        return fsdp * tensor
    a, b = sp.expand(fsdp - silent), sp.expand(tensor - silent)
    return a * b / 4 * (1 + silent / a + silent / b) ** 2


def only_axis(fsdp: sp.Expr, tensor: sp.Expr, silent: int = 1) -> int | None:
    """Return which axis, 0 of `fsdp` or 1 of `tensor`, takes all chips where the axes do not overlap; None for both.

    The two are numbers, more than one each. The best mesh of `largest_mesh` has less than one chip along an axis that is
    much the shorter; then the other alone keeps more busy.

    >>> only_axis(sp.Integer(30), sp.Integer(20)), only_axis(sp.Rational(3, 2), sp.Integer(20))
    (None, 1)
    """
    a, b = fsdp - silent, tensor - silent
    best = (silent + a + silent * a / b) / 2, (silent + b + silent * b / a) / 2
    if min(best) >= 1 and best[0] * best[1] >= max(fsdp, tensor):
        return None
    return 0 if fsdp >= tensor else 1
