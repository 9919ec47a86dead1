"""The two bounds on a sharding degree together: enough devices to hold the memory, few enough to stay busy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import lcm
from typing import cast

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Number, Values, number, ratio
from symbolic_mem.base.limit import Limit, first_degree
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
class Both:
    """Memory U0 + u T + (P0 + p T)/n on one device, under a `limit`, and n < T/beta so that the chips stay busy.

    `beta` is the tokens per chip that keep it busy; `sequence` the tokens by which a batch can grow.
    """

    limit: Limit
    fixed: Number
    fixed_per_token: Number
    divided: Number
    divided_per_token: Number
    beta: Number
    sequence: int

    @property
    def capacity(self) -> Number:
        """Bytes of one device that count."""
        return cast(Number, self.limit.capacity)

    @property
    def strict(self) -> bool:
        """Whether the memory must stay below the capacity."""
        return self.limit.strict

    def fits(self, n: int, tokens: int) -> bool:
        """Whether one of `n` devices holds its share of a batch of `tokens`."""
        scale, fixed, fixed_per, divided, divided_per = self._whole
        held = n * (fixed + fixed_per * tokens) + divided + divided_per * tokens
        return self.limit.holds(held, times=n * scale)

    @cached_property
    def _whole(self) -> tuple[int, ...]:
        """A scale, and the four parts of the memory times that, all of them whole."""
        parts = (self.fixed, self.fixed_per_token, self.divided, self.divided_per_token)
        scale = lcm(*(part.denominator for part in parts))
        return (scale, *(int(part * scale) for part in parts))

    def least(self, tokens: int) -> int | None:
        """The smallest degree that fits, None when none does."""
        divided = self.divided + self.divided_per_token * tokens
        return first_degree(divided, self.fixed + self.fixed_per_token * tokens, self.capacity, strict=self.strict)

    def most(self, tokens: int) -> int:
        """The largest degree at which the chips compute longer than they send; 0 when not even one does."""
        return -(-tokens // self.beta) - 1

    def interval(self, tokens: int) -> tuple[int, int] | None:
        """The degrees that do both, None when there is none."""
        least, most = self.least(tokens), self.most(tokens)
        return None if least is None or least > most else (least, most)

    @property
    def linear(self) -> Number:
        """What a device has left, c - U0 - p beta, for P0/n when every device brings its own beta tokens."""
        return self.capacity - self.fixed - self.divided_per_token * self.beta

    @property
    def discriminant(self) -> Number:
        """Of u beta n^2 - (c - U0 - p beta) n + P0 <= 0, which both bounds ask of n at its smallest batch."""
        return self.linear**2 - 4 * self.fixed_per_token * self.beta * self.divided

    @property
    def possible(self) -> bool:
        """Whether any batch at all lets some real degree do both."""
        return self.linear > 0 and self.discriminant >= 0

    def first_batch(self) -> tuple[int, int] | None:
        """The smallest batch, in whole sequences, for which a degree does both: its tokens, and that degree.

        None when there is none. A larger degree needs a larger batch, so the first degree that works is the answer.
        """
        if not self.possible:
            return None
        n = max(-(-self.divided // self.linear), 1)
        for degree in range(n, n + MOST_TRIED):
            tokens = (int(degree * self.beta) // self.sequence + 1) * self.sequence
            if self.fits(degree, tokens):
                return tokens, degree
            if self.fixed_per_token and 2 * self.fixed_per_token * self.beta * degree > 2 * self.linear:
                return None
        return None


def both(model: Model, network: Network, bound: Bound, values: Values) -> Both:
    """Put the memory `bound` on a degree beside FSDP over that many chips, forward.

    Raises `BadInput` when the memory is not linear in the tokens, and `MissingValue` for what has no value.
    """
    n = bound.symbol
    mesh = Mesh(n, sp.S.One, M_X if M_X in values else sp.S.One, sp.S.One)
    limit = largest(Roofline(scheme("fsdp", load(model), mesh).forward, network), n)
    exact = {S: sp.S.One, **values}
    per = sp.expand(limit).coeff(T, 1)
    if sp.expand(limit - per * T) != 0:
        raise BadInput('the two bounds are put together for long rings; give ring = "limit" under [network]')
    divided, divided_per = _linear(bound.divided, exact)
    fixed, fixed_per = _linear(bound.fixed, exact)
    return Both(
        bound.limit.at(values),
        fixed,
        fixed_per,
        divided,
        divided_per,
        ratio(1, number(per, exact, "the critical batch per chip")),
        int(exact[S]),
    )


def _linear(memory: sp.Expr, values: Values) -> tuple[Number, Number]:
    known = {symbol: value for symbol, value in values.items() if symbol != T}
    expr = sp.expand(per_token(memory).xreplace(known))
    slope, constant = expr.coeff(T, 1), expr.coeff(T, 0)
    if sp.expand(expr - slope * T - constant) != 0:
        raise BadInput("the memory does not grow linearly with the batch, so the two bounds cannot be put together")
    return number(constant, {}, "the memory"), number(slope, {}, "the memory")
