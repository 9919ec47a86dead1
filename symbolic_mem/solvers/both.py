"""The two bounds on a sharding degree together: enough devices to hold the memory, few enough to stay busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import number
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import M_X, S, T
from symbolic_mem.models.tensors import Model
from symbolic_mem.plans.load import load, per_token
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, scheme
from symbolic_mem.solvers.bound import Bound
from symbolic_mem.solvers.chips import largest

MOST_TRIED = 1_000_000


@dataclass(frozen=True)
class Share:
    """Memory U0 + u T + (P0 + p T)/n of one device at one instant of a step, in bytes and bytes for a token."""

    fixed: Fraction
    fixed_per_token: Fraction
    divided: Fraction
    divided_per_token: Fraction

    def at(self, n: int, tokens: int) -> Fraction:
        """Bytes on one of `n` devices for a batch of `tokens`."""
        return self.fixed + self.fixed_per_token * tokens + self.whole(tokens) / n

    def whole(self, tokens: int) -> Fraction:
        """Bytes that are divided, for a batch of `tokens`."""
        return self.divided + self.divided_per_token * tokens

    def room(self, limit: Limit, tokens: int) -> Fraction:
        """Bytes that a device has left for what is divided."""
        return limit.capacity - self.fixed - self.fixed_per_token * tokens

    def least(self, limit: Limit, tokens: int) -> int | None:
        """The smallest degree that fits, None when none does."""
        quotient = self.quotient(limit, tokens)
        return None if quotient is None else max(limit.first_whole(quotient), 1)

    def quotient(self, limit: Limit, tokens: int) -> Fraction | None:
        """The real degree that the memory asks for; None where no degree fits."""
        room, whole = self.room(limit, tokens), self.whole(tokens)
        if whole == 0 and room == 0 and not limit.strict:
            return Fraction(0)
        return None if room <= 0 else whole / room


@dataclass(frozen=True)
class Both:
    """Every share under `limit`, and n < T/beta so that the chips stay busy.

    `beta` is the tokens per chip that keep it busy; `sequence` the tokens by which a batch can grow. Where gradients do
    not persist there is a share for each instant that must fit.
    """

    limit: Limit
    shares: tuple[Share, ...]
    beta: Fraction
    sequence: int

    @property
    def strict(self) -> bool:
        """Whether the memory must be less than the capacity."""
        return self.limit.strict

    def fits(self, n: int, tokens: int) -> bool:
        """Whether one of `n` devices holds its share of a batch of `tokens`, at every instant."""
        return all(self.limit.holds(share.at(n, tokens)) for share in self.shares)

    def least(self, tokens: int) -> int | None:
        """The smallest degree that fits, None when none does."""
        return self.deciding(tokens).least(self.limit, tokens)

    def deciding(self, tokens: int) -> Share:
        """The share that asks for most devices; of those that ask for as many, the one with most bytes there."""

        def asked(share: Share) -> tuple[float, Fraction]:
            least = share.least(self.limit, tokens)
            return (
                (float("inf"), -share.room(self.limit, tokens)) if least is None else (least, share.at(least, tokens))
            )

        return max(self.shares, key=asked)

    def quotient(self, tokens: int) -> Fraction | None:
        """The real degree that the memory asks for; None where none fits."""
        asked = [share.quotient(self.limit, tokens) for share in self.shares]
        return None if None in asked else max(quotient for quotient in asked if quotient is not None)

    def most(self, tokens: int) -> int:
        """The largest degree at which the chips compute longer than they send; 0 when not even one does."""
        return ceil(tokens / self.beta) - 1

    def interval(self, tokens: int) -> tuple[int, int] | None:
        """The degrees that do both, None when there is none."""
        least, most = self.least(tokens), self.most(tokens)
        return None if least is None or least > most else (least, most)

    def linear(self, share: Share) -> Fraction:
        """What a device has left, c - U0 - p beta, for P0/n when every device brings its own beta tokens."""
        return self.limit.capacity - share.fixed - share.divided_per_token * self.beta

    def discriminant(self, share: Share) -> Fraction:
        """Of u beta n^2 - (c - U0 - p beta) n + P0 <= 0, which both bounds ask of n at its smallest batch."""
        return self.linear(share) ** 2 - 4 * share.fixed_per_token * self.beta * share.divided

    @property
    def possible(self) -> bool:
        """Whether any batch at all lets some real degree do both, at each instant by itself."""
        return all(self.linear(share) > 0 and self.discriminant(share) >= 0 for share in self.shares)

    def first_batch(self) -> tuple[int, int] | None:
        """The smallest batch, in whole sequences, for which a degree does both: its tokens, and that degree.

        None when there is none. A larger degree needs a larger batch, so the first degree that works is the answer.
        """
        if not self.possible:
            return None
        start = max(max(ceil(share.divided / self.linear(share)) for share in self.shares), 1)
        for degree in range(start, start + MOST_TRIED):
            tokens = (int(degree * self.beta) // self.sequence + 1) * self.sequence
            if self.fits(degree, tokens):
                return tokens, degree
            if any(self._past(share, degree) for share in self.shares):
                return None
        return None

    def _past(self, share: Share, degree: int) -> bool:
        """Whether a degree lies beyond both roots of the condition of a share: from there on it never fits again."""
        return bool(share.fixed_per_token) and share.fixed_per_token * self.beta * degree > self.linear(share)


def both(model: Model, network: Network, bounds: Sequence[Bound], values: Mapping[sp.Symbol, sp.Rational]) -> Both:
    """Put memory `bounds` on a degree, one for each instant, beside FSDP over that many chips, forward.

    Raises `BadInput` when the memory is not linear in the tokens, and `MissingValue` for what has no value.
    """
    n = bounds[0].symbol
    mesh = Mesh(n, sp.S.One, M_X if M_X in values else sp.S.One, sp.S.One)
    limit = largest(Roofline(scheme("fsdp", load(model), mesh).forward, network), n)
    exact = dict(values) | ({} if S in values else {S: sp.S.One})
    per = sp.expand(limit).coeff(T, 1)
    if sp.expand(limit - per * T) != 0:
        raise BadInput('the two bounds are put together for long rings; give ring = "limit" under [network]')
    shares = tuple(Share(*_linear(bound.fixed, exact), *_linear(bound.divided, exact)) for bound in bounds)
    capacity = Fraction(number(bounds[0].capacity, {}, "the capacity"))
    beta = 1 / Fraction(number(per, exact, "the critical batch per chip"))
    return Both(Limit(capacity, bounds[0].strict), shares, beta, int(exact[S]))


def _linear(memory: sp.Expr, values: Mapping[sp.Symbol, sp.Rational]) -> tuple[Fraction, Fraction]:
    known = {symbol: value for symbol, value in values.items() if symbol != T}
    expr = sp.expand(per_token(memory).xreplace(known))
    slope, constant = expr.coeff(T, 1), expr.coeff(T, 0)
    if sp.expand(expr - slope * T - constant) != 0:
        raise BadInput("the memory does not grow linearly with the batch, so the two bounds cannot be put together")
    return Fraction(number(constant, {}, "the memory")), Fraction(number(slope, {}, "the memory"))
