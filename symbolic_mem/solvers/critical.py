"""`Critical`: the tokens in a batch above which the chips compute longer than they send, in closed form."""

from __future__ import annotations

from functools import cached_property, lru_cache

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Given, evaluate
from symbolic_mem.base.symbols import T
from symbolic_mem.base.values import dataclass
from symbolic_mem.plans.roofline import Roofline, checked


@dataclass(frozen=True)
class AxisBound:
    """T a > c + k T along `axes`: the bound c/(a - k) on the tokens, under the condition a > k."""

    axes: tuple[str, ...]
    slope: sp.Expr
    constant: sp.Expr
    growth: sp.Expr

    @cached_property
    def tokens(self) -> sp.Expr:
        """The bound on T; zero when what is sent grows only with the batch."""
        return tidy(self.constant / (self.slope - self.growth)) if self.constant != 0 else sp.S.Zero

    @property
    def margin(self) -> sp.Expr:
        """Time of the mathematics over time of what is sent, for what grows with the batch: it must exceed 1."""
        return sp.oo if self.growth == 0 else tidy(self.slope / self.growth)


@dataclass(frozen=True)
class Critical:
    """The batch from which a pass is bound by its mathematics: T > `tokens`, if every margin of `limits` exceeds 1."""

    roofline: Roofline
    overlap: str
    limits: tuple[AxisBound, ...]

    @cached_property
    def tokens(self) -> sp.Expr:
        """Tokens in the whole batch, an expression."""
        bounds = [limit.tokens for limit in self.limits if limit.tokens != 0]
        return bounds[0] if len(bounds) == 1 else sp.Max(*bounds) if bounds else sp.S.Zero

    @property
    def conditions(self) -> tuple[sp.Expr, ...]:
        """Margins that must exceed 1 for any batch to be enough."""
        return tuple(limit.margin for limit in self.limits if limit.growth != 0)

    def feasible(self, values: Given) -> bool:
        """Whether some batch is large enough at these numbers."""
        return all(evaluate(margin, values, "the critical batch") > 1 for margin in self.conditions)

    def at(self, values: Given) -> sp.Expr | None:
        """The exact number of tokens that a batch must exceed, None when no batch is enough.

        >>> from symbolic_mem.plans.roofline import Roofline
        >>> from symbolic_mem.plans.schemes import scheme
        >>> from symbolic_mem.plans.load import load
        >>> from symbolic_mem.plans.network import Network
        >>> from symbolic_mem.base import symbols
        >>> from symbolic_mem.models.ffn import ffn
        >>> work = scheme("fsdp", load(ffn())).forward
        >>> bound = critical(Roofline(work, Network("both-ways")), "max")
        >>> bound.tokens, bound.at({symbols.C: 459, symbols.W: sp.Rational(18, 100), symbols.X: 4, symbols.M_X: 1})
        (C*X/(M_X*W), 10200)
        """
        return evaluate(self.tokens, values, "the critical batch") if self.feasible(values) else None


def critical(roofline: Roofline, overlap: str, values: Given | None = None) -> Critical:
    """Solve time of mathematics > time of communication for the tokens T, with the `overlap` rule ``max`` or ``sum``.

    With `values` (not of T) the answer is a number from the start, which is much quicker when there are many to find.
    Raises `BadInput` when a time is not linear in the tokens.
    """
    known = {symbol: value for symbol, value in (values or {}).items() if symbol != T}
    slope, constant = _linear(roofline.math.xreplace(known), "the time of the mathematics")
    if constant != 0:
        raise BadInput("the mathematics has a part that does not grow with the batch; a critical batch is not defined")
    parts = [
        ((axis,), *_linear(time.xreplace(known), f"the time along {axis}")) for axis, time in roofline.by_axis.items()
    ]
    if checked(overlap) == "sum" and parts:
        axes = tuple(axis for names, _, _ in parts for axis in names)
        parts = [(axes, sp.Add(*(growth for _, growth, _ in parts)), sp.Add(*(fixed for _, _, fixed in parts)))]
    return Critical(roofline, overlap, tuple(AxisBound(axes, slope, fixed, growth) for axes, growth, fixed in parts))


def next_whole(value: sp.Expr) -> int:
    """The smallest whole number above `value`: at equality the chips only just keep up, which does not count.

    >>> next_whole(sp.Rational(184000, 9)), next_whole(sp.Integer(2550))
    (20445, 2551)
    """
    return int(sp.floor(value)) + 1


@lru_cache(maxsize=1024)
def tidy(expr: sp.Expr) -> sp.Expr:
    """One fraction, with common powers cancelled and put in front, and no minus sign that a bracket can take."""
    if not (isinstance(expr, sp.Basic) and expr.free_symbols):
        return sp.sympify(expr)
    if not expr.has(sp.Add):  # a product of powers is tidy as it stands
        return expr
    above, below = (sp.gcd_terms(part) for part in sp.fraction(sp.together(expr)))
    whole = above / below
    sign, factors = whole.as_coeff_mul()
    if sign < 0:
        for position, factor in enumerate(factors):
            base, exponent = factor.as_base_exp()
            if isinstance(base, sp.Add) and exponent.is_Integer and exponent % 2:
                turned = (*factors[:position], sp.Add(*(-term for term in base.args)) ** exponent)
                return sp.Mul(-sign, *turned, *factors[position + 1 :])
    return whole


@lru_cache(maxsize=4096)
def _linear(time: sp.Expr, what: str) -> tuple[sp.Expr, sp.Expr]:
    growth, constant = [], []
    for term in sp.Add.make_args(time):
        if term.has(sp.Add) and term.has(T):
            return _linear(sp.expand(time), what)
        if not term.has(T):
            constant.append(term)
        elif (term / T).has(T):
            raise BadInput(f"{what} is not linear in the tokens: {time}")
        else:
            growth.append(term / T)
    return tidy(sp.Add(*growth)), tidy(sp.Add(*constant))
