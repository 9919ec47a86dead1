"""The ranks of a cluster: what each stage of a pipeline has, and which of them holds most."""

from __future__ import annotations

import pytest

from symbolic_mem.accounts.cluster import cluster_timeline
from symbolic_mem.accounts.ranks import ranks
from symbolic_mem.accounts.stage import stages
from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import read_study

LLAMA = {"L": 8, "d_model": 64, "d_ff": 256, "n_heads": 8, "n_kv": 4, "d_head": 8, "V": 1024, "B": 1, "S": 32}
MODEL = {"kind": "transformer", "profile": "te-cuda-bf16"}


def study(plan: dict | None = None, model: dict | None = None, **values: int):
    tables = {
        "title": "x",
        "model": MODEL | (model or {}),
        "values": LLAMA | values,
        "recipe": {"preset": "megatron-18"},
        "plan": {"preset": "megatron"} | (plan or {}),
    }
    return read_study(tables, "x", "x", None)


def parameters(one) -> list[int]:
    return [int(one.numbers[rank.parameters(experts=False)]) for rank in ranks(one.plan, one.rank, one.numbers)]


def block(d: int = 64, f: int = 256, q: int = 64, kv: int = 32) -> int:
    return d * (q + 2 * kv) + q * d + 3 * d * f + 2 * d


def test_the_first_stage_has_the_embedding_and_the_last_the_norm_and_the_head():
    found = parameters(study(n_pp=4, n_micro=4))
    assert found == [2 * block() + 1024 * 64, 2 * block(), 2 * block(), 2 * block() + 64 + 1024 * 64]


def test_a_matrix_that_both_ends_share_is_held_by_both():
    tied = {"tied": True}
    assert parameters(study(model=tied, n_pp=4, n_micro=4)) == parameters(study(n_pp=4, n_micro=4))
    (alone,) = parameters(study(model=tied, n_pp=1))
    assert alone == 8 * block() + 1024 * 64 + 64


def test_stages_may_be_uneven():
    found = parameters(study({"layers": [1, 3, 3, 1]}, n_pp=4, n_micro=4))
    assert found == [block() + 1024 * 64, 3 * block(), 3 * block(), block() + 64 + 1024 * 64]


def test_chunks_lie_in_a_loop_or_in_a_v():
    loop, vee = stages(8, 2, 2), stages(8, 2, 2, "vee")
    assert [one.chunks for one in loop] == [((0, 2), (4, 6)), ((2, 4), (6, 8))]
    assert [one.chunks for one in vee] == [((0, 2), (6, 8)), ((2, 4), (4, 6))]
    assert vee[0].first and vee[0].last and not vee[1].last


def test_both_directions_of_dualpipe_are_two_stages_on_each_rank():
    found = parameters(study({"schedule": "dualpipe"}, n_pp=4, n_micro=8))
    assert sum(found) == 2 * (8 * block() + 2 * 1024 * 64 + 64)


def test_dense_and_expert_blocks_go_to_their_stages():
    model = {"experts": {"dense_layers": 3}}
    one = study(model=model, n_pp=4, n_micro=4, n_ep=2, n_fsdp=2, E=8, k=2, d_expert=32)
    experts = [int(one.numbers[rank.parameters(experts=True)]) for rank in ranks(one.plan, one.rank, one.numbers)]
    each = 4 * 3 * 64 * 32
    assert experts == [0, each, 2 * each, 2 * each]


def test_no_middle_stage_of_equal_stages_holds_more_than_the_first():
    """Of equal stages the first has as many blocks, more micro-batches in flight, and the embedding besides."""
    for schedule in ("gpipe", "1f1b", "zb-h1", "zb-h2"):
        one = study({"schedule": schedule}, n_pp=4, n_micro=8, n_fsdp=2)
        most = {}
        for instant in cluster_timeline(one.plan, one.rank, one.recipe, one.numbers, every=True):
            rank = instant.words.rpartition(" on ")[2]
            most[rank] = max(most.get(rank, 0), instant.memory.placed(one.placement).at(one.numbers))
        assert most["the first stage"] >= most["stage 2 of 4"] >= most["stage 3 of 4"]


def referred(one, phase: str) -> dict[str, dict[str, int]]:
    """The bytes of what each rank refers to of other stages, in one phase of a step, by name."""
    step = cluster_timeline(one.plan, one.rank, one.recipe, one.numbers, every=True)
    names = ("last inputs from other stages, and their gradients", "gradient of the micro-batch before")
    return {
        instant.rank: {term.name: int(one.numbers[term.bytes]) for term in instant.memory.terms if term.name in names}
        for instant in step
        if instant.phase == phase
    }


STREAM = 2 * 1 * 32 * 64  # bytes of the residual stream of one micro-batch


@pytest.mark.parametrize(("chunks", "sequence"), [(1, True), (1, False), (4, True)])
def test_after_a_step_each_chunk_refers_to_its_last_input_and_its_gradient(chunks, sequence):
    """All chunks but the one that has the embedding: what Megatron-LM's `set_input_tensor` was given last."""
    plan = {"preset": "megatron" if sequence else "megatron-no-sp"} | (
        {"schedule": "interleaved"} if chunks > 1 else {}
    )
    one = study(plan, n_pp=2, n_micro=4, n_tp=2, **({"n_chunks": chunks} if chunks > 1 else {}))
    found = referred(one, "step")
    fed = {"the first stage": chunks - 1, "the last stage": chunks}
    assert {rank: sum(held.values()) for rank, held in found.items()} == {
        rank: 2 * number * STREAM // (2 if sequence else 1) for rank, number in fed.items()
    }
    assert not any(referred(study(plan, n_pp=1, n_micro=4), "step").values())


@pytest.mark.parametrize(("schedule", "micro", "fed"), [("1f1b", 4, 1), ("1f1b", 2, 1), ("gpipe", 4, 0)])
def test_while_micro_batches_are_in_flight_the_gradient_that_was_sent_last_is_there(schedule, micro, fed):
    """On the last of two stages; under GPipe all are in flight before one is back. The first stage sends none."""
    found = referred(study({"schedule": schedule}, n_pp=2, n_micro=micro), "backward")
    assert sum(found["the last stage"].values()) == fed * STREAM
    assert not found["the first stage"]


@pytest.mark.parametrize(
    ("plan", "values", "said"),
    [
        ({}, {"n_pp": 3, "n_micro": 3}, "divides L = 8 (blocks) over n_pp = 3"),
        ({}, {"n_pp": 16, "n_micro": 16}, "over n_pp = 16"),
        ({"layers": [4, 5]}, {"n_pp": 2, "n_micro": 2}, "layers gives 2 stages with 9 blocks"),
        ({}, {"n_pp": 2}, "needs the micro-batches of a step"),
        ({"schedule": "dualpipe"}, {"n_pp": 4, "n_micro": 4}, "at least 2*n_pp = 8 micro-batches"),
        (
            {"schedule": "dualpipe"},
            {"n_pp": 4, "n_micro": 9},
            "an even number of micro-batches, and n_micro = 9",
        ),
        (
            {"schedule": "dualpipe", "layers": [3, 3, 2]},
            {"n_pp": 3, "n_micro": 8},
            "an even number of stages, and n_pp = 3",
        ),
    ],
)
def test_stages_that_an_engine_refuses_are_one_line(plan, values, said):
    with pytest.raises(BadInput) as refused:
        ranks((one := study(plan, **values)).plan, one.rank, one.numbers)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_of_stages_with_the_same_blocks_only_those_that_can_decide_are_asked():
    one = study(n_pp=8, n_micro=8)
    asked = ranks(one.plan, one.rank, one.numbers, every=False)
    assert [rank.stage.rank for rank in asked] == [0, 7]
    mixed = study(model={"experts": {"dense_layers": 3}}, n_pp=4, n_micro=4, E=8, k=2, d_expert=32)
    asked = ranks(mixed.plan, mixed.rank, mixed.numbers, every=False)
    assert [rank.stage.rank for rank in asked] == [0, 1, 2, 3]


@pytest.mark.parametrize("layers", [[2, 2, 2, 2], [1, 3, 3, 1], [1, 2, 3, 2]])
@pytest.mark.parametrize("schedule", ["1f1b", "gpipe", "zb-h2", "vocab-1"])
def test_the_ranks_that_are_left_out_hold_no_more_than_the_others(schedule, layers):
    one = study({"schedule": schedule, "layers": layers}, n_pp=4, n_micro=8, n_fsdp=2)
    peaks = [
        max(instant.memory.placed(one.placement).at(one.numbers) for instant in step)
        for step in (one.timeline, cluster_timeline(one.plan, one.rank, one.recipe, one.numbers, every=True))
    ]
    assert peaks[0] == peaks[1]


def test_the_account_names_the_worst_rank_and_what_it_keeps():
    one = study(n_pp=4, n_micro=8, n_fsdp=2, n_tp=2)
    device = Account(one).record["per_device"]
    assert device["rank"] == "the first stage" and device["degrees"]["n_pp"] == 4 and device["degrees"]["n_tp"] == 2
    fullest = next(one_at for one_at in one.timeline if one_at.words == device["instant"])
    held = fullest.memory.placed(one.placement)
    moving = (
        "workspaces of the engine",
        "dummy gradients",
        "gradients inside the MLP",
        "gathered input and its gradient",
    )
    assert device["total_bytes"] == held.where(lambda term: term.name not in moving).at(one.numbers)
    assert device["peak_bytes"] == held.at(one.numbers) > device["total_bytes"]


@pytest.mark.parametrize("micro", [4, 8, 20])
def test_chunks_have_in_flight_what_a_walk_over_the_warm_up_counts(micro):
    stages_of, chunks, group = 4, 2, 4
    one = study({"schedule": "interleaved"}, n_pp=stages_of, n_chunks=chunks, n_micro=micro)
    for rank in ranks(one.plan, one.rank, one.numbers):
        ahead = min((chunks - 1) * group + 2 * (stages_of - rank.stage.rank - 1) + 1, micro * chunks)
        walked = [step // group % chunks for step in range(ahead)]
        assert list(rank.held) == [walked.count(chunk) for chunk in range(chunks)]


def test_more_stages_than_anybody_has_are_refused_before_they_are_made():
    with pytest.raises(BadInput, match="are more than the 4096"):
        stages(10**9, 10**9)
