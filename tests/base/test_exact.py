"""Compiled numbers are those of SymPy's own substitution, for every expression that can be written."""

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import at, compiled, compiled_together, evaluate, missing, number, partial
from symbolic_mem.base.rational import fraction, rational
from symbolic_mem.base.symbols import B, L, S, d_model

SYMBOLS = (B, L, S, d_model)
constants = st.one_of(st.integers(-9, 9), st.fractions(-9, 9, max_denominator=12), st.integers(2**64, 2**90)).map(
    sp.sympify
)


def _grow(inner):
    several = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(
        several.map(lambda parts: sp.Add(*parts)),
        several.map(lambda parts: sp.Mul(*parts)),
        st.tuples(inner, st.integers(-3, 6)).map(lambda pair: pair[0] ** pair[1] if pair[0] != 0 else sp.S.One),
        inner.map(sp.ceiling),
        inner.map(sp.floor),
        several.map(lambda parts: sp.Max(*parts)),
        several.map(lambda parts: sp.Min(*parts)),
    )


expressions = st.recursive(st.one_of(st.sampled_from(SYMBOLS), constants), _grow, max_leaves=12)
numbers = st.one_of(
    st.integers(1, 60), st.integers(2**63, 2**80), st.fractions(Fraction(1, 50), 60, max_denominator=50)
)
values = st.fixed_dictionaries(dict.fromkeys(SYMBOLS, numbers))


def _by_sympy(expr, values):
    return expr.xreplace({symbol: rational(value) for symbol, value in values.items()}).doit()


@given(expressions, values)
@settings(max_examples=150, deadline=None)
def test_compiled_numbers_are_those_of_substitution(expr, values):
    expected = _by_sympy(expr, values)
    if not expected.is_Rational:  # a division by zero
        return
    found = number(expr, values)
    assert found == fraction(expected)
    assert type(found) is (int if expected.is_Integer else Fraction)
    assert evaluate(expr, {symbol: rational(value) for symbol, value in values.items()}) == expected
    assert compiled_together(expr, B + 1).at(values) == (found, values[B] + 1)


@given(expressions, values, st.sets(st.sampled_from(SYMBOLS)))
@settings(max_examples=100, deadline=None)
def test_partial_evaluation_changes_no_number(expr, values, free):
    free = tuple(sorted(free, key=str))
    expected = _by_sympy(expr, values)
    if not expected.is_Rational:
        return
    try:
        rest = partial(expr, values, free)
    except ZeroDivisionError:
        return
    assert rest.symbols == free
    try:
        found = rest.call(*(values[symbol] for symbol in free))
    except ZeroDivisionError:  # a removable pole, which SymPy cancels before it substitutes
        return
    assert found == fraction(expected)


def test_products_that_are_written_out_unevaluated():
    written = sp.Mul(B, sp.Pow(2 * L - B, -1, evaluate=False), sp.Rational(3, 4), 2, evaluate=False)
    assert number(sp.ceiling(written, evaluate=False), {B: 5, L: 4}) == 3
    assert number(written, {B: Fraction(5, 2), L: 4}) == Fraction(15, 22)


def test_a_sum_of_thousands_of_terms_is_compiled():
    many = sp.Add(*((position + 1) * B**position for position in range(3_000)))
    assert number(many, {B: 2}) == sum((position + 1) * 2**position for position in range(3_000))


def test_numbers_longer_than_python_writes_as_decimals():
    huge = 10**5_000
    assert compiled(B * huge + sp.Rational(1, 3)).call(7) == Fraction(21 * huge + 1, 3)


def test_what_is_not_rational_arithmetic_stays_exact():
    assert evaluate(sp.sqrt(B) + 1, {B: 8}) == 2 * sp.sqrt(2) + 1
    assert number(sp.sqrt(B), {B: 9}) == 3
    assert evaluate(B * L, {B: sp.sqrt(2), L: 2}) == 2 * sp.sqrt(2)
    with pytest.raises(BadInput, match="not an exact rational number"):
        number(sp.sqrt(B), {B: 8})
    with pytest.raises(BadInput, match="not an exact rational number"):
        number(2 * B, {B: sp.Float(0.5)})


def test_symbols_without_a_value_are_named_together():
    assert missing(B * L * S, {L: 1}) == ("B", "S")
    assert at(B * L, {L: 1}) is None
    for ask in (number, evaluate):
        with pytest.raises(MissingValue, match="the sum needs a value for B, S"):
            ask(B * L * S, {L: 1}, "the sum")
    with pytest.raises(MissingValue, match="S"):
        partial(B * S, {}, (B,))


def test_no_text_of_a_user_reaches_the_compiler():
    odd = sp.Symbol("__import__('os')", positive=True)
    assert number(odd + 1, {odd: 2}) == 3
