"""The one numeric path: expressions compiled to exact Python arithmetic, and the two ways between SymPy and Python.

A compiled expression computes with integers, numerators and denominators apart; what is not rational arithmetic (roots,
logarithms) is left to SymPy. Numbers are Python's: an `int` where they are whole, else a `Fraction`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Any, cast

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue

Number = int | Fraction
Values = Mapping[sp.Symbol, sp.Expr]
Given = Mapping[sp.Symbol, sp.Expr | int | Fraction]


def fraction(number: sp.Expr | Number) -> Fraction:
    """Return an exact rational number as a fraction.

    >>> fraction(sp.Rational(7, 2)), fraction(3)
    (Fraction(7, 2), Fraction(3, 1))
    """
    return Fraction(_plain(number))


def rational(number: Number) -> sp.Rational:
    """Return a Python number as SymPy's.

    >>> rational(Fraction(7, 2)), rational(3)
    (7/2, 3)
    """
    return sp.Integer(number) if type(number) is int else sp.Rational(number.numerator, number.denominator)


def symbolic(value: sp.Expr | Number) -> sp.Expr:
    """Return a number of either kind, or an expression, as SymPy's.

    >>> symbolic(3), symbolic(Fraction(1, 2))
    (3, 1/2)
    """
    return rational(value) if isinstance(value, int | Fraction) else value


def missing(expr: sp.Expr, values: Given) -> tuple[str, ...]:
    """Name the symbols of `expr` that have no value, sorted.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> missing(4 * L * d_model, {L: 2})
    ('d_model',)
    """
    return tuple(sorted(str(symbol) for symbol in expr.free_symbols if symbol not in values))


def number(expr: sp.Expr | int, values: Given, what: str = "this answer") -> Number:
    """Return the exact rational number that `expr` has at `values`: an `int` where it is whole.

    Raises `MissingValue` naming the symbols without a value, and `BadInput` for a number that is not rational.

    >>> from symbolic_mem.base.symbols import L, d_model
    >>> number(L * d_model / 3, {L: 2, d_model: 5}), number(sp.ceiling(L / 3), {L: sp.Integer(2)})
    (Fraction(10, 3), 1)
    """
    if isinstance(expr, int | sp.Rational):
        return _plain(expr)
    found = _found(expr, values, what)
    return found if isinstance(found, int | Fraction) else _plain(found)


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


class Numbers(dict[sp.Expr, Number]):
    """The numbers of expressions at `values_given`, each found once: for many accounts at the same values.

    >>> from symbolic_mem.base.symbols import B, S
    >>> Numbers({B: 2, S: 3})[B * S]
    6
    """

    def __init__(self, values: Given, what: str = "this answer") -> None:
        super().__init__()
        self.values_given, self.what = values, what
        self._found: dict[int, tuple[object, Number]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Numbers, (self.values_given, self.what)

    @classmethod
    def of(cls, values: Given | Numbers, what: str = "this answer") -> Numbers:
        """Return the values as they are where they are `Numbers`."""
        return values if isinstance(values, Numbers) else cls(values, what)

    def once(self, thing: object, find: Callable[[Numbers], Number]) -> Number:
        """Return what `find` returns for that very object, found once."""
        found = self._found.get(id(thing))
        if found is None:
            found = self._found[id(thing)] = (thing, find(self))
        return found[1]

    def __missing__(self, expr: sp.Expr) -> Number:
        if expr.is_Rational:
            found = _plain(expr)
        elif expr in self.values_given:
            found = _plain(self.values_given[cast(sp.Symbol, expr)])
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
            return [value if type(value := values[symbol]) is int else _plain(value) for symbol in self.symbols]
        except KeyError:
            absent = tuple(sorted(str(symbol) for symbol in self.symbols if symbol not in values))
            raise MissingValue(absent, what) from None

    def at(self, values: Given, what: str = "this answer") -> Any:
        """Return what `call` returns at `values`; raises `BadInput` for a number that is not rational."""
        found = self.call(*self.arguments(values, what))
        if self.rational:
            return found
        return tuple(map(_plain, found)) if isinstance(found, tuple) else _plain(found)


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
    return sp.expand(_put(expr, {symbol: values[symbol] for symbol in known}))


def _put(expr: sp.Expr, values: Given) -> sp.Expr:
    return cast(sp.Expr, expr.xreplace({symbol: symbolic(value) for symbol, value in values.items()}))


def _found(expr: sp.Expr, values: Given, what: str) -> Number | sp.Expr:
    ready = compiled(expr)
    try:
        return ready.call(*ready.arguments(values, what))
    except (_Irrational, ZeroDivisionError):
        return _put(expr, {symbol: values[symbol] for symbol in ready.symbols})


class _Irrational(BadInput):
    """A number that is not a quotient of whole numbers."""


def _plain(number: sp.Expr | Number) -> Number:
    if isinstance(number, Fraction):
        return number.numerator if number.denominator == 1 else number
    if isinstance(number, int):
        return int(number)
    if not (isinstance(number, sp.Expr) and number.is_Rational):
        raise _Irrational(f"{number} is not an exact rational number of bytes")
    whole = cast(sp.Rational, number)
    return int(whole.p) if whole.q == 1 else Fraction(int(whole.p), int(whole.q))


def _sorted(symbols: Iterable[sp.Basic]) -> tuple[sp.Symbol, ...]:
    return tuple(sorted(cast("Iterable[sp.Symbol]", symbols), key=str))


def _first(numbers: Iterable[Any]) -> Any:
    return next(iter(numbers))


def _compiled(exprs: tuple[sp.Expr, ...], symbols: tuple[sp.Symbol, ...], shape: Callable[..., Any]) -> Compiled:
    source = _Source(symbols)
    try:
        parts = [source.ratio(expr) for expr in exprs]
    except _NotRational:
        return Compiled(symbols, _by_sympy(exprs, symbols, shape), rational=False)
    return Compiled(symbols, source.function(parts, single=shape is _first))


def _by_sympy(exprs: tuple[sp.Expr, ...], symbols: tuple[sp.Symbol, ...], shape: Callable[..., Any]) -> Callable:
    def call(*numbers: Number) -> Any:
        values = {symbol: rational(number) for symbol, number in zip(symbols, numbers, strict=True)}
        found = (expr.xreplace(values) for expr in exprs)
        return shape(_plain(one) if one.is_Rational else one for one in found)

    return call


def ratio(above: Number, below: Number) -> Number:
    """Return the exact quotient of two Python numbers, which ``/`` of integers would round to a float.

    >>> ratio(7, 2), ratio(8, 2), ratio(Fraction(1, 2), 3)
    (Fraction(7, 2), 4, Fraction(1, 6))
    """
    if type(above) is int and type(below) is int:
        whole, rest = divmod(above, below)
        return Fraction(above, below) if rest else whole
    return _plain(Fraction(above) / below)


class _NotRational(Exception):
    """The expression is more than rational arithmetic with whole powers, ceilings, floors, Max and Min."""


@dataclass(frozen=True)
class _Ratio:
    """A product of whole numbers and Python names over another: ``factor above... / (below under...)``, below > 0."""

    factor: int
    above: tuple[str, ...] = ()
    below: int = 1
    under: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self.below == 1 and not self.under


_KNOWN = {"over": ratio, "plain": _plain, "max": max, "min": min, "type": type, "int": int}
_CHUNK = 64  # terms of one statement: a longer sum would nest too deeply for Python's compiler
_MOST_DIGITS = 4_000  # bits that Python surely reads and writes as decimals


class _Source:
    """The statements of one function: every sum, ceiling, floor, Max and Min is a name, once."""

    def __init__(self, symbols: Sequence[sp.Symbol]) -> None:
        self.names = {symbol: f"x{position}" for position, symbol in enumerate(symbols)}
        self.lines: list[str] = []
        self.known: dict[sp.Expr, _Ratio] = {}

    def function(self, parts: Sequence[_Ratio], *, single: bool) -> Callable[..., Any]:
        """Compile the statements; only names of our own and whole numbers stand in them."""
        shown = [self._plain(part) for part in parts]
        given = f"return {shown[0] if single else '(' + ', '.join(shown) + ',)'}"
        body = "\n ".join((*self.lines, given))
        names: dict[str, Any] = {"__builtins__": {}} | _KNOWN
        source = f"def call({', '.join(self.names.values())}):\n {body}"
        exec(compile(source, "<exact>", "exec"), names)  # noqa: S102
        return names["call"]

    def ratio(self, expr: sp.Expr) -> _Ratio:
        """Write the statements that `expr` needs, and return it as a ratio of products."""
        found = self.known.get(expr)
        if found is None:
            found = self.known[expr] = self._ratio(expr)
        return found

    def _ratio(self, expr: sp.Expr) -> _Ratio:
        if expr.is_Rational:
            number = cast(sp.Rational, expr)
            return _Ratio(int(number.p), below=int(number.q))
        if expr in self.names:
            return _Ratio(1, (self.names[cast(sp.Symbol, expr)],))
        if isinstance(expr, sp.Mul):
            return _product([self.ratio(part) for part in expr.args])
        if isinstance(expr, sp.Pow) and expr.exp.is_Integer:
            return self._power(self.ratio(expr.base), int(expr.exp))
        if isinstance(expr, sp.Add):
            return self._sum([self.ratio(part) for part in expr.args])
        if isinstance(expr, sp.ceiling):
            return self._named("-(-{} // {})", self.ratio(expr.args[0]))
        if isinstance(expr, sp.floor):
            return self._named("{} // {}", self.ratio(expr.args[0]))
        if isinstance(expr, sp.Max | sp.Min):
            sides = ", ".join(self._quotient(self.ratio(cast(sp.Expr, part))) for part in expr.args)
            return self._name(f"{'max' if isinstance(expr, sp.Max) else 'min'}({sides})")
        raise _NotRational

    def _power(self, base: _Ratio, exponent: int) -> _Ratio:
        if exponent < 0:
            if base.factor == 0:
                raise _NotRational
            sign = 1 if base.factor > 0 else -1
            base = _Ratio(sign * base.below, base.under, sign * base.factor, base.above)
        k = abs(exponent)
        if k <= 4 or len(base.above) + len(base.under) == 0:
            return _Ratio(base.factor**k, base.above * k, base.below**k, base.under * k)
        above, under = (
            (self._name(f"({_times(1, names)})**{k}").above if names else ()) for names in (base.above, base.under)
        )
        return _Ratio(base.factor**k, above, base.below**k, under)

    def _sum(self, parts: Sequence[_Ratio]) -> _Ratio:
        below = lcm(*(part.below for part in parts))
        under: Counter[str] = Counter()
        for part in parts:
            under |= Counter(part.under)
        terms = []
        for part in parts:
            lacking = tuple((under - Counter(part.under)).elements())
            terms.append(_times(part.factor * (below // part.below), part.above + lacking))
        whole = self._name(" + ".join(terms[:_CHUNK]))
        for start in range(_CHUNK, len(terms), _CHUNK):
            whole = self._name(" + ".join((*whole.above, *terms[start : start + _CHUNK])))
        return _Ratio(1, whole.above, below, tuple(under.elements()))

    def _named(self, template: str, part: _Ratio) -> _Ratio:
        return self._name(
            template.format(f"({_times(part.factor, part.above)})", f"({_times(part.below, part.under)})")
        )

    def _name(self, code: str) -> _Ratio:
        name = f"t{len(self.lines)}"
        self.lines.append(f"{name} = {code}")
        return _Ratio(1, (name,))

    def _plain(self, part: _Ratio) -> str:
        """The number itself: fractions among the arguments can make a whole one that is still a Fraction."""
        if not (part.whole and part.above):
            return self._quotient(part)
        (name,) = self._name(_times(part.factor, part.above)).above
        return f"{name} if type({name}) is int else plain({name})"

    def _quotient(self, part: _Ratio) -> str:
        above = _times(part.factor, part.above)
        return above if part.whole else f"over({above}, {_times(part.below, part.under)})"


def _product(parts: Sequence[_Ratio]) -> _Ratio:
    factor, below = 1, 1
    above: list[str] = []
    under: list[str] = []
    for part in parts:
        factor, below = factor * part.factor, below * part.below
        above += part.above
        under += part.under
    common = Counter(above) & Counter(under)
    if common:
        above, under = (list((Counter(names) - common).elements()) for names in (above, under))
    reduced = Fraction(factor, below)
    return _Ratio(reduced.numerator, tuple(above), reduced.denominator, tuple(under))


def _times(factor: int, names: Sequence[str]) -> str:
    if names and factor == 1:
        return "*".join(names)
    digits = str(factor) if factor.bit_length() < _MOST_DIGITS else hex(factor)
    return "*".join((f"({digits})" if factor < 0 else digits, *names))
