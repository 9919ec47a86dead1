"""A largest value is one that the study itself takes: its model, its plan and its loss have such a size."""

from __future__ import annotations

import pytest
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import L, lookup
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.largest import Largest
from symbolic_mem.render.text import plain_prose

SMALL = {"L": 2, "d_model": 256, "d_ff": 512, "n_heads": 8, "n_kv": 4, "d_head": 32, "V": 1000, "B": 1, "S": 64}
ROOM = {"capacity": "2 GiB"}
ASKED = [
    ("llama-3.1-8b", {"n_fsdp": 8}, {}, "n_kv"),
    ("llama-3.1-8b", {"n_fsdp": 8}, {}, "n_heads"),
    ("gpt2-xl", {"n_fsdp": 8, "B": 1}, {}, "d_model"),
    ("llama-3.1-8b", {"n_fsdp": 8, "n_cp": 2}, {"plan": "fsdp2-cp"}, "S"),
    ("llama-3.1-8b", {"n_fsdp": 8, "n_tp": 4}, {"plan": "megatron-sp"}, "S"),
    ("llama-3.1-8b", {"n_fsdp": 8, "n_tp": 4}, {"plan": "megatron-sp"}, "d_ff"),
]


def _study(name, values, named):
    study = load_study(name).change(values=values, **named)
    sizes = {**SMALL, **({"n_heads": 25, "d_model": 250} if name == "gpt2-xl" else {})}
    known = {size: value for size, value in sizes.items() if lookup(size) in study.values and size not in values}
    return study.change(values=known, **ROOM)


@pytest.mark.parametrize(("name", "values", "named", "symbol"), sampled(ASKED, every=2))
def test_the_study_takes_the_largest_size_and_its_peak_fits(name, values, named, symbol):
    study = _study(name, values, named)
    found = Largest("a", symbol=lookup(symbol)).answer(study)
    assert found.value is not None and found.upper.rules
    there = study.change(values={symbol: found.value})
    assert max(_peaks(there)) == found.held(found.value) <= found.capacity.counted
    if found.upper.ended:
        words = plain_prose(found.question.sentence(found))
        assert "no larger one is possible" in words and found.upper.last_rules[0].words in words
        return
    more = study.change(values={symbol: found.upper.above})
    assert max(_peaks(more)) > found.capacity.counted
    with pytest.raises(BadInput):
        study.change(values={symbol: found.value + 1})


def _peaks(study):
    return [one.memory.placed(study.placement).at(study.numbers) for one in study.timeline]


@pytest.mark.parametrize(
    "name", sampled(["cluster-gpt-3-175b", "cluster-llama-3.1-70b-64-h100", "cluster-mixtral-8x7b"], every=3)
)
def test_the_most_blocks_of_a_pipeline_are_those_of_equal_stages_whose_fullest_rank_fits(name):
    study = load_study(name)
    study = study.under(study.questions[0])
    found = Largest("a", symbol=L).answer(study)
    assert found.value >= study.values[L]
    assert max(_peaks(study.change(values={"L": found.value}))) == found.held(found.value) <= found.capacity.counted
    assert max(_peaks(study.change(values={"L": found.upper.above}))) > found.capacity.counted


def test_blocks_of_given_stages_are_not_solved_for():
    with pytest.raises(BadInput, match="the plan gives the blocks of each of its 16 stages"):
        study = load_study("cluster-llama-3-405b")
        Largest("a", symbol=L).answer(study.under(study.questions[0]))


@pytest.mark.parametrize(
    ("name", "given", "symbol", "least", "why"),
    [
        ("mixtral-8x7b", {"n_fsdp": 2}, "E", 2, "E must be at least 2 (k)"),
        ("deepseek-v3", {"n_fsdp": 2}, "L", 3, "L must be at least 3 (L_dense)"),
        ("llama-3.1-8b", {"n_fsdp": 1}, "n_heads", 8, "n_heads must be a multiple of 8 (n_kv divides n_heads)"),
    ],
)
def test_a_size_below_the_smallest_possible_is_no_answer(name, given, symbol, least, why):
    """The smallest size decides, not 1: that the study takes, and nothing below."""
    study = load_study(name).change(values=given)
    there = study.change(values={symbol: least})
    with pytest.raises(BadInput):
        study.change(values={symbol: least - 1})
    peak = max(_peaks(there))
    found = Largest("a", symbol=lookup(symbol)).answer(study.change(capacity=f"{peak // 1 - 1} B"))
    assert (found.value, found.feasible) == (None, False)
    said = plain_prose(found.question.sentence(found))
    assert f"even {symbol} = {least}, the smallest that is possible ({why})" in said
    assert list(found.question.steps(found))


def test_learned_positions_end_the_length_and_rotary_ones_turn_pairs():
    gpt = load_study("gpt2-xl").change(values={"n_fsdp": 8, "B": 1}, capacity="80 GiB")
    found = Largest("a", symbol=lookup("S")).answer(gpt)
    assert found.value == gpt.values[lookup("n_pos")] and found.upper.ended
    with pytest.raises(BadInput, match="S = 1025 is more than n_pos = 1024"):
        gpt.change(values={"S": 1025})
    with pytest.raises(BadInput, match="half of what rotary positions turn = d_head/2 is 127/2"):
        load_study("llama-3.1-8b").change(values={"d_head": 127})
