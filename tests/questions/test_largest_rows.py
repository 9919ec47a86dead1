"""The largest batch, length or depth where tensors are cut into whole rows, and where a step of one block is not that of two."""

import json
from fractions import Fraction

import pytest
from sampled import sampled

from symbolic_mem.cli.main import main

MESHES = [
    ("llama-3.1-8b", "fsdp2", {"n_fsdp": 7, "B": 1}),
    ("llama-3.1-8b", "hsdp", {"n_fsdp": 37, "n_replica": 2, "B": 1}),
    ("llama-3.1-8b", "fsdp2-cp", {"n_fsdp": 7, "n_cp": 2, "B": 1, "S": 1024}),
    ("llama-3.1-70b", "fsdp2+torch-tp", {"n_fsdp": 48, "n_tp": 2, "B": 1, "S": 512}),
    ("qwen3-30b-a3b", "fsdp2", {"n_fsdp": 24, "B": 1, "S": 512}),
    ("lora-llama-3.1-8b", "fsdp2", {"n_fsdp": 12, "B": 1, "S": 1024}),
]


def said(capsys, *arguments, status=0):
    assert main(list(arguments)) == status
    done = capsys.readouterr()
    return done.out or done.err


def options(plan, values):
    return ["--plan", plan, *(word for name, value in values.items() for word in ("--set", f"{name}={value}"))]


def peak(capsys, model, plan, values):
    account = ("account", model, *options(plan, values), "--padded-rows", "--json")
    return json.loads(said(capsys, *account))["per_device"]["peak_bytes"]


@pytest.mark.parametrize(
    ("unknown", "model", "plan", "values"), sampled([(one, *mesh) for mesh in MESHES for one in "BL"], 5)
)
def test_the_largest_fits_in_whole_rows_and_one_more_does_not(capsys, model, plan, values, unknown):
    solve = ("solve", model, "--for", unknown, *options(plan, values), "--json")
    even, found = (json.loads(said(capsys, *solve, *more)) for more in ((), ("--padded-rows",)))
    fits = peak(capsys, model, plan, {**values, unknown: found["value"]})
    assert found["per_device_bytes"] == fits <= found["capacity_bytes"] and found["value"] <= even["value"]
    more = peak(capsys, model, plan, {**values, unknown: found["value"] + 1})
    assert found["at_value_plus_one_bytes"] == more > found["capacity_bytes"]
    assert not any("row padding" in one["what"] for one in found["not_counted"])


@pytest.mark.parametrize(
    ("model", "values", "capacity"),
    sampled(
        [
            ("gpt2-xl", {"n_fsdp": 12, "B": 2, "S": 256}, "40 GiB"),
            ("llama-3.1-8b", {"n_fsdp": 7, "B": 2, "S": 1024}, "79 GiB"),
            ("llama-3.1-8b", {"n_fsdp": 64, "B": 1, "S": 1024}, "40 GiB"),
            ("llama-3.1-8b", {"n_fsdp": 5, "B": 1, "S": 2048}, "100 GiB"),
        ],
        4,
    ),
)
def test_the_largest_vocabulary_fits_in_whole_rows_and_one_word_more_does_not(capsys, model, values, capacity):
    """Of words that n_fsdp does not divide each device stores one row more than its share."""
    solve = ("solve", model, "--for", "V", *options("fsdp2", values), "--capacity", capacity, "--json")
    even, found = (json.loads(said(capsys, *solve, *more)) for more in ((), ("--padded-rows",)))
    assert 0 < found["value"] <= even["value"]
    assert found["per_device_bytes"] == peak(capsys, model, "fsdp2", {**values, "V": found["value"]})
    more = peak(capsys, model, "fsdp2", {**values, "V": found["value"] + 1})
    assert found["per_device_bytes"] <= found["capacity_bytes"] < found["at_value_plus_one_bytes"] == more


@pytest.mark.parametrize(("plan", "ranks"), [("fsdp2", {"n_fsdp": 7}), ("fsdp2-cp", {"n_fsdp": 7, "n_cp": 2})])
def test_padding_by_hand(capsys, plan, ranks):
    d, f, blocks, kv, vocabulary, n = 4096, 14336, 32, 1024, 128256, 7 * ranks.get("n_cp", 1)
    block = [(d, 1), (d, 1), (d, d), (kv, d), (kv, d), (d, d), (f, d), (f, d), (d, f)]
    lacking = [sum((-rows % n) * width for rows, width in each) for each in (block, [(d, 1)], [(vocabulary, d)] * 2)]
    kept = Fraction(16 * (blocks * lacking[0] + lacking[1] + lacking[2]), n)  # weights, gradients and moments
    gathered = 2 * sum(lacking)  # at the loss: the last block, and what lies outside the blocks
    account = ("account", "llama-3.1-8b", *options(plan, {**ranks, "B": 1, "S": 8192}), "--json")
    even = json.loads(said(capsys, *account))["per_device"]
    padded = json.loads(said(capsys, *account, "--padded-rows"))["per_device"]
    assert "loss" in even["instant"] and even["instant"] == padded["instant"]
    assert (
        abs(padded["peak_bytes"] - even["peak_bytes"] - kept - gathered) < 1
    )  # of a byte, to which each is rounded up


def test_rows_that_come_out_over_two_axes_take_nothing(capsys, tmp_path):
    path = tmp_path / "axes.toml"
    over = "".join(f'{kind} = {{ over = "n_fsdp*n_tp" }}\n' for kind in ("weights", "gradients", "optimizer"))
    path.write_text(
        'title = "Axes"\n[model]\nkind = "gated-ffn"\nresidual = true\n[values]\nd_model = 1024\nd_ff = 4096\nL = 6\n'
        f'B = 1\nS = 512\nn_fsdp = 8\nn_tp = 2\n[recipe]\npreset = "fsdp2"\n[placement]\n{over}'
    )
    even, padded = (
        json.loads(said(capsys, "account", str(path), "--json", *more))["per_device"]
        for more in ((), ("--padded-rows",))
    )
    assert even["peak_bytes"] == padded["peak_bytes"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--for", "d_model", "--set", "n_fsdp=7"), "a tensor has d_model rows"),
        (("--for", "S"), "it has no value; add --set n_fsdp=8"),
        (("--for", "S", "--plan", "dp", "--set", "n_fsdp=8"), "nothing is divided over it here"),
        (
            ("--for", "S", "--set", "n_fsdp=8", "--offload", "optimizer", "--host", "1 TiB", "--per-host", "8"),
            "leave host or padded_rows out",
        ),
    ],
)
def test_what_has_no_bound_in_whole_rows_is_refused(capsys, given, words):
    line = said(capsys, "solve", "llama-3.1-8b", *given, "--padded-rows", status=2)
    assert words in line and line.count("\n") == 1


def test_a_document_says_that_rows_are_whole_and_leaves_no_padding_out(capsys, tmp_path):
    study = """title = "Rows"
[model]
kind = "gated-ffn"
residual = true
[values]
{values}
[recipe]
preset = "fsdp2"
[plan]
preset = "fsdp2"
[[question]]
label = "a"
ask = "largest"
for = "S"
capacity = "1 GiB"
"""
    values = "d_model = 1024\nd_ff = 4099\nL = 6\nB = 1\nS = 512\nn_fsdp = 7"
    path = tmp_path / "rows.toml"
    shown = []
    for rule in ("", "padded_rows = true\n"):
        path.write_text(study.format(values=values) + rule)
        shown.append(said(capsys, "homework", str(path)))
    assert ["each device stores ceiling(rows/n) of them" in one for one in shown] == [False, True]
    assert ["row padding of what" in one for one in shown] == [True, False]


@pytest.mark.parametrize(("unknown", "verb"), [("S", "solve"), ("V", "solve"), ("d_model", "account")])
def test_a_caution_about_rows_names_the_verb_that_counts_them(capsys, unknown, verb):
    call = ("solve", "qwen3-30b-a3b", "--for", unknown, "--set", "n_fsdp=39", "--set", "B=2", "--json")
    cautions = json.loads(said(capsys, *call))["cautions"]
    (rows,) = (one for one in cautions if one.startswith("Whole rows of tensors"))
    assert rows.endswith(f"{verb} --padded-rows counts them.")


@pytest.mark.parametrize("capacity", [12, 28, 31, 36])
def test_where_two_blocks_hold_more_than_one_the_largest_depth_is_that_of_its_own_step(capsys, capacity):
    values = {"n_fsdp": 4096, "B": 1, "S": 512}
    solve = (
        "solve",
        "llama-3.1-405b",
        "--for",
        "L",
        *options("fsdp2", values),
        "--capacity",
        f"{capacity} GiB",
        "--json",
    )
    value = json.loads(said(capsys, *solve))["value"]
    for blocks, fits in ((value, True), ((value or 0) + 1, False)):
        if blocks is not None:
            one = ("account", "llama-3.1-405b", *options("fsdp2", {**values, "L": blocks}), "--json")
            held = json.loads(said(capsys, *one))["per_device"]["peak_bytes"]
            assert (held <= capacity * 2**30) is fits


@pytest.mark.parametrize(
    ("plan", "rule"), sampled([(plan, rule) for plan in ("zero-2", "fsdp2") for rule in ("every=3", "groups=4")], 4)
)
def test_a_largest_depth_under_turns_of_recomputation_has_the_bytes_of_its_account(capsys, rule, plan):
    """A third of L - 1 blocks, rounded up, is a third of L where that is whole: the answer has the bytes of the account there."""
    asked = ("llama-3.1-8b", "--plan", plan, "--recipe", "pure-bf16", "--recompute", rule, "--set", "n_fsdp=16")
    asked += ("--set", "B=1", "--set", "S=1024", "--device", "h100-80gb", "--loss", "fp32", "--gradients", "freed")
    found = json.loads(said(capsys, "solve", *asked, "--for", "L", "--json"))
    account = json.loads(said(capsys, "account", *asked, "--set", f"L={found['value']}", "--json"))
    assert account["per_device"]["peak_bytes"] == found["per_device_bytes"] <= found["capacity_bytes"]
    more = json.loads(said(capsys, "account", *asked, "--set", f"L={found['value'] + int(rule[-1])}", "--json"))
    assert more["per_device"]["peak_bytes"] > found["capacity_bytes"]


@pytest.mark.parametrize(
    ("rule", "devices", "capacity"),
    sampled([("every=2", 8, "47 GiB"), ("every=3", 8, "80 GB"), ("every=3+last", 1, "139 GiB"), ("half", 8, "30 GB"), ("groups=4", 1, "30 GB")], 5),
)  # fmt: skip
def test_the_largest_depth_under_turns_of_recomputation_is_that_of_all_remainders(capsys, rule, devices, capacity):
    """Every depth up to two turns beyond the answer is asked of the account: none of them fits."""
    asked = ("llama-3.1-8b", "--recompute", rule, "--set", f"n_fsdp={devices}", "--set", "B=1", "--set", "S=2048")
    asked += ("--capacity", capacity, "--json")
    found = json.loads(said(capsys, "solve", *asked, "--for", "L"))
    held = [
        json.loads(said(capsys, "account", *asked, "--set", f"L={blocks}"))["per_device"]["peak_bytes"]
        for blocks in range(found["value"], found["value"] + 9)
    ]
    assert held[0] == found["per_device_bytes"] <= found["capacity_bytes"] < min(held[1:])
    assert held[1] == found["at_value_plus_one_bytes"]


def test_the_largest_depth_of_equal_stages_counts_the_remainders_of_each_stage(capsys):
    """With a block more on each of 4 stages every second block of a stage is another one: of 88, 92 and 96 blocks 92 fit."""
    asked = ("llama-3.1-8b", "--recompute", "every=2", "--plan", "zero-1+megatron-tp+pp", "--json")
    for value in ("n_pp=4", "n_tp=1", "n_fsdp=8", "n_micro=8", "B=1", "S=4096"):
        asked += ("--set", value)
    found = json.loads(said(capsys, "solve", *asked, "--for", "L"))
    held = {
        blocks: json.loads(said(capsys, "account", *asked, "--set", f"L={blocks}"))["per_device"]["peak_bytes"]
        for blocks in (88, 92, 96, 100)
    }
    assert [blocks for blocks, size in held.items() if size <= found["capacity_bytes"]] == [88, 92]
    assert (found["value"], found["per_device_bytes"]) == (92, held[92])


def test_the_instants_of_an_answer_of_one_block_are_those_of_one_block(capsys):
    """That two do not fit is found in a step of two; what one holds, and what takes over there, is that of the account."""
    found = json.loads(said(capsys, "solve", "lora-llama-3.1-8b", "--for", "L", "--capacity", "8.7 GiB", "--json"))
    account = json.loads(said(capsys, "account", "lora-llama-3.1-8b", "--set", "L=1", "--json"))["per_device"]
    assert found["value"] == 1
    assert [found[what] for what in ("instants", "takeovers")] == [account[what] for what in ("instants", "takeovers")]
    assert "the backward pass of the only block" in found["instants"][2]["instant"]
