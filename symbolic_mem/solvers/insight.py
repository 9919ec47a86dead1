"""What a person asks next: what no sharding removes, where activations overtake states, what one percent more adds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from operator import mul

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Given, Numbers, compiled, number, put, symbols_of
from symbolic_mem.base.rational import Number, plain, ratio, symbolic
from symbolic_mem.base.symbols import T, named
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.solvers.bound import Bound, solve
from symbolic_mem.solvers.inverse import Upper, UpperBound, upper
from symbolic_mem.solvers.layout import Layout, profile


@dataclass(frozen=True)
class Floor:
    """The terms that every device holds whatever the degree `symbol` is, and their `bytes`."""

    symbol: sp.Symbol
    terms: tuple[Term, ...]
    bytes: sp.Expr

    def at(self, values: Given) -> Number:
        """Exact bytes of the floor at `values`."""
        return number(self.bytes, values, "the floor")


def floor_of(memory: Memory, symbol: sp.Symbol) -> Floor:
    """Return what no number of devices along `symbol` removes: the limit of the memory as the degree grows.

    >>> from symbolic_mem import account, ffn, n_fsdp, over, recipe
    >>> placed = account(ffn(), recipe("cs336")).place(weights=over(n_fsdp), activations=over(n_fsdp, "1/2"))
    >>> [term.name for term in floor_of(placed, n_fsdp).terms]
    ['accumulated gradients', 'AdamW moments', 'activations of the feed-forward block, kept part']
    """
    return floor_under(solve(memory, symbol, 0))


def floor_under(bound: Bound) -> Floor:
    """Return the same for a `bound`; nothing of its memory need be divided."""
    return Floor(bound.symbol, bound.kept.terms, bound.floor)


@dataclass(frozen=True)
class Crossover:
    """Where growing terms overtake those that stay: `bound` asks that the first are at most the second.

    `first` is the smallest whole value of the unknown at which they are larger; None while they never are.
    """

    bound: UpperBound
    upper: Upper
    first: int | None


def crossover(
    memory: Memory, values: Given, symbol: sp.Symbol = T, kinds: tuple[str, ...] = ("activations",)
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
    rate: Number | None
    added: Number


def sensitivities(memory: Memory, values: Given, percent: int = 1) -> tuple[Sensitivity, ...]:
    """Return what `percent` more of each symbol that has a value adds, the largest addition first.

    >>> from symbolic_mem import account, ffn, recipe
    >>> from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
    >>> values = dict.fromkeys((B, L, S, d_ff, d_model), sp.Integer(100))
    >>> [(str(one.symbol), one.added) for one in sensitivities(account(ffn(), recipe("cs336")), values)][:2]
    [('L', 4320000), ('B', 4000000)]
    """
    total = memory.total
    ready = compiled(total)
    here = ready.arguments(values, "the memory")
    now = ready.at(values, "the memory")
    steps = {symbol for step in total.atoms(sp.floor, sp.ceiling, sp.Min, sp.Max) for symbol in step.free_symbols}
    slopes = {
        symbol: sp.Add(*(derived(term.bytes, symbol) for term in memory))
        for symbol in ready.symbols
        if symbol not in steps
    }
    known = {symbol: symbolic(value) for symbol, value in values.items()}
    found = []
    for symbol in sorted(ready.symbols, key=lambda symbol: named(symbol).rank):
        place = ready.symbols.index(symbol)
        larger = [*here[:place], ratio(here[place] * (100 + percent), 100), *here[place + 1 :]]
        added = ready.call(*larger) - now
        if symbol in steps:
            found.append(Sensitivity(symbol, None, None, None, added))
            continue
        elasticity = sp.Mul(symbol, slopes[symbol], sp.Pow(total, -1, evaluate=False), evaluate=False)
        rate = ratio(plain(put(slopes[symbol], known)) * here[place], now)
        found.append(Sensitivity(symbol, slopes[symbol], elasticity, rate, added))
    return tuple(sorted(found, key=lambda one: -abs(one.added)))


@lru_cache(maxsize=4096)  # terms share factors
def derived(expr: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    """Return the derivative of sums, products and whole powers by their degrees, in the form that SymPy's `diff` has.

    >>> from symbolic_mem.base.symbols import B, S
    >>> derived(3 * B * S**2 * (B + S), S) == sp.diff(3 * B * S**2 * (B + S), S)
    True
    """
    if symbol not in symbols_of(expr):
        return sp.S.Zero
    if expr == symbol:
        return sp.S.One
    if isinstance(expr, sp.Add):
        return sp.Add(*(derived(part, symbol) for part in expr.args))
    if isinstance(expr, sp.Mul):
        args = expr.args
        slopes = ((place, derived(part, symbol)) for place, part in enumerate(args))
        return sp.Add(*(_times(args[:k], slope, args[k + 1 :]) for k, slope in slopes if slope != 0))
    if isinstance(expr, sp.Pow) and expr.exp.is_Integer:
        return expr * (derived(expr.base, symbol) * expr.exp / expr.base)
    return sp.diff(expr, symbol)


def _times(before: Sequence[sp.Expr], slope: sp.Expr, after: Sequence[sp.Expr]) -> sp.Expr:
    """Multiply as SymPy's `diff` does, one by one: a number is multiplied into a sum that follows it alone."""
    rest = (*before, *after)
    if slope == 1 and not (len(rest) > 1 and rest[0].is_Rational and rest[1].is_Add):
        return sp.Mul(*rest)
    return reduce(mul, (*before, slope, *after), sp.S.One)


@dataclass(frozen=True)
class LeftOver:
    """What `count` devices leave free: bytes on each, and on all together; less than zero where they do not fit."""

    count: int
    used: Number
    capacity: Number

    @property
    def each(self) -> Number:
        """Bytes free on one device."""
        return self.capacity - self.used

    @property
    def together(self) -> Number:
        """Bytes free on all devices."""
        return self.count * self.each

    @property
    def fits(self) -> bool:
        """Whether the memory is at most the capacity."""
        return self.each >= 0


def left_over(
    memory: Memory,
    symbol: sp.Symbol,
    count: int,
    capacity: sp.Expr | Number,
    values: Given | Numbers,
    *,
    layouts: Sequence[Layout] = (),
) -> LeftOver:
    """Return what is left of `capacity` bytes on each of `count` devices, under layout rules if any are given.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> term = Term("w", "weights", sp.Integer(10), sp.Integer(4), "", degree=n_fsdp)
    >>> left_over(Memory((term,)), n_fsdp, 4, 12, {}).together
    Fraction(8, 1)
    """
    if count < 1:
        raise BadInput(f"{count} devices cannot hold anything; give a whole number of at least 1")
    used = profile(memory, symbol, values, layouts).at(count)
    room = number(symbolic(capacity), Numbers.of(values).values_given, "what is left over")
    return LeftOver(count, used, room)
