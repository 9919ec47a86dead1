"""Formulas as text: read through a whitelist (never `eval`), written so that Python's parser accepts them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, comb

import sympy as sp

from symbolic_mem.base.errors import BadInput, name_of
from symbolic_mem.base.rational import rational
from symbolic_mem.base.symbols import local
from symbolic_mem.base.values import dataclass
from symbolic_mem.base.written import MAX_DIGITS, bits, decimal, short

MAX_LENGTH = 2_000
MAX_EXPONENT = 64
MAX_SIZE = 20_000  # bits of what a formula can come to where each symbol has NAME_BITS of them
MAX_TERMS = 2_000  # of the formula when its products are written out
NAME_BITS = 100  # of 10^30, the largest value that is read


def _multiple(*arguments: sp.Expr) -> sp.Expr:
    """The next multiple: ``multiple(13653, 64)`` is 13696."""
    if len(arguments) != 2 or not arguments[1].is_positive:
        raise ValueError("multiple takes a number and what it shall be a multiple of")
    number, step = arguments
    return step * sp.ceiling(number / step)


_FUNCTIONS = {
    "ceiling": sp.ceiling,
    "floor": sp.floor,
    "multiple": _multiple,
    "sqrt": sp.sqrt,
    "log": sp.log,
    "Max": sp.Max,
    "Min": sp.Min,
}
_TAKES = {"multiple": (2, 2), "Max": (1, MAX_TERMS), "Min": (1, MAX_TERMS)}  # the others take one
_NO_NUMBER = (sp.zoo, sp.nan, sp.oo, -sp.oo, sp.I)


def read_number(text: str, what: str = "value") -> sp.Rational:
    """Read a positive exact number: ``1024``, ``1/2``, ``0.1``, ``4.6e14`` (units of `what` as given).

    >>> read_number("0.1"), read_number("1/2"), read_number("4.6e14")
    (1/10, 1/2, 460000000000000)
    """
    above, bar, below = short(text, what).partition("/")
    one, other = decimal(above.strip()), decimal(below.strip()) if bar else Fraction(1)
    if one is None or other is None:
        raise BadInput(f"{what} {text!r} is not a positive number: write digits, for example 1024, 1/2 or 4.6e14")
    if one == 0 or other == 0:
        raise BadInput(f"{what} {text!r} must be more than zero")
    return rational(one / other)


def read_written(
    text: str, names: Mapping[str, sp.Expr], what: str = "formula"
) -> tuple[sp.Expr, tuple[tuple[sp.Symbol, sp.Expr], ...]]:
    """Read a formula as it is written: each number in it is a symbol, beside which its value stands.

    >>> read_written("10 * 2 + 5", {})[1]
    ((number_000, 10), (number_001, 2), (number_002, 5))
    """
    numbers: dict[sp.Symbol, sp.Expr] = {}
    expr = _read(text, names, what, numbers)
    return expr, tuple(numbers.items())


def read_formula(text: str, names: Mapping[str, sp.Expr], what: str = "formula") -> sp.Expr:
    """Read a formula over the given `names`: numbers, + - * / **, brackets and a few functions, nothing else.

    >>> from symbolic_mem.base.symbols import d_model, L
    >>> read_formula("12*L*d_model**2", {"L": L, "d_model": d_model})
    12*L*d_model**2
    >>> read_formula("__import__('os')", {})
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: formula "__import__('os')": column 1: '__import__' cannot be called; known: Max, Min, ceiling, floor, log, multiple, sqrt
    """
    return _read(text, names, what, None)


def _read(text: str, names: Mapping[str, sp.Expr], what: str, numbers: dict[sp.Symbol, sp.Expr] | None) -> sp.Expr:
    """Read a formula; with a table of `numbers`, each number becomes a symbol that is put there."""
    if len(text) > MAX_LENGTH:
        raise BadInput(f"{what} is {len(text)} characters long; at most {MAX_LENGTH} are read")
    letters = {sign for name in names for sign in name if not sign.isascii()}
    foreign = next((i for i, s in enumerate(text.strip()) if not s.isascii() and s not in letters), None)
    if foreign is not None:  # Python would read other letters that look alike as those of a name
        sign = text.strip()[foreign]
        raise BadInput(
            f"{what} {text!r}: column {foreign + 1}: {sign!r} is {name_of(sign)}; no name and no sign of a formula has it"
        )
    try:
        expr = _Reader(text.strip(), names, numbers).read()
    except _Refused as refused:
        raise BadInput(f"{what} {text!r}: column {refused.column}: {refused}", refused.known) from None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise BadInput(f"{what} {text!r} is not a formula: write for example 4*L*d_model**2 / n_fsdp") from None
    if expr.has(*_NO_NUMBER):
        raise BadInput(f"{what} {text!r} is no real number, whatever its symbols are; correct it")
    return expr


class _Refused(Exception):
    def __init__(self, message: str, node: ast.expr, known: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.column, self.known = node.col_offset + 1, known


@dataclass(frozen=True)
class _Part:
    """A part of a formula, how many bits it can come to, and how many terms it has when it is written out."""

    expr: sp.Expr
    bits: int
    terms: int = 1


@dataclass(frozen=True)
class _Reader:
    """Reads one formula, whose size it bounds before SymPy computes anything."""

    text: str
    names: Mapping[str, sp.Expr]
    numbers: dict[sp.Symbol, sp.Expr] | None

    def read(self) -> sp.Expr:
        return self.part(ast.parse(self.text, mode="eval").body).expr

    def part(self, node: ast.expr) -> _Part:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(node)
            case ast.Name(id=name):
                if name not in self.names:
                    unknown = BadInput.unknown(f"unknown name {name!r}", name, self.names, "list symbols")
                    raise _Refused(str(unknown), node, unknown.known)
                return _named(self.names[name])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                part = self.part(operand)
                return _Part(-part.expr, part.bits, part.terms)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(node, left, right)
            case ast.BinOp(left=left, op=op, right=right):
                return self._operation(node, op, self.part(left), self.part(right), right)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
                least, most = _TAKES.get(name, (1, 1))
                if not least <= len(args) <= most:
                    number = least if least == most else f"{least} to {most}"
                    raise _Refused(f"{name} takes {number} in its brackets, and there are {len(args)}", node)
                parts = [self.part(arg) for arg in args]
                size = _bounded(sum(part.bits for part in parts), 1, node)
                return _Part(_FUNCTIONS[name](*(part.expr for part in parts)), *size)
            case ast.Call(func=func):
                known = sorted(_FUNCTIONS)
                raise _Refused(f"{ast.unparse(func)!r} cannot be called; known: {', '.join(known)}", node, known)
        raise _Refused("only numbers, names, + - * / ** and brackets are known", node)

    def _number(self, node: ast.Constant) -> _Part:
        exact = decimal(ast.get_source_segment(self.text, node) or "")
        if exact is None:
            raise _Refused(
                f"a number is written in decimal digits, at most {MAX_DIGITS} of them, as 1024, 0.5 or 4.6e14", node
            )
        if self.numbers is None:
            return _Part(rational(exact), bits(exact))
        symbol = local("number", f"{len(self.numbers):03}")
        self.numbers[symbol] = rational(exact)
        return _Part(symbol, bits(exact))

    def _power(self, node: ast.expr, left: ast.expr, right: ast.expr) -> _Part:
        exponent = _Reader(self.text, self.names, None).part(right).expr
        if not exponent.is_Rational or abs(exponent) > MAX_EXPONENT:
            raise _Refused(f"an exponent must be a number of at most {MAX_EXPONENT}", right)
        base, times = self.part(left), ceil(abs(exponent))
        size = _bounded(base.bits * times, comb(base.terms + times - 1, times) if base.terms > 1 else 1, node)
        return _Part(base.expr**exponent, *size)

    def _operation(self, node: ast.expr, op: ast.operator, one: _Part, other: _Part, right: ast.expr) -> _Part:
        added = isinstance(op, ast.Add | ast.Sub)
        size = _bounded(one.bits + other.bits, one.terms + other.terms if added else one.terms * other.terms, node)
        match op:
            case ast.Add():
                return _Part(one.expr + other.expr, *size)
            case ast.Sub():
                return _Part(one.expr - other.expr, *size)
            case ast.Mult():
                return _Part(one.expr * other.expr, *size)
            case ast.Div():
                if other.expr == 0:
                    raise _Refused("division by zero", right)
                return _Part(one.expr / other.expr, *size)
        raise _Refused("only + - * / ** are known", node)


def _named(expr: sp.Expr) -> _Part:
    """What a name stands for: a symbol, or an expression with as many terms and symbols as it has."""
    if expr.is_Symbol:
        return _Part(expr, NAME_BITS)
    leaves = sum(1 for part in sp.preorder_traversal(expr) if part.is_Atom)
    return _Part(expr, min(NAME_BITS * leaves, MAX_SIZE // 4), max(len(sp.Add.make_args(expr)), 1))


def _bounded(size: int, terms: int, node: ast.expr) -> tuple[int, int]:
    if size > MAX_SIZE:
        raise _Refused(f"it can come to a number of more than {MAX_SIZE:,} bits, too large to be read", node)
    if terms > MAX_TERMS:
        raise _Refused(f"written out it has more than {MAX_TERMS:,} terms; write it shorter", node)
    return size, terms


@lru_cache(maxsize=4096)
def write_formula(expr: sp.Expr) -> str:
    """Write an expression in the project's symbol names, as Python's parser accepts it.

    >>> from symbolic_mem.base.symbols import d_model, L
    >>> write_formula(sp.ceiling(L * d_model / 3))
    'ceiling(L*d_model/3)'
    """
    return sp.sstr(expr)
