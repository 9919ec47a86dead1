"""`symbolic-mem comms` against the published answers to part (c) of CS336 assignment 2 (2025)."""

import json
from fractions import Fraction

import pytest

from symbolic_mem.cli.main import main

# Convention -> tokens in the whole batch, per chip: three public solutions and the Scaling Book before and after 2025-08.
PUBLISHED = {
    ("max", "given"): (20_444.44, 319.44),
    ("sum", "given"): (25_301.71, 395.34),
    ("max", "optimal"): (3_924.8, 61.33),
    ("sum", "optimal"): (15_699.2, 245.3),
}

MESH = """title = "A mesh to choose"
model = { kind = "ffn" }
values = { d_model = 16384, d_ff = 53248, L = 126, B = 128, S = 1024, M_X = 2, M_Y = 1 }
network = { flops = "460 TFLOP/s", bandwidth = "180 GB/s", direction = "both-ways" }
"""


@pytest.mark.parametrize(("overlap", "axes"), PUBLISHED)
def test_four_conventions_give_the_four_published_batches(capsys, overlap, axes):
    assert main(["comms", "cs336-a2-xxl", "--overlap", overlap, "--axes", axes, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    whole, each = PUBLISHED[overlap, axes]
    assert found["critical_batch_tokens"] == pytest.approx(whole, rel=1e-5)
    assert found["per_chip"] == pytest.approx(each, rel=1e-4)
    assert found["conventions"]["overlap"] == overlap
    assert found["conventions"]["axes"] == axes
    assert found["conventions"]["unit"] == "tokens"


def test_the_terminal_names_all_three_batches_and_what_is_sent(capsys):
    assert main(["comms", "cs336-a2-xxl"]) == 0
    shown = capsys.readouterr().out
    for piece in ("≈ 20,444.4 tokens in the whole batch", "≈ 319.444", "(T/N)", "≈ 1277.78", "(T/X)", "872,415,232"):
        assert piece in shown


def test_a_mesh_on_which_no_batch_is_enough_is_an_answer(capsys):
    assert main(["comms", "cs336-a2-xxl", "--set", "Y=64", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["feasible"] is False
    assert found["critical_batch_tokens"] is None
    assert "no batch is large enough" in found["reason"]


def test_the_question_of_the_study_counts_and_the_caller_over_it(capsys, tmp_path):
    path = tmp_path / "mesh.toml"
    path.write_text(MESH + '[[question]]\nask = "compute_bound"\noverlap = "sum"\nchips = 64\n', encoding="utf-8")
    assert main(["comms", str(path), "--json"]) == 0
    own = json.loads(capsys.readouterr().out)
    assert (own["smallest_batch_tokens"], own["conventions"]["axes"]) == (15700, "optimal")
    assert main(["comms", str(path), "--overlap", "max", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["smallest_batch_tokens"] == 3925


def test_without_a_mesh_the_best_one_of_as_many_chips_is_shown(capsys, tmp_path):
    path = tmp_path / "mesh.toml"
    path.write_text(MESH, encoding="utf-8")
    assert main(["comms", str(path), "--chips", "64"]) == 0
    shown = capsys.readouterr().out
    assert "axes optimal" in shown
    assert "smallest batch  3925 tokens" in shown
    assert "takes longer" not in shown
    assert main(["comms", str(path)]) == 2
    assert "the number of chips is not known" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cs336-a2-xxl", "--overlap", "both"], "unknown overlap 'both'; known: max, sum"),
        (["cs336-a2-xxl", "--axes", "free"], "unknown axes 'free'"),
        (["cs336-a2-xxl", "--axes", "optimal", "--scheme", "dp"], "scheme 'dp' is not X times Y"),
        (["cs336-a2-xxl", "--chips", "60"], "X = 16 times Y = 4 is 64 chips, not 60"),
        (["cs336-a2-xxl", "--set", "M_X=0"], "M_X = 0 is not allowed"),
        (["llama-3.1-8b"], 'around a config.json in a study of your own, with [model] config = "config.json"'),
        (["cs336-a2-xxl", "--device", "rtx-4090"], "--device: rtx-4090 has no interconnect in the catalogue"),
        (["cs336-a2-xxl", "--device", "tpu-v2"], "--device: unknown device 'tpu-v2'"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, said):
    assert main(["comms", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.count("\n") == 1


PLAN = """title = "Weights that are gathered"
model = { kind = "transformer" }
values = { d_model = 256, d_ff = 512, n_heads = 8, n_kv = 4, d_head = 32, V = 1000, L = 6, B = 1, S = 512, M_X = 1 }
recipe = { preset = "fsdp2" }
network = { flops = "460 TFLOP/s", bandwidth = "180 GB/s", direction = "one-way", ring = "exact" }
plan = { preset = "fsdp2", reshard = RESHARD }
"""
AGAIN = {"true": Fraction(7, 8), "false": 0, "2": Fraction(1, 2), "8": Fraction(7, 8)}
"""Of the weights, what a chip of eight passes on for the backward pass: in rings of 8 and of `reshard` all but its own share."""


def _shown(capsys, path, reshard, *words):
    path.write_text(PLAN.replace("RESHARD", reshard), encoding="utf-8")
    assert main(["comms", str(path), *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("reshard", AGAIN)
def test_the_backward_pass_gathers_what_the_plan_lets_go(capsys, tmp_path, reshard):
    found = _shown(capsys, tmp_path / "plan.toml", reshard, "--pass", "backward", "--set", "X=8")
    sent = {row["name"]: row.get("bytes") for row in found["times"]}
    whole = sent["reduce-scatter of the gradients"] / Fraction(7, 8)
    assert sent.get("all-gather of the weights", 0) == AGAIN[reshard] * whole


@pytest.mark.parametrize("reshard", AGAIN)
def test_a_value_of_the_degree_is_what_is_asked_about(capsys, tmp_path, reshard):
    """A rank gathers weights of two bytes, and reduces gradients of four."""
    found = _shown(capsys, tmp_path / "plan.toml", reshard, "--set", "n_fsdp=8")
    (parameters,) = found["parameters"].values()
    assert found["sent_in_a_step"]["n_fsdp"]["bytes"] == parameters * ((2 + 4) * Fraction(7, 8) + 2 * AGAIN[reshard])


@pytest.mark.parametrize(
    ("plan", "sets", "fewer"),
    [
        (
            "fsdp2",
            {"n_fsdp": 8},
            2 * 1_050_677_248 * 7 // 8,
        ),  # embedding, head and final norm: 2 x 128,256 x 4096 + 4096
        ("fsdp2-cp", {"n_fsdp": 8, "n_cp": 2}, 2 * 1_050_677_248 * 15 // 16),
        ("fsdp2-cp+torch-sp", {"n_fsdp": 8, "n_tp": 2}, 2 * (525_336_576 + 4096) * 7 // 8),  # the norm is whole on each
        ("hsdp", {"n_fsdp": 8, "n_replica": 2}, 2 * 1_050_677_248 * 7 // 8),
        ("fsdp2", {"n_fsdp": 1}, 0),
        ("zero-1", {"n_fsdp": 8}, 0),
    ],
)
def test_what_stays_gathered_outside_the_blocks_is_said_to_be_sent_once(capsys, plan, sets, fewer):
    asked = ["comms", "llama-3.1-8b", "--plan", plan]
    asked += [word for name, value in sets.items() for word in ("--set", f"{name}={value}")]
    assert main([*asked, "--json"]) == 0
    told = [one for one in json.loads(capsys.readouterr().out)["not_counted"] if one.startswith("that fully_shard")]
    assert [one.split(": ")[1].split(" bytes")[0] for one in told] == ([f"{fewer:,}"] if fewer else [])
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert all(f"not counted   {one}" in shown for one in told) and ("that fully_shard" in shown) == bool(told)


@pytest.mark.parametrize(
    ("plan", "recipe", "each"),
    [
        ("dp", "pure-bf16", 2 + 2),  # an all-reduce is a reduce-scatter and an all-gather, here of BF16 gradients
        ("dp", "fsdp2", 4 + 4),
        (
            "zero-2",
            "zero-16",
            2 + 2,
        ),  # Rajbhandari et al. (2020), section 7.2.1: 2 Psi FP16 values, as data parallelism
        ("zero-2", "fsdp2", 4 + 4),  # FP32 weights come back
        ("zero-1", "megatron-18", 4 + 2),
        ("fsdp2", "pure-bf16", 2 + 2 + 2),
        ("fsdp2", "fsdp2", 2 + 4 + 2),  # param_dtype BF16, reduce_dtype FP32
        ("fsdp2", "fp32", 4 + 4 + 4),
        ("fsdp2", "autocast", 4 + 4 + 4),  # FSDP gathers the FP32 weights, of which autocast makes copies
    ],
)
def test_a_value_is_sent_in_the_bytes_of_the_recipe(capsys, plan, recipe, each):
    asked = ["comms", "llama-3.1-8b", "--plan", plan, "--recipe", recipe, "--set", "n_fsdp=8"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sent_in_a_step"]["n_fsdp"]["bytes"] == each * 8_030_261_248 * 7 // 8
    assert main(asked) == 0
    assert f"{found['bytes_of_a_value']['gradients']} of their gradients (recipe {recipe})" in capsys.readouterr().out


def test_the_stream_has_the_bytes_of_activations(capsys):
    sent = {}
    for recipe in ("fp32", "pure-bf16"):
        asked = [
            "comms",
            "llama-3.1-8b",
            "--plan",
            "torch-sp",
            "--recipe",
            recipe,
            "--set",
            "n_tp=2",
            "--set",
            "n_fsdp=1",
        ]
        assert main([*asked, "--json"]) == 0
        sent[recipe] = json.loads(capsys.readouterr().out)["sent_in_a_step"]["n_tp"]["bytes"]
    assert sent["fp32"] == 2 * sent["pure-bf16"]


def test_a_scheme_has_two_bytes_under_every_recipe(capsys):
    assert main(["comms", "cs336-a2-xxl", "--recipe", "fp32"]) == 2
    assert "--recipe changes nothing here: of one scheme" in capsys.readouterr().err


@pytest.mark.parametrize("one_pass", ["backward", "step"])
def test_the_backward_pass_of_a_scheme_is_that_of_a_model_of_which_all_is_trained(capsys, one_pass):
    """Frozen weights have no gradients to sum; those of a plan are counted by kind."""
    asked = ["comms", "lora-llama-3.1-8b", "--device", "h100-80gb", "--scheme", "fsdp", "--set", "X=8"]
    assert main([*asked, "--pass", one_pass]) == 2
    assert f"the {one_pass} of one scheme counts gradients of all weights" in capsys.readouterr().err
    assert main([*asked, "--pass", "forward"]) == 0


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (["llama-3.1-8b", "--plan", "megatron", "--set", "n_tp=2"], "needs a value for n_fsdp; add --set n_fsdp=..."),
        (
            ["llama-3.1-8b", "--recipe", "vllm", "--plan", "vllm-tp", "--set", "n_tp=2", "--set", "n_fsdp=1"],
            "recipe 'vllm' is one of inference",
        ),
        (
            ["cs336-a2-2026-mesh", "--plan", "megatron", "--set", "n_fsdp=2"],
            "is known of a transformer, and its model is none",
        ),
    ],
)
def test_what_is_not_known_of_a_rank_has_its_own_reason(capsys, call, why):
    assert main(["comms", *call]) == 2
    assert why in capsys.readouterr().err
