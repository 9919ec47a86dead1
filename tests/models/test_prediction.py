"""Modules for multi-token prediction: their weights against published files, and what the rank that has them holds."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbolic_mem
from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.read import read_study
from symbolic_mem.models.counts import parameters_by_group

STUDIES = Path(symbolic_mem.__file__).parent / "library" / "studies"
DEEPSEEK = {"config": "configs/deepseek-v3.json"}


def study(model: dict, values: dict | None = None, **tables):
    return read_study({"title": "x", "model": model, "values": values or {}, **tables}, "x", "x", STUDIES)


def parameters(one) -> dict[str, int]:
    return {group: int(one.numbers[size]) for group, size in parameters_by_group(one.model).items()}


def test_the_published_file_of_deepseek_v3_to_the_byte():
    """Elements of deepseek-ai/DeepSeek-V3 by type, as its repository states them: BF16, FP8, and FP32 of scales and biases.

    The file has copies of the embedding and of the head for the module, and 256 biases of 59 routers, which are no parameters.
    """
    bf16, fp8, fp32 = 3_918_786_560, 680_571_043_840, 41_555_600
    one = study(DEEPSEEK | {"mtp": True})
    copies, biases = 2 * 129_280 * 7_168, 59 * 256
    assert one.built.stored + 2 * copies + 4 * biases == 2 * bf16 + fp8 + 4 * fp32
    assert sum(parameters(one).values()) + copies + biases == bf16 + fp8 + biases


def test_a_module_is_a_block_with_a_projection_and_three_norms():
    with_module, without = parameters(study(DEEPSEEK | {"mtp": True})), parameters(study(DEEPSEEK))
    d, q, kv, heads, expert = 7168, 1536, 512, 128, 2048
    attention = d * q + q * heads * 192 + d * (kv + 64) + kv * heads * 256 + heads * 128 * d + q + kv
    experts = 3 * d * expert * 257 + 256 * d
    more = sum(with_module.values()) - sum(without.values())
    assert more == 2 * d * d + attention + experts + 5 * d
    assert with_module["prediction"] == 2 * d * d and "prediction" not in without


SMALL = {"L": 8, "d_model": 64, "d_ff": 256, "n_heads": 8, "n_kv": 4, "d_head": 8, "V": 1024, "B": 2, "S": 32}


def rank(mtp: bool, **values: int):
    model = {"kind": "transformer", "profile": "te-cuda-bf16", "loss": "vocab-parallel-te"}
    tables = {"recipe": {"preset": "megatron-18"}, "plan": {"preset": "megatron"}}
    return study(model | ({"mtp": True} if mtp else {}), SMALL | ({"L_mtp": 1} if mtp else {}) | values, **tables)


def held(one) -> dict[str, int]:
    return {step.words: step.memory.placed(one.placement).at(one.numbers) for step in one.timeline}


def test_the_last_stage_has_the_module_and_a_copy_of_the_embedding():
    """18 bytes a parameter, of which two replicas hold the last twelve once, and a dummy gradient of the projection's shape."""
    given = {"n_pp": 4, "n_micro": 4, "n_fsdp": 2}
    more = {
        words: size - held(rank(False, **given))[words]
        for words, size in held(rank(True, **given)).items()
        if "step" in words
    }
    d, f, attention = SMALL["d_model"], SMALL["d_ff"], 64 * (64 + 2 * 32) + 64 * 64
    module, dummy = 2 * d * d + attention + 3 * d * f + 5 * d, 2 * 2 * d * d
    assert more == {
        "the optimizer step on the first stage": 0,
        "the optimizer step on the last stage": 12 * (module + SMALL["V"] * d) + dummy,
    }
    alone = [held(rank(mtp, n_fsdp=1))["the optimizer step on every rank"] for mtp in (True, False)]
    assert alone[0] - alone[1] == 18 * module + dummy


def test_both_losses_hold_their_logits_at_a_time():
    """At the loss there is what the module keeps, its norm, head and logits beside those of the model."""
    tokens, d, f, q, k = SMALL["B"] * SMALL["S"], 64, 256, 64, 32
    block = 8 * d + 2 * (q + 2 * k) + 2 * q + 6 * f + 4 * SMALL["n_heads"]
    module = 2 * d + 4 * d + block
    ends = 4 * d + 2 * SMALL["V"]
    one, plain = (held(rank(mtp, n_fsdp=2)) for mtp in (True, False))
    at_loss = one["the loss on every rank"] - plain["the loss on every rank"]
    states = one["the optimizer step on every rank"] - plain["the optimizer step on every rank"]
    statistics = 4 * tokens * 5  # one number a row of each norm
    assert at_loss - states - tokens * (module + ends) == pytest.approx(statistics, abs=4 * tokens * 3)


def test_a_recomputed_module_keeps_its_two_inputs_alone():
    tokens, d = SMALL["B"] * SMALL["S"], 64
    sizes = []
    for mtp in (True, False):
        one = rank(mtp, n_fsdp=2).change(recompute="full")
        by_name = held(one)
        sizes.append(by_name["the loss on every rank"] - by_name["the optimizer step on every rank"])
    ends = 4 * d + 2 * SMALL["V"]
    assert 0 <= sizes[0] - sizes[1] - tokens * (2 * 2 * d + ends) <= 8 * tokens


def test_instants_of_other_engines_are_not_known_with_such_modules():
    given = {"plan": "fsdp2", "recipe": "fsdp2", "profile": "torch-cuda-bf16", "loss": "bf16", "values": {"n_fsdp": 2}}
    assert rank(True).timeline and not rank(True).change(**given).timeline
    assert rank(False).change(**given).timeline


@pytest.mark.parametrize("model", [{"config": "configs/llama-3.1-8b.json", "mtp": True}])
def test_a_model_that_names_no_module_is_refused(model):
    with pytest.raises(BadInput, match=r"llama-3.1-8b.json: no module for multi-token prediction is named"):
        study(model)
