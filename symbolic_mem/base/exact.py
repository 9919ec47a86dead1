"""The one numeric path: the exact number that an expression has at values, by arithmetic that is compiled once.

A compiled expression computes with integers, numerators and denominators apart; what is not rational arithmetic (roots,
logarithms) is left to SymPy. Numbers are Python's: an `int` where they are whole, else a `Fraction`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from math import prod
from typing import Any, TypeVar, cast

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.program import NotRational, Source
from symbolic_mem.base.rational import Irrational, Number, plain, ratio, rational, symbolic
from symbolic_mem.base.values import dataclass
from symbolic_mem.base.written import MAX_BITS

Values = Mapping[sp.Symbol, sp.Expr]
Given = Mapping[sp.Symbol, sp.Expr | int | Fraction]
Found = TypeVar("Found", bound="sp.Expr | int | Fraction")
MOST_PARTS = 1_000


@lru_cache(maxsize=4096)
def symbols_of(expr: sp.Expr) -> frozenset[sp.Symbol]:
    """Return the symbols of an expression, which SymPy looks for again at each call.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> symbols_of(4 * L * d_model) == {L, d_model}
    True
    """
    return frozenset(cast("set[sp.Symbol]", expr.free_symbols))


def missing(expr: sp.Expr, values: Given) -> tuple[str, ...]:
    """Name the symbols of `expr` that have no value, sorted.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> missing(4 * L * d_model, {L: 2})
    ('d_model',)
    """
    return tuple(sorted(str(symbol) for symbol in symbols_of(expr) if symbol not in values))


def number(expr: sp.Expr | int, values: Given, what: str = "this answer") -> Number:
    """Return the exact rational number that `expr` has at `values`: an `int` where it is whole.

    Raises `MissingValue` naming the symbols without a value, and `BadInput` for a number that is not rational.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> number(L * d_model / 3, {L: 2, d_model: 5}), number(sp.ceiling(L / 3), {L: sp.Integer(2)})
    (Fraction(10, 3), 1)
    """
    if isinstance(expr, int | sp.Rational):
        return plain(expr)
    found = _found(expr, values, what)
    return found if isinstance(found, int | Fraction) else plain(found)


def evaluate(expr: sp.Expr, values: Given, what: str = "this answer") -> sp.Rational:
    """Return the exact number that `expr` has at `values`: a Rational, or an algebraic number where it has roots.

    Raises `MissingValue` naming the symbols without a value.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> evaluate(L * d_model / 3, {L: 2, d_model: 5}), evaluate(sp.sqrt(L), {L: 2})
    (10/3, sqrt(2))
    """
    found = _found(sp.sympify(expr), values, what)
    return rational(found) if isinstance(found, int | Fraction) else cast(sp.Rational, found)


def at(expr: sp.Expr, values: Given) -> sp.Rational | None:
    """Return the number that `expr` has at `values`, or None while a symbol has no value.

    >>> from symbolic_mem.base.symbols import L
    >>> at(2 * L, {L: 4}), at(2 * L, {})
    (8, None)
    """
    return None if missing(expr, values) else evaluate(expr, values)


def reckoned(expr: sp.Expr, values: Values) -> Number | None:
    """Return the number that `expr` has at `values`, for one that is asked for once: it is not compiled.

    None where a symbol has no rational number, and for what is more than sums, products and whole powers.

    >>> from symbolic_mem.base.symbols import B, L
    >>> reckoned(L * (B + 1) / 3, {L: sp.Integer(2), B: sp.Integer(4)}), reckoned(L * B, {L: sp.Integer(2)})
    (Fraction(10, 3), None)
    """
    if expr.is_Rational:
        return plain(expr)
    if isinstance(expr, sp.Symbol):
        value = values.get(expr)
        return plain(value) if value is not None and value.is_Rational else None
    if isinstance(expr, sp.Pow) and expr.exp.is_Integer:
        base, power = reckoned(expr.base, values), int(expr.exp)
        if base is None or (base == 0 and power < 0):
            return None
        return base**power if power >= 0 else ratio(1, base**-power)
    if not isinstance(expr, sp.Add | sp.Mul):
        return None
    parts = []
    for part in expr.args:
        found = reckoned(part, values)
        if found is None:
            return None
        parts.append(found)
    return plain(sum(parts) if expr.is_Add else prod(parts))


def put(expr: sp.Expr, values: Values) -> Any:
    """Return `expr` with values put in: its number by arithmetic where it has one, which takes SymPy ten times as long.

    >>> from symbolic_mem.base.symbols import B, L
    >>> put(L * (B + 1) / 3, {L: sp.Integer(2), B: sp.Integer(4)}), put(L * B, {L: sp.Integer(2)})
    (10/3, 2*B)
    """
    found = reckoned(expr, values)
    return expr.xreplace(values) if found is None else rational(found)


class Numbers(dict[sp.Expr, Number]):
    """The numbers of expressions at `values_given`, each found once: for many accounts at the same values.

    >>> from symbolic_mem.base.symbols import B, S
    >>> Numbers({B: 2, S: 3})[B * S]
    6
    """

    def __init__(self, values: Given, what: str = "this answer") -> None:
        super().__init__()
        self.values_given, self.what = values, what
        self._found: dict[Hashable, tuple[object, Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Numbers, (self.values_given, self.what)

    @classmethod
    def of(cls, values: Given | Numbers, what: str = "this answer") -> Numbers:
        """Return the values as they are where they are `Numbers`."""
        return values if isinstance(values, Numbers) else cls(values, what)

    def once(self, thing: object, find: Callable[[Numbers], Any], about: object = None) -> Any:
        """Return what `find` returns for that very object, found once; of several things that are found, `about` which."""
        found = self._found.get((id(thing), about))
        if found is None:
            found = self._found[id(thing), about] = (thing, find(self))
        return found[1]

    def product(self, factors: tuple[sp.Expr, ...]) -> Number:
        """Return the product of the numbers of a shape, found once for that very tuple.

        >>> from symbolic_mem.base.symbols import B, S
        >>> Numbers({B: 2, S: 3}).product((B, S, B))
        12
        """
        found = self._found.get(id(factors))
        if found is None:
            found = self._found[id(factors)] = (factors, prod(map(self.__getitem__, factors)))
        return found[1]

    def under(self, given: Mapping[sp.Symbol, Any]) -> Numbers:
        """Return the numbers where symbols have other values, or none (None): the same ones for the same values.

        >>> from symbolic_mem.base.symbols import B, S
        >>> numbers = Numbers({B: 2, S: 3})
        >>> numbers.under({B: 5})[B * S], numbers.under({B: 5}) is numbers.under({B: 5}), B in numbers.under({B: None}).values_given
        (15, True, False)
        """
        key = ("under", *given.items())
        found = self._found.get(key)
        if found is None:
            values = {symbol: value for symbol, value in {**self.values_given, **given}.items() if value is not None}
            found = self._found[key] = (given, Numbers(values, self.what))
        return found[1]

    def __missing__(self, expr: sp.Expr) -> Number:
        if expr.is_Rational:
            found = plain(expr)
        elif expr in self.values_given:
            found = plain(self.values_given[cast(sp.Symbol, expr)])
        else:
            found = number(expr, self.values_given, self.what)
        self[expr] = found
        return found


@dataclass(frozen=True, eq=False)
class Compiled:
    """An expression (or several) as a Python function `call` of the numbers of `symbols`, in that order.

    `call` takes and returns Python numbers: of one expression its number, of several a tuple. Where an expression is
    not `rational` arithmetic it may return a SymPy number.
    """

    symbols: tuple[sp.Symbol, ...]
    call: Callable[..., Any]
    rational: bool = True

    def arguments(self, values: Given, what: str = "this answer") -> list[Number]:
        """Return the numbers of the symbols in order; raises `MissingValue` naming all that have none."""
        try:
            return [value if type(value := values[symbol]) is int else plain(value) for symbol in self.symbols]
        except KeyError:
            absent = tuple(sorted(str(symbol) for symbol in self.symbols if symbol not in values))
            raise MissingValue(absent, what) from None

    def at(self, values: Given, what: str = "this answer") -> Any:
        """Return what `call` returns at `values`; raises `BadInput` for a number that is not rational."""
        found = self.call(*self.arguments(values, what))
        if self.rational:
            return found
        return tuple(map(plain, found)) if isinstance(found, tuple) else plain(found)


@lru_cache(maxsize=4096)
def compiled(expr: sp.Expr) -> Compiled:
    """Compile `expr` once into exact Python arithmetic over its symbols, sorted by name.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> compiled(sp.ceiling(L / 4) * d_model / 3).call(10**30, 7)
    Fraction(1750000000000000000000000000000, 3)
    """
    return _compiled((expr,), _sorted(expr.free_symbols), _first)


@lru_cache(maxsize=1024)
def compiled_together(*exprs: sp.Expr) -> Compiled:
    """Compile several expressions into one function that returns all their numbers as a tuple.

    >>> from symbolic_mem.base.symbols import B, L
    >>> compiled_together(B * L, B / L).call(6, 4)
    (24, Fraction(3, 2))
    """
    return _compiled(exprs, _sorted(set().union(*(expr.free_symbols for expr in exprs))), tuple)


def partial(expr: sp.Expr, values: Given, free: Sequence[sp.Symbol]) -> Compiled:
    """Compile `expr` as a function of the `free` symbols alone: the others are folded into its coefficients.

    >>> from symbolic_mem.base.symbols import B, L, S, d_model
    >>> partial(2 * B * L * S * (d_model + 1), {L: 3, d_model: 4}, (B, S)).call(10, 100)
    30000
    """
    return _compiled((_folded(expr, values, free),), tuple(free), _first)


def partial_together(exprs: Sequence[sp.Expr], values: Given, free: Sequence[sp.Symbol]) -> Compiled:
    """Compile several expressions as one function of the `free` symbols alone: see `partial`.

    >>> from symbolic_mem.base.symbols import B, L
    >>> partial_together((B * L, L), {L: 3}, (B,)).call(2)
    (6, 3)
    """
    return _compiled(tuple(_folded(expr, values, free) for expr in exprs), tuple(free), tuple)


def _folded(expr: sp.Expr, values: Given, free: Sequence[sp.Symbol]) -> sp.Expr:
    known = [symbol for symbol in _sorted(expr.free_symbols) if symbol not in free]
    absent = tuple(str(symbol) for symbol in known if symbol not in values)
    if absent:
        raise MissingValue(absent, "this answer")
    return sp.expand(_replaced(expr, {symbol: values[symbol] for symbol in known}))


def _replaced(expr: sp.Expr, values: Given) -> sp.Expr:
    return cast(sp.Expr, expr.xreplace({symbol: symbolic(value) for symbol, value in values.items()}))


def _found(expr: sp.Expr, values: Given, what: str) -> Number | sp.Expr:
    ready = compiled(expr)
    try:
        found = ready.call(*ready.arguments(values, what))
    except (Irrational, ZeroDivisionError):
        found = _replaced(expr, {symbol: values[symbol] for symbol in ready.symbols})
    return bounded(found, what)


def bounded(found: Found, what: str) -> Found:
    """Return a number as it is; raises `BadInput` for one that has too many digits, or is made of too many numbers.

    >>> bounded(2**50_000, "this answer")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: this answer is a number of more than 14,000 bits; give smaller values
    """
    parts: Iterable[Any] = (found,)
    if isinstance(found, sp.Expr) and not found.is_Rational:
        parts = list(islice(sp.preorder_traversal(found), MOST_PARTS + 1))
        if len(parts) > MOST_PARTS:
            raise BadInput(
                f"{what} is no fraction, and made of more than {MOST_PARTS:,} numbers; write a shorter formula"
            )
        parts = [part for part in parts if part.is_Rational]
    for part in parts:
        above, below = (part.p, part.q) if isinstance(part, sp.Rational) else (part.numerator, part.denominator)
        if int(above).bit_length() + int(below).bit_length() > MAX_BITS:
            raise BadInput(f"{what} is a number of more than {MAX_BITS:,} bits; give smaller values")
    return found


def _sorted(symbols: Iterable[sp.Basic]) -> tuple[sp.Symbol, ...]:
    return tuple(sorted(cast("Iterable[sp.Symbol]", symbols), key=str))


def _first(numbers: Iterable[Any]) -> Any:
    return next(iter(numbers))


def _compiled(exprs: tuple[sp.Expr, ...], symbols: tuple[sp.Symbol, ...], shape: Callable[..., Any]) -> Compiled:
    source = Source(symbols)
    try:
        parts = [source.ratio(expr) for expr in exprs]
    except NotRational:
        return Compiled(symbols, _by_sympy(exprs, symbols, shape), rational=False)
    return Compiled(symbols, source.function(parts, single=shape is _first))


def _by_sympy(exprs: tuple[sp.Expr, ...], symbols: tuple[sp.Symbol, ...], shape: Callable[..., Any]) -> Callable:
    def call(*numbers: Number) -> Any:
        values = {symbol: rational(number) for symbol, number in zip(symbols, numbers, strict=True)}
        found = (expr.xreplace(values) for expr in exprs)
        return shape(plain(one) if one.is_Rational else one for one in found)

    return call
