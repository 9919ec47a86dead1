"""Inference on the command line: which degree `solve` finds under a plan, and that no degree is silent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.library.read import load_study


def test_solve_asks_for_the_smallest_degree_of_a_plan_that_cuts_the_model(run):
    """Nobody asks how much memory the whole model has under a plan: the first axis without a value is found."""
    given = ("solve", "llama-3.1-70b", "--recipe", "inference", "--set", "B=8", "--set", "S=8192", "--json")
    plain = json.loads(run(*given, "--plan", "vllm-tp", "--set", "n_tp=8").out)
    assert plain["value"] == json.loads(run(*given, "--plan", "vllm-tp", "--for", "n_tp").out)["value"] == 4
    eight = next(one for one in plain["meshes"] if one["degrees"]["n_tp"] == 8)
    study = load_study("llama-3.1-70b").change(
        recipe="inference", plan="vllm-tp", values={"B": 8, "S": 8192, "n_tp": 8}
    )
    assert eight["peak_bytes"] == max(one.memory.at(study.values) for one in study.timeline)
    staged = json.loads(run(*given, "--plan", "vllm-tp+pp", "--set", "n_tp=2").out)
    assert [one["degrees"] for one in staged["meshes"]][:2] == [{"n_pp": 1}, {"n_pp": 2}] and staged["value"] == 2


@pytest.mark.parametrize("verb", [("solve",), ("solve", "--for", "n_tp"), ("fit", "--plans", "8"), ("account",)])
def test_a_degree_that_the_plan_does_not_use_is_named(run, verb):
    """As in every face: a degree that is given counts, is named, or is refused."""
    said = run(
        *verb[:1], "llama-3.1-8b", *verb[1:], *("--recipe", "inference", "--plan", "vllm-tp"), "--set", "n_etp=2"
    ).out
    assert "n_etp = 2 divides nothing here" in said


def test_nothing_is_sent_in_a_step_where_nothing_is_trained(run):
    given = ("fit", "llama-3.1-8b", "--recipe", "inference", "--plan", "vllm-tp", "--plans", "4")
    assert {one["sent_bytes"] for one in json.loads(run(*given, "--json").out)["meshes"]} == {None}
    assert "micro-batches" not in run(*given).out and "optimizer state" not in run(*given).out


def test_an_amount_of_the_whole_model_says_nothing_of_the_axes_that_cut_it(run):
    given = ("--recipe", "inference", "--plan", "vllm-tp", "--set", "n_tp=4", "--set", "n_cp=2", "--question", "a")
    said = run("solve", "llama-3.1-8b", *given).out
    assert "n_tp = 4 divides nothing" not in said and "n_cp = 2 divides nothing here" in said
    assert "those of the whole model, which the plan cuts" in said


def test_an_account_of_stages_is_whole(run):
    """Nothing of a step of training, such as its micro-batches, is asked for."""
    done = run(
        "account",
        "llama-3.1-8b",
        *("--recipe", "inference", "--plan", "vllm-tp+pp"),
        "--set",
        "n_pp=3",
        "--set",
        "B=2",
        "--set",
        "S=512",
    )
    assert done.status == 0 and not done.err and "micro-batches" not in done.out
    assert done.out.splitlines()[-1].startswith("not counted")


def test_every_small_number_of_stages_is_tried_where_blocks_need_not_divide(run):
    """80 blocks of Llama 3.1 70B in three stages of 27, 27 and 26 fit where two do not, and no divisor of 80 is between them."""
    given = (
        "solve",
        "llama-3.1-70b",
        "--recipe",
        "inference",
        "--set",
        "B=8",
        "--set",
        "S=8192",
        "--for",
        "n_pp",
        "--json",
    )
    spread = json.loads(run(*given, "--plan", "vllm-tp+pp").out)
    assert spread["value"] == 3 and [one["degrees"]["n_pp"] for one in spread["meshes"]] == [*range(1, 17), 20, 40, 80]
    assert json.loads(run(*given, "--plan", "pp").out)["value"] == 4


def test_an_engine_that_serves_models_has_attention_in_one_kernel(run, refused):
    """GPT-2's study trains with attention by parts, which vLLM does not have."""
    asked = ("account", "gpt2-xl", "--set", "B=1", "--set", "S=1024", "--json")
    served, flash, parts = (
        json.loads(run(*asked, "--recipe", *recipe).out)["per_device"]
        for recipe in (("vllm",), ("vllm", "--kernel", "flash"), ("inference",))
    )
    assert served == flash and "scores" not in str(served["instant"]) and "scores" in str(parts["instant"])
    assert "recipe 'vllm' of vLLM has attention in one kernel" in refused(
        *asked[:-1], "--recipe", "vllm", "--kernel", "eager"
    )


@pytest.mark.parametrize(("cache", "engine"), [("q4_0", "llama.cpp"), ("q8_0", "llama.cpp"), ("int4", "LMDeploy")])
def test_caches_of_one_engine_are_not_those_of_another(run, refused, cache, engine):
    said = f"--cache: {cache} is of {engine}, and recipe 'vllm' of vLLM, which has no such caches"
    assert said in refused("account", "llama-3.1-8b", "--recipe", "vllm", "--cache", cache)
    row = json.loads(run("fit", "llama-3.1-8b", "--on", "rtx-4090", "--cache", cache, "--json").out)["rows"][0]
    assert "--recipe inference" in row["command"] and f"--cache {cache}" in row["command"]


def test_a_study_file_that_gives_vllm_a_kernel_by_parts_is_refused_as_the_option_is(tmp_path, refused):
    path = tmp_path / "parts.toml"
    path.write_text(
        'title = "x"\n[model]\nkind = "transformer"\nkernel = "eager"\n[recipe]\npreset = "vllm"\n', encoding="utf-8"
    )
    said = "eager works by parts, and recipe 'vllm' of vLLM has attention in one kernel"
    assert f"[model]: kernel: {said}" in refused("account", str(path))


def test_stages_that_do_not_come_out_are_refused_without_a_word_of_the_engine_and_vllm_fills_them(run, refused):
    """Its get_pp_indices gives 32 blocks to three ranks, so that it is not the engine that refuses."""
    asked = ("account", "llama-3.1-8b", "--recipe", "vllm", "--set", "n_pp=3", "--set", "B=1", "--set", "S=64")
    said = refused(*asked, "--plan", "pp")
    assert "choose plan vllm-tp+pp" in said and "engine refuses" not in said
    assert run(*asked, "--plan", "vllm-tp+pp").status == 0


def test_a_table_of_rotations_is_left_out_of_a_model_that_has_one(run):
    """GPT-2 adds learned positions; Llama turns queries and keys."""
    for model, there in (("gpt2-xl", False), ("llama-3.1-8b", True)):
        assert ("the table of rotations" in run("account", model, "--recipe", "vllm").out) is there


def test_the_sampler_and_the_graphs_have_ranges_in_every_face(run):
    """Llama's 128,256 words; BF16 and FP32 alone, or beside them what PyTorch sorts, with its indices, and two masks and sums."""
    asked = ("account", "llama-3.1-8b", "--recipe", "vllm", "--set", "B=2", "--set", "S=4096")
    told = json.loads(run(*asked, "--json").out)["not_counted"]
    ranges = {one["what"]: one["range"]["bytes"] for one in told if "range" in one}
    sampler, graphs, software = ranges.values()
    assert sampler == [1024 * 128256 * (2 + 4), 1024 * 128256 * (2 + 4 + 4 + 8 + 1 + 4 + 1)]
    assert graphs == [139586438, 3682934457] and software == [552337408, 1344143360]
    said = run(*asked).out
    assert all(f"{what}: " in said for what in ranges) and "751.5 MiB to" in said


FILES = Path(__file__).parents[1] / "data" / "hf_configs"
MAMBA = {"model_type": "mamba2", "hidden_size": 2048, "num_hidden_layers": 8, "vocab_size": 50288, "num_heads": 64}


@pytest.mark.parametrize(
    ("model", "window", "states"),
    [("gpt-oss-20b", True, False), ("llama-3.1-8b", False, False), ("mamba", False, True)],
)
def test_what_is_assumed_of_windows_and_states_stands_by_a_model_that_has_them(run, model, window, states):
    Path("mamba.json").write_text(json.dumps(MAMBA | {"head_dim": 64, "state_size": 128, "n_groups": 1}))
    file, sizes = ("mamba.json", ()) if model == "mamba" else (str(FILES / f"{model}.json"), ("--set", "S=512"))
    said = run("solve", file, "--recipe", "vllm", "--for", "B", *sizes, "--device", "h100-80gb").out
    assert ("sliding window needs one block" in said, "states of a recurrence" in said) == (window, states)


@pytest.mark.parametrize(
    ("recipe", "packed", "said"), [("vllm", True, True), ("vllm", False, False), ("inference", True, False)]
)
def test_what_vllm_keeps_twice_of_latent_attention_is_named_with_its_size(run, recipe, packed, said):
    """vLLM, MLAAttention.process_weights_after_loading: W_UK and W_UV in 16 bits beside a quantised kv_b_proj, on 8 ranks of 61 layers."""
    table = json.loads((FILES / "deepseek-v3.json").read_text(encoding="utf-8"))
    table |= {"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}} if packed else {}
    if not packed:
        table.pop("quantization_config", None)
    Path("deepseek.json").write_text(json.dumps(table), encoding="utf-8")
    call = ("account", "deepseek.json", "--recipe", recipe, "--plan", "vllm-tp", "--set", "n_tp=8", "--json")
    found = json.loads(run(*call, "--set", "B=1", "--set", "S=4096").out)["not_counted"]
    sizes = [one["bytes"] for one in found if "once more" in one["what"]]
    assert sizes == ([2 * 128 * 512 * (128 + 128) * 61 // 8] if said else [])


def test_tokens_alone_bound_no_pages(refused):
    said = refused("solve", "llama-3.1-8b", "--recipe", "vllm", "--device", "rtx-4090", "--for", "tokens")
    assert "as where caches are kept in pages: no number of tokens alone bounds it; ask for B or for S" in said


@pytest.mark.parametrize("file", sorted(FILES.glob("*.json")), ids=lambda file: file.stem)
def test_what_inference_leaves_out_is_of_no_backward_pass(run, file):
    """That of gpt-oss was: its experts are described as vLLM's passes work on them, and not as training does."""
    said = json.loads(run("account", str(file), "--recipe", "vllm", "--set", "B=1", "--set", "S=512", "--json").out)
    assert said["not_counted"] and not [one for one in said["not_counted"] if "backward" in one["what"]]
