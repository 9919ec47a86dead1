"""One walk over an expression, many faces: the order of factors and terms and the brackets are decided here, once.

SymPy's own printers sort by their own rules and differ from each other; a subclass only says how a number, a name or a
fraction looks in its language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

import sympy as sp

from symbolic_mem.base.symbols import Name, Written, named, written
from symbolic_mem.base.told import grouped, short_power
from symbolic_mem.document.prose import Amount, Brief, Long, Put, Side, Total


class Typesetter:
    """Sets expressions and sides of a line; `put` replaces symbols by their numbers without merging anything."""

    def __init__(self, put: Mapping[sp.Symbol, sp.Expr] | None = None) -> None:
        """Show symbols, or the numbers of `put` in their place."""
        self.put = dict(put or {})

    # What a language defines.

    def digits(self, text: str) -> str:
        """A decimal number, its digits grouped."""
        raise NotImplementedError

    def scientific(self, mantissa: str, exponent: int) -> str:
        """An exact power-of-ten number."""
        raise NotImplementedError

    def name(self, name: Name, exponent: str = "") -> str:
        """A symbol with its upright subscript, perhaps raised to a power."""
        raise NotImplementedError

    def words(self, text: str) -> str:
        """Upright text inside mathematics, such as a unit."""
        raise NotImplementedError

    def operator(self, sign: str) -> str:
        """A sign between two parts: + − · = ≈ ≤ ≥ < >."""
        raise NotImplementedError

    def product(self, factors: Sequence[str], dotted: bool) -> str:
        """Factors side by side, with a dot between them when they are numbers."""
        raise NotImplementedError

    def row(self, parts: Sequence[str]) -> str:
        """Parts one after the other."""
        raise NotImplementedError

    def fraction(self, above: str, below: str) -> str:
        """A fraction."""
        raise NotImplementedError

    def quotient(self, above: sp.Expr, below: sp.Expr) -> str:
        """One expression over another."""
        return self.fraction(self.expr(above), self.expr(below))

    def coefficient(self, above: str, below: str) -> str:
        """A fraction of small numbers in front of a product."""
        return self.fraction(above, below)

    def power(self, base: str, exponent: str) -> str:
        """A power."""
        raise NotImplementedError

    def root(self, radicand: str) -> str:
        """A square root."""
        raise NotImplementedError

    def fenced(self, left: str, inner: str, right: str) -> str:
        """Something between two fences that grow with it: ( ) ⌈ ⌉ ⌊ ⌋."""
        raise NotImplementedError

    def call(self, function: str, arguments: Sequence[str]) -> str:
        """A named function such as max or log."""
        raise NotImplementedError

    # What all languages share.

    def side(self, side: Side) -> str:
        """Set one side of a line."""
        match side:
            case Amount():
                return self.amount(side)
            case Put():
                return type(self)(dict(side.values)).expr(side.expr)
            case Total():
                parts = [self.side(side.sides[0])]
                for part in side.sides[1:]:
                    sign, size = signed(part)
                    parts += [self.operator(sign), self.side(size)]
                return self.row(parts)
            case Long() | Brief():
                raise TypeError(f"not arranged (see symbolic_mem.render.arrange): {side}")
        return self.expr(side)

    def amount(self, amount: Amount) -> str:
        """Set a number and its unit, as a side of a line: the relation before it says whether it is rounded."""
        shown = amount.shown
        figures = self.digits(grouped(shown.figures))
        return self.row([figures, self.words(f"\N{NO-BREAK SPACE}{shown.unit}")]) if shown.unit else figures

    def said(self, side: Side) -> str:
        """Set what stands alone, in a sentence or a cell: an amount that is rounded is marked."""
        if isinstance(side, Amount) and not side.shown.exact:
            return self.row([self.mark(), self.amount(side)])
        return self.side(side)

    def mark(self) -> str:
        """The sign before a rounded number that stands alone."""
        raise NotImplementedError

    def number(self, value: sp.Rational) -> str:
        """Set an exact number: whole, with a short power of ten, or as a fraction."""
        if value.is_Integer:
            text = str(abs(int(value)))
            power = short_power(text)
            if power is not None:
                return self.scientific(*power)
            return self.digits(grouped(text))
        return self.fraction(self.number(sp.Integer(abs(value.p))), self.number(sp.Integer(value.q)))

    def expr(self, expr: sp.Basic) -> str:
        """Set an expression; without numbers put in, each is set once."""
        return self._expr(expr) if self.put else _set(type(self), expr, written())

    def _expr(self, expr: sp.Basic) -> str:
        match expr:
            case sp.Symbol():
                return self._symbol(expr)
            case sp.Rational():
                return self.row([self.operator("-"), self.number(expr)]) if expr < 0 else self.number(expr)
            case sp.Add():
                return self._sum(expr)
            case sp.Mul():
                return self._product(expr)
            case sp.Pow():
                return self._power(expr)
            case sp.ceiling():
                return self.fenced("⌈", self.expr(expr.args[0]), "⌉")
            case sp.floor():
                return self.fenced("⌊", self.expr(expr.args[0]), "⌋")
            case sp.Max() | sp.Min() | sp.log():
                return self.call(type(expr).__name__.lower(), [self.expr(arg) for arg in sorted(expr.args, key=_order)])
        raise TypeError(f"no way to typeset {type(expr).__name__}: {expr}")

    def _symbol(self, symbol: sp.Symbol, exponent: str = "") -> str:
        if symbol in self.put:
            number = self.put[symbol]
            short = number.is_Rational and number > 0 and Amount(number).shown.exact and not number.is_Integer
            value = self.digits(grouped(Amount(number).shown.figures)) if short else self.expr(number)
            if not exponent:
                return value if short or number.is_Integer else self.fenced("(", value, ")")
            return self.power(value if short or _one_figure(number) else self.fenced("(", value, ")"), exponent)
        return self.name(named(symbol), exponent)

    def _sum(self, expr: sp.Add) -> str:
        terms = ordered_terms(expr)
        parts = [self.expr(terms[0])]
        for term in terms[1:]:
            negative = _negative(term)
            parts += [self.operator("-" if negative else "+"), self._inside_sum(-term if negative else term)]
        return self.row(parts)

    def _inside_sum(self, term: sp.Expr) -> str:
        return self.fenced("(", self.expr(term), ")") if isinstance(term, sp.Add) else self.expr(term)

    def _product(self, expr: sp.Mul) -> str:
        if _negative(expr):
            return self.row([self.operator("-"), self.expr(-expr)])
        number, rest = expr.as_coeff_Mul()
        if not number.is_Integer and number.q < 10 and not self.put and sp.fraction(rest)[1] == 1:
            return self.product([self.coefficient(str(number.p), str(number.q)), self._factor(rest)], dotted=False)
        powers = [factor.as_base_exp() for factor in sp.Mul.make_args(expr)]
        if not (number.is_Integer and all(exponent.is_Integer and exponent.is_positive for _, exponent in powers)):
            if all(abs(exponent) == sp.S.Half for _, exponent in powers):  # SymPy takes the root of a product apart
                return self.root(self.expr(sp.Mul(*(base ** (2 * exponent) for base, exponent in powers))))
            above, below = sp.fraction(expr)
            if below != 1:
                return self.quotient(above, below)
        factors = sorted(sp.Mul.make_args(expr), key=_order)
        return self.product([self._factor(factor) for factor in factors if factor != 1], dotted=bool(self.put))

    def _factor(self, factor: sp.Expr) -> str:
        return self.fenced("(", self.expr(factor), ")") if isinstance(factor, sp.Add) else self.expr(factor)

    def _power(self, expr: sp.Pow) -> str:
        base, exponent = expr.args
        if exponent == sp.S.Half:
            return self.root(self.expr(base))
        if _negative(exponent):
            return self.quotient(sp.S.One, base**-exponent)
        raised = self.expr(exponent)
        if isinstance(base, sp.Symbol):
            return self._symbol(base, raised)
        plain = _one_figure(base)
        return self.power(self.expr(base) if plain else self.fenced("(", self.expr(base), ")"), raised)


def ordered_terms(expr: sp.Expr) -> list[sp.Expr]:
    """The terms of a sum in the order in which they are set: what is taken off comes last.

    >>> from symbolic_mem.base.symbols import B, L
    >>> ordered_terms(1 - B + L)
    [L, 1, -B]
    """
    terms = sp.Add.make_args(expr)
    return sorted(terms, key=lambda term: (_negative(term), bool(term.is_Rational), _order(term)))


def bracketed(term: sp.Expr) -> list[sp.Expr]:
    """A product as what stands before its brackets and then each bracket, in the order in which they are set.

    One that has no brackets, or a line for a fraction, is one piece.

    >>> from symbolic_mem.base.symbols import L, V, d_ff, d_model
    >>> bracketed(2 * L * (V + 1) * (d_ff + d_model)), bracketed(2 * L / (V + 1))
    ([2*L, V + 1, d_ff + d_model], [2*L/(V + 1)])
    """
    if not term.is_Mul or _negative(term) or sp.fraction(term)[1] != 1:
        return [term]
    factors = sorted(sp.Mul.make_args(term), key=_order)
    brackets = [factor for factor in factors if factor.is_Add]
    before = [factor for factor in factors if not factor.is_Add]
    return [term] if not brackets else [*([sp.Mul(*before)] if before else []), *brackets]


def signed(side: Side) -> tuple[str, Side]:
    """The sign with which a side is added, and the side without it.

    >>> from symbolic_mem.base.symbols import L
    >>> signed(-2 * L), signed(L)
    (('-', 2*L), ('+', L))
    """
    match side:
        case Amount() if side.value.is_negative:
            return "-", replace(side, value=-side.value)
        case Put() if _negative(side.expr):
            return "-", replace(side, expr=-side.expr)
        case sp.Expr() if _negative(side):
            return "-", -side
    return "+", side


@lru_cache(maxsize=16384)
def _set(face: type[Typesetter], expr: sp.Basic, _written: Written) -> str:
    return face()._expr(expr)


def _one_figure(expr: sp.Expr) -> bool:
    """Whether an expression is set as one row of digits, which an exponent can follow."""
    return bool(expr.is_Integer and expr > 0 and short_power(str(expr)) is None)


@lru_cache(maxsize=4096)
def _negative(expr: sp.Expr) -> bool:
    return bool(expr.could_extract_minus_sign()) if not isinstance(expr, sp.Add) else False


class _ByName:
    """An expression in the order of its SymPy text, which is written only where nothing else decides: it is slow."""

    def __init__(self, expr: sp.Basic) -> None:
        self.expr = expr

    @cached_property
    def text(self) -> str:
        return "" if self.expr.is_Rational else str(self.expr)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByName) and (self.expr == other.expr or self.text == other.text)

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: _ByName) -> bool:
        return self.text < other.text


@lru_cache(maxsize=4096)
def _order(expr: sp.Basic) -> tuple[int, tuple[int, ...], _ByName]:
    """Numbers, then symbols in the order of the table, then sums and functions."""
    last = _ByName(expr)
    if expr.is_Rational:
        return (0, (), last)
    if isinstance(expr, sp.Symbol):
        return (1, (named(expr).rank,), last)
    if isinstance(expr, sp.Pow) and isinstance(expr.base, sp.Symbol):
        return (1, (named(expr.base).rank,), last)
    ranks = sorted(named(symbol).rank for symbol in expr.free_symbols)
    compound = 1 if isinstance(expr, sp.Mul) else 2
    return (compound, tuple(ranks), last)
