"""Claims of what no question of a study asks: they are held against what `solve` answers, under the plan of the study."""

from __future__ import annotations

import json
from math import prod

import pytest
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.cli.main import main
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

INVERSE = [
    ("llama-3.1-8b", {"n_fsdp": 8}, "B"),
    ("llama-3.1-8b", {"n_fsdp": 8}, "S"),
    ("gpt2-xl", {"n_fsdp": 8}, "L"),
    ("cs336-a2-xxl", {"n_fsdp": 64}, "d_model"),
    ("headroom", {"n_fsdp": 8}, "V"),
    ("lora-llama-3.1-8b", {}, "L"),
    ("cluster-gpt-3-175b", {}, "n_pp"),
    ("headroom", {}, "n_fsdp"),
    ("cluster-llama-3.1-70b-64-h100", {}, "n_tp"),
]
CLUSTERS = ["cluster-gpt-3-175b", "cluster-llama-3-405b", "cluster-llama-3.1-70b-64-h100"]


def solved(capsys, name, values, symbol):
    given = [part for each, value in values.items() for part in ("--set", f"{each}={value}")]
    assert main(["solve", name, "--for", symbol, *given, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["value"]


@pytest.mark.parametrize(("name", "values", "symbol"), sampled(INVERSE, every=3))
def test_a_size_is_held_against_what_solve_finds(name, values, symbol, capsys):
    study, found = load_study(name).change(values=values), solved(capsys, name, values, symbol)
    right = check(study, f"{symbol}={found}")
    assert right.right and right.question is None and (right.name, right.expected) == (symbol, found)


def test_a_wrong_size_is_told_the_one_that_solve_finds(capsys):
    study = load_study("cs336-a2-xxl").change(values={"n_fsdp": 64})
    wrong = check(study, "L=300")
    assert not wrong.right and wrong.expected == solved(capsys, "cs336-a2-xxl", {"n_fsdp": 64}, "L")


@pytest.mark.parametrize("name", CLUSTERS)
def test_devices_are_those_of_the_whole_plan(name, capsys):
    study, degree = load_study(name), solved(capsys, name, {}, "n_fsdp")
    axes = [int(study.values[axis]) for axis in study.plan.axes if str(axis) != "n_ep"]
    devices = degree * prod(axes)
    for claim in (f"devices={devices}", f"{devices} devices", f"N={devices}", f"n_fsdp={degree}"):
        assert check(study, claim).right


def test_a_wrong_number_of_devices_is_told_the_devices_and_not_the_degree():
    wrong = check(load_study("cluster-gpt-3-175b"), "46 devices")
    assert not wrong.right and (wrong.name, wrong.expected) == ("devices", 64)


def test_experts_are_divided_over_devices_that_other_degrees_count():
    study = load_study("cluster-mixtral-8x7b")
    assert "devices" not in study.question("a").claimable
    assert check(study, "devices=64").expected % (2 * 4) == 0  # tensor and pipeline parallelism


def test_a_claim_says_as_what_it_was_read(capsys):
    main(["check", "llama-3.1-8b", "--set", "n_fsdp=8", "--claim", "B=2"])
    assert "No question asks for B: it is read as the largest batch size" in capsys.readouterr().out


def test_what_one_host_holds_can_be_claimed(tmp_path):
    path = tmp_path / "hosts.toml"
    path.write_text(HOSTS)
    study = load_study(str(path))
    found = study.question("a").answer(study.under(study.question("a")))
    held = found.facts["host"]["bytes"]
    assert check(study, f"host={held} bytes").right and not check(study, f"host={2 * held} bytes").right


HOSTS = """
title = "States on hosts"
source = "a test"
[model]
kind = "ffn"
[values]
d_model = 4096
d_ff = 16384
L = 8
B = 1
S = 1024
[recipe]
preset = "cs336"
offload = ["optimizer"]
[plan]
preset = "zero-3"
[[question]]
label = "a"
ask = "min_degree"
capacity = "16 GiB"
host = "24 GiB"
per_host = 4
"""


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("M_optimizer=31.5 GiB", "That is what is kept on the first stage."),
        ("M_static=47.3 GiB", "That is what is kept on the first stage."),
        ("M_optimizer=244 GiB", "of what one rank has of the model, in all stages of the pipeline together."),
        ("M_static=366 GiB", "of what one rank has of the model, in all stages of the pipeline together."),
    ],
)
def test_an_amount_under_a_pipeline_is_that_of_a_stage_or_of_all_together(claim, said):
    """12 bytes for each of the 2,822,731,776 parameters of the first stage, or of all 21,855,215,616; 18 of both for the states."""
    found = check(load_study("cluster-gpt-3-175b"), claim)
    assert found.right and said in plain_prose(verdict_words(found))
    assert not check(load_study("cluster-gpt-3-175b"), claim.replace("GiB", "TiB")).right


@pytest.mark.parametrize(
    ("name", "change", "claim"),
    [
        ("llama-3.1-8b", {}, "131072 bytes per token"),  # two of 8 heads of 128 in 32 layers, 2 bytes each
        ("llama-3.1-8b", {"page": "16"}, "128 KiB"),
        ("llama-3.1-8b", {"cache": "q4_0"}, "36 KiB"),  # blocks of 18 bytes for 32 elements
        ("llama-3.1-8b", {"cache": "fp8"}, "64 KiB"),
        ("deepseek-v3", {}, "70272 bytes per token"),  # 61 layers of 512 + 64
    ],
)
def test_what_a_token_leaves_in_the_caches_is_claimed(name, change, claim):
    study = load_study(name).change(recipe="inference", **change)
    assert check(study, f"kv_cache_per_token={claim}").right
    assert not check(study, "kv_cache_per_token=139 kB").right


def test_what_the_host_holds_for_a_device_is_claimed():
    """Eight bytes of moments of each of 8,030,261,248 parameters, over 8 devices; 14 of ZeRO-Offload's on one."""
    study = load_study("llama-3.1-8b").change(offload="optimizer", values={"n_fsdp": 8})
    assert check(study, "host=8030261248 B").right and not check(study, "host=60 GiB").right
    alone = load_study("llama-3.1-8b").change(recipe="zero-offload", plan="one-device")
    assert check(alone, f"host={14 * 8_030_261_248} B").right
    with pytest.raises(BadInput, match="nothing is offloaded"):
        check(load_study("llama-3.1-8b"), "host=1 GiB")


def test_training_has_no_cache_to_claim():
    with pytest.raises(BadInput, match="keeps no cache of keys and values"):
        check(load_study("scaling-book-inference"), "M_cache=160e3 B")
    with pytest.raises(BadInput, match="keeps no cache of keys and values"):
        check(load_study("llama-3.1-8b"), "kv_cache_per_token=128 KiB")
    assert check(load_study("scaling-book-inference"), "M_token=163840 B").right
