from fractions import Fraction

import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.first import first_degree
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import B, C_mem

positive = st.fractions(Fraction(1, 40), 400, max_denominator=40)


@settings(deadline=None)
@given(positive, positive, st.booleans())
def test_first_and_last_whole_numbers_are_those_of_their_formulas_and_of_a_search(above, below, strict):
    limit, quotient = Limit(0, strict), above / below
    first = next(n for n in range(1, 20_000) if (n > quotient if strict else n >= quotient))
    last = max(n for n in range(-1, first + 1) if (n < quotient if strict else n <= quotient))
    assert (limit.first_whole(above, below), limit.last_whole(above, below)) == (first, last)
    real = sp.Rational(quotient.numerator, quotient.denominator)
    assert (limit.first(real).doit(), limit.last(real).doit()) == (first, last)


def test_signs_and_words_are_those_of_the_comparison():
    assert (Limit(10).holds(10), Limit(10, strict=True).holds(10)) == (True, False)
    assert [(one.sign, one.fails, one.reach, one.words) for one in (Limit(1), Limit(1, strict=True))] == [
        ("≤", ">", "≥", "at most"),
        ("<", "≥", ">", "less than"),
    ]
    assert isinstance(Limit(C_mem, strict=True).fits(2 * B), sp.StrictLessThan)


@settings(deadline=None)
@given(st.fractions(0, 400), st.fractions(0, 40), st.integers(1, 60), st.booleans())
def test_the_first_degree_fits_and_one_less_does_not(divided, fixed, capacity, strict):
    limit = Limit(capacity, strict)
    n = first_degree(divided, fixed, capacity, strict=strict)
    if n is None:
        assert not limit.holds(fixed + divided / 10**6)
    else:
        assert limit.holds(fixed + divided / n)
        assert n == 1 or not limit.holds(fixed + divided / (n - 1))
