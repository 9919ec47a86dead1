"""Studies of runs on clusters: the peaks of their ranks, by plain arithmetic written for them alone."""

from __future__ import annotations

import json
from fractions import Fraction

import derived
import pytest

from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.questions.min_degree import MinDegree

CLUSTERS = (
    "cluster-deepseek-v3",
    "cluster-llama-3-405b",
    "cluster-llama-3.1-70b-64-h100",
    "cluster-mixtral-8x7b",
    "cluster-gpt-3-175b",
)
WORKSPACES = 107374182  # of Transformer Engine 2.11, as 12 stages on B200 have them


def values(name: str) -> dict[str, int]:
    found = {str(symbol): int(value) for symbol, value in load_study(name).values.items()}
    each = 128 * found["n_tp"]  # Megatron-LM pads the vocabulary to a multiple of 128 for each rank
    return found | {"V": -(-found["V"] // each) * each}


def peaks(name: str) -> dict[str, Fraction]:
    study = load_study(name)
    return {one.words: Fraction(one.memory.placed(study.placement).at(study.numbers)) for one in study.timeline}


def block(v: dict[str, int]) -> int:
    """Parameters of a Llama block on one rank: norms are whole."""
    d, t = v["d_model"], v["n_tp"]
    q, k = v["n_heads"] * v["d_head"], v["n_kv"] * v["d_head"]
    return (2 * q * d + 2 * k * d + 3 * v["d_ff"] * d) // t + 2 * d


def kept(v: dict[str, int]) -> Fraction:
    """Bytes that a Llama block keeps of one micro-batch: 8 d, queries, keys, values, output, 6 f, and statistics."""
    d, q, k = v["d_model"], v["n_heads"] * v["d_head"], v["n_kv"] * v["d_head"]
    each = 8 * d + 2 * (q + 2 * k) + 2 * q + 6 * v["d_ff"] + 4 * v["n_heads"] + 8
    return Fraction(v["B"] * v["S"] * each, v["n_tp"])


def dummies(v: dict[str, int], *ends: int) -> Fraction:
    d, q, k = v["d_model"], v["n_heads"] * v["d_head"], v["n_kv"] * v["d_head"]
    shapes = {(q + 2 * k) * d, q * d, 2 * v["d_ff"] * d, v["d_ff"] * d, *ends}
    return Fraction(2 * sum(shapes), v["n_tp"])


def test_llama_70b_on_64_devices():
    name = "cluster-llama-3.1-70b-64-h100"
    v, found = values(name), peaks(name)
    d, t, tokens = v["d_model"], v["n_tp"], v["B"] * v["S"]
    blocks, vocabulary = v["L"] // v["n_pp"], v["V"] * d // t
    moving = 4 * tokens * d + Fraction(4 * tokens * v["d_ff"], t)
    first = (blocks * block(v) + vocabulary) * (6 + Fraction(12, v["n_fsdp"]))
    first += WORKSPACES + dummies(v) + v["n_pp"] * blocks * kept(v) + moving
    assert found["the backward pass of the MLP of the last block on the first stage"] == first
    last = (blocks * block(v) + vocabulary + d) * (6 + Fraction(12, v["n_fsdp"]))
    last += WORKSPACES + dummies(v, v["V"] * d) + blocks * kept(v)
    last += Fraction(tokens * (4 * d + 4 + 2 * v["V"]), t) + 4 * tokens * d
    last += Fraction(2 * tokens * d, t)  # the gradient that was sent back last
    assert found["the loss on the last stage"] == last


def test_llama_405b_with_the_published_degrees():
    name = "cluster-llama-3-405b"
    v, found = values(name), peaks(name)
    d, t, tokens = v["d_model"], v["n_tp"], v["B"] * v["S"]
    second = 8 * block(v) * (2 + Fraction(4 + 12, v["n_fsdp"]))
    second += WORKSPACES + dummies(v) + 15 * 8 * kept(v) + 4 * tokens * d + Fraction(4 * tokens * v["d_ff"], t)
    second += Fraction(2 * tokens * d, t)  # the gradient that was sent back last
    assert found["the backward pass of the MLP of the last block on stage 2 of 16"] == second
    assert max(found.values()) == second  # it has a block more than the first stage, which has one micro-batch more


@pytest.mark.parametrize("name", ["cluster-mixtral-8x7b", "cluster-deepseek-v3"])
def test_the_optimizer_state_of_experts_does_not_depend_on_their_degree(name):
    held = set()
    for degree in (4, 8):
        study = load_study(name).change(values={"n_ep": degree})
        step = [one for one in study.timeline if one.name == "step" and "first stage" in one.words]
        experts = step[0].memory.placed(study.placement).where(lambda term: term.experts and term.kind == "optimizer")
        held.add(experts.at(study.numbers))
    assert len(held) == 1 and held != {0}


def test_gpt_3_in_chunks_holds_korthikanti_s_factor_on_the_first_stage():
    """Section 4.2.3: L (1 + (p - 1)/(p v)) blocks of activations, of 34 s b h each with everything divided by t."""
    name = "cluster-gpt-3-175b"
    study, v = load_study(name), values(name)
    (first,) = (one for one in study.timeline if one.name == "backward" and "first stage" in one.words)
    kept = first.memory.where(lambda term: term.layer in ("attention", "MLP", "attention norm", "MLP norm"))
    factor = 1 + Fraction(v["n_pp"] - 1, v["n_pp"] * v["n_chunks"])
    each = 34 * v["d_model"] + 4 * v["n_heads"] + 16  # beside the paper's 34: statistics of softmax and norms
    assert kept.at(study.numbers) == v["L"] * factor * Fraction(each * v["B"] * v["S"], v["n_tp"])


@pytest.mark.parametrize(("schedule", "micro", "chunks"), [("1f1b", 8, 1), ("1f1b", 2, 1), ("interleaved", 8, 2)])
def test_megatron_s_own_report_comes_out(schedule, micro, chunks):
    """Megatron-LM d98e8a6, training/theoretical_memory_usage.py: s b h (18 + 4 f/h) for a layer, over t, times its factor for stages.

    The report leaves out the scores, which its selective recomputation computes again; its dropout of the embedding is ours.
    """
    h, f, a, seq, b, t, p, layers = 64, 160, 8, 32, 2, 4, 4, 8
    dropouts = {f"{what}_dropout": 0.1 for what in ("attention", "residual", "embedding")}
    model = {"kind": "transformer", "profile": "korthikanti", "norm": "layer", "gated": False, "activation": "gelu"}
    sizes = {"L": layers, "d_model": h, "d_ff": f, "n_heads": a, "n_kv": a, "d_head": h // a, "V": 512, "n_pos": seq}
    mesh = {"B": b, "S": seq, "n_tp": t, "n_pp": p, "n_micro": micro} | ({"n_chunks": chunks} if chunks > 1 else {})
    tables = {
        "title": "x",
        "model": model | dropouts | {"position": "learned"},
        "values": sizes | mesh,
        "recipe": {"preset": "megatron-18"},
        "plan": {"preset": "megatron-sp+pp", "schedule": schedule},
    }
    study = read_study(tables, "x", "x", None)
    (first,) = (one for one in study.timeline if one.name == "backward" and "first stage" in one.words)
    kept = first.memory.where(lambda term: term.layer in ("attention", "MLP", "attention norm", "MLP norm"))
    factor = 1 + Fraction(p - 1, p * chunks) if chunks > 1 else min(1, Fraction(micro, p))
    scores = 5 * a * seq * seq * b
    assert kept.at(study.numbers) == layers * factor * Fraction(seq * b * (18 * h + 4 * f) + scores, t)
    embedding = first.memory.where(lambda term: term.layer == "embedding").at(study.numbers)
    assert chunks > 1 or embedding == Fraction(seq * b * h * min(p, micro), t)


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_study_of_a_cluster_is_a_worked_solution_and_a_report(name):
    assert derived.homework(name).sections and derived.report(name).sections


def test_a_claim_about_a_cluster_is_judged(capsys):
    from symbolic_mem.cli.main import main

    assert main(["check", "cluster-deepseek-v3", "--question", "a", "--claim", "n_ep=16", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["right"] is True


STATES = {"weights": 2, "gradients": 4, "optimizer": 12}


@pytest.mark.parametrize("kinds", [("optimizer",), ("weights", "optimizer"), ("weights", "gradients", "optimizer")])
def test_some_kinds_alone_are_those_of_the_fullest_stage(kinds):
    """GPT-3 on 8 x 8 devices: the first stage has 12 of 96 blocks, each cut into 8, and the embedding with its positions."""
    d, inner, words, positions, tensor = 12288, 4 * 12288, 51200, 2048, 8
    matrices = (4 * d * d + 2 * d * inner) // tensor
    biases = 3 * d // tensor + d + inner // tensor + d
    first = 12 * (matrices + biases + 4 * d) + words * d // tensor + positions * d
    found = solved("cluster-gpt-3-175b", MinDegree("a", kinds=kinds))
    assert found["value"] == 1
    assert found["per_device_bytes"] == found["total_bytes"] == sum(STATES[kind] for kind in kinds) * first


def test_what_is_kept_beside_the_peak_is_that_of_one_rank():
    study = load_study("cluster-gpt-3-175b")
    record = Account(study).per_device_record
    found = solved("cluster-gpt-3-175b", study.question("b"))
    assert (found["total_bytes"], found["peak_bytes"]) == (record["total_bytes"], record["peak_bytes"])
    assert found["total_bytes"] < found["peak_bytes"]


def solved(name, question):
    study = load_study(name)
    study = study.under(study.question("b"))
    return question.answer(study).facts
