from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem import n_fsdp
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
from symbolic_mem.models.tensors import Part
from symbolic_mem.solvers.degree import smallest_degree
from symbolic_mem.solvers.layout import Gathered, PaddedRows, WholeSamples, profile
from symbolic_mem.solvers.profile import Profile, Rows
from symbolic_mem.solvers.rules import Allowed, AtMost, Divides, MultipleOf, PowerOfTwo

FULL = (80 * 2**30, ("1", "kept"), False)
HALF = (95 * 2**30, ("1/2", "dropped"), True)


@pytest.mark.parametrize(
    ("rules", "full", "half"),
    [
        ([], 68, 46),
        ([PaddedRows()], 68, 46),
        ([WholeSamples()], 71, 47),
        ([Divides(B)], 128, 64),
        ([WholeSamples(), Divides(B)], 128, 64),
        ([MultipleOf(8)], 72, 48),
        ([PowerOfTwo()], 128, 64),
    ],
)
def test_measured_and_published_degrees_under_each_rule(place, xxl, rules, full, half):
    for (capacity, placement, strict), value in ((FULL, full), (HALF, half)):
        answer = smallest_degree(place(*placement), n_fsdp, capacity, xxl(), strict=strict, rules=rules)
        assert answer.value == value
        assert answer.per_device_bytes <= capacity
        below = answer.at_largest_below_bytes
        assert below > capacity


def _peak(memory):
    """Backward peak of FSDP2 in BF16 over the end of the forward pass: fixed and even parts (see the golden file)."""
    return Memory(
        (
            *memory,
            Term("unsharded BF16 gradients", "buffers", 2 * d_ff * d_model, sp.Integer(2), ""),
            Term("input not saved by the last block", "buffers", -B * S * d_ff, sp.Integer(2), "", degree=n_fsdp),
        )
    )


BLOCK = (Part(sp.S.One, (d_ff, d_model)), Part(sp.S.One, (d_model, d_ff)))


def test_a_gathered_block_makes_the_memory_rise_and_fall(place, xxl):
    gradients = Term("unsharded BF16 gradients", "buffers", 2 * d_ff * d_model, sp.Integer(2), "")
    for whole, full, half in (((), 86, 56), ((WholeSamples(),), 109, 62)):
        rules = [PaddedRows(), *whole, Gathered(BLOCK, 8)]
        for (capacity, placement, strict), value in ((FULL, full), (HALF, half)):
            memory = Memory((*place(*placement), gradients))
            answer = smallest_degree(memory, n_fsdp, capacity, xxl(), strict=strict, rules=rules)
            assert answer.value == value
            assert answer.profile.floor is None


def test_rows_of_every_rank_are_those_of_the_engine(golden, memory):
    weights = memory.of("weights").place(weights=_over())
    for width, inner, blocks, n, _, measured in golden["fsdp2"]["parameters"]:
        values = {d_model: width, d_ff: inner, L: blocks}
        assert profile(weights, n_fsdp, values, [PaddedRows()]).at(n) == measured
    moments = memory.of("optimizer").place(optimizer=_over())
    for width, inner, blocks, n, measured in golden["fsdp2_moments"]["rows"]:
        values = {d_model: width, d_ff: inner, L: blocks}
        assert profile(moments, n_fsdp, values, [PaddedRows()]).at(n) == measured


def test_a_step_of_the_engine_is_reproduced(golden, place, xxl):
    for blocks, n, sequences, length, instant, measured in golden["fsdp2_step"]["rows"]:
        values = xxl(sequences * n, length) | {L: sp.Integer(blocks)}
        peak = instant.startswith("peak")
        shape = profile(
            _peak(place()) if peak else place(),
            n_fsdp,
            values,
            [PaddedRows(), WholeSamples(), *([Gathered(BLOCK, 8)] if peak else [])],
        )
        counters = 8 * blocks  # AdamW keeps 4 bytes for each of two tensors of a block
        assert abs(measured - counters - shape.at(n)) <= 8, (blocks, n, instant)  # the scalars of the loss


def _over():
    from symbolic_mem import over

    return over(n_fsdp)


_ROWS = st.builds(
    Rows,
    st.integers(1, 60).map(Fraction),
    st.fractions(0, 5, max_denominator=8),
    st.integers(1, 3).map(Fraction),
)
_ALLOWED = st.builds(
    Allowed,
    factor=st.integers(1, 6),
    power=st.booleans(),
    numbers=st.lists(st.integers(1, 240), max_size=1).map(tuple),
    limit=st.none() | st.integers(1, 200),
)


@given(
    st.fractions(0, 20, max_denominator=6),
    st.fractions(0, 200, max_denominator=6),
    st.lists(_ROWS, max_size=3).map(tuple),
    st.lists(_ROWS.filter(lambda part: part.bytes > 0), max_size=2).map(tuple),
    _ALLOWED,
    st.fractions(1, 120, max_denominator=4),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_the_smallest_degree_is_that_of_exhaustive_search(fixed, divided, rows, gathered, rules, capacity, strict):
    shape = Profile(fixed, divided, rows, gathered)

    def fits(n):
        held = sum(p.bytes * -(-p.rows // (p.over * n)) for p in rows)
        whole = sum(p.bytes * p.over * n * -(-p.rows // (p.over * n)) for p in gathered)
        amount = fixed + divided / n + held + whole
        return amount < capacity if strict else amount <= capacity

    answer = shape.smallest(Limit(capacity, strict), rules)
    found = next((n for n in range(1, 3000) if rules.admits(n) and fits(n)), None)
    assert answer == found or (found is None and answer >= 3000 and fits(answer) and rules.admits(answer))


def test_each_rule_says_what_it_did(place, xxl):
    rules = [MultipleOf(8, "devices of a node"), WholeSamples(), AtMost(1000)]
    answer = smallest_degree(place(), n_fsdp, FULL[0], xxl(), rules=rules)
    told = [(type(step.rule).__name__, step.before, step.after, step.changed) for step in answer.steps]
    assert told == [
        ("WholeSamples", 68, 71, True),
        ("MultipleOf", 71, 72, True),
        ("AtMost", 72, 72, False),
    ]
    assert [step.largest_below for step in answer.steps] == [70, 64, 64]
    assert answer.ideal.value == 68


def test_contradictory_rules_are_an_explained_answer(place, xxl):
    answer = smallest_degree(place(), n_fsdp, FULL[0], xxl(), rules=[MultipleOf(8), Divides(126), AtMost(512)])
    assert (answer.feasible, answer.value, answer.reason.code) == (False, None, "contradiction")
    assert answer.reason.rules == (MultipleOf(8), Divides(126))
    assert {(type(rule).__name__, value) for rule, value in answer.without} == {("MultipleOf", 126), ("Divides", 72)}


def test_too_few_devices_are_an_explained_answer(place, xxl):
    answer = smallest_degree(place(), n_fsdp, FULL[0], xxl(), rules=[MultipleOf(8), AtMost(70)])
    assert (answer.reason.code, answer.reason.rules, answer.reason.needed) == ("limit", (MultipleOf(8), AtMost(70)), 68)
    assert answer.steps[-1].before == 72
    alone = smallest_degree(place(), n_fsdp, FULL[0], xxl(), rules=[AtMost(67)])
    assert (alone.reason.code, alone.without) == ("limit", ((AtMost(67), 68),))


def test_what_every_device_keeps_is_an_explained_answer(place, xxl):
    answer = smallest_degree(place("1/2"), n_fsdp, 95 * 10**9, xxl(), strict=True, rules=[MultipleOf(8)])
    assert (answer.reason.code, answer.reason.bytes) == ("fixed", 2299954987008 // 2)
    assert answer.steps == ()


def test_one_row_on_every_device_can_be_too_much():
    part = Part(sp.Integer(10), (sp.Integer(4), sp.Integer(100)))
    term = Term("w", "weights", sp.Integer(4000), sp.S.One, "", degree=n_fsdp, parts=(part,))
    answer = smallest_degree(Memory((term,)), n_fsdp, 999, {}, rules=[PaddedRows()])
    assert (answer.ideal.value, answer.value, answer.reason.code, answer.reason.bytes) == (5, None, "rows", 1000)
    assert answer.without == ((PaddedRows(), 5),)
    assert smallest_degree(Memory((term,)), n_fsdp, 1000, {}, rules=[PaddedRows()]).value == 4


def test_terms_that_cannot_be_cut_are_refused(place, xxl):
    term = Term("w", "weights", d_model, sp.S.One, "", degree=n_fsdp)
    with pytest.raises(BadInput, match="does not say which tensors it is made of"):
        smallest_degree(Memory((term,)), n_fsdp, 10, {d_model: 4}, rules=[PaddedRows()])
    square = Term("a", "activations", B**2, sp.S.One, "", degree=n_fsdp)
    with pytest.raises(BadInput, match="not linear in B"):
        smallest_degree(Memory((square,)), n_fsdp, 10, {B: 4}, rules=[WholeSamples()])


def test_exact_far_beyond_machine_integers():
    rows = 10**30 + 7
    part = Part(sp.S.One, (sp.Integer(rows), sp.Integer(3)))
    term = Term("w", "weights", sp.Integer(3 * rows), sp.S.One, "", degree=n_fsdp, parts=(part,))
    answer = smallest_degree(Memory((term,)), n_fsdp, 3 * 10**10, {}, rules=[PaddedRows(), MultipleOf(8)])
    # ceil(rows/n) <= 10^10 first holds at n = ceil(rows/10^10) = 10^20 + 1
    assert (answer.steps[0].after, answer.value) == (10**20 + 1, 10**20 + 8)


def test_a_part_of_less_than_nothing_is_refused():
    with pytest.raises(BadInput, match="less than zero bytes"):
        Profile(Fraction(1), Fraction(-1)).smallest(Fraction(3))


def test_a_number_that_is_no_tensor_is_on_every_device():
    once = Term("step", "optimizer", sp.S.One, sp.Integer(4), "", degree=n_fsdp, parts=(Part(sp.S.One, ()),))
    assert profile(Memory((once,)), n_fsdp, {}, [PaddedRows()]).at(64) == 4


def test_a_unit_of_no_bytes_changes_nothing(place, xxl):
    answer = smallest_degree(place(), n_fsdp, FULL[0], xxl(), rules=[Gathered(BLOCK, 0)])
    assert (answer.value, answer.profile.gathered) == (68, ())


def test_what_does_not_grow_with_the_batch_is_divided_evenly():
    term = Term("a", "activations", B * 6 + 9, sp.Integer(2), "", degree=3 * n_fsdp)
    shape = profile(Memory((term,)), n_fsdp, {B: 7}, [WholeSamples()])
    assert shape.at(2) == 2 * 12 + Fraction(18, 6)
