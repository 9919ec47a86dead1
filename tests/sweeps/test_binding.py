"""The instants that are evaluated: of those that hold most at a point, the first is among them, at every point of the box."""

from __future__ import annotations

from itertools import product
from math import prod

from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.sweeps.binding import binding
from symbolic_mem.sweeps.plan import plan
from symbolic_mem.sweeps.polynomial import Polynomial

MONOMIALS = ((), ((0, 1),), ((1, 1),), ((0, 1), (1, 1)), ((0, 2),))


def polynomials(most):
    factors = st.lists(st.integers(0, most), min_size=len(MONOMIALS), max_size=len(MONOMIALS))
    return factors.map(lambda given: Polynomial({m: f for m, f in zip(MONOMIALS, given, strict=True) if f}))


def value(polynomial, point):
    return sum(factor * prod(point[i] ** power for i, power in term) for term, factor in polynomial)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(polynomials(2), polynomials(9)), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=2, max_size=2),
)
def test_the_first_of_the_fullest_is_evaluated(parts, spans):
    lowest, largest = [low for low, _ in spans], [low + more for low, more in spans]
    found = binding([p for p, _ in parts], [f for _, f in parts], lowest, largest)
    for point in product(*(range(low, high + 1) for low, high in zip(lowest, largest, strict=True))):
        for n in (1, 2, 100):
            held = [value(f, point) * n + value(p, point) for p, f in parts]
            assert held.index(max(held)) in found


def test_few_of_many_instants_can_bind():
    (case,) = plan("llama-3.1-8b", axes={"B": range(1, 257), "S": range(64, 16385, 64)}).cases.cases
    assert 3 <= len(case.binding) <= 10 < len(case.instants)
