"""The two bounds on a sharding degree together: enough devices to hold the memory, few enough to stay busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import number
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import M_X, C, S, T, W
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import Model
from symbolic_mem.plans.load import load, per_token
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, scheme
from symbolic_mem.solvers.bound import Bound
from symbolic_mem.solvers.chips import largest

MOST_TRIED = 1_000_000
BUSY = C / (M_X * W)


@dataclass(frozen=True)
class Share:
    """Memory K0 + K1 t + (D0 + D1 t)/n of one of n devices at one instant of a step, in bytes and bytes for a token.

    The t tokens are those of the whole batch, or with `own` the T/n that the device has for itself.
    """

    fixed: Fraction
    fixed_per_token: Fraction
    divided: Fraction
    divided_per_token: Fraction
    own: bool = False

    @property
    def grows(self) -> bool:
        """Whether it depends on the tokens."""
        return bool(self.fixed_per_token or self.divided_per_token)

    def at(self, n: int, tokens: int) -> Fraction:
        """Bytes on one of `n` devices for a batch of `tokens`."""
        counted = Fraction(tokens, n) if self.own else Fraction(tokens)
        return self.fixed + self.fixed_per_token * counted + (self.divided + self.divided_per_token * counted) / n

    def whole(self, tokens: int) -> Fraction:
        """Bytes that are divided, where the tokens are those of the whole batch."""
        return self.divided + self.divided_per_token * tokens

    def room(self, limit: Limit, tokens: int) -> Fraction:
        """Bytes that a device has left for what shrinks with the degree."""
        grown = 0 if self.own else self.fixed_per_token * tokens
        return limit.capacity - self.fixed - grown

    def least(self, limit: Limit, tokens: int) -> int | None:
        """The smallest degree that fits, None when none does."""
        if not self.own:
            quotient = self.quotient(limit, tokens)
            return None if quotient is None else max(limit.first_whole(quotient), 1)
        if limit.holds(self.at(1, tokens)):
            return 1
        if self.room(limit, tokens) <= 0:
            return None
        low, high = 1, 2
        while not limit.holds(self.at(high, tokens)):
            low, high = high, 2 * high
        while high - low > 1:  # the memory falls as the degree grows
            middle = (low + high) // 2
            low, high = (low, middle) if limit.holds(self.at(middle, tokens)) else (middle, high)
        return high

    def quotient(self, limit: Limit, tokens: int) -> Fraction | None:
        """The real degree that the memory asks for; None where no degree fits, and where it is no quotient."""
        if self.own:
            return None
        room, whole = self.room(limit, tokens), self.whole(tokens)
        if whole == 0 and room == 0 and not limit.strict:
            return Fraction(0)
        return None if room <= 0 else whole / room


@dataclass(frozen=True)
class Both:
    """Every share under `limit`, and n < T/beta so that the chips of several stay busy; one sends nothing, so it always does.

    `beta` is the tokens per chip that keep it busy, `busy` the same as a formula; `sequence` the tokens by which a batch
    can grow. Where gradients do not persist there is a share for each instant that must fit. `alone` are those of a step on one
    device, where that is another step.
    """

    limit: Limit
    shares: tuple[Share, ...]
    beta: Fraction
    sequence: int
    busy: sp.Expr = BUSY
    alone: tuple[Share, ...] = ()

    @property
    def strict(self) -> bool:
        """Whether the memory must be less than the capacity."""
        return self.limit.strict

    def fits(self, n: int, tokens: int) -> bool:
        """Whether one of `n` devices holds its share of a batch of `tokens`, at every instant."""
        return self.limit.holds(self.held(n, tokens))

    def held(self, n: int, tokens: int) -> Fraction:
        """The most bytes that one of `n` devices holds at any instant, for a batch of `tokens`."""
        there = self.alone if n == 1 and self.alone else self.shares
        return max(share.at(n, tokens) for share in there)

    def one_is_enough(self, tokens: int) -> bool:
        """Whether one device holds its own step."""
        return self.fits(1, tokens)

    def least(self, tokens: int) -> int | None:
        """The smallest degree that fits, None when none does."""
        return 1 if self.one_is_enough(tokens) else self.least_of_several(tokens)

    def least_of_several(self, tokens: int) -> int | None:
        """The same by the step of several devices, which is that of one, too, where one has none of its own."""
        least = self.deciding(tokens).least(self.limit, tokens)
        return max(least, 2) if least is not None and self.alone else least

    def between(self, tokens: int) -> tuple[int, int] | None:
        """The first and the last degree above one that do not fit though one device is enough; None where there are none, or no end."""
        least = self.least_of_several(tokens)
        return (2, least - 1) if least is not None and least > 2 and self.one_is_enough(tokens) else None

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
        there = self.alone if self.alone and self.one_is_enough(tokens) else self.shares
        asked = [share.quotient(self.limit, tokens) for share in there]
        return None if None in asked else max(quotient for quotient in asked if quotient is not None)

    def most(self, tokens: int) -> int:
        """The largest degree at which the chips compute longer than they send: at least one, which sends nothing."""
        return max(ceil(tokens / self.beta) - 1, 1)

    def interval(self, tokens: int) -> tuple[int, int] | None:
        """The first and the last degree that do both, None when there is none; those `between` them that do not fit are left out."""
        least, most = self.least_of_several(tokens), self.most(tokens)
        several = None if least is None or least > most else (least, most)
        if not self.one_is_enough(tokens):
            return several
        return (1, 1) if several is None else (1, most)

    def below(self, share: Share) -> bool:
        """Whether the memory must stay below the capacity at T = beta n: a busy chip has more tokens than beta."""
        return self.strict or share.grows

    def linear(self, share: Share) -> Fraction:
        """What a device has left for D0/n when every device brings its own beta tokens."""
        per_token = share.fixed_per_token if share.own else share.divided_per_token
        return self.limit.capacity - share.fixed - per_token * self.beta

    def shrinking(self, share: Share) -> Fraction:
        """What is divided by the degree when every device brings its own beta tokens."""
        return share.divided + (share.divided_per_token * self.beta if share.own else 0)

    def growing(self, share: Share) -> Fraction:
        """What one device more adds to every device, when each brings beta tokens to the whole batch."""
        return Fraction(0) if share.own else share.fixed_per_token * self.beta

    def discriminant(self, share: Share) -> Fraction:
        """Of K1 beta n^2 - (c - K0 - D1 beta) n + D0, which both bounds ask of n at its smallest batch."""
        return self.linear(share) ** 2 - 4 * self.growing(share) * self.shrinking(share)

    def possible_for(self, share: Share) -> bool:
        """Whether any batch at all lets some real degree do both, at the instant of this share."""
        square = self.discriminant(share)
        if share.divided == 0 and not share.grows:
            return self.limit.holds(share.fixed)
        return self.linear(share) > 0 and (square > 0 if self.below(share) else square >= 0)

    @property
    def possible(self) -> bool:
        """Whether any batch at all lets some real degree of several devices do both, at each instant by itself."""
        return all(self.possible_for(share) for share in self.shares)

    def first_batch(self) -> tuple[int, int] | None:
        """The smallest batch, in whole sequences, for which a degree does both: its tokens, and that degree.

        None when there is none. A larger degree needs a larger batch, so the first degree that works is the answer.
        """
        if self.one_is_enough(self.sequence):
            return self.sequence, 1
        if not self.possible:
            return None
        needed = (self.shrinking(share) / self.linear(share) for share in self.shares if self.linear(share) > 0)
        start = max(max(map(ceil, needed), default=2), 2)
        for degree in range(start, start + MOST_TRIED):
            tokens = self.busy_batch(degree)
            if self.fits(degree, tokens):
                return tokens, degree
            if any(self._past(share, degree) for share in self.shares):
                return None
        return None

    def busy_batch(self, degree: int) -> int:
        """Tokens of the smallest batch, in whole sequences, with which so many of several chips stay busy."""
        return (int(degree * self.beta) // self.sequence + 1) * self.sequence

    def _past(self, share: Share, degree: int) -> bool:
        """Whether a degree lies beyond both roots of the condition of a share: from there on it never fits again."""
        return bool(self.growing(share)) and self.growing(share) * degree > self.linear(share)


def both(
    model: Model,
    network: Network,
    bounds: Sequence[Bound],
    values: Mapping[sp.Symbol, sp.Rational],
    *,
    own: bool = False,
    alone: Sequence[Bound] = (),
) -> Both:
    """Put memory `bounds` on a degree, one for each instant, beside FSDP over that many chips, forward.

    With `own` the memory is that of the tokens of one device, T/n, in place of the whole batch. `alone` are the bounds of a
    step on one device, where that is another one.

    Raises `BadInput` when the memory is not linear in the tokens, and `MissingValue` for what has no value.
    """
    n = bounds[0].symbol
    mesh = Mesh(n, sp.S.One, M_X if M_X in values else sp.S.One, sp.S.One)
    limit = largest(Roofline(scheme("fsdp", load(model), mesh).forward, network), n)
    exact = dict(values) | ({} if S in values else {S: sp.S.One})
    per = sp.expand(limit).coeff(T, 1)
    if sp.expand(limit - per * T) != 0:
        raise BadInput('the two bounds are put together for long rings; give ring = "limit" under [network]')
    shares, ones = (
        tuple(Share(*_linear(bound.fixed, exact), *_linear(bound.divided, exact), own) for bound in some)
        for some in (bounds, alone)
    )
    capacity = Fraction(number(bounds[0].capacity, {}, "the capacity"))
    beta = 1 / Fraction(number(per, exact, "the critical batch per chip"))
    return Both(Limit(capacity, bounds[0].strict), shares, beta, int(exact[S]), sp.cancel(1 / per), ones)


def _linear(memory: sp.Expr, values: Mapping[sp.Symbol, sp.Rational]) -> tuple[Fraction, Fraction]:
    known = {symbol: value for symbol, value in values.items() if symbol != T}
    expr = sp.expand(per_token(memory).xreplace(known))
    slope, constant = expr.coeff(T, 1), expr.coeff(T, 0)
    if sp.expand(expr - slope * T - constant) != 0:
        raise BadInput("the memory does not grow linearly with the batch, so the two bounds cannot be put together")
    return Fraction(number(constant, {}, "the memory")), Fraction(number(slope, {}, "the memory"))
