"""Formulas and numbers as text: what is read exactly, and what is refused before anything large is computed."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import bounded, evaluate, number
from symbolic_mem.base.formula import MAX_EXPONENT, MAX_SIZE, read_formula, read_number, read_written
from symbolic_mem.base.symbols import B, L, S, local
from symbolic_mem.base.written import MAX_BITS, MAX_DIGITS, bits, decimal, short

NAMES = {"B": B, "L": L, "S": S, "P": 12 * L * B**2 + B, "α": local("α", "")}
REFUSED = {
    "0x10": "column 1: a number is written in decimal digits",
    "0o17*B": "column 1: a number is written in decimal digits",
    "B + 0b1": "column 5: a number is written in decimal digits",
    "1e9999": "column 1: a number is written in decimal digits",
    "9" * (MAX_DIGITS + 1): "at most 100 of them",
    "1j": "only numbers, names",
    "True": "only numbers, names",
    "B**65": "an exponent must be a number of at most 64",
    "B**-65": "an exponent must be a number of at most 64",
    "B**B": "an exponent must be a number",
    "2**(10**5)": "an exponent must be a number",
    "((9**64)**64)**64": "column 2: it can come to a number of more than 20,000 bits",
    "(B**64)**4": "column 1: it can come to a number of more than 20,000 bits",
    "1/(B**64)**4": "column 3: it can come to a number of more than 20,000 bits",
    "(B + L + S)**64": "written out it has more than 2,000 terms",
    "(B + L)**50 * (B + S)**45": "written out it has more than 2,000 terms",
    "P**64 * P**64": "more than 20,000 bits",
    "B/0": "column 3: division by zero",
    "B/(1 - 1)": "division by zero",
    "0**-1": "is no real number",
    "log(0)": "is no real number",
    "sqrt(-1)": "is no real number",
    "log(-1) + B": "is no real number",
    "Max()": "'Max' cannot be called",
    "floor(L, 1)": "floor takes 1 in its brackets, and there are 2",
    "sqrt(L, 2)": "sqrt takes 1 in its brackets, and there are 2",
    "multiple(L)": "multiple takes 2 in its brackets, and there are 1",
    "floor(B, x=1)": "'floor' cannot be called",
    "B.real": "only numbers, names",
    "B if L else S": "only numbers, names",
    "B // L": r"only \+ - \* / \*\* are known",
    "+B": "only numbers, names",
    "ｎ": "column 1: 'ｎ' is U\\+FF4E fullwidth latin small letter n",
    "1 + В": "column 5: 'В' is U\\+0412 cyrillic capital letter ve",
    "(" * 300 + "B" + ")" * 300: "is not a formula",
    "-" * 1_900 + "B": "is not a formula|only numbers",
    "B" * 2_001: "is 2001 characters long; at most 2000 are read",
    "": "is not a formula",
}


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused_and_where(text):
    start = time.monotonic()
    with pytest.raises(BadInput, match=REFUSED[text]):
        read_formula(text, NAMES)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1_000*B", 1000 * B),
        (".5*B", B / 2),
        ("2.*B", 2 * B),
        ("4.6e14", sp.Integer(460_000_000_000_000)),
        ("1e-3", sp.Rational(1, 1000)),
        ("B**64", B**64),
        ("B**(1/2)", sp.sqrt(B)),
        ("-B**-2", -(B**-2)),
        ("(B + L)**40", (B + L) ** 40),
        ("Max(B, L, 3)", sp.Max(B, L, 3)),
        ("ceiling(B/3) - floor(L/2)", sp.ceiling(B / 3) - sp.floor(L / 2)),
        ("P/α", NAMES["P"] / NAMES["α"]),
        ("9" * MAX_DIGITS, sp.Integer(10**MAX_DIGITS - 1)),
    ],
)
def test_what_is_read(text, expected):
    assert read_formula(text, NAMES) == expected


def test_the_limits_are_inclusive():
    assert read_formula(f"B**{MAX_EXPONENT}", NAMES) == B**MAX_EXPONENT
    held = MAX_SIZE // 100
    assert read_formula("*".join(["B"] * held), NAMES) == B**held
    with pytest.raises(BadInput, match="more than 20,000 bits"):
        read_formula("*".join(["B"] * (held + 1)), NAMES)


def test_numbers_stay_where_they_are_written():
    expr, numbers = read_written("2**10 + 0.5*B", NAMES)
    assert [value for _, value in numbers] == [2, sp.Rational(1, 2)]
    assert expr.xreplace(dict(numbers)) == 1024 + B / 2


@pytest.mark.parametrize("text", ["0", "0/1", "1/0", "0.0"])
def test_a_number_is_more_than_zero(text):
    with pytest.raises(BadInput, match="must be more than zero"):
        read_number(text)


@pytest.mark.parametrize(
    "text", ["-1", "1/2/3", "1/", "/2", "nan", "inf", "0x10", "１", "1e1000", "1__0", "_1", "1_", "."]
)
def test_what_is_no_number(text):
    with pytest.raises(BadInput, match="is not a positive number"):
        read_number(text)


@given(st.integers(0, 10**40), st.integers(0, 10**20), st.integers(-999, 999))
@settings(max_examples=100, deadline=None)
def test_decimals_are_read_exactly(whole, places, exponent):
    digits = str(places)
    expected = (Fraction(whole) + Fraction(places, 10 ** len(digits))) * Fraction(10) ** exponent
    assert decimal(f"{whole}.{digits}e{exponent}") == expected
    if expected > 0:
        assert read_number(f"{whole}.{digits}e{exponent}") == sp.Rational(expected.numerator, expected.denominator)


def test_a_text_that_is_too_long_to_be_a_number():
    assert short("1" * 200, "x") == "1" * 200
    with pytest.raises(BadInput, match=r"x '1{40}'\.\.\. is 201 characters long; a number has at most 100 digits"):
        short("1" * 201, "x")
    assert decimal("1" * MAX_DIGITS) is not None and decimal("1" * (MAX_DIGITS + 1)) is None


def test_a_result_has_a_bound():
    most = 2 ** (MAX_BITS - 1) - 1
    assert bits(most) == MAX_BITS and bounded(most, "x") == most
    for found in (most + 1, Fraction(1, most + 2), sp.Integer(most + 1), sp.sqrt(sp.Integer(2)) * (most + 1)):
        with pytest.raises(BadInput, match="x is a number of more than 14,000 bits"):
            bounded(found, "x")
    with pytest.raises(BadInput, match="this answer is a number of more than 14,000 bits"):
        number(B**64, {B: 10**100})
    with pytest.raises(BadInput, match="made of more than 1,000 numbers"):
        bounded(sp.Add(*(sp.sqrt(sp.prime(i)) for i in range(1, 600)), evaluate=False), "x")
    assert evaluate(sp.sqrt(B), {B: 2}) == sp.sqrt(2)
