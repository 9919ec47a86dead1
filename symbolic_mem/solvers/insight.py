"""What a person asks next: what no sharding removes, where activations overtake states, what one percent more adds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Values, exact_values, number_of
from symbolic_mem.base.symbols import T, named
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.solvers.bound import solve
from symbolic_mem.solvers.inverse import Upper, UpperBound, upper
from symbolic_mem.solvers.powers import powers_of


@dataclass(frozen=True)
class Floor:
    """The terms that every device holds whatever the degree `symbol` is, and the limit of its memory in bytes."""

    symbol: sp.Symbol
    terms: tuple[Term, ...]
    limit: sp.Expr

    def at(self, values: Values) -> Fraction:
        """Exact bytes of the floor at `values`."""
        return number_of(self.limit, exact_values(values), "the floor")


def floor_of(memory: Memory, symbol: sp.Symbol) -> Floor:
    """Return what no number of devices along `symbol` removes: the limit of the memory as the degree grows.

    >>> from symbolic_mem import account, ffn, n_fsdp, over, recipe
    >>> placed = account(ffn(), recipe("cs336")).place(weights=over(n_fsdp), activations=over(n_fsdp, "1/2"))
    >>> [term.name for term in floor_of(placed, n_fsdp).terms]
    ['accumulated gradients', 'AdamW moments', 'activations of the feed-forward block, kept part']
    """
    _, kept = memory.split(symbol)
    return Floor(symbol, kept.terms, solve(memory, symbol, 0).limit)


@dataclass(frozen=True)
class Crossover:
    """Where growing terms overtake those that stay: `bound` asks that the first are at most the second.

    `first` is the smallest whole value of the unknown at which they are larger; None while they never are.
    """

    bound: UpperBound
    upper: Upper
    first: int | None


def crossover(
    memory: Memory, values: Values, symbol: sp.Symbol = T, kinds: tuple[str, ...] = ("activations",)
) -> Crossover:
    """Return where the terms of `kinds` overtake the states of the parameters, as tokens T or in another `symbol`.

    Place the memory first to compare what one device holds.

    >>> from symbolic_mem import account, ffn, recipe
    >>> from symbolic_mem.base.symbols import L, d_ff, d_model
    >>> values = {d_model: sp.Integer(16384), d_ff: sp.Integer(53248), L: sp.Integer(126)}
    >>> crossover(account(ffn(), recipe("cs336")), values).first
    200464
    """
    growing, states = memory.of(*kinds), memory.of(*STATIC)
    bound = upper(growing, symbol, states.total)
    answer = bound.at(values)
    if not answer.feasible:
        return Crossover(bound, answer, 1)
    return Crossover(bound, answer, None if answer.value is None else answer.value + 1)


@dataclass(frozen=True)
class Sensitivity:
    """How the memory answers to one symbol: derivative in bytes, elasticity, and bytes that one percent more adds.

    `elasticity` is x/M dM/dx: 1 where the memory is proportional to x. `added` is exact, not the derivative's guess.
    Where the memory takes steps in the symbol (ceilings) it has no derivative: the first three are None.
    """

    symbol: sp.Symbol
    derivative: sp.Expr | None
    elasticity: sp.Expr | None
    rate: Fraction | None
    added: Fraction


def sensitivities(memory: Memory, values: Values, percent: int = 1) -> tuple[Sensitivity, ...]:
    """Return what `percent` more of each symbol that has a value adds, the largest addition first.

    >>> from symbolic_mem import account, ffn, recipe
    >>> from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
    >>> values = dict.fromkeys((B, L, S, d_ff, d_model), sp.Integer(100))
    >>> [(str(one.symbol), one.added) for one in sensitivities(account(ffn(), recipe("cs336")), values)][:2]
    [('L', Fraction(4320000, 1)), ('B', Fraction(4000000, 1))]
    """
    exact = exact_values(values)
    total = memory.total
    now = number_of(total, exact, "the memory")
    more = 1 + sp.Rational(percent, 100)
    found = []
    for symbol in sorted(total.free_symbols, key=lambda symbol: named(symbol).rank):
        if not isinstance(symbol, sp.Symbol):
            continue
        added = number_of(total, exact | {symbol: exact[symbol] * more}) - now
        if any(step.has(symbol) for step in total.atoms(sp.floor, sp.ceiling, sp.Min, sp.Max)):
            found.append(Sensitivity(symbol, None, None, None, added))
            continue
        derivative = sp.Add(*(sp.diff(term.bytes, symbol) for term in memory))
        elasticity = sp.Mul(symbol, derivative, sp.Pow(total, -1, evaluate=False), evaluate=False)
        rate = number_of(derivative, exact) * number_of(symbol, exact) / now
        found.append(Sensitivity(symbol, derivative, elasticity, rate, added))
    return tuple(sorted(found, key=lambda one: -abs(one.added)))


@dataclass(frozen=True)
class LeftOver:
    """What `count` devices leave free: bytes on each, and on all together; less than zero where they do not fit."""

    count: int
    used: Fraction
    capacity: Fraction

    @property
    def each(self) -> Fraction:
        """Bytes free on one device."""
        return self.capacity - self.used

    @property
    def together(self) -> Fraction:
        """Bytes free on all devices."""
        return self.count * self.each

    @property
    def fits(self) -> bool:
        """Whether the memory is at most the capacity."""
        return self.each >= 0


def left_over(memory: Memory, symbol: sp.Symbol, count: int, capacity: sp.Expr | int, values: Values) -> LeftOver:
    """Return what is left of `capacity` bytes on each of `count` devices.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> term = Term("w", "weights", sp.Integer(10), sp.Integer(4), "", degree=n_fsdp)
    >>> left_over(Memory((term,)), n_fsdp, 4, 12, {}).together
    Fraction(8, 1)
    """
    if count < 1:
        raise BadInput(f"{count} devices cannot hold anything; give a whole number of at least 1")
    bound = solve(memory, symbol, capacity)
    exact = exact_values(values)
    used = number_of(bound.per_device(sp.Integer(count)), exact, "what is left over")
    return LeftOver(count, used, number_of(bound.capacity, exact, "what is left over"))


@dataclass(frozen=True)
class Frontier:
    """The largest value of a symbol for which some degree still exists, and the degree that is needed there."""

    upper: Upper
    degree: int | None


def frontier(
    memory: Memory,
    degree: sp.Symbol,
    symbol: sp.Symbol,
    capacity: sp.Expr | int,
    values: Values,
    *,
    strict: bool = False,
) -> Frontier:
    """Return the largest `symbol` whose undivided part leaves room, whatever the `degree`, and the degree needed there.

    The condition of the bound is U < C (U <= C only where nothing is divided): it is solved for the symbol.
    """
    bound = solve(memory, degree, capacity, strict=strict)
    _, kept = memory.split(degree)
    exact = exact_values(values)
    if symbol == T or kept.total.has(symbol):
        condition = upper(kept, symbol, capacity, strict=strict or bound.divided != 0)
        answer = condition.at(exact)
    else:
        powers_of(memory, symbol)  # refuses a symbol that the memory does not contain
        raise BadInput(f"no device keeps a part that grows with {symbol}: every {symbol} has its degree")
    if answer.value is None:
        return Frontier(answer, None)
    there = exact | _as_given(symbol, answer.value)
    return Frontier(answer, bound.at(there).value)


def _as_given(symbol: sp.Symbol, value: int) -> dict[sp.Symbol, sp.Expr]:
    """Values of the symbols that stand in the memory: tokens are given as that many sequences of one token."""
    from symbolic_mem.base.symbols import B, S

    return {B: sp.Integer(value), S: sp.S.One} if symbol == T else {symbol: sp.Integer(value)}
