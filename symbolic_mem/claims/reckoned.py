"""A claim that is reckoned from numbers alone, such as ``2 × 1071 GiB`` or ``8 × 7B``: the number that it comes to."""

from __future__ import annotations

import re
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.formulas import MAX_BITS, pythonic
from symbolic_mem.claims.said import in_some_terms
from symbolic_mem.claims.spelled import Spelled, figures

_SHORT = ("k", "K", "M", "G", "B", "T")
_BYTES = {unit: size for unit, size in BYTES_PER.items() if unit != "B"} | {"bytes": 1}
_SIZED = re.compile(
    rf"((?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    rf"(?:\s*({'|'.join(sorted(_BYTES, key=len, reverse=True))})|({'|'.join(_SHORT)}))(?![\w])"
)
_BATCH = re.compile(r"[×*·⋅]\s*B\b")  # 14.5 GiB × B
_WORDS = re.compile(r"[^\W\d_]+")
_READ = {"ceil", "ceiling", "floor", "sqrt", "max", "min", "Max", "Min", "e", "E", *_BYTES, "B", *_SHORT}


def reckoned(text: str) -> Spelled | None:
    """Return the number that a formula of numbers alone comes to, with the unit of them all; None for another one.

    >>> [(str(found.number), found.unit) for found in map(reckoned, ("2 × 1071 GiB", "8 × 7B", "5418 GiB / 80 GiB"))]
    [('2142', 'GiB'), ('56', 'B'), ('2709/40', '')]
    >>> reckoned("16 P"), reckoned("1000/3")
    (None, None)
    """
    if not set(_WORDS.findall(text)) <= _READ:
        return None
    units = [unit or short for _, unit, short in _SIZED.findall(text)]
    first = next(iter(units), "")
    sizes = {first: Fraction(1)}
    if first in _BYTES:
        sizes |= {unit: Fraction(_BYTES[unit], _BYTES[first]) for unit in units if unit in _BYTES}
    if not sizes.keys() >= set(units):
        return None
    formula = pythonic(_SIZED.sub(r"(\1 \2\3)", text))
    once, twice, thrice = (_comes_to(formula, sizes, times) for times in (1, 2, 3))
    if once is None or twice is None or thrice is None:
        return None
    unit = first if (twice, thrice) == (2 * once, 3 * once) else ""
    if not unit and not once == twice == thrice:
        return None  # a sum of what has a unit and what has none
    return Spelled(once, figures(once), unit)


def in_bytes(text: str) -> str:
    """Write a formula of numbers and amounts of memory as one of numbers, each amount in bytes; any other one as it is.

    >>> in_bytes("(3276 GiB + 1071 GiB)/95 GiB"), in_bytes("L * 3 GiB")
    ('((3276*1073741824) + (1071*1073741824))/(95*1073741824)', 'L * 3 GiB')
    """
    symbolic = not set(_WORDS.findall(text)) <= _READ or _BATCH.search(text) or in_some_terms(text)
    if symbolic or any(short for *_, short in _SIZED.findall(text)):
        return text
    return _SIZED.sub(lambda match: f"({match[1]}*{_BYTES[match[2]]})", text)


def _comes_to(formula: str, sizes: dict[str, Fraction], times: int) -> Fraction | None:
    """The number of a formula whose units are so many `times` their `sizes`; None where no decimal number is it."""
    names = {unit: sp.Rational(size.numerator, size.denominator) * times for unit, size in sizes.items() if unit}
    try:
        found = read_formula(formula, names, "formula")
    except BadInput:
        return None
    if not isinstance(found, sp.Rational) or max(found.p.bit_length(), found.q.bit_length()) > MAX_BITS:
        return None
    rest = found.q
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return Fraction(found.p, found.q) if rest == 1 else None
