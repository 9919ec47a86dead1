"""What would help where no number of devices is enough: each remedy is what `solve` says with its option."""

from __future__ import annotations

import json
import shlex

import pytest

import symbolic_mem as sm
from symbolic_mem.questions.parts.one_device import Solved
from symbolic_mem.questions.parts.remedies import remedies

CASES = [
    ("llama-3.1-8b", ["--plan", "fsdp2", "--set", "B=8"]),
    ("llama-3.1-8b", ["--plan", "zero-1", "--set", "B=1"]),
    ("gpt2-xl", []),
    ("deepseek-v3", ["--capacity", "80 GB"]),
]


@pytest.mark.parametrize(("name", "given"), CASES, ids=lambda one: " ".join(one) if isinstance(one, list) else one)
def test_a_remedy_is_what_solve_says_with_its_option(run, name, given):
    found = json.loads(run("solve", name, *given, "--json").out)
    told = found["remedies"]
    assert not found["feasible"] and told
    assert [one["less_bytes"] for one in told] == sorted((one["less_bytes"] for one in told), reverse=True)
    fixed = {one["fixed_bytes"] + one["less_bytes"] for one in told}
    assert len(fixed) == 1, "all are held against the same bytes"
    for one in told:
        option = shlex.split(one["option"])
        kept = [word for pair in zip(given[::2], given[1::2], strict=True) if pair[0] != option[0] for word in pair]
        after = json.loads(run("solve", name, *kept, *option, "--json").out)
        assert after["feasible"] is one["enough"]


def test_its_bytes_are_those_of_the_changed_study(run):
    study = sm.load_study("llama-3.1-8b").change(plan="fsdp2", values={"B": 8})
    found = sm.answer(study, "b")
    for one, changed in zip(
        found.remedies, ({"values": {"B": 1}}, {"recompute": "full"}, {"loss": "fused"}), strict=True
    ):
        other = sm.answer(study.change(**changed), "b")
        assert one.fixed == max(degree.ideal.fixed for degree in other.degrees)
        assert one.less == found.degree.ideal.fixed - one.fixed > 0
    lines = run("solve", "llama-3.1-8b", "--plan", "fsdp2", "--set", "B=8").out.splitlines()
    assert sum(line.startswith("would help") for line in lines) == 3
    assert (
        remedies(study, lambda changed: Solved((), found.degrees), found.degree.ideal.fixed) == ()
    )  # nothing that changes nothing


def test_a_feasible_answer_has_none(run):
    assert "remedies" not in json.loads(run("solve", "llama-3.1-8b", "--json").out)


def test_the_bytes_of_a_remedy_are_of_several_devices_where_one_is_then_enough(run):
    """One device gathers no block ahead; of two blocks a step on several has a second one: 12 d_model^2 + 13 d_model values of 2 bytes."""
    given = ["--plan", "hsdp", "--set", "n_replica=2", "--loss", "bf16", "--gradients", "freed", "--optimizer", "muon"]
    found = json.loads(run("solve", "gpt2-xl", *given, "--set", "B=8", "--set", "S=1024", "--json").out)
    (one,) = (one for one in found["remedies"] if one["option"] == "--set B=1 --gradients kept")
    assert one["enough"] and one["fixed_bytes"] == 11_334_641_024 + 2 * (12 * 1600**2 + 13 * 1600)


@pytest.mark.parametrize(
    ("gradients", "option", "words"),
    [
        ("kept", "--set B=1", "one sequence at a time, the gradients added up"),
        ("freed", "--set B=1 --gradients kept", "one sequence at a time, the gradients kept and added up"),
        ("one-by-one", "--set B=1", "one sequence in a step"),
    ],
)
def test_gradients_are_added_up_only_where_they_are_kept(run, gradients, option, words):
    given = ["solve", "llama-3.1-8b", "--plan", "zero-1", "--recipe", "pure-bf16", "--capacity", "24 GiB"]
    told = json.loads(run(*given, "--set", "B=8", "--gradients", gradients, "--json").out)["remedies"]
    (one,) = (each for each in told if "B=1" in each["option"])
    assert (one["option"], one["what"]) == (option, words)
    after = {"values": {"B": 1}, "gradients": "one-by-one" if gradients == "one-by-one" else "kept"}
    study = sm.load_study("llama-3.1-8b").change(plan="zero-1", recipe="pure-bf16", capacity="24 GiB", **after)
    assert one["fixed_bytes"] == sm.answer(study, "b").degree.ideal.fixed
