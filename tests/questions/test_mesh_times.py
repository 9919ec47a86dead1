"""How long a rank of a cluster computes and sends in a step, against plain arithmetic."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from symbolic_mem.base.symbols import B, S, n_cp, n_fsdp, n_pp, n_tp
from symbolic_mem.cli.main import main
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.questions.parts.mesh_times import times
from symbolic_mem.questions.parts.sends import summed_by_ends, volumes

SIZES = {"L": 8, "d_model": 512, "d_ff": 2048, "n_heads": 16, "n_kv": 8, "d_head": 32, "V": 32768, "B": 2, "S": 1024}
AXES = {"n_tp": 4, "n_pp": 2, "n_cp": 2, "n_fsdp": 8, "n_micro": 16}
RATES = {"C": 10**12, "W": 10**9}


def study(recompute: str = "none", **values: int):
    tables = {
        "title": "x",
        "model": {"kind": "transformer", "profile": "te-cuda-bf16"},
        "values": SIZES | AXES | values,
        "recipe": {"preset": "megatron-18", "recompute": recompute},
        "plan": {"preset": "megatron"},
    }
    return read_study(tables, "x", "x", None)


def found(one):
    return times(one, volumes(one))


def operations() -> int:
    """Two for each element of each matrix and token, and the two products of attention over all pairs of tokens."""
    v = SIZES | AXES
    tokens = v["B"] * v["S"] // v["n_cp"]
    heads, keys = v["n_heads"] * v["d_head"], 2 * v["n_kv"] * v["d_head"]
    block = v["d_model"] * (2 * heads + keys + 3 * v["d_ff"])
    attention = 2 * v["S"] * heads
    whole = v["L"] * (block + attention) + v["d_model"] * v["V"]
    return 2 * tokens * whole // v["n_tp"]


@pytest.mark.parametrize(("recompute", "passes"), [("none", 3), ("full", 4)])
def test_a_rank_computes_its_share_of_all_products(recompute, passes):
    took = found(study(recompute, **RATES))
    assert took.passes == passes
    assert took.computes == Fraction(passes * operations() * AXES["n_micro"], AXES["n_pp"] * RATES["C"])


def test_what_is_sent_takes_its_bytes_at_the_rate_of_its_link():
    one = study(**RATES)
    took, sizes = found(one), volumes(one).axes
    assert {axis: seconds * RATES["W"] for axis, seconds in took.sends.items()} == {
        axis: size for axis, (_, size) in sizes.items()
    }
    far = found(study(**RATES, W_dcn=10**8))
    ratios = {axis: far.sends[axis] / took.sends[axis] for axis in took.sends}
    assert ratios == {n_tp: 1, n_cp: 1, n_pp: 10, n_fsdp: 10}


def test_enough_micro_batches_are_the_first_at_which_a_rank_computes_as_long_as_it_sends_for_its_replicas():
    slow = RATES | {"W_dcn": 10**8}
    took = found(study(**slow))
    assert took.enough > 2 and took.sequences == took.enough * SIZES["B"] * AXES["n_fsdp"]
    at, before = (found(study(**slow, n_micro=number)) for number in (took.enough, took.enough - 1))
    assert at.computes >= at.sends[n_fsdp] and before.computes < before.sends[n_fsdp]


def test_the_slowest_axis_is_named_where_sending_takes_longer():
    assert found(study(C=10**12, W=10**8)).longest == n_tp
    assert found(study(C=10**12, W=10**15)).longest is None
    assert found(study()) is None


def test_the_command_says_bytes_and_seconds(capsys):
    assert main(["comms", "cluster-llama-3.1-70b-64-h100", "--device", "h100-80gb", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    took = found(load_study("cluster-llama-3.1-70b-64-h100").change(values={"C": 989400000000000, "W": 450000000000}))
    assert said["sent_in_a_step"]["n_tp"]["seconds"] == float(took.sends[n_tp])
    assert said["computing"] == {"seconds": float(took.computes), "passes": 3, "enough_micro_batches": took.enough}
    assert main(["comms", "cluster-llama-3.1-70b-64-h100", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["computing"] is None and said["sent_in_a_step"]["n_pp"]["seconds"] is None
    assert said["parameters"].keys() == {"P_dense"}


def test_a_module_for_one_token_more_sends_what_one_block_more_sends():
    """DeepSeek-V3 has 61 blocks, 58 of them with experts; its module is one more of these, for the plan's average stage."""
    axes = {
        str(axis): size
        for axis, (_, size) in volumes(load_study("cluster-deepseek-v3").change(values={"n_tp": 2})).axes.items()
    }
    micro, stages, tokens, width, chosen, narrow = 120, 16, 4096, 7168, 8, 512 + 64 + 1536
    assert axes["n_ep"] == Fraction(8 * micro * tokens * width * chosen * (58 + 1) * 63, 64 * stages * 2)
    block = (
        3 * narrow + 2 * width + 5 * width
    )  # latent attention gathers its narrow vectors, the MLP or shared expert the stream
    assert axes["n_tp"] == Fraction(2 * micro * tokens * (61 + 1) * block, 2 * stages)
    assert axes["n_pp"] == 4 * micro * tokens * width // 2


@pytest.mark.parametrize(("name", "named"), [("cluster-deepseek-v3", True), ("cluster-gpt-3-175b", False)])
def test_what_projections_of_modules_for_more_tokens_send_is_named_as_not_counted(name, named, capsys):
    assert main(["comms", name, "--set", "n_tp=2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["not_counted"]
    words = "what the projections of the modules for multi-token prediction send along n_tp"
    assert (words in told) == named
    assert main(["comms", name, "--set", "n_tp=1"]) == 0
    assert "multi-token prediction" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("values", "size"),
    [({"n_pp": 4}, 4 * 50304 * 1600), ({"n_pp": 2, "n_tp": 5}, 4 * 50560 * 320), ({"n_pp": 1}, None)],
)
def test_ends_that_share_a_matrix_sum_its_gradient(values, size, capsys):
    """The vocabulary of 50,257 is padded to a multiple of 128 on each rank; rows of GPT-2 XL have 1600 numbers."""
    given = {"n_tp": 1, "n_cp": 1, "n_ep": 1, "n_fsdp": 2, "n_micro": 8} | values
    sets = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    assert main(["comms", "gpt2-xl", "--plan", "megatron-no-sp", *sets, "--json"]) == 0
    told = [line for line in json.loads(capsys.readouterr().out)["not_counted"] if "embedding and head share" in line]
    assert [line.rpartition(": ")[2] for line in told] == ([] if size is None else [f"{size:,} bytes"])


@pytest.mark.parametrize(
    ("model", "sharing"),
    [
        ({"tied": True}, ("head",)),
        ({"mtp": True}, ("modules for multi-token prediction",)),
        ({"tied": True, "mtp": True}, ("head", "modules for multi-token prediction")),
        ({}, None),
    ],
)
def test_what_has_the_embedding_on_the_last_stage_is_named(model, sharing):
    """Megatron-LM d98e8a6, finalize_model_grads.py: the weight is that of a tied head, or where there are mtp_num_layers."""
    tables = {
        "title": "x",
        "model": {"kind": "transformer", "profile": "te-cuda-bf16"} | model,
        "values": SIZES | AXES | ({"L_mtp": 1} if "mtp" in model else {}),
        "recipe": {"preset": "megatron-18"},
        "plan": {"preset": "megatron"},
    }
    found = summed_by_ends(read_study(tables, "x", "x", None))
    assert found == (None if sharing is None else (4 * SIZES["V"] * SIZES["d_model"] // AXES["n_tp"], sharing))


@pytest.mark.parametrize(
    ("schedule", "summed"), [("1f1b", True), ("zbv", False), ("dualpipe", False), ("vocab-1", False)]
)
def test_a_rank_with_both_ends_sums_nothing_with_another(schedule, summed):
    tables = {
        "title": "x",
        "model": {"kind": "transformer", "profile": "te-cuda-bf16", "tied": True},
        "values": SIZES | AXES,
        "recipe": {"preset": "megatron-18"},
        "plan": {"preset": "distributed-optimizer+megatron-tp+cp+pp", "schedule": schedule},
    }
    found = summed_by_ends(read_study(tables, "x", "x", None))
    assert (None if found is None else found.size) == (
        4 * SIZES["V"] * SIZES["d_model"] // AXES["n_tp"] if summed else None
    )


def test_gradients_of_frozen_weights_are_not_computed():
    """LoRA on q_proj and v_proj of Llama 3.1 8B, all blocks recomputed: 4 of each product, and 3 of those with a frozen matrix."""
    one = load_study("lora-llama-3.1-8b").change(plan="fsdp2", values={"n_fsdp": 8, "C": 10**15, "W": 10**11})
    tokens, pairs = (int(one.values[B] * one.values[S] ** power) for power in (1, 2))
    frozen = 32 * (2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 14336) + 4096 * 128256
    adapters = 32 * 8 * (2 * 4096 + 4096 + 1024)
    right = 2 * tokens * (3 * frozen + 4 * adapters) + 4 * 32 * 4 * pairs * 4096
    assert found(one).computes == Fraction(right, 10**15) and found(one).passes == 4
    whole = load_study("llama-3.1-8b").change(plan="fsdp2", values={"n_fsdp": 8, "C": 10**15, "W": 10**11})
    assert found(one).less == "the gradients of frozen weights" and found(whole).less == ""


BLOCK, HEAD = 2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 14336, 4096 * 128256  # numbers in the matrices of Llama 3.1 8B


def of_adapters(adapters: str = "q_proj,v_proj", model: str = "lora-llama-3.1-8b") -> tuple[Fraction, int, int]:
    """The operations of a step without recomputation, and in them tokens, and pairs of tokens for each head."""
    given = {"n_fsdp": 8, "C": 1, "W": 1, "r_lora": 8}
    one = load_study(model).change(plan="fsdp2", recompute="none", adapters=adapters, values=given)
    tokens, pairs = (int(one.values[B] * one.values[S] ** power) for power in (1, 2))
    return Fraction(str(found(one).computes)), tokens, pairs


def test_a_gradient_goes_no_further_than_the_first_adapter():
    """No gradient of an input of q, k, v of the first block, nor of the adapters' A beside them: nothing trained is before them."""
    computes, tokens, pairs = of_adapters()
    narrow, wide = 8 * 2 * 4096, 8 * (4096 + 1024)  # A and B on q and v
    frozen = 32 * 2 * BLOCK + 2 * HEAD - (4096**2 + 2 * 4096 * 1024)
    adapters = 32 * 3 * (narrow + wide) - narrow
    assert computes == 2 * tokens * (frozen + adapters) + 3 * 4 * 32 * pairs * 4096


def test_an_adapter_on_the_last_product_of_a_block_leaves_the_rest_of_the_first_alone():
    """Down projection alone: of the first block A has the gradient of its weight, B both, and W_down, q, k, v, o and the scores none."""
    computes, tokens, pairs = of_adapters("down_proj")
    narrow, wide = 8 * 14336, 8 * 4096
    adapters = 32 * 3 * (narrow + wide) - narrow
    assert computes == 2 * tokens * (31 * 2 * BLOCK + BLOCK + 2 * HEAD + adapters) + (31 * 3 + 1) * 4 * pairs * 4096
