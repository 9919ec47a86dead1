import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem import n_fsdp, n_replica, over, solve
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import B, C_mem, L, S, d_ff, d_model
from symbolic_mem.solvers.capacity import capacity_from


def _memory(fixed, divided, degree=n_fsdp):
    kept = Term("kept", "activations", sp.Rational(fixed), sp.S.One, "")
    shared = Term("shared", "weights", sp.Rational(divided), sp.S.One, "", degree=degree)
    return Memory((kept, shared))


def test_published_degrees_of_the_reference_problem(golden, memory, place, xxl):
    for rest, cases in (("kept", golden["xxl"]["degrees"]), ("dropped", golden["xxl"]["dropped"])):
        for tokens, capacity, degree in cases:
            placed = place("1/2", rest) if tokens else memory.of("weights", "gradients", "optimizer")
            placed = placed if tokens else placed.place(**dict.fromkeys(placed.kinds, over(n_fsdp)))
            answer = solve(placed, n_fsdp, capacity_from(capacity).counted, strict=True).at(xxl(tokens or 1, 1))
            assert (answer.value, answer.feasible) == (degree, degree is not None), (tokens, capacity, rest)


def test_the_closed_form_has_its_condition_and_its_limit(place):
    bound = solve(place("1/2"), n_fsdp, C_mem, strict=True)
    half = B * L * S * (d_ff + d_model)
    assert sp.expand(bound.floor - half) == 0
    assert sp.expand(bound.condition.lhs - bound.condition.rhs - (C_mem - half)) == 0
    assert isinstance(bound.condition, sp.StrictGreaterThan)
    assert sp.cancel(bound.quotient - (32 * L * d_ff * d_model + half) / (C_mem - half)) == 0
    assert bound.formula == sp.floor(bound.quotient, evaluate=False) + 1


@given(st.fractions(0, 40), st.fractions(0, 400), st.integers(1, 60), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_answer_is_that_of_exhaustive_search(fixed, divided, capacity, strict):
    answer = solve(_memory(fixed, divided), n_fsdp, capacity, strict=strict).at({})
    room = capacity - fixed
    far = int(divided / room) + 2 if room > 0 else 500
    fits = [
        n for n in range(1, far + 1) if (fixed + divided / n < capacity if strict else fixed + divided / n <= capacity)
    ]
    assert answer.value == (fits[0] if fits else None)


def test_strict_matters_exactly_where_the_quotient_is_whole():
    assert solve(_memory(2, 80), n_fsdp, 10).at({}).value == 10
    assert solve(_memory(2, 80), n_fsdp, 10, strict=True).at({}).value == 11


def test_exact_far_beyond_machine_integers():
    big = 10**40
    answer = solve(_memory(0, big * 3 + 1), n_fsdp, 3).at({})
    assert (answer.value, answer.per_device_bytes, answer.at_value_minus_one_bytes) == (big + 1, 3, 4)


def test_one_degree_is_solved_for_with_the_others_given(memory, xxl):
    states = dict.fromkeys(("weights", "gradients", "optimizer"), over(n_fsdp))
    hybrid = memory.place(**states, activations=over(n_fsdp * n_replica))
    groups = solve(hybrid, n_fsdp, 80 * 2**30).at(xxl() | {n_replica: sp.Integer(4)})
    # states 3276 GiB over n, activations 2142 GiB over 4 n: (3276 + 535.5)/80 = 47.6
    assert groups.value == 48
    replicas = solve(hybrid, n_replica, 80 * 2**30).at(xxl() | {n_fsdp: sp.Integer(64)})
    # states 51.1875 GiB stay, 2142/64 over the replicas: 33.46875/28.8125 = 1.16
    assert replicas.value == 2
    with pytest.raises(MissingValue, match="n_replica"):
        solve(hybrid, n_fsdp, 80 * 2**30).at(xxl())


def test_several_fractions_of_several_kinds(memory, xxl):
    mixed = memory.place(
        weights=over(n_fsdp, "1/3"), gradients=over(n_fsdp, "1/2", "dropped"), activations=over(n_fsdp, "3/4")
    )
    bound = solve(mixed, n_fsdp, sp.Integer(10) ** 13)
    params, act = 219848638464, 2299954987008
    assert bound.divided.xreplace(xxl()) == sp.Rational(4 * params, 3) + 2 * params + sp.Rational(3 * act, 4)
    assert bound.fixed.xreplace(xxl()) == sp.Rational(8 * params, 3) + 8 * params + sp.Rational(act, 4)


def test_a_degree_that_divides_nothing_or_enters_otherwise_is_refused(memory):
    with pytest.raises(BadInput, match="divided by n_fsdp; place a kind over it"):
        solve(memory, n_fsdp, 10)
    with pytest.raises(BadInput, match="in another way than U"):
        solve(memory.place(weights=over(n_fsdp**2)), n_fsdp, 10)
    grows = Term("buffers", "buffers", n_fsdp * d_model, sp.S.One, "")
    with pytest.raises(BadInput, match="in another way than U"):
        solve(Memory((*_memory(0, 1), grows)), n_fsdp, 10)


def test_a_bound_tells_its_sign_and_its_quotient(place):
    weights = place().of("weights")
    for strict, sign in ((False, "≥"), (True, ">")):
        told = repr(solve(weights, n_fsdp, 10**9, strict=strict))
        assert told == f"<bound n_fsdp {sign} (8*L*d_ff*d_model)/1000000000>"
