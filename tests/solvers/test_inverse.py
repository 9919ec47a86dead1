from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem import account, n_fsdp, over, recipe
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import B, C_mem, L, P, Psi, S, T, d_ff, d_model, n_heads, n_tp
from symbolic_mem.models.parameters import parameters_only
from symbolic_mem.solvers.capacity import capacity_from
from symbolic_mem.solvers.inverse import largest, upper
from symbolic_mem.solvers.rules import AtMost, Divides, MultipleOf, PowerOfTwo


def _memory(*elements):
    return Memory(tuple(Term("t", "activations", sp.sympify(e), sp.S.One, "") for e in elements))


def test_the_largest_models_of_zero(golden):
    table = golden["zero_table_2"]
    stages = [(), ("optimizer",), ("optimizer", "gradients"), ("optimizer", "gradients", "weights")]
    memory = account(parameters_only(), recipe("zero-16"))
    for parallel, *printed in table["rows"]:
        for kinds, billions in zip(stages, printed, strict=True):
            degrees = {kind: n_tp * n_fsdp if kind in kinds else n_tp for kind in memory.kinds}
            placed = memory.place(**{kind: over(degree) for kind, degree in degrees.items()})
            values = {n_fsdp: table["n"], n_tp: parallel}
            answer = largest(placed, Psi, table["capacity_bytes"], values)
            # the paper rounds the row MP = 1 and multiplies it; its T is 1000 or 1024 billions
            exact = Fraction(answer.value, 10**9) / parallel
            steps = Fraction(1, 10) if "." in billions else 1
            assert abs(exact - Fraction(billions) / parallel) <= max(steps, Fraction(billions) / parallel / 40)
            assert answer.per_device(answer.value) <= table["capacity_bytes"] < answer.per_device(answer.value + 1)


def test_the_largest_batch_of_adamw_accounting(golden):
    case = golden["adamw_accounting"]
    states = Term("states", "optimizer", sp.Integer(case["states_bytes"]), sp.S.One, "")
    kept = Term("activations", "activations", B * case["bytes_per_sequence"], sp.S.One, "")
    for capacity, sequences in case["largest"].items():
        answer = largest(Memory((states, kept)), B, capacity_from(capacity).counted, {})
        assert answer.value == sequences
    assert answer.per_device_bytes == case["bytes_of_three"]


def test_tokens_parameters_and_blocks_of_the_reference_problem(memory, xxl):
    capacity = 6 * 10**12
    tokens = largest(memory, T, capacity, xxl())
    assert tokens.value == (capacity - 3517578215424) // 17547264
    assert tokens.per_device_bytes == 3517578215424 + 17547264 * tokens.value
    assert tokens.at_value_plus_one_bytes == tokens.per_device_bytes + 17547264
    blocks = largest(memory, L, capacity, xxl())
    assert blocks.value == capacity // ((3517578215424 + 2299954987008) // 126)
    parameters = largest(memory, P, capacity, xxl())
    assert parameters.value == (capacity - 2299954987008) // 16
    sequences = largest(memory, B, capacity, xxl(), strict=True)
    assert sequences.value == (capacity - 1 - 3517578215424) // (17547264 * 1024)


def test_closed_forms_of_each_degree():
    linear = upper(_memory(5, 3 * B), B, C_mem)
    assert sp.cancel(linear.quotient - (C_mem - 5) / 3) == 0
    assert linear.condition == sp.LessThan(8, C_mem, evaluate=False)
    square = upper(_memory(5, 3 * d_model**2), d_model, C_mem, strict=True)
    assert square.quotient == sp.sqrt((C_mem - 5) / 3)
    assert square.formula == sp.ceiling(square.quotient, evaluate=False) - 1
    both = upper(_memory(7, L * S, B * S**2), S, C_mem)
    assert sp.expand(both.bytes_at(both.quotient) - C_mem) == 0
    assert both.quotient.subs({L: 1, B: 1, C_mem: 107}) > 0
    cubic = upper(_memory(S**3, 1), S, C_mem)
    assert (cubic.quotient, cubic.formula) == (None, None)
    assert cubic.at({C_mem: 28}).value == 3


@given(
    st.lists(st.fractions(0, 9, max_denominator=4), min_size=2, max_size=5),
    st.fractions(0, 4000, max_denominator=3),
    st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_the_largest_value_is_that_of_exhaustive_search(coefficients, capacity, strict):
    memory = _memory(*(sp.Rational(a) * S**k for k, a in enumerate(coefficients)), S - S)
    if not any(coefficients[1:]):
        return
    answer = largest(memory, S, sp.Rational(capacity), {}, strict=strict)

    def fits(x):
        amount = sum(a * x**k for k, a in enumerate(coefficients))
        return amount < capacity if strict else amount <= capacity

    assert answer.feasible == fits(1)
    if answer.feasible:
        assert fits(answer.value)
        assert not fits(answer.value + 1)
        if answer.quotient is not None:
            whole = sp.ceiling(answer.quotient) - 1 if strict else sp.floor(answer.quotient)
            assert whole == answer.value
    else:
        assert answer.value is None
        assert not fits(1)


def test_it_holds_the_bytes_of_why_nothing_fits_and_says_when_nothing_grows():
    nothing = largest(_memory(10, B), B, 10, {})
    assert (nothing.feasible, nothing.value, nothing.constant_bytes) == (False, None, 10)
    step = largest(_memory(10, 5 * B), B, 12, {})
    assert (step.feasible, step.constant_bytes, step.at_one_bytes) == (False, 10, 15)
    grows_not = largest(_memory(10, L * B - 2 * B), B, 12, {L: 2})
    assert (grows_not.unbounded, grows_not.value, grows_not.feasible) == (True, None, True)


def test_a_memory_that_falls_is_not_bisected():
    with pytest.raises(BadInput, match=r"coefficient of B\^1 is -1"):
        largest(_memory(B**2, L * B - 2 * B), B, 12, {L: 1})


def test_unknowns_that_cannot_be_asked_for_name_the_others(memory):
    with pytest.raises(BadInput, match=r"does not contain n_heads; known: B, L, P, S, T, d_ff, d_model"):
        upper(memory, n_heads, C_mem)
    with pytest.raises(BadInput, match="not a polynomial in n_fsdp"):
        upper(memory.place(weights=over(n_fsdp)), n_fsdp, C_mem)
    with pytest.raises(BadInput, match="another way than through the tokens"):
        upper(_memory(B * S + B * S**2), T, C_mem)
    with pytest.raises(MissingValue, match="the largest S needs a value for B"):
        largest(_memory(B * S), S, 10, {})


def test_tokens_also_in_sums_and_higher_powers():
    assert dict(upper(_memory((B * S + L) ** 2), T, C_mem).powers) == {0: L**2, 1: 2 * L, 2: 1}


def test_exact_far_beyond_machine_integers():
    side = 10**25 + 3
    answer = largest(_memory(d_ff**2), d_ff, side * side + 1, {})
    assert answer.value == side
    assert largest(_memory(d_ff**2), d_ff, side * side, {}, strict=True).value == side - 1


@pytest.mark.parametrize(
    ("rules", "value", "after"),
    [
        ([MultipleOf(8)], 96, 104),
        ([PowerOfTwo()], 64, 128),
        ([Divides(L)], 63, 126),
        ([AtMost(50), MultipleOf(4)], 48, None),
        ([Divides(7)], 7, None),
    ],
)
def test_the_largest_value_under_rules(rules, value, after):
    answer = largest(_memory(3 * B, 1), B, 301, {L: 126}, rules=rules)
    assert (answer.most, answer.value, answer.next_value) == (100, value, after)
    assert answer.per_device_bytes == 3 * value + 1


def test_rules_can_leave_no_value():
    few = largest(_memory(3 * B), B, 20, {}, rules=[MultipleOf(8)])
    assert (few.feasible, few.value, few.most) == (False, None, 6)
    never = largest(_memory(L * B - 2 * B, 1), B, 20, {L: 2}, rules=[MultipleOf(8), Divides(126)])
    assert (never.feasible, never.value) == (False, None)
    ended = largest(_memory(L * B - 2 * B, 1), B, 20, {L: 2}, rules=[MultipleOf(8), AtMost(100)])
    assert (ended.unbounded, ended.value) == (False, 96)
    endless = largest(_memory(L * B - 2 * B, 1), B, 20, {L: 2}, rules=[MultipleOf(8)])
    assert (endless.unbounded, endless.value) == (True, None)
    assert not largest(_memory(21, B), B, 20, {}, rules=[MultipleOf(8)]).feasible
