"""`UpperBound`: the largest value of a symbol whose memory fits; closed form up to degree two, exact integers always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import ceil, lcm
from typing import cast

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import Given, Numbers, number
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number, ratio, rational
from symbolic_mem.base.values import dataclass
from symbolic_mem.solvers.powers import contains, need_contained, powers_at, powers_of
from symbolic_mem.solvers.rules import Rule, allowed


@dataclass(frozen=True, repr=False)
class UpperBound:
    """Memory a_0 + a_1 x + a_2 x^2 + ... in the unknown `symbol` x, held under a `limit` of bytes.

    The memory grows with x when every a_k with k > 0 is positive or zero: that is the condition of the bisection, which
    `at` checks on numbers.
    """

    memory: Memory
    symbol: sp.Symbol
    limit: Limit

    def __repr__(self) -> str:
        return f"<upper bound of {self.symbol}>"

    @cached_property
    def powers(self) -> tuple[tuple[int, sp.Expr], ...]:
        """The pairs (k, a_k), in order."""
        contained = contains(self.memory, self.symbol)
        return powers_of(self.memory, self.symbol) if contained else ((0, self.memory.total),)

    @property
    def capacity(self) -> sp.Expr:
        """Bytes that count."""
        return self.limit.expr

    @property
    def strict(self) -> bool:
        """Whether the memory must stay below the capacity."""
        return self.limit.strict

    @property
    def constant(self) -> sp.Expr:
        """Bytes that do not depend on the unknown: a_0."""
        return dict(self.powers).get(0, sp.S.Zero)

    @property
    def degree(self) -> int:
        """The highest power of the unknown."""
        return max((k for k, _ in self.powers), default=0)

    @property
    def quotient(self) -> sp.Expr | None:
        """The real number that the unknown must not exceed, in closed form; None from the third power on."""
        a, room = dict(self.powers), self.capacity - self.constant
        present = [k for k in a if k > 0]
        if present == [1]:
            return sp.Mul(room, sp.Pow(a[1], -1, evaluate=False), evaluate=False)
        if present == [2]:
            return sp.sqrt(room / a[2])
        if present == [1, 2]:
            root = sp.sqrt(a[1] ** 2 + 4 * a[2] * room)
            return sp.Mul(root - a[1], sp.Pow(2 * a[2], -1, evaluate=False), evaluate=False)
        return None

    @property
    def formula(self) -> sp.Expr | None:
        """The largest whole value where the condition holds, or None without a closed form."""
        return None if self.quotient is None else self.limit.last(self.quotient)

    @property
    def condition(self) -> sp.Rel:
        """When a value exists at all: the memory at 1 fits."""
        return self.limit.fits(sp.Add(*(coefficient for _, coefficient in self.powers)))

    @property
    def growing(self) -> tuple[sp.Expr, ...]:
        """The coefficients that must not be negative for the memory to grow with the unknown."""
        return tuple(coefficient for k, coefficient in self.powers if k > 0)

    def bytes_at(self, value: sp.Expr) -> sp.Expr:
        """Bytes at one value of the unknown."""
        return sp.Add(*(coefficient * value**k for k, coefficient in self.powers))

    def at(self, values: Given | Numbers, rules: Sequence[Rule] = ()) -> Upper:
        """Solve for the largest whole number that obeys the `rules`, at exact `values` of the other symbols.

        Raises `BadInput` when a coefficient is negative there, so that more is not always larger.
        """
        what = f"the largest {self.symbol}"
        given = Numbers.of(values)
        if self.symbol in given.values_given:
            given = Numbers({symbol: value for symbol, value in given.values_given.items() if symbol != self.symbol})
        numbers = self._powers_at(given, what)
        limit = self.limit.at(given.values_given, what)
        negative = next(((k, a) for k, a in numbers if k > 0 and a < 0), None)
        if negative:
            raise BadInput(
                f"the memory does not grow with {self.symbol} everywhere: the coefficient of {self.symbol}^{negative[0]} "
                f"is {negative[1]}, so a largest value is not defined; ask about another symbol"
            )
        found = _search(self, numbers, limit)
        return _obeying(found, tuple(rule.at(given.values_given) for rule in rules)) if rules else found

    def _powers_at(self, given: Numbers, what: str) -> tuple[tuple[int, Number], ...]:
        try:
            found = powers_at(self.memory, self.symbol, given)
        except MissingValue:  # of one term; what is said names the symbols of all
            return tuple((k, number(a, given.values_given, what)) for k, a in self.powers)
        return found if all(a for _, a in found) else tuple((k, a) for k, a in found if a or k in dict(self.powers))


@dataclass(frozen=True, repr=False)
class Upper:
    """An upper bound at numbers: the largest whole value, its neighbours in bytes, or why there is none.

    `value` is None when even the smallest does not fit (`feasible` false) and when the memory does not grow (`unbounded`).
    `most` is the largest whole number before the `rules`, and `next_value` the allowed one after the answer. `smallest` is the
    first value that they allow (None: they allow none), `least_rules` and `last_rules` are those that allow nothing smaller or larger.
    """

    bound: UpperBound
    feasible: bool
    value: int | None
    unbounded: bool
    coefficients: tuple[tuple[int, Number], ...]
    capacity: Number
    rules: tuple[Rule, ...] = ()
    most: int | None = None
    next_value: int | None = None
    smallest: int | None = 1
    least_rules: tuple[Rule, ...] = ()
    last_rules: tuple[Rule, ...] = ()

    def __repr__(self) -> str:
        found = self.value if self.value is not None else "without bound" if self.unbounded else "none fits"
        return f"<largest {self.bound.symbol}: {found}>"

    @cached_property
    def quotient(self) -> sp.Expr | None:
        """The closed form at numbers: rational, or with a square root; None where there is none."""
        room = rational(self.capacity - self.constant_bytes)
        present = {k: rational(a) for k, a in self.coefficients if k > 0 and a}
        if room < 0 or not present or set(present) - {1, 2}:
            return None
        if 2 not in present:
            return room / present[1]
        linear, square = present.get(1, sp.S.Zero), present[2]
        return (sp.sqrt(linear**2 + 4 * square * room) - linear) / (2 * square)

    def per_device(self, value: int) -> Number:
        """Exact bytes when the unknown has that value."""
        return ratio(sum(a * value**k for k, a in self.coefficients), 1)

    @property
    def per_device_bytes(self) -> int | None:
        """Bytes at the answer, rounded up to a whole byte."""
        return None if self.value is None else ceil(self.per_device(self.value))

    @property
    def above(self) -> int:
        """The next value that the rules allow, which does not fit."""
        return self.next_value or (self.value or 0) + 1

    @property
    def ended(self) -> bool:
        """Whether the rules allow nothing larger than the answer, whatever fits."""
        return self.value is not None and self.next_value is None

    @property
    def at_value_plus_one_bytes(self) -> int | None:
        """Bytes with one more than the answer, which do not fit."""
        return None if self.value is None else ceil(self.per_device(self.value + 1))

    @property
    def at_one_bytes(self) -> int:
        """Bytes when the unknown is 1: what must fit for an answer to exist."""
        return ceil(self.per_device(1))

    @property
    def constant_bytes(self) -> Number:
        """Bytes that do not depend on the unknown."""
        return dict(self.coefficients).get(0, 0)


def upper(memory: Memory, symbol: sp.Symbol, capacity: sp.Expr | Number, *, strict: bool = False) -> UpperBound:
    """Bound `symbol` from above so that the `memory` is at most (`strict`: less than) `capacity` bytes.

    `symbols.T` stands for the tokens B S where the memory depends on B and S through their product only, and
    `symbols.P` for the parameters where the terms are written with them. Raises `BadInput` when the memory does not
    contain the symbol or is not a polynomial in it, naming the symbols that it contains.

    >>> from symbolic_mem import account, ffn, recipe
    >>> from symbolic_mem.base.symbols import C_mem, T
    >>> upper(account(ffn(), recipe("cs336")), T, C_mem).formula
    floor((C_mem - 32*L*d_ff*d_model)/((2*L*(d_ff + d_model))))
    """
    need_contained(memory, symbol)
    bound = UpperBound(memory, symbol, Limit(capacity, strict))
    _ = bound.powers  # refuses what is no polynomial
    return bound


def upper_anyway(memory: Memory, symbol: sp.Symbol, limit: Limit) -> UpperBound:
    """Bound `symbol` from above where the `memory` may not contain it: then all of it is constant.

    >>> from symbolic_mem import account, ffn, recipe
    >>> from symbolic_mem.base.symbols import B, C_mem
    >>> upper_anyway(account(ffn(), recipe("cs336"), "step"), B, Limit(C_mem)).powers
    ((0, 32*L*d_ff*d_model),)
    """
    return UpperBound(memory, symbol, limit)


def tightness(found: Upper) -> tuple[bool, bool, int, Number]:
    """How little an answer allows: nothing, then the smallest value, and of equal ones that with most bytes there."""
    value = found.value or 0
    return (not found.feasible, not found.unbounded, -value, found.per_device(value or found.smallest or 1))


def largest(
    memory: Memory,
    symbol: sp.Symbol,
    capacity: sp.Expr | Number,
    values: Given,
    *,
    strict: bool = False,
    rules: Sequence[Rule] = (),
) -> Upper:
    """Return the largest whole `symbol` that fits and obeys the `rules`, at exact `values` of the others: see `upper`.

    >>> from symbolic_mem import account, recipe
    >>> from symbolic_mem.models.parameters import parameters_only
    >>> from symbolic_mem.base.symbols import Psi
    >>> largest(account(parameters_only(), recipe("zero-16")), Psi, 32 * 10**9, {}).value
    2000000000
    """
    return upper(memory, symbol, capacity, strict=strict).at(values, rules)


def _search(bound: UpperBound, coefficients: tuple[tuple[int, Number], ...], limit: Limit) -> Upper:
    capacity = cast(Number, limit.capacity)
    scale = lcm(capacity.denominator, *(a.denominator for _, a in coefficients))
    whole = [(k, int(a * scale)) for k, a in coefficients]
    room = Limit(int(capacity * scale), limit.strict)

    def fits(value: int) -> bool:
        return room.holds(sum(a * value**k for k, a in whole))

    if not fits(1):
        return Upper(bound, False, None, False, coefficients, capacity)
    if not any(a for k, a in whole if k > 0):
        return Upper(bound, True, None, True, coefficients, capacity)
    high = 2
    while fits(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return Upper(bound, True, low, False, coefficients, capacity, most=low, next_value=low + 1)


def _obeying(found: Upper, rules: tuple[Rule, ...]) -> Upper:
    """The largest value that the rules allow as well; an unbounded one becomes the largest that they allow, if any."""
    together = allowed(rules)
    least = together.first(1)
    least_rules = tuple(rule for rule in rules if allowed((rule,)).first(1) == least) or rules
    found = replace(found, rules=rules, smallest=least, least_rules=least_rules)
    if not found.feasible:
        return replace(found, last_rules=_last(rules, found.value))
    most = found.most if found.most is not None else together.largest
    value = None if most is None else together.last(most)
    if value is None:
        unbounded = found.unbounded and least is not None
        return replace(found, feasible=unbounded, value=None, next_value=None, last_rules=_last(rules, None))
    above = None if found.most is None else together.first(found.most + 1)
    return replace(found, value=value, unbounded=False, next_value=above, last_rules=_last(rules, value))


def _last(rules: tuple[Rule, ...], value: int | None) -> tuple[Rule, ...]:
    """Of the rules those that allow nothing larger than a value; all where none does by itself."""
    return tuple(rule for rule in rules if allowed((rule,)).largest == value) or rules
