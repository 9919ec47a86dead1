from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem import n_fsdp, solve
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, L, S, T, d_ff, d_model
from symbolic_mem.solvers.insight import crossover, floor_of, left_over, sensitivities
from symbolic_mem.solvers.inverse import upper
from symbolic_mem.solvers.region import region
from symbolic_mem.solvers.rules import MultipleOf

STATES, PER_TOKEN = 3517578215424, 17547264


def test_the_floor_is_the_kept_half(place, xxl):
    floor = floor_of(place("1/2"), n_fsdp)
    assert floor.at(xxl(1, 10_827)) == 10_827 * PER_TOKEN // 2
    assert [term.kind for term in floor.terms] == ["activations"]


def test_the_last_tokens_for_which_a_degree_exists(golden, place, xxl):
    bound = solve(place("1/2"), n_fsdp, 95 * 10**9, strict=True)
    _, kept = bound.memory.split(n_fsdp)
    last = upper(kept, T, bound.capacity, strict=True).at(xxl()).value
    assert (last, bound.at(xxl(last, 1)).value) == (golden["xxl"]["last_tokens"], golden["xxl"]["degree_there"])
    assert not bound.at(xxl(last + 1, 1)).feasible


def test_activations_overtake_states(memory, place, xxl):
    crossing = crossover(memory, xxl())
    assert crossing.first == STATES // PER_TOKEN + 1
    assert sp.cancel(crossing.bound.quotient - 16 * d_ff * d_model / (d_ff + d_model)) == 0
    on_device = crossover(place("1/2"), xxl() | {n_fsdp: sp.Integer(46)})
    each = Fraction(PER_TOKEN, 2) * (1 + Fraction(1, 46))
    assert on_device.first == Fraction(STATES, 46) // each + 1
    assert crossover(memory, xxl(1, 1) | {d_model: sp.Integer(1), d_ff: sp.Integer(1)}).first == 9


def test_activations_can_be_larger_from_the_first_token_on():
    kept = Term("a", "activations", B * S, sp.Integer(5), "")
    assert crossover(Memory((kept, Term("w", "weights", sp.Integer(4), sp.S.One, ""))), {}).first == 1


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 50))
@settings(max_examples=40, deadline=None)
def test_sensitivities_are_exact_differences(batch, length, percent):
    memory = Memory((Term("a", "activations", B * S**2 + 3 * S, sp.Integer(2), ""),))
    found = {one.symbol: one for one in sensitivities(memory, {B: batch, S: length}, percent)}

    def size(b, s):
        return 2 * (b * s**2 + 3 * s)

    more = 1 + Fraction(percent, 100)
    assert found[B].added == size(batch * more, length) - size(batch, length)
    assert found[S].added == size(batch, length * more) - size(batch, length)
    assert found[B].rate == Fraction(2 * batch * length**2, size(batch, length))
    assert found[S].derivative == 4 * B * S + 6
    assert [one.added for one in found.values()] == sorted((one.added for one in found.values()), reverse=True)


def test_a_memory_that_takes_steps_has_no_derivative():
    memory = Memory((Term("a", "activations", sp.ceiling(L / 4) * S, sp.S.One, ""),))
    by_symbol = {one.symbol: one for one in sensitivities(memory, {L: 4, S: 10}, 100)}
    assert (by_symbol[L].derivative, by_symbol[L].rate, by_symbol[L].added) == (None, None, 10)
    assert (by_symbol[S].rate, by_symbol[S].added) == (1, 10)


def test_elasticity_is_one_where_the_memory_is_proportional(memory, xxl):
    by_symbol = {one.symbol: one for one in sensitivities(memory, xxl())}
    assert by_symbol[L].rate == 1
    assert by_symbol[B].rate == Fraction(2142, 2142 + 3276)
    assert sp.cancel(by_symbol[L].elasticity) == 1


def test_what_devices_leave_over(place, xxl):
    spare = left_over(place(), n_fsdp, 68, 80 * 2**30, xxl())
    assert spare.together == 68 * 80 * 2**30 - 5418 * 2**30
    assert spare.fits
    lacking = left_over(place(), n_fsdp, 67, 80 * 2**30, xxl())
    assert not lacking.fits
    assert lacking.together == (67 * 80 - 5418) * 2**30
    with pytest.raises(BadInput, match="at least 1"):
        left_over(place(), n_fsdp, 0, 1, xxl())


def test_the_region_is_the_table_of_published_degrees(place, xxl):
    table = region(place("1/2"), n_fsdp, 95 * 10**9, xxl(), (B, [4, 128]), (S, [128, 256, 512, 2048]), strict=True)
    assert table.entries == ((39, 41, 46, 156), (None, None, None, None))
    by_eight = region(place("1/2"), n_fsdp, 95 * 10**9, xxl(), (B, [4]), (S, [128]), rules=[MultipleOf(8)])
    assert by_eight.entries == ((40,),)
    at = {**xxl(4, 512), n_fsdp: sp.Integer(46)}
    assert table.exists.xreplace(at)
    assert table.fits.xreplace(at)
    assert not table.fits.xreplace({**at, n_fsdp: sp.Integer(45)})
