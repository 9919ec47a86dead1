"""One device has nothing to gather: its step is asked for by itself, and every face says the same of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest

import symbolic_mem as sm
from symbolic_mem.accounts import gathered
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.claims.check import check
from symbolic_mem.library.read import load_study
from symbolic_mem.plans.read import plan
from symbolic_mem.questions.insight import Insight
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.in_full import REMEDIES

SIZES = {"L": 4, "d_model": 256, "d_ff": 512, "n_heads": 8, "n_kv": 4, "d_head": 32, "V": 1000, "B": 1, "S": 16}


def _study(**changes):
    """A step in which nothing but a gather is fuller than what one device holds: no moments, a loss that keeps little."""
    changes = {"recipe": "pure-bf16", "loss": "fused", "recompute": "full", "optimizer": "sgd"} | changes
    return load_study("llama-3.1-8b").only("b").change(values=SIZES, **changes)


def _peak(study, devices):
    there = study.change(values={"n_fsdp": devices})
    return max(Fraction(one.memory.placed(there.placement).at(there.numbers)) for one in there.timeline)


def _bound_at(study, devices):
    """What the bound of more devices says of so many."""
    values = {**study.values, n_fsdp: devices}
    return max(Fraction(one.memory.placed(study.placement).at(values)) for one in study.timeline)


ONE, SAID = _peak(_study(), 1), _bound_at(_study(), 1)
ROOMS = [ceil(ONE) - 1, ceil(ONE), (ceil(ONE) + ceil(SAID)) // 2, ceil(SAID)]


def test_one_device_holds_less_than_the_bound_of_more_says():
    assert ONE < SAID and _peak(_study(), 2) < ONE


@pytest.mark.parametrize("room", ROOMS)
def test_one_device_is_the_answer_where_its_own_step_fits(room):
    study = _study(capacity=f"{room} B")
    question = MinDegree("a")
    found = question.answer(study)
    value = 1 if room >= ONE else 2
    assert found.value == value and found.held(value) == _peak(study, value) and found.held(1) == ONE
    facts = found.facts
    assert facts["peak_bytes"] == facts["per_device_bytes"] == ceil(_peak(study, value))
    assert facts["at_value_minus_one_bytes"] == (None if value == 1 else ceil(ONE))
    given = question.answer(study.change(values={"n_fsdp": 1})).facts
    assert given["fits"] == (value == 1) and given["value"] == value and given["peak_bytes"] == ceil(ONE)
    assert check(study, f"n_fsdp={value}").right and not check(study, f"n_fsdp={3 - value}").right


@pytest.mark.parametrize("room", ROOMS)
def test_a_row_of_a_sweep_says_the_same(room):
    study = _study(capacity=f"{room} B")
    grid = sm.sweep(study, B=[1, 40], L=[4, 64])
    for i, batch in enumerate((1, 40)):
        for j, blocks in enumerate((4, 64)):
            found = MinDegree("a").answer(study.change(values={"B": batch, "L": blocks}))
            assert int(grid["n_fsdp"][i, j]) == (found.value or 0)
            if found.value is not None:
                assert int(grid["peak"][i, j]) == ceil(found.held(found.value))


def test_rules_that_one_device_breaks_ask_for_more_as_before():
    from symbolic_mem.solvers.rules import MultipleOf

    found = MinDegree("a", multiple_of=(MultipleOf(2),)).answer(_study(capacity=f"{ROOMS[2]} B"))
    assert found.value == 2 and found.held(2) == _peak(_study(), 2)


def test_each_part_that_is_gathered_has_a_remedy():
    assert {gathered.WEIGHTS, gathered.GRADIENTS, gathered.SENT} <= set(REMEDIES)


@pytest.mark.parametrize("room", ROOMS)
def test_a_table_of_degrees_and_what_is_left_say_the_same(room):
    study = _study(capacity=f"{room} B")
    asked = {"rows": {"B": [1, 40]}, "columns": {"S": [16, 64]}, "devices": [1, 2]}
    question = Insight.read(asked, "here", "x")
    found = question.answer(study.under(question))
    facts = found.facts
    for batch, line in zip((1, 40), facts["region"]["entries"], strict=True):
        for length, entry in zip((16, 64), line, strict=True):
            assert entry == MinDegree("a").answer(study.change(values={"B": batch, "S": length})).value
    for row in facts["left_over"]:
        assert row["used_bytes"] == _peak(study, row["degree"]) and row["fits"] == (row["used_bytes"] <= room)
    assert any("One device alone" in str(block) for block in question.steps(found)) == (room >= ONE)


def _resharded(over, **changes):
    """A small model whose gathered weights are divided over so many devices again."""
    study = _study(**changes).without(n_fsdp)
    return replace(study, plan=plan("fsdp2").resharding(over, "here"))


@pytest.mark.parametrize("devices", [4, 8])
def test_a_reshard_over_all_devices_is_one_that_keeps_nothing(devices):
    """PyTorch 2.13, _fsdp_init.py, _get_post_forward_mesh_info: a number that is the size of the shard mesh is true."""
    over, whole = _resharded(4), _resharded(True)
    held = [_peak(study, devices) for study in (over, whole)]
    assert (held[0] == held[1]) == (devices == 4) and held[0] >= held[1]


def test_the_smallest_number_of_devices_of_a_reshard_has_a_step_of_its_own():
    at_four, at_eight = (_peak(_resharded(4), n) for n in (4, 8))
    bound = _bound_at(_resharded(4), 4)
    assert at_eight < at_four < bound
    for room in (ceil(at_four), ceil(at_four) - 1):
        found = MinDegree("a").answer(_resharded(4, capacity=f"{room} B"))
        value = 4 if room >= at_four else 8
        assert found.value == value and found.held(value) == _peak(_resharded(4), value)
        assert found.held(4) == at_four and found.one_words
        assert check(_resharded(4, capacity=f"{room} B"), f"n_fsdp={value}").right
