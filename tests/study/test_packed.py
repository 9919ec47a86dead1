"""Inference counts the weights of a quantised file as it stores them, to the byte, and as its config.json says how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.read import load_study

LLAMA = {"model_type": "llama", "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80}
LLAMA |= {"num_attention_heads": 64, "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": False}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "modules_to_not_convert": None}
FP8 = {"quant_method": "fp8", "weight_block_size": [128, 128]}
DEEPSEEK = Path(__file__).parents[1] / "data" / "hf_configs" / "deepseek-v3.json"


def study_of(folder, content, how, recipe="vllm", **changed):
    (folder / "config.json").write_text(json.dumps({**content, "quantization_config": how}), encoding="utf-8")
    return load_study(str(folder / "config.json")).change(recipe=recipe, values={"B": 1, "S": 128}, **changed)


def weights(study):
    return study.memory.of("weights").at(study.values)


def test_awq_takes_what_the_published_file_takes(tmp_path):
    """Llama 3.1 70B in plain arithmetic: half a byte, 20 bits for 128 inputs; embedding, head and norms in 16 bits."""
    matrices = 80 * (2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672)
    others = 2 * 128256 * 8192 + (2 * 80 + 1) * 8192
    assert weights(study_of(tmp_path, LLAMA, AWQ)) == matrices // 2 + matrices // 128 * 20 // 8 + 2 * others


def test_fp8_of_deepseek_v3_is_that_of_its_file(tmp_path):
    content = json.loads(DEEPSEEK.read_text(encoding="utf-8"))
    study = study_of(tmp_path, content, FP8)
    assert weights(study) == study.built.stored
    assert [term.name for term in study.memory.of("weights")] == [
        "FP8 weights",
        "scales of the FP8 weights",
        "BF16 weights, not packed",
    ]


def eight_bits(kind, strategy, **inputs):
    group = {"targets": ["Linear"], "input_activations": {"num_bits": 8, "type": kind, **inputs}}
    group["weights"] = {
        "num_bits": 8,
        "type": kind,
        "strategy": strategy,
        "symmetric": True,
        "block_structure": [128, 128],
    }
    return {
        "quant_method": "compressed-tensors",
        "format": f"{kind}-quantized",
        "config_groups": {"group_0": group},
        "ignore": ["lm_head"],
    }


def test_scales_of_compressed_tensors_are_those_that_vllm_loads(tmp_path):
    """Llama 3.1 70B in w8a8: vLLM says 67.7229 GiB of it, with a table of rotations (vllm-project/vllm, issue 12569)."""
    how = eight_bits("int", "channel", dynamic=True, symmetric=True)
    served, stored = (weights(study_of(tmp_path, LLAMA, how, recipe)) for recipe in ("vllm", "inference"))
    rows = 80 * (8192 + 2 * 1024 + 8192 + 2 * 28672 + 8192)
    matrices = 80 * (2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672)
    assert served == matrices + 4 * rows + 2 * (2 * 128256 * 8192 + (2 * 80 + 1) * 8192)
    assert served - stored == 2 * rows
    assert (served + 131_072 * 128 * 2) / 2**30 == pytest.approx(67.7229, abs=3e-4)


@pytest.mark.parametrize(
    ("how", "more"),
    [
        (eight_bits("float", "channel", dynamic=True), 2 * 80 * (2 * 8192 + 2 * 1024 + 2 * 28672 + 8192)),
        (
            eight_bits("int", "channel", dynamic=True, symmetric=False),
            6 * 80 * (2 * 8192 + 2 * 1024 + 2 * 28672 + 8192),
        ),
        (eight_bits("float", "tensor", dynamic=True), 2 * 80 * 7),
        (eight_bits("float", "tensor", dynamic=False), 4 * 80 * 7),
        (eight_bits("float", "block", dynamic=True), 2 * 80 * 64 * (64 + 8 + 8 + 64 + 3 * 224)),
    ],
)
def test_vllm_has_scales_of_eight_bits_in_fp32_where_the_file_has_them_in_16(tmp_path, how, more):
    """vLLM, compressed_tensors: create_weights of its schemes, and create_fp8_scale_parameter: torch.float32."""
    served, stored = (weights(study_of(tmp_path, LLAMA, how, recipe)) for recipe in ("vllm", "inference"))
    assert served - stored == more


ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


def kept(inner, modules, blocks):
    return [f"model.layers.{block}.{inner}.{module}" for block in blocks for module in modules]


def test_fp8_of_llama_405b_packs_the_mlp_of_all_blocks_but_the_first_and_the_last(tmp_path):
    """On each of 8 vLLM says 57.7520 GiB (vllm-project/vllm, issue 6746), when the file had 16 heads of keys and values.

    Which blocks: Llama Team (2024), The Llama 3 Herd of Models, arXiv:2407.21783, section 6.2: no attention, no first and last block.
    """
    content = LLAMA | {
        "hidden_size": 16384,
        "intermediate_size": 53248,
        "num_hidden_layers": 126,
        "num_attention_heads": 128,
    }
    content["num_key_value_heads"] = 16
    names = kept("self_attn", ATTENTION, range(126)) + kept("mlp", MLP, (0, 125))
    how = {"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0, "modules_to_not_convert": names}
    study = study_of(tmp_path, content, how, plan="vllm-tp").change(values={"n_tp": 8})
    attention = 126 * (2 * 16384**2 + 2 * 16384 * 2048)
    mlp, rows = 3 * 16384 * 53248, 2 * 53248 // 8 + 16384
    assert weights(study) == (
        2 * attention // 8
        + 124 * (mlp // 8 + 4 * rows)
        + 2 * 2 * mlp // 8
        + 2 * 2 * 128256 * 16384 // 8
        + 2 * 253 * 16384
    )
    assert (weights(study) + 131_072 * 128 * 2) / 2**30 == pytest.approx(57.7520, rel=3e-4)
    assert study.built.stored == study_of(tmp_path, content, how, "inference").built.stored
    assert weights(study_of(tmp_path, content, how, "inference")) == study.built.stored
    with pytest.raises(BadInput, match="keeps the matrices of some blocks as they are"):
        weights(study.change(plan="vllm-tp+pp", values={"n_pp": 2, "n_tp": 4}))


def test_blocks_that_are_kept_whole_are_counted_where_all_blocks_are_alike(tmp_path):
    how = {**AWQ, "modules_to_not_convert": ["model.layers.79.mlp", "model.layers.90.mlp", "lm_head"]}
    packed = weights(study_of(tmp_path, LLAMA, AWQ))
    one = 3 * 8192 * 28672
    assert weights(study_of(tmp_path, LLAMA, how)) - packed == 2 * one - one // 2 - one // 128 * 20 // 8
    content = json.loads(DEEPSEEK.read_text(encoding="utf-8"))
    dense = study_of(
        tmp_path, content, {**FP8, "ignored_layers": ["model.layers.0.mlp"]}
    )  # of three that are no experts
    assert dense.built.stored is None


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({**AWQ, "quant_method": "gptq"}, "groups of the inputs"),
        ({**AWQ, "group_size": 64}, "zero points of the 4-bit weights"),
        ({**AWQ, "modules_to_not_convert": ["mlp"]}, "BF16 weights, not packed"),
        ({"quant_method": "fp8", "activation_scheme": "static"}, "scales of the FP8 weights, and of their inputs"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "NF4 weights"),
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_use_double_quant": True},
            "scales of these scales",
        ),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "8-bit weights"),
    ],
)
def test_other_ways_to_pack_are_those_of_their_files(tmp_path, how, name):
    study = study_of(tmp_path, LLAMA, how)
    assert weights(study) == study.built.stored
    assert name in [term.name for term in study.memory.of("weights")]


@pytest.mark.parametrize(
    "how",
    [
        {**AWQ, "modules_to_not_convert": ["model.layers.0.mlp.down_proj"]},  # of a block that is packed otherwise
        {**AWQ, "modules_to_not_convert": ["o_proj"]},
        {"quant_method": "exl2"},
    ],
)
def test_a_file_that_is_packed_otherwise_is_counted_as_the_recipe_says(tmp_path, how):
    study = study_of(tmp_path, LLAMA, how)
    assert weights(study) == 2 * study.model.parameters.xreplace(dict(study.values))


def test_experts_in_mxfp4_take_the_bytes_that_the_index_of_gpt_oss_says(tmp_path):
    content = json.loads((DEEPSEEK.parent / "gpt-oss-20b.json").read_text(encoding="utf-8"))
    kept = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
    study = study_of(tmp_path, content, {"quant_method": "mxfp4", "modules_to_not_convert": kept})
    assert weights(study) == 13_761_264_768  # total_size of its model.safetensors.index.json


def test_tensor_parallelism_cuts_packed_weights_and_training_has_its_own(tmp_path):
    one, two = (study_of(tmp_path, LLAMA, AWQ, plan="vllm-tp").change(values={"n_tp": n}) for n in (1, 2))
    norms = 2 * (2 * 80 + 1) * 8192
    assert 2 * (weights(two) - norms) == weights(one) - norms
    trained = study_of(tmp_path, LLAMA, AWQ, recipe="pure-bf16")
    assert weights(trained) == 2 * trained.model.parameters.xreplace(dict(trained.values))
    assert weights(trained.change(recipe="inference")) == weights(one)


def test_bytes_that_a_recipe_gives_come_before_those_of_the_file(tmp_path):
    study_of(tmp_path, LLAMA, AWQ)
    (tmp_path / "own.toml").write_text(
        'title = "t"\n[model]\nconfig = "config.json"\n[recipe]\npreset = "vllm"\nweights = 2\n[values]\nB = 1\nS = 128\n',
        encoding="utf-8",
    )
    study = load_study(str(tmp_path / "own.toml"))
    assert weights(study) == 2 * study.model.parameters.xreplace(dict(study.values))
