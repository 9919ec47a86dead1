"""The lines of an answer as numbers that can be claimed, also with others in the place of those that they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.ledger import Ledger
from symbolic_mem.base.rational import fraction, rational
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.account import NoNumber
from symbolic_mem.study.claimed import Claimed

_DIGITS = 40


def line_claim(ledger: Ledger, name: str, instead: Mapping[str, Fraction]) -> Claimed:
    """The line of that name as a claim; raises `NoNumber` where it has none."""
    entry = with_lines(ledger, instead)[name]
    if entry.value is None:
        raise NoNumber(f"{name} has no number here; what it is made of has none")
    measures = "bytes" if entry.line.unit in (*BYTES_PER, "bytes") else "number"
    return Claimed(
        exactly(entry.value), measures, entry.line.says or name, unit=entry.line.unit, of_one=entry.line.of_one
    )


def with_lines(ledger: Ledger, instead: Mapping[str, Fraction]) -> Ledger:
    """The ledger with other numbers in the place of some of its lines, and of values that it knows."""
    if not instead:
        return ledger
    lines = (
        replace(line, expr=rational(instead[str(line.symbol)])) if str(line.symbol) in instead else line
        for line in ledger.lines
    )
    values = {
        symbol: rational(instead[str(symbol)]) if str(symbol) in instead else value
        for symbol, value in ledger.values.items()
    }
    return Ledger(tuple(lines), values)


def exactly(value: sp.Expr) -> Fraction:
    """A number as a fraction; one with a root to forty figures."""
    return (
        fraction(value) if not isinstance(value, sp.Expr) or value.is_Rational else Fraction(str(sp.N(value, _DIGITS)))
    )
