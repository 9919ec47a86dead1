"""The verb `fit`: a table of meshes, or one JSON object."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from sampled import sampled

from symbolic_mem.hardware.nodes import read_nodes
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.sends import volumes

CLUSTER = (
    *("llama-3.1-8b", "--plan", "megatron", "--recipe", "megatron-18", "--profile", "te-cuda-bf16"),
    *("--loss", "vocab-parallel-te", "--set", "B=1", "--set", "S=8192"),
)


def test_meshes_are_listed_with_what_is_left(run):
    done = run("fit", *CLUSTER, "--plans", "8", "--sequences", "16")
    assert done.status == 0
    assert "meshes of 8 devices that the model allows" in done.out and "What does not shrink" in done.out
    record = json.loads(run("fit", *CLUSTER, "--plans", "8", "--sequences", "16", "--json").out)
    listed = [line for line in done.out.splitlines() if line.startswith(" ") and "≈" in line]
    assert len(listed) == len(record["meshes"]) and max(map(len, listed)) <= 80
    for line, mesh in zip(listed, record["meshes"], strict=True):
        *degrees, peak, left, _ = line.replace("≈", "").split()[:-1]
        assert [int(degree) for degree in degrees] == [
            mesh["degrees"][name] for name in ("n_tp", "n_pp", "n_cp", "n_fsdp", "n_micro")
        ]
        assert float(peak) == pytest.approx(mesh["peak_bytes"] / 2**30, rel=1e-4)
        assert float(left) == pytest.approx(mesh["left_bytes"] / 2**30, rel=1e-3) and (float(left) >= 0) == mesh["fits"]
    assert any(line.startswith("a    ") for line in done.out.splitlines())


def test_the_json_has_every_mesh(run):
    done = run("fit", *CLUSTER, "--plans", "8", "--sequences", "16", "--json")
    record = json.loads(done.out)
    assert record["allowed"] == len(record["meshes"]) and record["value"] == sum(m["fits"] for m in record["meshes"])
    for mesh in record["meshes"]:
        assert mesh["refused"] or mesh["instant"].endswith(mesh["rank"])
        assert mesh["refused"] or mesh["left_bytes"] == record["capacity_bytes"] - mesh["peak_bytes"]


def test_solve_finds_the_smallest_degree_of_an_axis(run):
    given = ("--set", "n_pp=1", "--set", "n_fsdp=8", "--capacity", "50 GiB")
    done = run("solve", *CLUSTER, *given, "--for", "n_tp", "--json")
    record = json.loads(done.out)
    rows = {mesh["degrees"]["n_tp"]: mesh["peak_bytes"] for mesh in record["meshes"]}
    assert list(rows) == [1, 2, 4, 8, 16, 32]  # with 16 and 32 ranks share the 8 key-value heads
    assert record["value"] == next(degree for degree, peak in rows.items() if peak <= 50 * 2**30)


@pytest.mark.parametrize("number", ["0", "many", "-8", "1.5", "1000000000"])
def test_what_is_no_number_of_devices_is_one_line(refused, number):
    assert f"--plans {number!r} is no whole number from 1 to 999,999,999" in refused("fit", *CLUSTER, "--plans", number)


def test_a_plan_that_needs_two_ranks_of_an_axis_is_asked_without_a_value_of_it(run, refused):
    """Of PyTorch's sequence parallelism the mesh with n_tp = 1 is refused, and the others are listed."""
    plan = ("llama-3.1-8b", "--device", "h100-80gb", "--plan", "fsdp2+torch-sp")
    meshes = json.loads(run("fit", *plan, "--plans", "8", "--json").out)["meshes"]
    assert [mesh["degrees"]["n_tp"] for mesh in meshes if mesh["refused"]] == [1]
    assert "The smallest n_tp is 2" in run("solve", *plan, "--set", "n_fsdp=4", "--for", "n_tp").out
    for more in (("--for", "B"), ("--for", "n_tp", "--set", "n_tp=1")):
        assert "with n_tp = 1: sequence parallelism divides nothing" in refused("solve", *plan, *more)


MESHES = """
title = "meshes"
[model]
kind = "transformer"
[values]
L = 4
d_model = 256
d_ff = 512
n_heads = 4
n_kv = 4
d_head = 64
V = 1024
B = 1
S = 128
{values}
[recipe]
preset = "fsdp2"
[plan]
preset = "{plan}"
[[question]]
ask = "layouts"
{asks}
capacity = "1 GiB"
"""


def test_a_study_that_asks_for_meshes_leaves_their_degrees_open(run, refused, tmp_path):
    (tmp_path / "open.toml").write_text(MESHES.format(values="", plan="fsdp2+torch-sp", asks="devices = 4"))
    meshes = json.loads(run("solve", "open.toml", "--json").out)["meshes"]
    assert [mesh["degrees"]["n_tp"] for mesh in meshes if mesh["refused"]] == [1]
    assert run("homework", "open.toml", "-o", "open.md").status == 0
    for verb in (("account",), ("comms",), ("solve", "--for", "B", "--set", "n_fsdp=2")):
        assert "with n_tp = 1: sequence parallelism divides nothing" in refused(verb[0], "open.toml", *verb[1:])
    asks = 'for = "n_tp"\nplan = "fsdp2+torch-sp"'
    (tmp_path / "own.toml").write_text(MESHES.format(values="n_fsdp = 2", plan="fsdp2+torch-tp", asks=asks))
    assert json.loads(run("solve", "own.toml", "--json").out)["value"] == 2


def test_what_refuses_every_mesh_is_the_answer(refused, tmp_path):
    """It was said that none fits."""
    asks = MESHES.format(values="n_fsdp = 2\nn_micro = 4", plan="torchtitan", asks='for = "n_tp"\nplan = "torchtitan"')
    (tmp_path / "open.toml").write_text(asks.replace('[plan]\npreset = "torchtitan"\n', ""))
    assert "plan 'torchtitan' is that of a pipeline" in refused("solve", "open.toml")


def test_torchtitan_s_pipeline_needs_no_tensor_parallelism(run, tmp_path):
    """Torchtitan 9dec370, parallelize_llama: apply_tp where tp_enabled, so that one rank has the plan without it."""
    own = '[own]\ntitle = "own"\nsource = "own"\nproduct = ["fsdp2-cp", "pp"]\nengine = "torch-pipelining"\n'
    (tmp_path / "plans.toml").write_text(own)
    peaks = []
    for plan, more in (("torchtitan", ()), ("own", ("--plans", "plans.toml"))):
        values = "n_fsdp = 2\nn_pp = 2\nn_micro = 4\nn_cp = 2"
        (tmp_path / f"{plan}.toml").write_text(MESHES.format(values=values, plan=plan, asks='for = "n_pp"'))
        meshes = json.loads(run("solve", f"{plan}.toml", *more, "--json").out)["meshes"]
        peaks.append([mesh["peak_bytes"] for mesh in meshes])
    assert peaks[0] == peaks[1] and peaks[0].count(None) == 1


def test_a_value_that_every_mesh_needs_is_asked_for(refused, tmp_path):
    (tmp_path / "open.toml").write_text(MESHES.format(values="", plan="fsdp2+torch-tp", asks='for = "n_tp"'))
    assert "the memory needs a value for n_fsdp" in refused("solve", "open.toml")


def test_comms_says_the_bubble_of_dualpipe_in_the_times_of_passes(run):
    """Table 2 of DeepSeek-V3 has (PP/2 - 1)(F&B + B - 3W)."""
    words = json.loads(run("comms", "cluster-deepseek-v3", "--json").out)["bubble"]["words"]
    assert words.startswith("(n_pp/2 - 1) (F&B + B - 3 W), in times of a chunk")
    assert words in run("comms", "cluster-deepseek-v3").out


@pytest.mark.parametrize("schedule", ["vocab-1", "vocab-2", "interlaced"])
def test_comms_says_the_bubble_of_a_divided_vocabulary_in_the_times_of_passes(run, schedule):
    """As README of sail-sg/VocabularyParallelism has it, that of 1F1B; no letter is explained that is not there."""
    study = (
        run("show", "cluster-gpt-3-175b").out.replace('"interleaved"', f'"{schedule}"').replace("n_chunks = 3\n", "")
    )
    Path("study.toml").write_text(study)
    words = json.loads(run("comms", "study.toml", "--json").out)["bubble"]["words"]
    assert words.startswith(
        "(n_pp - 1) (F + B), in times of a chunk: F forward, B backward, a divided vocabulary apart ("
    )


@pytest.mark.parametrize(
    "given",
    [
        ("cluster-deepseek-v3", "--set", "n_micro=30"),
        ("llama-3.1-8b", "--plan", "megatron", "--set", "n_pp=4", "--set", "n_fsdp=2"),
    ],
)
def test_comms_refuses_the_stages_that_account_refuses(refused, given):
    said = refused("comms", *given)
    assert said == refused("account", *given) and "micro-batches" in said


def test_a_rank_of_dualpipe_sends_the_gradients_of_its_two_stages(run):
    """Table 2 of DeepSeek-V3 has parameters twice: of 27,846,897,664 on the ranks of all 16 stages an eighth."""
    told = json.loads(run("comms", "cluster-deepseek-v3", "--json").out)
    assert sum(told["parameters"].values()) == 2 * 27_846_897_664 // 16
    dense, experts = told["parameters"].values()
    assert told["sent_in_a_step"]["n_fsdp"]["bytes"] == 6 * dense * 127 // 128 + 6 * experts // 2


def test_what_does_not_shrink_is_said_of_the_model_and_the_plan_at_hand(run):
    dense, experts = (
        run("fit", name, "--device", "h100-80gb", "--plan", "megatron", "--plans", "4", "--sequences", "8").out
        for name in ("llama-3.1-8b", "mixtral-8x7b")
    )
    assert "weights and gradients with the data-parallel degree" in dense and "of experts" not in dense
    assert "the optimizer state of experts with the degree of expert parallelism" in experts


def test_comms_shows_the_axes_of_a_plan_without_a_network(run, refused):
    done = run("comms", "cluster-gpt-3-175b", "--json")
    record = json.loads(done.out)
    assert record["bubble"] == {"schedule": "interleaved", "formula": "(n_pp - 1)/(n_chunks*n_micro)", "share": "7/192"}
    sizes = {str(axis): size for axis, (_, size) in volumes(load_study("cluster-gpt-3-175b")).axes.items()}
    assert {axis: one["bytes"] for axis, one in record["sent_in_a_step"].items()} == {
        k: -(-v // 1) for k, v in sizes.items()
    }
    assert (
        "(n_pp − 1)/(n_chunks n_micro) = 7/192 of the time that a rank computes (interleaved)"
        in run("comms", "cluster-gpt-3-175b").out
    )
    assert "sends along every axis" in refused("comms", "cluster-gpt-3-175b", "--scheme", "dp")


LLAMA = {
    "model_type": "llama",
    "hidden_size": 512,
    "intermediate_size": 1024,
    "num_hidden_layers": 3,
    "vocab_size": 4000,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
}
MAMBA = {"model_type": "mamba", "num_hidden_layers": 3}
QWEN3_NEXT = {"model_type": "qwen3_next", "vocab_size": 151936, "hidden_size": 2048, "num_hidden_layers": 48}


def called(run, command):
    """What the call of a row prints as JSON, as a reader would type it."""
    program, *words = shlex.split(command)
    assert program == "symbolic-mem"
    done = run(*words, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)["per_device"]


@pytest.mark.parametrize(
    ("model", "on"),
    sampled(
        [
            ("llama-3.1-8b", "8x h100-80gb"),
            ("mixtral-8x7b", "8x h100-80gb"),
            ("gpt2-xl", "rtx-4090"),
            (LLAMA, "2x rtx-4090"),
        ],
        4,
    ),
    ids=["Llama 3.1 8B", "Mixtral", "one card", "a config"],
)
def test_the_call_of_each_row_gives_its_numbers(run, tmp_path, model, on):
    if isinstance(model, dict):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(model), encoding="utf-8")
        model = str(path)
    rows = json.loads(run("fit", model, "--on", on, "--json").out)["rows"]
    assert [row["what"] for row in rows] == ["inference", "LoRA", "QLoRA", "full training"]
    for row in rows:
        told = called(run, row["command"])
        for key in ("peak_bytes", "instant", "fits", "left_bytes"):
            assert told[key] == row[key], (row["what"], key)
        assert row["left_bytes"] == told["capacity_bytes"] - row["peak_bytes"] and row["not_counted"]


@pytest.mark.parametrize(
    ("device", "reading", "size"), [("h200", "reported", 150_754_820_096), ("trainium2", "binary", 96 * 2**30)]
)
def test_a_device_beside_a_config_has_the_bytes_that_fit_counts(run, tmp_path, device, reading, size):
    """What nvidia-smi reports of an H200 is less than its label in GiB; of a Trainium2 the label alone is known."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA), encoding="utf-8")
    asked = ("--recipe", "vllm", "--set", "S=4096", "--device", device, "--json")
    told = json.loads(run("account", str(path), "--set", "B=1", *asked).out)
    assert (told["capacity_bytes"], told["per_device"]["reading"]) == (size, reading)
    answer = json.loads(run("solve", str(path), "--for", "B", *asked).out)
    assert (answer["capacity_bytes"], answer["reading"]) == (size, reading)
    label = json.loads(run("account", str(path), "--set", "B=1", *asked, "--reading", "binary").out)
    assert label["capacity_bytes"] == {"h200": 141, "trainium2": 96}[device] * 2**30


@pytest.mark.parametrize(
    "change", sampled([pytest.param(one) for one in [(), ("--set", "B=3"), ("--cache", "int4", "--page", "1")]], 3)
)
def test_what_is_left_in_tokens_still_fits_and_one_more_does_not(run, change):
    rows = json.loads(run("fit", "llama-3.1-8b", "--on", "8x h100-80gb", *change, "--json").out)["rows"]
    for row in rows:
        sizes = dict(word.split("=") for word in shlex.split(row["command"]) if word[:2] in ("B=", "S="))
        more, page = row["left_tokens"] // int(sizes["B"]), 16 if row["what"] == "inference" and not change[2:] else 1
        longer = [
            row["command"].replace(f" S={sizes['S']}", f" S={int(sizes['S']) + more + step}") for step in (0, page)
        ]
        assert [called(run, command)["fits"] for command in longer] == [True, False], row["what"]


def test_a_row_says_what_a_process_may_not_find_free(run):
    """In JSON as on the terminal: less than 1 GiB of a card of 24 is left there."""
    asked = ("fit", "llama-3.1-8b", "--on", "1x rtx-3090")
    (row,) = (one for one in json.loads(run(*asked, "--json").out)["rows"] if "cautions" in one)
    (said,) = row["cautions"]
    assert row["fits"] and 0 < row["left_bytes"] < 2**30 and said.startswith("≈ 23.596 GiB are needed, less than 1 GiB")
    assert " ".join(run(*asked).out.split()).count(said) == 1


def test_whole_rows_count_where_something_is_divided(run):
    """Of seven devices: 4096 and 128,256 rows do not divide."""
    even, padded = (
        json.loads(run("fit", "llama-3.1-8b", "--on", "7x h100-80gb", *more, "--json").out)["rows"]
        for more in ((), ("--padded-rows",))
    )
    assert any("n_fsdp=7" in row["command"] for row in padded)
    for before, row in zip(even, padded, strict=True):
        divided = "n_fsdp=7" in row["command"]
        assert divided == ("--padded-rows" in row["command"])
        told = called(run, row["command"])
        assert (told["peak_bytes"], told["left_bytes"]) == (row["peak_bytes"], row["left_bytes"])
        assert row["peak_bytes"] > before["peak_bytes"] if divided else row == before
        assert not any(one["what"].startswith("row padding") for one in row["not_counted"])
        if divided and row["fits"]:
            longer = [f" S={4096 + row['left_tokens'] // 2 + more}" for more in (0, 1)]
            fits = [called(run, row["command"].replace(" S=4096", said))["fits"] for said in longer]
            assert fits == [True, False]


def test_a_rank_is_that_of_the_adapters_alone(run):
    few, many = (
        json.loads(run("fit", "llama-3.1-8b", "--on", "8x h100-80gb", "--set", f"r_lora={rank}", "--json").out)["rows"]
        for rank in (8, 64)
    )
    changed = [one["what"] for one, other in zip(few, many, strict=True) if one["peak_bytes"] != other["peak_bytes"]]
    assert changed == ["LoRA", "QLoRA"] and "--set r_lora=64" in many[1]["command"]


def test_a_study_of_adapters_is_fully_trained_in_its_last_row(run):
    rows = json.loads(run("fit", "lora-llama-3.1-8b", "--on", "8x h100-80gb", "--json").out)["rows"]
    assert "--recipe fsdp2" in rows[3]["command"] and rows[3]["peak_bytes"] > rows[1]["peak_bytes"]
    assert called(run, rows[3]["command"])["peak_bytes"] == rows[3]["peak_bytes"]


def test_what_does_not_fit_says_by_how_much_and_what_was_tried_last(run):
    done = run("fit", "llama-3.1-70b", "--on", "8x h100-80gb")
    assert "vllm-tp with n_tp = 2" in done.out and "GiB too much" in done.out and "full training  no" in done.out
    fewer = "not tried    weights in fewer bits (give the config.json of a quantised file), caches in fewer bits"
    assert done.out.count("not tried    plans that cut the blocks") + done.out.count(fewer) == done.out.count(
        "GiB too much"
    )


def test_a_model_whose_blocks_are_not_described_says_so(run, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(MAMBA), encoding="utf-8")
    done = run("fit", str(path), "--on", "2x h100-80gb")
    assert "what is counted" in done.out and "the activations of the blocks, which are not described" in done.out
    rows = json.loads(run("fit", str(path), "--on", "2x h100-80gb", "--set", "S=9", "--json").out)["rows"]
    assert [called(run, row["command"])["peak_bytes"] for row in rows] == [row["peak_bytes"] for row in rows]
    assert "any length" in done.out and "--set S=" not in rows[0]["command"]


@pytest.mark.parametrize(("number", "plan", "idle"), sampled([(3, 2, 1), (5, 2, 1), (6, 2, 0), (7, 2, 1)], 4))
def test_devices_that_no_replica_uses_are_idle(run, number, plan, idle):
    """Two of three devices hold Llama 3.1 70B, and three do not divide its 64 heads: it was a "no"."""
    asked = ("fit", "llama-3.1-70b", "--on", f"{number}x h100-80gb")
    row = json.loads(run(*asked, "--set", "B=1", "--json").out)["rows"][0]
    assert (row["fits"], row["plan"], row["idle"]) == (True, f"vllm-tp with n_tp = {plan}", idle)
    assert row["sequences"] == number // plan
    assert (f"idle         {idle} of the {number} devices" in run(*asked).out) == bool(idle)


def test_all_devices_are_used_where_that_leaves_as_many_replicas(run, tmp_path):
    """Of 24 heads three devices have eight each, and four have six: of eight devices either makes two replicas."""
    path = tmp_path / "config.json"
    wide = {"num_attention_heads": 24, "num_key_value_heads": 24, "hidden_size": 6144, "intermediate_size": 32256}
    path.write_text(json.dumps({**LLAMA, **wide, "num_hidden_layers": 130, "vocab_size": 129024}), encoding="utf-8")
    three, eight = (
        json.loads(run("fit", str(path), "--on", f"{number}x h100-80gb", "--json").out)["rows"][0] for number in (3, 8)
    )
    assert (three["plan"], three["idle"]) == ("vllm-tp with n_tp = 3", 0)
    assert (eight["plan"], eight["idle"]) == ("vllm-tp with n_tp = 4", 0) and three["fits"] and eight["fits"]


def test_what_no_plan_describes_is_not_known(run, tmp_path):
    """One device does not hold 148 GiB of weights and caches; how eight would is not described, which was a "no"."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(QWEN3_NEXT), encoding="utf-8")
    asked = ("fit", str(path), "--on")
    row = json.loads(run(*asked, "8x h100-80gb", "--json").out)["rows"][0]
    assert row["fits"] is None and row["left_bytes"] < 0 and row["not_tried"].startswith("tensor and pipeline")
    assert "inference      not known  one-device" in run(*asked, "8x h100-80gb").out
    assert json.loads(run(*asked, "1x h100-80gb", "--json").out)["rows"][0]["fits"] is False
    assert json.loads(run(*asked, "8x b200", "--json").out)["rows"][0]["fits"] is True


def test_inference_is_cut_over_as_few_devices_as_hold_it_and_the_others_are_replicas(run):
    def row(on):
        return json.loads(run("fit", "mixtral-8x7b", "--on", on, "--set", "B=1", "--json").out)["rows"][0]

    assert row("8x h100-80gb")["plan"] == "vllm-tp with n_tp = 2" and row("8x h100-80gb")["sequences"] == 4
    assert row("8x b200")["plan"] == "one-device" and row("8x b200")["sequences"] == 8


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("8 h100", "unknown device 'h100'; did you mean 'h100-80gb'?"),
        ("h100x8", "unknown device 'h100'; did you mean 'h100-80gb'?"),
        ("0x h100-80gb", "give a whole number of devices, from 1 to 1,000,000, and their name, as in 8x h100-80gb"),
        ("-3x h100-80gb", "give a whole number of devices"),
        ("1.5x h100-80gb", "give a whole number of devices"),
        ("99999999x h200", "give a whole number of devices"),
        ("8x", "give a whole number of devices"),
        ("８x h100-80gb", "'８' in it is U+FF18 fullwidth digit eight"),
        ("", "names no device; write a number and a device, as in 8x h100-80gb"),
    ],
)
def test_devices_that_cannot_be_read_are_one_line(refused, on, said):
    assert said in refused("fit", "llama-3.1-8b", "--on", on)


@pytest.mark.parametrize(
    "on", ["8 h100-80gb", "8xh100-80gb", "8 × H100-80GB", "h100-80gb x8", "h100-80gb*8", "2x 4x h100-80gb"]
)
def test_natural_spellings_of_devices_are_read(on):
    assert (read_nodes(on).number, read_nodes(on).device.name) == (8, "h100-80gb")


@pytest.mark.parametrize("name", ["tpu7x", "mi250x", "h100-80gb"])
def test_a_name_alone_is_one_device(name):
    assert (read_nodes(name).number, read_nodes(name).device.name) == (1, name)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give one of --on DEVICES"),
        (("--on", "h200", "--plans", "8"), "give one of --on DEVICES"),
        (
            ("--on", "1x h200", "--padded-rows"),
            "--padded-rows cuts tensors over n_fsdp devices, and --on '1x h200' is one",
        ),
        (("--plans", "8", "--padded-rows"), "--padded-rows is for --on"),
        (("--on", "h200", "--recipe", "fp32"), "--recipe: fit --on tries its own; leave --recipe out"),
        (
            ("--on", "h200", "--device", "b200"),
            "--device: the devices are those that --on 'h200' names; leave --device out",
        ),
        (("--on", "h200", "--place", "weights=1"), "--place: fit --on tries its own; leave --place out"),
        (("--on", "h200", "--sequences", "8"), "--sequences is for --plans"),
        (("--on", "h200", "--reserve", "1 GiB"), "--reserve is for --plans"),
        (("--plans", "8", "--host", "1 GiB"), "--host is for --on"),
        (("--on", "h200", "--host", "1 GiB"), "nothing is offloaded to it; add --offload KINDS"),
        (("--on", "h200", "--offload", "optimizer", "--host", "1 foo"), "--host: '1 foo' has an unknown unit 'foo'"),
    ],
)
def test_what_does_not_go_together_is_refused(refused, options, said):
    assert said in refused("fit", "llama-3.1-8b", *options)


@pytest.mark.parametrize(
    "options",
    sampled(
        [
            pytest.param(one)
            for one in [("--optimizer", "lion"), ("--kernel", "eager"), ("--cache", "fp8"), ("--set", "S=77")]
        ],
        2,
    ),
)
def test_options_of_the_rows_act(run, options):
    before, after = (run("fit", "llama-3.1-8b", "--on", "8x h100-80gb", *more, "--json") for more in ((), options))
    peaks = [[row["peak_bytes"] for row in json.loads(done.out)["rows"]] for done in (before, after)]
    assert peaks[0] != peaks[1]


ON = ("llama-3.1-8b", "--on", "8x h100-80gb")


@pytest.mark.parametrize(
    ("options", "changed"),
    sampled(
        [
            (("--adapters", "q_proj,v_proj"), ["LoRA", "QLoRA"]),
            (("--offload", "optimizer,gradients"), ["full training"]),
            (("--gradients", "one-by-one"), ["full training"]),
        ],
        3,
    ),
)
def test_options_of_training_act_on_the_rows_that_know_them(run, options, changed):
    before, after = (json.loads(run("fit", *ON, *more, "--json").out)["rows"] for more in ((), options))
    rows = zip(before, after, strict=True)
    assert set(changed) <= {one["what"] for one, other in rows if one["peak_bytes"] != other["peak_bytes"]}
    assert before[0] == after[0]
    hosts = [row["host_bytes"] for row in after]  # of full training twelve bytes of a parameter, divided over eight
    assert hosts[3] == (12 * 8_030_261_248 // 8 if "--offload" in options else None) and hosts[0] is None
    for row in after:
        assert called(run, row["command"])["peak_bytes"] == row["peak_bytes"]


@pytest.mark.parametrize(("host", "holds"), [("89 GiB", False), ("90 GiB", True)])
def test_a_host_that_all_devices_share_holds_what_they_offload(run, host, holds):
    """Twelve bytes of gradients and moments of each of 8,030,261,248 parameters are 89.745 GiB."""
    asked = ("fit", "llama-3.1-8b", "--on", "4x h100-80gb", "--offload", "optimizer,gradients", "--host", host)
    found = json.loads(run(*asked, "--json").out)
    row = found["rows"][3]
    assert (row["fits"], row["host_holds"]) == (holds, holds) and row["left_bytes"] > 0 and row["not_tried"] is None
    assert found["host_bytes"] == int(host[:2]) * 2**30 and 4 * row["host_bytes"] == 12 * 8_030_261_248
    assert (f"≈ 89.745 GiB for 4, of {host}: too much" in run(*asked).out) != holds


def test_tokens_that_are_left_fit_the_host_that_keeps_their_activations(run):
    """Each token leaves 2 L d_model bytes there, 256 KiB, of every device: 20 GiB are 20,480 tokens on each of four."""
    asked = ("fit", "llama-3.1-8b", "--on", "4x h100-80gb", "--offload", "activations", "--host", "20 GiB", "--json")
    row = json.loads(run(*asked).out)["rows"][3]
    assert row["recompute"] == "full" and row["left_tokens"] == 20 * 2**30 // 4 // 2**18 - 2 * 4096


def test_a_file_of_adapters_brings_its_rank_unless_the_caller_sets_one(run, tmp_path):
    path = tmp_path / "adapter_config.json"
    path.write_text('{"peft_type": "LORA", "r": 8, "target_modules": ["q_proj"]}', encoding="utf-8")

    def peaks(*options):
        return [row["peak_bytes"] for row in json.loads(run("fit", *ON, *options, "--json").out)["rows"]]

    assert peaks("--adapters", str(path)) == peaks("--adapters", "q_proj", "--set", "r_lora=8")
    assert peaks("--adapters", str(tmp_path)) == peaks("--adapters", str(path))  # the folder that a checkpoint is
    assert peaks("--adapters", str(path), "--set", "r_lora=32") == peaks("--adapters", "q_proj", "--set", "r_lora=32")


def test_the_rule_of_recomputation_is_that_of_the_account(run):
    rows = json.loads(run("fit", "llama-3.1-405b", "--on", "rtx-4090", "--json").out)["rows"]
    assert [row["recompute"] for row in rows[1:]] == ["full+transient"] * 3  # that of the study
    assert called(run, rows[1]["command"] + " --recompute full")["peak_bytes"] == rows[1]["peak_bytes"]
    assert called(run, rows[1]["command"] + " --recompute none")["peak_bytes"] > rows[1]["peak_bytes"]


def test_a_model_without_described_caches_has_no_tokens_left(run):
    out = run("fit", "cs336-a2-xxl", "--on", "8x h100-80gb").out
    assert "inference      what is counted" in out and "any length" not in out


def test_a_model_of_learned_positions_is_asked_about_no_more_tokens_than_it_has(run):
    model = Path(__file__).parents[1] / "data" / "hf_configs" / "gpt2-xl.json"
    assert json.loads(run("fit", str(model), "--on", "h200", "--json").out)["values"] == {"B": 1, "S": 1024}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "B=0"), "--set: B = 0 is not allowed; give a positive whole number"),
        (("--set", "r_lora=0"), "--set: r_lora = 0 is not allowed; give a positive whole number"),
        (("--set", "foo=2"), "--set: unknown symbol 'foo'"),
        (("--set", "d_c=2"), "d_c = 2: no row reads d_c; leave it out"),
        (("--set", "n_fsdp=4"), "n_fsdp = 4: --on '8x h100-80gb' says how many devices there are; leave n_fsdp out"),
        (("--adapters", "foo"), "adapters go on 'foo', and llama has no such module; it has q_proj, k_proj, v_proj"),
        (
            ("--adapters", "q_porj"),
            "and llama has no such module; did you mean 'q_proj'? it has q_proj, k_proj, v_proj",
        ),
        (("--adapters", "c_attn"), "adapters go on 'c_attn', and llama has no such module; it has q_proj"),
        (
            ("--adapters", "embed_tokens"),
            "adapters on 'embed_tokens', the token embedding, are not described; leave it out",
        ),
        (("--offload", "none", "--host", "64 GiB"), "--host asks about the memory of a host, and nothing is offloaded"),
        (("--adapters", "q_proj.*"), "--adapters: 'q_proj.*' is a path or a pattern"),
        (("--cache", "foo"), "--cache: unknown cache dtype 'foo'"),
        (("--optimizer", "foo"), "unknown optimizer 'foo'"),
        (("--offload", "foo"), "--offload: 'foo' cannot be offloaded"),
        (("--kernel", "foo"), "--kernel: profile 'torch-cuda-bf16' has no attention kernel 'foo'"),
    ],
)
def test_a_word_that_no_row_knows_is_one_line(refused, options, said):
    assert said in refused("fit", *ON, *options)


def test_a_profile_of_the_callers_own_acts(run):
    own = (
        'title = "ours"\nsource = "our kernel"\nextends = "hf-cuda-bf16"\nkeeps = { rmsnorm = { input = 4, rstd = 4 } }'
    )
    Path("profiles.toml").write_text(f"[ours]\n{own}\n", encoding="utf-8")

    asked = ("--profiles", "profiles.toml", "--profile", "ours")
    (row,) = (
        row for row in json.loads(run("fit", *ON, *asked, "--json").out)["rows"] if row["what"] == "full training"
    )
    _, *call = shlex.split(row["command"])
    assert call[-4:] == ["--profile", "ours", "--profiles", "profiles.toml"]
    held = json.loads(run(*call, "--json").out)["per_device"]["peak_bytes"]
    assert held == row["peak_bytes"]
    assert held < json.loads(run(*call[:-3], "hf-cuda-bf16", "--json").out)["per_device"]["peak_bytes"]


def test_adapters_on_the_host_have_the_rank_that_is_asked_for(run):
    for words, rank in (((), 16), (("--set", "r_lora=64"), 64)):
        call = (*("fit", "llama-3.1-8b", "--on", "4x a100-40gb"), *words, "--offload", "weights,optimizer,gradients")
        for row in json.loads(run(*call, "--json").out)["rows"][1:3]:
            assert f"r_lora={rank}" in row["command"]
            account = json.loads(run(*shlex.split(row["command"])[1:], "--json").out)
            assert row["host_bytes"] == account["host"]["bytes_per_device"]


@pytest.mark.parametrize(
    ("device", "package", "lacks"),
    sampled(
        [
            ("tpu-v5e", "tpu-inference", True),
            ("trainium2", "vllm-neuron", True),
            ("gaudi2", "vllm-gaudi", False),
            ("mi300x", None, False),
        ],
        3,
    ),
)
def test_what_is_written_for_gpus_is_what_is_counted_elsewhere(run, device, package, lacks):
    """Backends of bitsandbytes 0.50.2 are for NVIDIA, AMD and Intel; vLLM has plug-ins for what is no GPU."""
    call = ("fit", "llama-3.1-8b", "--on", f"8x {device}", "--set", "B=1")
    out = run(*call).out
    assert out.count("bitsandbytes has backends") == lacks and "CUDA" not in out
    rows = json.loads(run(*call, "--json").out)["rows"]
    fitting = [row for row in rows if row["fits"]]
    assert out.count("  what is counted  ") == (len(fitting) if package else 0) and len(fitting) > 2
    for row in fitting:
        by = "vLLM runs on devices of" if row["what"] == "inference" else "PyTorch runs on devices of"
        assert (by in " ".join(row.get("cautions", ()))) is (package is not None)
    assert package is None or f"by {package}: what is counted is what" in rows[0]["cautions"][0]


def test_a_degree_that_vllm_refuses_of_a_vocabulary_is_none_of_fit(run, refused):
    """vLLM: 50,257 words are filled up to 50,304, which 5 does not divide (its issue 1705); 100,352 of Phi-4 are 64 times 1568."""
    assert "fills it up to 50304, a multiple of 64, which does not come out" in refused(
        "account", "gpt2-xl", "--recipe", "vllm", "--plan", "vllm-tp", "--set", "n_tp=5"
    )
    model = str(Path(__file__).parents[1] / "data" / "hf_configs" / "phi-4.json")
    row = json.loads(run("fit", model, "--on", "8x rtx-3060", "--json").out)["rows"][0]
    assert (row["plan"], row["fits"], row["idle"]) == ("vllm-tp+pp with n_tp = 2, n_pp = 2", True, 0)


@pytest.mark.parametrize(
    ("on", "plan", "idle"), [("7x rtx-3060", "n_pp = 3", 1), ("8x rtx-3060", "n_tp = 2, n_pp = 2", 0)]
)
def test_stages_hold_what_tensor_parallelism_alone_does_not(run, on, plan, idle):
    """40 blocks of Phi-4 over three stages are 13, 14 and 13, as get_pp_indices of vLLM has them: the second is the fullest but for the ends."""
    model = str(Path(__file__).parents[1] / "data" / "hf_configs" / "phi-4.json")
    row = json.loads(run("fit", model, "--on", on, "--json").out)["rows"][0]
    assert (row["plan"], row["idle"]) == (f"vllm-tp+pp with {plan}", idle)
    call = shlex.split(row["command"])[1:]
    assert json.loads(run(*call, "--json").out)["per_device"]["peak_bytes"] == row["peak_bytes"]
    for more, fits in ((row["left_tokens"], True), (row["left_tokens"] + 16, False)):
        longer = [f"S={4096 + more}" if word == "S=4096" else word for word in call]
        assert json.loads(run(*longer, "--json").out)["per_device"]["fits"] is fits
        said = "the peak fits the 12 GiB" if fits else "the peak does not fit the 12 GiB"
        assert said in run(*longer).out
    if plan == "n_pp = 3":
        block = 2 * (5120 * (5120 + 2 * 1280) + 5120 * 5120 + 3 * 5120 * 17920 + 2 * 5120) + 2 * 4096 * 1280 * 2
        passing = 8192 * 2 * (3 * 17920 + 3 * 5120 + 2 * 128)  # gate, up and their product, three streams, two tables
        assert row["peak_bytes"] == max(14 * block, 13 * block + 2 * 100_352 * 5120 + 2 * 5120) + passing


@pytest.mark.parametrize(("tokens", "word"), [(2048, "fits"), (4_000_000, "does not fit")])
def test_where_no_pass_is_described_the_verdict_is_of_what_is_kept(run, tokens, word):
    """24 blocks of gpt-oss in transformers' own code, with sinks, over three stages of 8 each."""
    model = str(Path(__file__).parents[1] / "data" / "hf_configs" / "gpt-oss-20b.json")
    call = ("account", model, "--recipe", "vllm", "--plan", "vllm-tp+pp", "--set", "n_pp=3", "--set", "B=1")
    call += ("--profile", "hf-cuda-bf16")
    assert f"what is kept {word} the ≈ 23.988 GiB" in run(*call, "--set", f"S={tokens}", "--device", "rtx-4090").out


@pytest.mark.parametrize(("profile", "told"), [((), True), (("--profile", "hf-cuda-bf16"), False)])
def test_adapters_on_plain_modules_are_said_to_be_counted_so(run, profile, told):
    said = json.loads(run("fit", "llama-3.1-8b", "--on", "h100-80gb", *profile, "--json").out)["assumed"]
    assert ["What blocks keep of LoRA and QLoRA is counted for plain modules of PyTorch." in one for one in said] == [
        True
    ] * told


@pytest.mark.parametrize(("model", "said"), [("mixtral-8x7b", "84 GiB in all"), ("llama-3.1-8b", "")])
def test_experts_that_transformers_5_does_not_pack_are_said_to_be(run, model, said):
    """Mixtral 8x7B: 32 blocks of 8 experts with 3 matrices of 4096 by 14,336, in 16 bits."""
    assert 32 * 8 * 3 * 4096 * 14_336 * 2 == 84 * 2**30
    rows = json.loads(run("fit", model, "--on", "8x h100-80gb", "--json").out)["rows"]
    about = ["stays in 16 bits" in " ".join(row.get("cautions", ())) for row in rows]
    assert about == [False, False, bool(said), False]
    assert said in run("fit", model, "--on", "8x h100-80gb").out
    assert [row["plan"] for row in rows][2] == (
        "fsdp2 with n_fsdp = 8" if said else "dp"
    )  # 84 GiB are more than an H100 has


def test_a_mixture_that_no_device_holds_says_why_its_adapters_do_not_fit(run):
    (row,) = (
        row
        for row in json.loads(run("fit", "mixtral-8x7b", "--on", "1x h100-80gb", "--json").out)["rows"]
        if row["what"] == "QLoRA"
    )
    assert row["fits"] is False and "stays in 16 bits, 84 GiB in all" in row["cautions"][0]


def test_copies_of_the_weights_are_of_training_alone(run):
    rows = json.loads(run("fit", "llama-3.1-8b", "--on", "h100-80gb", "--copies", "ema=4", "--json").out)["rows"]
    assert rows[0]["what"] == "inference" and "--copies" not in rows[0]["command"]
    assert all("--copies ema=4" in row["command"] for row in rows[1:])


@pytest.mark.parametrize(
    ("study", "more", "numbers"),
    sampled(
        [
            ("lora-llama-3.1-8b", (), 32 * 8 * ((4096 + 4096) + (4096 + 1024))),
            ("lora-llama-3.1-8b", ("--adapters", "down_proj", "--set", "r_lora=4"), 32 * 4 * (14336 + 4096)),
            ("qlora-llama-3.1-8b", (), 167_772_160),
            ("llama-3.1-8b", (), 41_943_040),
        ],
        2,
    ),
)
def test_adapters_are_those_of_the_study(run, study, more, numbers):
    """LoRA's paper: queries and values with rank 8; all linear layers of Llama 3.1 8B with rank 64, and 16, as PEFT prints them."""
    found = json.loads(run("fit", study, "--on", "2x h100-80gb", *more, "--json").out)
    for row in found["rows"][1:3]:
        account = json.loads(run(*shlex.split(row["command"])[1:], "--json").out)
        assert account["parameters_by_group"]["adapters"] == numbers


@pytest.mark.parametrize(
    ("study", "own", "what", "numbers"),
    sampled(
        [
            ("lora-llama-3.1-8b", "dropout = 0.05, rank = 8", "LoRA", 32 * 8 * (8192 + 5120)),
            ("lora-llama-3.1-8b", "layers = [30, 31], rank = 8", "LoRA", 2 * 8 * (8192 + 5120)),
            (
                "qlora-llama-3.1-8b",
                'whole = ["norm"], base = "nf4-double", rank = 64',
                "QLoRA",
                32 * 64 * (8192 + 5120),
            ),
        ],
        3,
    ),
)
def test_adapters_that_no_option_says_are_counted_as_the_study_has_them(run, tmp_path, study, own, what, numbers):
    file, call = tmp_path / "own.toml", ("--on", "2x h100-80gb", "--set", "B=1", "--set", "S=512")
    trained = f'trained = {{ adapters = ["q_proj", "v_proj"], {own} }}'
    text = run("show", study).out
    file.write_text(re.sub(r"(?m)^trained = .*$", "", text).replace("[recipe]", f"[recipe]\n{trained}"))
    found = json.loads(run("fit", str(file), *call, "--json").out)
    rows = {row["what"]: row for row in found["rows"]}
    assert list(rows) == ["inference", what, "full training"]
    (other,) = found["refused"]
    assert "give --adapters with a list of modules" in found["refused"][other]
    account = json.loads(run(*shlex.split(rows[what]["command"])[1:], "--json").out)
    assert account["parameters_by_group"]["adapters"] == numbers
    assert account["per_device"]["peak_bytes"] == rows[what]["peak_bytes"]
    asked = json.loads(run("fit", str(file), *call, "--adapters", "q_proj", "--json").out)
    assert not asked["refused"] and [row["what"] for row in asked["rows"]][1:3] == ["LoRA", "QLoRA"]
