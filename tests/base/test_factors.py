"""The short way to common factors gives what SymPy's `gcd_terms` gives, to the last factor of its form."""

from __future__ import annotations

from functools import reduce
from operator import mul

import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from symbolic_mem.base.factors import common_factors_first
from symbolic_mem.base.symbols import B, L, S, d_ff, d_model, n_heads
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.models.groups import groups

atoms = st.sampled_from([B, L, S, d_ff, d_model, 2 * B + 4 * S, d_ff + 3 * d_model + 1, sp.floor(L / 2), sp.S.One])
numbers = st.sampled_from([sp.Integer(1), sp.Integer(2), sp.Integer(12), sp.Rational(3, 2), sp.Integer(-4)])
powers = st.tuples(atoms, st.sampled_from([1, 1, 2, 3])).map(lambda pair: pair[0] ** pair[1])
terms = st.tuples(numbers, st.lists(powers, max_size=4)).map(lambda pair: reduce(mul, pair[1], pair[0]))


@given(st.lists(terms, max_size=5))
@example([B * (2 * B + 4 * S), (2 * B + 4 * S) ** 2])
@example([B * (2 * B + 4 * S), L * (2 * B + 4 * S)])
@example([B * (B + 2 * S), (B + 2 * S) ** 2, S * (2 * B + 4 * S)])
@example([3 * d_ff * (2 * B + 4 * S) ** 2, 9 * (2 * B + 4 * S) ** 2 * L])
def test_a_sum_is_written_as_sympy_writes_it(parts):
    expr = sp.Add(*parts)
    assert sp.srepr(common_factors_first(expr)) == sp.srepr(sp.gcd_terms(expr))


def test_a_quotient_is_left_to_sympy():
    expr = 2 * B * S / n_heads + 4 * B * L
    assert common_factors_first(expr) == sp.gcd_terms(expr)


def test_the_parameters_of_every_bundled_study_are_written_as_sympy_writes_them():
    found = [group.parameters for name in bundled() for group in groups(load_study(name).model)]
    assert len(found) > 40
    assert all(sp.srepr(common_factors_first(one)) == sp.srepr(sp.gcd_terms(one)) for one in found)
