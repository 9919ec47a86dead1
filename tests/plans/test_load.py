"""The load of routed experts: what the fullest rank holds and sends, and at which load it stops to fit."""

from __future__ import annotations

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import f_load, n_ep
from symbolic_mem.claims.check import check
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.questions.largest import Largest
from symbolic_mem.questions.parts.assumptions import assumptions, divided_model
from symbolic_mem.questions.parts.sends import volumes

SIZES = {"L": 8, "d_model": 512, "n_heads": 16, "n_kv": 8, "d_head": 32, "V": 32768, "B": 2, "S": 1024}
MESH = {"n_tp": 2, "n_pp": 2, "n_ep": 4, "n_fsdp": 4, "n_micro": 8}
EXPERTS = {"E": 8, "k": 2, "d_expert": 256}


def study(**values: int):
    return read_study(
        {
            "title": "x",
            "model": {"kind": "transformer", "profile": "te-cuda-bf16", "experts": True, "loss": "vocab-parallel-te"},
            "values": SIZES | MESH | EXPERTS | values,
            "recipe": {"preset": "megatron-18"},
            "plan": {"preset": "megatron"},
        },
        "x",
        "x",
        None,
    )


def held(one) -> dict[str, int]:
    return {step.words: step.memory.placed(one.placement).at(one.numbers) for step in one.timeline}


def test_a_load_of_100_percent_is_a_balanced_one():
    assert held(study(f_load=100)) == held(study())
    assert volumes(study(f_load=100)).axes[n_ep][1] == volumes(study()).axes[n_ep][1]


def test_each_row_more_is_kept_by_the_experts_alone():
    """Of each routed row: its input and, of the inner width, gate, up and the product of both, in BF16."""
    rows = SIZES["B"] * SIZES["S"] * EXPERTS["k"] // MESH["n_tp"]
    row = 2 * SIZES["d_model"] + (4 + 2) * EXPERTS["d_expert"]
    blocks, flight, at_work = SIZES["L"] // MESH["n_pp"], MESH["n_pp"], 4 * EXPERTS["d_expert"]
    balanced, full = held(study()), held(study(f_load=250))
    where = "the backward pass of the MLP of the last block on the first stage"
    assert (full[where] - balanced[where]) == 3 * rows * (blocks * flight * row + at_work) // 2
    assert full["the optimizer step on the first stage"] == balanced["the optimizer step on the first stage"]


def test_the_fullest_rank_is_sent_more_and_sends_more_back():
    """There and back, forward and backward: two of the four ways carry what arrives at the experts."""
    assert volumes(study(f_load=300)).axes[n_ep][1] == 2 * volumes(study()).axes[n_ep][1]


def test_the_largest_load_is_the_last_percent_at_which_the_peak_fits():
    room = f"{-(-max(held(study(f_load=237)).values()) // 1)} B"
    found = Largest("a", symbol=f_load).answer(study().change(capacity=room))
    assert found.value == 237
    assert Largest("a", symbol=f_load).answer(study(f_load=200).change(capacity=room)).value == 237


def test_no_larger_load_is_answered_than_all_rows_that_there_are():
    ample = Largest("a", symbol=f_load).answer(study().change(capacity="80 GiB"))
    assert ample.value == 400 and ample.facts["at_value_plus_one_bytes"] is None
    assert ample.facts["per_device_bytes"] == max(held(study(f_load=400)).values())
    assert "no larger one is possible, because f_load must be at most 400 (all rows of the 4 ranks" in _plain(
        ample.question.sentence(ample)
    )
    assert check(study().change(capacity="80 GiB"), "f_load=400").right
    wrong = check(study().change(capacity="80 GiB"), "f_load=401")
    assert not wrong.right and wrong.expected == 400


def _plain(prose) -> str:
    from symbolic_mem.render.text import plain_prose

    return plain_prose(prose)


@pytest.mark.parametrize(("ranks", "most", "more"), [(2, 200, ", or n_ep of at least 3"), (4, 400, ""), (8, 400, "")])
def test_no_rank_gets_more_than_all_rows_that_there_are(ranks, most, more):
    """All tokens of the ranks that share the experts, and of their choices no more than the rank has experts for."""
    given = {"n_ep": ranks, "n_fsdp": 8}
    one = study(**given, f_load=most)
    one.plan.check(one.values, one.built)
    with pytest.raises(BadInput, match=f"f_load = {most + 1} percent .* {most}; give at most that{more}$"):
        read = study(**given, f_load=most + 1)
        read.plan.check(read.values, read.built)


def test_a_load_that_nothing_reads_is_named():
    said = [_plain(line) for line in assumptions(load_study("llama-3.1-8b").change(values={"f_load": 150}))]
    assert "f_load = 150 changes nothing here: there are no routed experts that a plan divides over n_ep." in said
    said = [_plain(line) for line in assumptions(study(f_load=150, n_ep=1))]
    assert sum("f_load = 150 changes nothing here" in line for line in said) == 1
    said = [_plain(line) for line in divided_model(study())]
    assert any("taken to be balanced" in line for line in said)
