"""Whether a gradient has to reach what enters the first block, which a change of the recipe, the values or the plan decides again."""

from __future__ import annotations

import json

import pytest

from symbolic_mem.accounts.units import units
from symbolic_mem.base.exact import at
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.verify.held import held

LLAMA = {"recipe": "lora", "plan": "one-device", "values": {"B": 1, "S": 1024}}


@pytest.fixture
def file(tmp_path):
    def write(**fields):
        path = tmp_path / "adapter_config.json"
        content = {"peft_type": "LORA", "r": 8, "target_modules": ["q_proj", "v_proj"], **fields}
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    return write


def blocks(study):
    return [(unit.name, at(unit.count, study.values), unit.goes_back) for unit in units(study.model).blocks]


def test_it_follows_what_is_recomputed():
    plain = load_study("llama-3.1-8b").change(**LLAMA)
    again = plain.change(recompute="full")
    assert blocks(plain) == [("first block", 1, True), ("later block", 31, True)]
    assert blocks(again) == [("block", 32, True)]
    assert blocks(again.change(recompute="none")) == blocks(plain)
    assert blocks(plain.change(recipe="pure-bf16")) == [("block", 32, True)]


def test_it_follows_the_number_of_blocks():
    study = load_study("llama-3.1-8b").change(**LLAMA)
    one = study.change(values={"L": 1})
    assert blocks(one) == [("block", 1, True)]
    assert blocks(one.change(values={"L": 2})) == [("first block", 1, True), ("later block", 1, True)]


def test_weights_that_are_trained_whole_are_reached(file):
    study = load_study("llama-3.1-8b").change(**LLAMA)
    head = study.change(adapters=file(modules_to_save=["lm_head"]))
    embedded = study.change(adapters=file(modules_to_save=["embed_tokens"]))
    assert [one.built.trained.reached for one in (head, embedded)] == [False, True]


def test_blocks_below_the_adapters_keep_nothing_and_have_no_backward_pass(file):
    study = load_study("llama-3.1-8b").change(**LLAMA)
    last = study.change(adapters=file(layers_to_transform=[31]))
    assert blocks(last) == [("block below the adapters", 31, False), ("block with adapters", 1, True)]
    words = [one.words for one in last.timeline if one.phase == "backward"]
    assert any("with adapters" in one for one in words) and not any("below" in one for one in words)
    # of the last block alone: q, v of rank 8 and their inputs in BF16, the attention kernel, the MLP norm, and the MLP
    d, kv, inner, tokens = 4096, 1024, 14336, 1024
    attention = 2 * tokens * (2 * d + d + 2 * kv + d + 2 * 8) + 4 * 32 * tokens + 24
    kept = attention + tokens * (2 * d + 4) + 2 * tokens * 3 * inner
    counted = [layer for layer in last.model.layers if layer.block]
    assert (
        sum(
            at(layer.repeat * one.elements, last.values) * int(one.bytes_per_element or 2)
            for layer in counted
            for one in layer.saved
        )
        == kept
    )


def test_documents_say_which_it_is():
    study = load_study("llama-3.1-8b").change(**LLAMA)
    said = " ".join(study.model.said)
    assert "no gradient has to reach the first block's input" in said
    assert "counted as one that needs a gradient" in " ".join(study.change(recompute="full").model.said)


EXPERTS = {"hidden_size": 64, "intermediate_size": 160, "moe_intermediate_size": 48, "num_attention_heads": 4}
EXPERTS |= {"n_routed_experts": 8, "num_experts_per_tok": 2, "n_shared_experts": 1, "vocab_size": 320}
EXPERTS |= {"num_hidden_layers": 3, "tie_word_embeddings": False}
GLM = EXPERTS | {"model_type": "glm4_moe", "architectures": ["Glm4MoeForCausalLM"], "num_key_value_heads": 2}
GLM |= {"head_dim": 16, "use_qk_norm": False, "rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}}
DEEPSEEK = EXPERTS | {"model_type": "deepseek_v3", "architectures": ["DeepseekV3ForCausalLM"], "num_key_value_heads": 4}
DEEPSEEK |= {"kv_lora_rank": 32, "q_lora_rank": 48, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16}
DENSE, FORWARD_END, BACKWARD = "first_k_dense_replace", "forward end", "backward"


def two_kinds(folder, config, modules, kernel):
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    trained = {"adapters": modules, "rank": 4}
    recipe = {
        "preset": "pure-bf16",
        "optimizer": "adamw",
        "step_counters": True,
        "trained": trained,
        "gradients_persist": False,
    }
    model = {"config": "config.json", "profile": "hf-cuda-bf16", "kernel": kernel}
    content = {"title": "both", "model": model, "values": {"B": 2, "S": 32}, "recipe": recipe}
    return read_study(content, "study.toml", "study", folder)


@pytest.mark.parametrize(
    ("config", "modules", "kernel", "measured"),
    [
        (GLM | {DENSE: 1}, ["q_proj", "v_proj"], "flash", {FORWARD_END: 1102144, BACKWARD: 1265472}),
        (GLM | {DENSE: 2}, ["q_proj", "v_proj"], "flash", {FORWARD_END: 977952, BACKWARD: 1141280}),
        (DEEPSEEK | {DENSE: 2}, ["q_a_proj", "kv_a_proj_with_mqa"], "eager", {FORWARD_END: 1222008, BACKWARD: 1385336}),
    ],
    ids=["glm of 1", "glm of 2", "deepseek of 2"],
)
def test_the_first_of_dense_and_expert_blocks(config, modules, kernel, measured, tmp_path):
    # PEFT 0.21.2 on transformers 5.24 and PyTorch 2.13, fake tensors, beside routers that are kept in FP32
    study = two_kinds(tmp_path, config, modules, kernel)
    dense = config[DENSE]
    first = (
        [("dense block", 1, True)] if dense == 1 else [("first dense block", 1, True), ("later dense block", 1, True)]
    )
    assert blocks(study) == [*first, ("expert block", 3 - dense, True)]
    assert not study.built.trained.reached
    routers = 2 * 8 * 64 * (3 - dense)
    counted = held(study)
    assert {mark: counted[mark].bytes + routers for mark in measured} == measured


def test_it_follows_the_number_of_dense_blocks(tmp_path):
    one = two_kinds(tmp_path, GLM | {DENSE: 1}, ["q_proj", "v_proj"], "flash")
    two = one.change(values={"L_dense": 2})
    assert blocks(two) == [("first dense block", 1, True), ("later dense block", 1, True), ("expert block", 1, True)]
    assert blocks(two.change(values={"L_dense": 1})) == blocks(one)
    assert held(two)[BACKWARD].bytes + 2 * 8 * 64 == 1141280


def test_adapters_that_the_first_of_both_kinds_does_not_have(tmp_path):
    study = two_kinds(tmp_path, GLM | {DENSE: 1}, ["experts.down_proj"], "flash")
    assert study.built.trained.reached
