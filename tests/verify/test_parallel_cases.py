"""Measured cases of tensor, sequence, pipeline, context and expert parallelism, and peaks of real runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbolic_mem.library.read import read_study
from symbolic_mem.verify.cases import Case, read_cases
from symbolic_mem.verify.families import compare_case
from symbolic_mem.verify.titan_cases import RESERVED

DATA = Path(__file__).parent.parent / "data"
CASES = read_cases(DATA / "parallel.json")
EXACT = [
    one for one in CASES if not one.id.startswith(("b200", "torch-pipe-run", "mcore-ci", "vocabpar", "titan", "tune"))
]
PEAKS = [one for one in CASES if one.id.startswith("b200") and one.id.endswith("allocated")]


@pytest.mark.parametrize("one", EXACT, ids=lambda one: one.id)
def test_what_an_engine_was_asked_for_comes_out_exactly(one):
    assert compare_case(one).miss == 0


@pytest.mark.parametrize("one", PEAKS, ids=lambda one: one.id)
def test_peaks_of_stages_on_b200(one):
    """Dense stages within 0.5 %, the worst rank of runs with experts within 1.5 %."""
    found = compare_case(one)
    dense = "deepseek" not in one.id
    worst = dense or "stage0" not in one.id or "pp1" in one.id
    assert abs(found.miss) <= one.theirs * (0.005 if dense else 0.015 if worst else 0.025)


VOCABULARY = [one for one in CASES if one.id.startswith("vocabpar-t5")]


@pytest.mark.parametrize("one", VOCABULARY, ids=lambda one: one.id)
def test_printed_peaks_of_pipelines_with_and_without_a_divided_vocabulary(one):
    """Nothing is fitted to them: bytes of a parameter and the loss are those of the recipe, the printed unit is GiB."""
    found = compare_case(one)
    assert found.miss is not None and abs(float(found.miss)) <= 0.03 * one.theirs


def test_printed_peaks_of_v_half():
    """Nothing is fitted but the loss, one of two that Megatron-LM was seen to have: 13 peaks within 3.5 %, most of them within 1.5 %."""
    found = [compare_case(one) for one in CASES if one.id.startswith("vocabpar-t6")]
    shares = [abs(float(one.miss)) / one.case.theirs for one in found if one.miss is not None]
    assert len(shares) == 13 and max(shares) <= 0.035 and sum(share <= 0.015 for share in shares) >= 10
    assert all("divided vocabulary" in one.reason for one in found if one.ours is None)


def test_tables_of_torchtune_are_near_and_what_is_not_printed_is_said():
    """Within 6 percent, but for states in 8 bits and for 70B and 405B, whose rows do not fit their setting (docs/accuracy.md)."""
    found = {one.id: compare_case(one) for one in CASES if one.id.startswith("tune")}
    said = {name: one.ours / one.case.theirs for name, one in found.items() if one.ours is not None}
    assert len(said) == 10
    assert 0.89 < said.pop("tune-3b-8-bit") < 0.91
    assert 1.09 < said.pop("tune-llama-3-1-70blora8x-a100") < 1.1
    assert 1.26 < said.pop("tune-llama-3-1-405bqlora8x-a100") < 1.27
    assert all(0.94 <= ratio <= 1.06 for ratio in said.values())
    assert all("\n" not in one.reason for one in found.values() if one.ours is None)


def test_tables_of_torchtitan_are_what_is_reserved_for_the_peak():
    """Within 8 %, but for two rows that `docs/accuracy.md` names: what is allocated, the share that other runs reserve, what is received."""
    found = {one.id: compare_case(one) for one in CASES if one.id.startswith("titan")}
    said = {name: one.ours / one.case.theirs for name, one in found.items() if one.ours is not None}
    assert len(said) == 9
    beyond = {name for name, ratio in said.items() if not 0.92 <= ratio <= 1.08}
    assert beyond == {"titan-t5-1F1B", "titan-t6-cp8"}
    assert all(0.87 < said[name] < 0.92 for name in beyond)
    assert all(1.03 <= ratio <= 1.04 for name, ratio in said.items() if "t2" in name)
    assert all("\n" not in one.reason for one in found.values() if one.ours is None)


def test_the_share_that_an_allocator_reserves_is_the_mean_of_runs_that_state_both():
    """Of stages on B200: no table of torchtitan has a part in it."""
    rows = {one.id: one.theirs for one in CASES if one.id.startswith("b200")}
    shares = [rows[name] / rows[name.replace("reserved", "allocated")] for name in rows if name.endswith("-reserved")]
    assert len(shares) == 14 and sum(shares) / len(shares) == pytest.approx(RESERVED, abs=5e-4)


CI = [one for one in CASES if one.id.startswith("mcore-ci-gpt")]


def test_every_dense_run_of_megatron_s_continuous_integration_that_is_said():
    """H100: peaks within 2 %, 85 % of them within 1.5 %; A100: within 3.5 %, 90 % within 3 %; statics within 1.5 %."""
    shares: dict[str, list[float]] = {"h100": [], "a100": [], "static": []}
    for one in CI:
        found = compare_case(one)
        if found.miss is None:
            assert "no study says" in found.reason or "more than one node" in found.reason
            continue
        share = abs(float(found.miss / one.theirs))
        if one.id.endswith("static"):
            shares["static"].append(share)
        else:
            shares["h100" if "h100" in one.id else "a100"].append(share)
    assert len(shares["h100"]) >= 12 and max(shares["h100"]) <= 0.02
    assert sum(share <= 0.015 for share in shares["h100"]) >= 0.85 * len(shares["h100"])
    assert len(shares["a100"]) >= 20 and max(shares["a100"]) <= 0.035
    assert sum(share <= 0.03 for share in shares["a100"]) >= 0.9 * len(shares["a100"])
    assert len(shares["static"]) >= 40 and max(shares["static"]) <= 0.015


def test_a_case_of_a_cluster_is_said_by_a_study_that_a_user_can_write():
    found = compare_case(PEAKS[0])
    assert read_study({"title": "x", **found.said}, "x", "x", DATA).timeline


@pytest.mark.parametrize(
    ("id", "change", "reason"),
    [
        ("b200", {"recompute": "full"}, 'recompute = "full" is not known; known: "none"'),
        ("b200", {"tp": 3}, "over n_tp = 3"),
        ("b200", {"stage": 7}, "stage = 7 is none of"),
        ("mcore-params", {"vocab_multiple": 64}, "vocab_multiple is not 128"),
        ("torch-tp", {"kind": "rwkv"}, "kind = 'rwkv' is not known"),
        (
            "torch-pipe-order",
            {"micro_batches": 2, "p": 4, "schedule": "1F1B"},
            "2 micro-batches are fewer than 4 stages",
        ),
        ("torch-pipe-order", {"schedule": "ZBZ"}, 'schedule = "ZBZ" is not known'),
    ],
)
def test_what_cannot_be_said_is_reported_with_its_reason(id, change, reason):
    like = next(one for one in CASES if one.id.startswith(id))
    found = compare_case(Case(like.id, "", like.inputs | change, like.quantity, 1, DATA))
    assert found.ours is None and reason in found.reason and "\n" not in found.reason
