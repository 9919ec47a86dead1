"""The smallest degree under the rules of a real cluster: exact, step by step, with a reason where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from math import ceil

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.exact import Given, Numbers, number
from symbolic_mem.base.first import first_degree
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number
from symbolic_mem.base.values import dataclass
from symbolic_mem.solvers.bound import Bound, Solved, bound_of
from symbolic_mem.solvers.layout import Gathered, Layout, PaddedRows, WholeSamples, cuts_at, profile
from symbolic_mem.solvers.profile import Profile
from symbolic_mem.solvers.rules import Allowed, Rule, allowed, contradiction

_ALL = Allowed()  # what no rules allow


@dataclass(frozen=True)
class Applied:
    """One rule in the order in which it was given: the degree `before` it and `after` it (None: no degree is left).

    `profile` is the exact memory that holds from this step on; `largest_below` is the last allowed degree that does
    not fit, where there is one.
    """

    rule: Rule | Layout
    before: int
    after: int | None
    profile: Profile
    largest_below: int | None = None

    @property
    def changed(self) -> bool:
        """Whether the rule moved the degree."""
        return self.after != self.before


@dataclass(frozen=True)
class Reason:
    """Why no degree is enough: a `code`, the rules in conflict, the bytes in the way, and the degree `needed` without them.

    Codes: ``fixed`` (what no device can give away does not fit), ``rows`` (one row of every tensor does not fit),
    ``gathered`` (what is held whole does not fit), ``contradiction`` (no degree obeys the rules), ``limit`` (none from
    `needed` on does) and ``unfit`` (some do, and at none of them does the memory fit).
    """

    code: str
    rules: tuple[Rule, ...] = ()
    bytes: Number | None = None
    needed: int | None = None


@dataclass(frozen=True, repr=False)
class Degree:
    """The smallest degree that obeys every rule and fits, or the reason why there is none.

    `ideal` is the answer without rules (its quotient, closed form and condition); `steps` are the rules in order.
    """

    ideal: Solved
    rules: tuple[Rule | Layout, ...]
    steps: tuple[Applied, ...]
    value: int | None
    profile: Profile
    allowed: Allowed
    reason: Reason | None = None
    without: tuple[tuple[Rule | Layout, int], ...] = field(default=())

    def __repr__(self) -> str:
        rules = f" under {len(self.rules)} rule{'s' * (len(self.rules) != 1)}" if self.rules else ""
        symbol = self.ideal.bound.symbol
        return f"<no {symbol} is enough{rules}>" if self.value is None else f"<{symbol} = {self.value}{rules}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symbolic_mem.document.prose import text
        from symbolic_mem.document.steps import Paragraph
        from symbolic_mem.render.notebook import bundle, facts

        reached = (f"{step.before} → {'no such number' if step.after is None else step.after}" for step in self.steps)
        rows = [(step.rule.words, text(words)) for step, words in zip(self.steps, reached, strict=True)]
        rules = [facts("What each rule changes", rows)] if rows else []
        return bundle(repr(self), [Paragraph(self.ideal.sentence), *rules])

    @property
    def feasible(self) -> bool:
        """Whether some degree fits and obeys the rules."""
        return self.value is not None

    @property
    def asks(self) -> tuple[float, bool]:
        """How much it asks for: that no degree is enough is most, then more devices."""
        return (float("inf"), not self.ideal.feasible) if self.value is None else (self.value, False)

    @property
    def demand(self) -> tuple[float, bool, Number]:
        """The same, and of several that ask for as many the bytes on each of them."""
        held = (self.ideal.value or self.ideal.fixed) if self.value is None else self.profile.at(self.value)
        return *self.asks, held

    @property
    def capacity(self) -> Number:
        """Bytes that the memory of one device is compared with."""
        return self.ideal.capacity

    @property
    def padded(self) -> bool:
        """Whether a rule counts whole rows, with their padding."""
        return any(isinstance(rule, PaddedRows) for rule in self.rules)

    def cuts_at(self, degree: int, values: Given | Numbers) -> Callable[[Term], Number] | None:
        """What one device holds of a term at a degree, where rules cut whole sequences or rows; None where none does."""
        layouts = [rule for rule in self.rules if isinstance(rule, WholeSamples | PaddedRows)]
        return cuts_at(layouts, self.ideal.bound.symbol, degree, values) if layouts else None

    @property
    def largest_below(self) -> int | None:
        """The largest allowed degree below the answer, which does not fit; None when the answer is the first."""
        return None if self.value is None else self.allowed.last(self.value - 1)

    @property
    def per_device_bytes(self) -> int | None:
        """Bytes of one device at the answer, rounded up to a whole byte."""
        return None if self.value is None else ceil(self.profile.at(self.value))

    @property
    def at_value_minus_one_bytes(self) -> int | None:
        """Bytes of one device with one device less, whether the rules allow it or not; None when one is enough."""
        return None if self.value is None or self.value == 1 else ceil(self.profile.at(self.value - 1))

    @property
    def at_largest_below_bytes(self) -> int | None:
        """Bytes of one device at the largest allowed degree below the answer, which do not fit."""
        below = self.largest_below
        return None if below is None else ceil(self.profile.at(below))


def smallest_degree(
    memory: Memory,
    symbol: sp.Symbol,
    capacity: sp.Expr | Number,
    values: Given | Numbers,
    *,
    strict: bool = False,
    rules: Sequence[Rule | Layout] = (),
) -> Degree:
    """Return the smallest whole degree `symbol` whose exact per-device memory fits and that obeys every rule.

    Bytes throughout. Layout rules (`WholeSamples`, `PaddedRows`, `Gathered`) apply before the others, whatever the
    order given; contradictory rules and a memory that never fits are answers with a `Reason`, never errors.

    >>> from symbolic_mem import B, account, ffn, n_fsdp, over, recipe
    >>> from symbolic_mem.solvers.rules import Divides, MultipleOf
    >>> from symbolic_mem.base.symbols import L, S, d_ff, d_model
    >>> values = {d_model: 16384, d_ff: 53248, L: 126, B: 128, S: 1024}
    >>> values = {symbol: sp.Integer(value) for symbol, value in values.items()}
    >>> memory = account(ffn(), recipe("cs336"))
    >>> placed = memory.place(**dict.fromkeys(memory.kinds, over(n_fsdp)))
    >>> smallest_degree(placed, n_fsdp, 80 * 2**30, values).value
    68
    >>> smallest_degree(placed, n_fsdp, 80 * 2**30, values, rules=[WholeSamples(), MultipleOf(8)]).value
    72
    >>> smallest_degree(placed, n_fsdp, 80 * 2**30, values, rules=[MultipleOf(8), Divides(126)]).reason.code
    'contradiction'
    """
    return degree_under(bound_of(memory, symbol, Limit(capacity, strict)), values, rules)


def degree_under(bound: Bound, values: Given | Numbers, rules: Sequence[Rule | Layout] = ()) -> Degree:
    """Return the smallest degree of a `bound`, as `smallest_degree` does; nothing of its memory need be divided.

    >>> from symbolic_mem import account, ffn, n_fsdp, recipe
    >>> from symbolic_mem.base.symbols import L, d_ff, d_model
    >>> weights = account(ffn(), recipe("cs336")).of("weights")
    >>> values = {d_model: sp.Integer(10), d_ff: sp.Integer(10), L: sp.Integer(1)}
    >>> [degree_under(Bound(weights, n_fsdp, Limit(room)), values).value for room in (800, 799)]
    [1, None]
    """
    memory, symbol, strict = bound.memory, bound.symbol, bound.strict
    numbers = Numbers.of(values, "the bound")
    values = numbers.values_given
    shape, keep = profile(memory, symbol, numbers), _ALL
    room = number(bound.capacity, values, "the capacity")
    ideal = Solved(
        bound, first_degree(shape.divided, shape.fixed, room, strict=strict), shape.divided, shape.fixed, room
    )
    layouts = [rule for rule in rules if isinstance(rule, WholeSamples | PaddedRows | Gathered)]
    integers = [rule.at(values) for rule in rules if not isinstance(rule, WholeSamples | PaddedRows | Gathered)]
    ordered = (*layouts, *integers)
    limit = Limit(ideal.capacity, strict)

    value = ideal.value
    steps: list[Applied] = []
    for position, rule in enumerate(ordered, start=1):
        if value is None:
            break
        if position <= len(layouts):
            shape = profile(memory, symbol, numbers, layouts[:position])
        else:
            keep = allowed(integers[: position - len(layouts)])
        after = shape.smallest(limit, keep)
        below = None if after is None else keep.last(after - 1)
        steps.append(Applied(rule, value, after, shape, below))
        value = after

    reason = None if value is not None else _reason(ideal, steps, integers)
    without = ()
    if value is None and ideal.feasible:
        without = _without(memory, symbol, values, limit, layouts, integers)
    return Degree(ideal, ordered, tuple(steps), value, shape, keep, reason, without)


def _without(
    memory: Memory,
    symbol: sp.Symbol,
    values: Given,
    limit: Limit,
    layouts: list[Layout],
    integers: list[Rule],
) -> tuple[tuple[Rule | Layout, int], ...]:
    """Each single rule without which there is an answer, and that answer."""
    answers = []
    for dropped in (*layouts, *integers):
        shape = profile(memory, symbol, values, [rule for rule in layouts if rule is not dropped])
        keep = allowed([rule for rule in integers if rule is not dropped])
        value = shape.smallest(limit, keep)
        if value is not None:
            answers.append((dropped, value))
    return tuple(answers)


def _reason(ideal: Solved, steps: list[Applied], integers: list[Rule]) -> Reason:
    if not steps:
        return Reason("fixed", bytes=ideal.fixed)
    last = steps[-1]
    if isinstance(last.rule, WholeSamples | PaddedRows | Gathered):
        return Reason("gathered" if last.profile.floor is None else "rows", bytes=last.profile.floor)
    conflict = contradiction(integers)
    if conflict:
        return Reason("contradiction", conflict)
    needed = next(step.before for step in steps if step.rule in integers)
    conflict = contradiction(integers, needed)
    return Reason("limit" if conflict else "unfit", conflict or tuple(integers), needed=needed)
