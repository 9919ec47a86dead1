"""Formulas as text: read through a whitelist (never `eval`), written so that Python's parser accepts them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.symbols import local

MAX_LENGTH = 2_000
MAX_EXPONENT = 64
MAX_BITS = 20_000


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
_NUMBER = re.compile(r"[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")


def read_number(text: str, what: str = "value") -> sp.Rational:
    """Read a positive exact number: ``1024``, ``1/2``, ``0.1``, ``4.6e14`` (units of `what` as given).

    >>> read_number("0.1"), read_number("1/2"), read_number("4.6e14")
    (1/10, 1/2, 460000000000000)
    """
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 2 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise BadInput(f"{what} {text!r} is not a positive number: write digits, for example 1024, 1/2 or 4.6e14")
    numbers = [sp.Rational(part.replace("_", "")) for part in parts]
    if any(number <= 0 for number in numbers):
        raise BadInput(f"{what} {text!r} must be more than zero")
    return numbers[0] / numbers[1] if len(numbers) == 2 else numbers[0]


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
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _build(tree.body, names, text, numbers)
    except _Refused as refused:
        raise BadInput(f"{what} {text!r}: column {refused.column}: {refused}") from None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise BadInput(f"{what} {text!r} is not a formula: write for example 4*L*d_model**2 / n_fsdp") from None


class _Refused(Exception):
    def __init__(self, message: str, node: ast.expr) -> None:
        super().__init__(message)
        self.column = node.col_offset + 1


def _build(
    node: ast.expr, names: Mapping[str, sp.Expr], text: str, numbers: dict[sp.Symbol, sp.Expr] | None
) -> sp.Expr:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            number = sp.Rational((ast.get_source_segment(text.strip(), node) or str(value)).replace("_", ""))
            if numbers is None:
                return number
            symbol = local("number", f"{len(numbers):03}")
            numbers[symbol] = number
            return symbol
        case ast.Name(id=name):
            if name not in names:
                raise _Refused(f"unknown name {name!r}; {nearest(name, names)}", node)
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_build(operand, names, text, numbers)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent = _build(right, names, text, None)
            if not exponent.is_Rational or abs(exponent) > MAX_EXPONENT:
                raise _Refused(f"an exponent must be a number of at most {MAX_EXPONENT}", right)
            base = _build(left, names, text, numbers)
            if isinstance(base, sp.Rational) and int(base.p * base.q).bit_length() * abs(exponent) > MAX_BITS:
                raise _Refused("a power of numbers is too large to be read", node)
            return base**exponent
        case ast.BinOp(left=left, op=op, right=right):
            one, other = _build(left, names, text, numbers), _build(right, names, text, numbers)
            match op:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case ast.Div():
                    if other == 0:
                        raise _Refused("division by zero", right)
                    return one / other
            raise _Refused("only + - * / ** are known", node)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS and args:
            return _FUNCTIONS[name](*(_build(arg, names, text, numbers) for arg in args))
        case ast.Call(func=func):
            raise _Refused(f"{ast.unparse(func)!r} cannot be called; known: {', '.join(sorted(_FUNCTIONS))}", node)
    raise _Refused("only numbers, names, + - * / ** and brackets are known", node)


def write_formula(expr: sp.Expr) -> str:
    """Write an expression in the project's symbol names, as Python's parser accepts it.

    >>> from symbolic_mem.base.symbols import d_model, L
    >>> write_formula(sp.ceiling(L * d_model / 3))
    'ceiling(L*d_model/3)'
    """
    return sp.sstr(expr)
