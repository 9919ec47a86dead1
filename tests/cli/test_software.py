"""What no tensor is, counted beside the peak: against arithmetic by hand, and the ranges against what was measured."""

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from sampled import sampled

from symbolic_mem.hardware.software import read_software

GIB = 2**30


def test_one_device_holds_the_factor_of_tensors_and_workspaces_and_the_context():
    made = read_software("allocator=1.1,workspaces=64MiB,context=1GiB")
    assert made.bytes(10 * GIB) == (Fraction(11, 10) * (10 * GIB + 2**26) + GIB,) * 2


def test_the_range_of_the_allocator_holds_what_was_published():
    """Of the ranks of B200 whose allocated and reserved memory is among the cases of this project."""
    text = (Path(__file__).parents[1] / "data" / "parallel.json").read_text(encoding="utf-8")
    found = dict(re.findall(r'"id": "(b200-[^"]*)".*"value": (\d+)', text))
    pairs = [(int(found[f"{name}-reserved"]), int(found[f"{name}-allocated"])) for name in ranks(found)]
    (one,) = read_software("allocator").overheads
    assert len(pairs) >= 10 and all(one.low <= Fraction(*pair) <= one.high for pair in pairs)


def ranks(found):
    return {name.removesuffix("-reserved") for name in found if name.endswith("-reserved")}


@pytest.mark.parametrize("study", ["llama-3.1-8b", "llama-3.1-70b"])
def test_the_answers_at_both_ends_fit_and_one_less_does_not(run, study):
    given = "context,workspaces,allocator"
    found = json.loads(run("solve", study, "--question", "b", "--software", given, "--json").out)
    low, high = found["software"]["values"]
    assert found["value"] <= low <= high
    for end, value in enumerate((low, high)):
        for degree, fits in ((value, True), (value - 1, False)):
            options = ("--set", f"n_fsdp={degree}", "--device", "h100-80gb", "--reading", "reported")
            held = json.loads(run("account", study, *options, "--software", given, "--json").out)
            assert held["software"]["fits"][end] is fits
            assert (held["software"]["bytes"][end] <= held["capacity_bytes"]) is fits


def test_a_question_that_names_it_says_the_same_in_every_face(run, tmp_path):
    path = tmp_path / "study.toml"
    named = 'reading = "reported"\nsoftware = ["context=1GiB", "allocator"]'
    path.write_text(run("show", "llama-3.1-8b").out.replace('reading = "reported"', named, 1), encoding="utf-8")
    option = ("llama-3.1-8b", "--question", "a", "--software", "context=1GiB,allocator", "--json")
    expected = json.loads(run("solve", *option).out)["software"]
    found = json.loads(run("solve", str(path), "--question", "a", "--json").out)
    assert found["software"] == expected and expected["values"] == [3, 3]
    for document in ("homework", "report"):
        assert run(document, str(path)).out.count("then the answer is $3$.") == 1
    over = ("--question", "a", "--software", "context=1GiB,workspaces=64MiB", "--json")
    other = json.loads(run("solve", str(path), *over).out)
    assert [one["name"] for one in other["software"]["counted"]] == ["context", "workspaces"]
    assert any("software" in one for one in other["beside"])


def test_what_is_free_on_a_device_is_said_without_it(refused):
    assert "no option where the question asks for headroom" in refused("solve", "headroom", "--software", "all")


def test_what_is_not_named_is_left_out(run):
    held = json.loads(run("account", "llama-3.1-8b", "--set", "n_fsdp=8", "--software", "context=1GiB", "--json").out)
    assert held["software"]["bytes"] == [held["per_device"]["peak_bytes"] + GIB] * 2
    assert [one["name"] for one in held["software"]["counted"]] == ["context"]


def test_the_engine_of_a_plan_has_workspaces_of_its_own(run, refused):
    said = refused("account", "cluster-llama-3-405b", "--software", "workspaces")
    assert "count already" in said
    held = json.loads(run("account", "cluster-gpt-3-175b", "--software", "all", "--json").out)
    assert "workspaces" not in [one["name"] for one in held["software"]["counted"]]


def test_a_context_is_that_of_the_device_where_it_is_known(run):
    options = ("--set", "n_fsdp=8", "--device", "h100-80gb", "--reading", "reported", "--software", "context", "--json")
    (context,) = json.loads(run("account", "llama-3.1-8b", *options).out)["software"]["counted"]
    assert context["low"] == context["high"] == 85_520_809_984 - 84_465_090_560


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("all,context", "all is every one of them"),
        ("nccl", "unknown 'nccl'"),
        ("context,context", "given twice"),
        ("allocator=0.9", "at least 1"),
        ("context=5", "has no unit"),
        ("workspaces=many", "not an amount"),
    ],
)
def test_what_is_none_is_refused_in_one_line(refused, given, words):
    assert words in refused("account", "llama-3.1-8b", "--set", "n_fsdp=8", "--software", given)


def test_a_peak_without_a_value_is_refused_before_anything_is_shown(refused):
    assert "n_fsdp has no value" in refused("account", "llama-3.1-8b", "--software", "all")


ALL_OF_IT = "temporary buffers, the runtime and memory fragmentation"


@pytest.mark.parametrize(
    ("given", "left"),
    sampled(
        [
            ("all", []),
            ("context,workspaces,allocator=1.05", []),
            ("context", ["temporary buffers and memory fragmentation"]),
            ("context=1GiB,allocator", ["temporary buffers"]),
            ("workspaces,allocator", ["the runtime"]),
        ],
        3,
    ),
)
def test_what_counts_is_not_listed_as_not_counted(run, given, left):
    account = ("account", "llama-3.1-8b", "--set", "n_fsdp=8")
    asked = [
        account,
        *(("solve", "llama-3.1-8b", "--question", one) for one in "ab"),
        ("solve", "llama-3.1-8b", "--for", "B", "--set", "n_fsdp=8"),
    ]
    for words in asked:
        without = [one["what"] for one in json.loads(run(*words, "--json").out)["not_counted"]]
        assert without[-1] == ALL_OF_IT
        listed = [one["what"] for one in json.loads(run(*words, "--software", given, "--json").out)["not_counted"]]
        assert listed == [*without[:-1], *left]
        lines = [line for line in run(*words, "--software", given).out.splitlines() if line.startswith("not counted")]
        assert [
            any(one in line for line in lines) for one in ("temporary buffers", "the runtime", "memory fragmentation")
        ] == [
            any(one in words for words in left) for one in ("temporary buffers", "the runtime", "memory fragmentation")
        ]


def test_a_document_leaves_out_what_all_its_questions_of_memory_count(run, tmp_path):
    path, text = tmp_path / "study.toml", run("show", "llama-3.1-8b").out
    for times, said in ((1, True), (-1, False)):
        path.write_text(
            text.replace('reading = "reported"', 'reading = "reported"\nsoftware = "all"', times), encoding="utf-8"
        )
        for document in ("homework", "report"):
            assert ("memory fragmentation" in " ".join(run(document, str(path)).out.split())) is said


def test_the_workspaces_of_an_engine_are_not_listed_as_not_counted(run):
    """Each instant has them; they were named with a range that is not theirs."""
    (said,) = [
        one for one in json.loads(run("account", "cluster-gpt-3-175b", "--json").out)["not_counted"] if "range" in one
    ]
    (context,) = read_software("context").overheads
    assert said["what"] == "the runtime and memory fragmentation"
    assert said["range"]["bytes"] == [context.low, context.high]
