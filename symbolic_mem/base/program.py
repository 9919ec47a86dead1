"""An expression written as exact Python: the statements of one function, without a float and without SymPy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, cast

import sympy as sp

from symbolic_mem.base.rational import plain, ratio
from symbolic_mem.base.values import dataclass


class NotRational(Exception):
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


_KNOWN = {"over": ratio, "plain": plain, "max": max, "min": min, "type": type, "int": int}
_CHUNK = 64  # terms of one statement: a longer sum would nest too deeply for Python's compiler
_MOST_DIGITS = 4_000  # bits that Python surely reads and writes as decimals


class Source:
    """The statements of one function: every sum, ceiling, floor, Max and Min is a name, once."""

    def __init__(self, symbols: Sequence[sp.Symbol]) -> None:
        self.names = {symbol: f"x{position}" for position, symbol in enumerate(symbols)}
        self.lines: list[str] = []
        self.known: dict[sp.Expr, _Ratio] = {}

    def function(self, parts: Sequence[_Ratio], *, single: bool) -> Callable[..., Any]:
        """Compile the statements; only names of our own and whole numbers stand in them."""
        shown = [self._plain(part) for part in parts]
        given = f"return {shown[0] if single else '(' + ''.join(f'{one}, ' for one in shown) + ')'}"
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
        raise NotRational

    def _power(self, base: _Ratio, exponent: int) -> _Ratio:
        if exponent < 0:
            if base.factor == 0:
                raise NotRational
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
