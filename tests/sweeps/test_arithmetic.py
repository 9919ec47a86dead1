"""Each arithmetic gives what Python's integers give, row by row, up to and past the edges of 2^53 and 2^63."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from points import agree, edge, rows, some_cases

from symbolic_mem.sweeps.arrays import Arithmetic, arithmetic


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([4, 8, 12, 16, 20, 26]).flatmap(some_cases))
def test_the_smallest_degree_is_that_of_integers(case):
    agree(case)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([4, 8, 12, 16, 24]).flatmap(lambda bits: some_cases(bits, 1)))
def test_what_is_held_at_a_degree_is_that_of_integers(case):
    agree(case)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("room", [1, 3, 10**9 + 7, (1 << 53) - 1, (1 << 61) - 1])
@pytest.mark.parametrize("bits", [52, 53, 62, 63, 64, 100, 107])
def test_quotients_beside_whole_numbers(bits, room, strict):
    around = [room * (((1 << bits) // room) + k) + d for k in (-1, 0, 1) for d in (-1, 0, 1)]
    agree(edge(1, room, [max(one, 1) for one in around], strict))


def test_the_bound_chooses_the_arithmetic():
    chosen = [arithmetic(edge(1, 1 << 40, [1 << bits])) for bits in (40, 52, 53, 62, 63, 90, 120)]
    assert chosen == [Arithmetic.FLOAT] * 2 + [Arithmetic.WHOLE] * 2 + [Arithmetic.WRAPPED] * 2 + [Arithmetic.PYTHON]


def test_wrapped_integers_alone_would_be_wrong():
    case = edge(1, 1 << 40, [(1 << 64) + (1 << 50)])
    assert arithmetic(case) is Arithmetic.WRAPPED
    ((_, found),) = rows(case)
    assert found["degree"] == (1 << 24) + (1 << 10)
    assert ((1 << 64) + (1 << 50)) % (1 << 64) // (1 << 40) == 1 << 10
