"""Quantised weights as they are published: their bytes with scales, to the byte where a publisher says them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.models.quantised import quantised

CONFIGS = Path(__file__).parents[1] / "data" / "hf_configs"


def how(**config):
    found = quantised({"quantization_config": config}, "c.json")
    assert found is not None
    return found


def record(tmp_path, name: str, **config) -> dict:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads((CONFIGS / name).read_text()) | {"quantization_config": config}))
    return Account(load_study(str(path))).record


def test_mxfp4_takes_the_bytes_that_the_index_of_gpt_oss_says(tmp_path):
    kept = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
    told = record(tmp_path, "gpt-oss-20b.json", quant_method="mxfp4", modules_to_not_convert=kept)
    assert told["published_weight_bytes"] == 13_761_264_768  # total_size of its model.safetensors.index.json
    assert told["parameters"] == 20_914_757_184


def test_awq_takes_the_bytes_of_its_three_tensors():
    # Qwen2.5 0.5B, AWQ: qweight (4864, 112) and qzeros (38, 112) of 32 bits, scales (38, 896) of 16.
    assert how(quant_method="awq", bits=4, group_size=128).bits(1, 896, 4864) == 32 * 112 * (4864 + 38) + 16 * 38 * 896


def test_gptq_holds_the_group_of_each_input_too():
    with_index = how(quant_method="gptq", bits=4, group_size=128).bits(1, 896, 4864)
    assert with_index - how(quant_method="awq", bits=4, group_size=128).bits(1, 896, 4864) == 32 * 4864
    assert how(quant_method="gptq", bits=8, group_size=-1).bits(1, 8, 64) == 8 * 8 * 64 + 8 * (16 + 8) + 32 * 64


def test_qlora_saves_three_eighths_of_a_bit_by_quantised_scales():
    """Dettmers et al. (2023), section 3: 32/64 = 0.5 bits a parameter become 8/64 + 32/(64 256) = 0.127 bits."""
    size = 64 * 256 * 4
    plain, double = (
        how(quant_method="bitsandbytes", load_in_4bit=True, bnb_4bit_use_double_quant=flag) for flag in (False, True)
    )
    assert plain.bits(1, 1, size) == 4 * size + size // 2
    assert double.bits(1, 1, size) - 4 * size == 8 * size // 64 + 32 * size // (64 * 256)
    assert how(quant_method="bitsandbytes", load_in_8bit=True).bits(1, 10, 20) == 8 * 200 + 32 * 10


def test_fp8_has_a_scale_for_each_block_and_for_what_is_left_of_one():
    blocks = how(quant_method="fp8", weight_block_size=[128, 128])
    assert blocks.bits(3, 129, 128) == 3 * (8 * 129 * 128 + 32 * 2)
    assert how(quant_method="fp8").bits(1, 10, 10) == 832


def test_the_account_says_both_what_is_published_and_that_the_recipe_trains_others(tmp_path):
    told = record(tmp_path, "llama-3.1-8b.json", quant_method="awq", bits=4, group_size=128)
    line = next(str(said) for said in told["assumptions"] if "As published" in str(said))
    assert "AWQ, 4 bits in groups of 128" in line and "inference counts them so, training as its recipe says" in line
    matrices = told["parameters_by_group"]["attention"] + told["parameters_by_group"]["mlp"]
    rest = told["parameters"] - matrices
    assert told["published_weight_bytes"] == matrices * (4 * 128 + 16 + 4) / 128 / 8 + 2 * rest


def test_a_method_that_is_not_known_is_said_and_the_count_stands(tmp_path):
    told = record(tmp_path, "llama-3.1-8b.json", quant_method="magic")
    assert "published_weight_bytes" not in told
    assert any("Its quantisation 'magic' is not known" in str(said) for said in told["assumptions"])


def group(*, static=False, **weights):
    usual = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": True}
    both = {"weights": usual | weights} | ({"input_activations": {"num_bits": 8, "dynamic": False}} if static else {})
    return {"config_groups": {"group_0": {"targets": ["Linear"], **both}}, "ignore": ["lm_head"]}


@pytest.mark.parametrize(
    ("config", "bits"),
    [
        ({"format": "pack-quantized", **group()}, 64 * 256 * 4 + 64 * 2 * 16 + 128),
        ({"format": "pack-quantized", **group(symmetric=False)}, 64 * 256 * 4 + 64 * 2 * (16 + 4) + 128),
        (
            {"format": "pack-quantized", **group(num_bits=8, strategy="channel", group_size=None)},
            64 * (256 * 8 + 16) + 128,
        ),
        ({"format": "float-quantized", **group(num_bits=8, type="float", strategy="channel")}, 64 * (256 * 8 + 16)),
        ({"format": "naive-quantized", **group(num_bits=8, strategy="tensor")}, 64 * 256 * 8 + 16),
        (
            {"format": "float-quantized", **group(num_bits=8, type="float", strategy="tensor", static=True)},
            64 * 256 * 8 + 32,
        ),
        (
            {
                "format": "float-quantized",
                **group(num_bits=8, type="float", strategy="block", block_structure=[48, 128]),
            },
            64 * 256 * 8 + 4 * 16,
        ),
        ({"format": "nvfp4-pack-quantized", **group(type="float", group_size=16)}, 64 * 256 * 4 + 64 * 16 * 8 + 32),
    ],
)
def test_compressed_tensors_are_those_that_its_compressors_write(config, bits):
    """The tensors of compressed-tensors 0.20.0 for a matrix of 64 outputs and 256 inputs: codes, 16-bit scales, two whole numbers."""
    assert how(quant_method="compressed-tensors", **config).bits(1, 64, 256) == bits


def test_model_optimizer_has_two_numbers_for_each_matrix():
    assert how(quant_method="modelopt", quant_algo="FP8").bits(3, 64, 256) == 3 * (64 * 256 * 8 + 64)
    assert how(quant_method="modelopt", quant_algo="NVFP4").bits(1, 64, 256) == 64 * 256 * 4 + 64 * 16 * 8 + 64


@pytest.mark.parametrize(
    "config",
    [
        {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {}},
        {"quant_method": "compressed-tensors", "format": "pack-quantized", **group(), "ignore": ["re:.*o_proj$"]},
        {"quant_method": "compressed-tensors", "format": "marlin-24", **group()},
        {
            "quant_method": "compressed-tensors",
            "format": "float-quantized",
            **group(num_bits=8, strategy="channel", static=True),
        },
        {"quant_method": "modelopt", "quant_algo": "W4A8_AWQ"},
        {"quant_method": "fp8", "ignored_layers": ["model.layers.3.self_attn.o_proj"]},
        {"quant_method": "gptq", "dynamic": {"-:.*down.*": {}}},
    ],
)
def test_what_is_stored_in_several_ways_is_said_and_not_counted(tmp_path, config):
    told = record(tmp_path, "llama-3.1-8b.json", **config)
    assert "published_weight_bytes" not in told
    assert any("is not described for the modules and formats" in str(said) for said in told["assumptions"])


def test_patterns_of_modules_that_are_kept_are_those_of_whole_groups():
    kept = [
        "re:.*lm_head",
        "re:.*mlp.gate$",
        "re:.*self_attn.*",
        "model.layers.0.mlp.gate",
        "model.layers.0.input_layernorm",
    ]
    assert how(quant_method="fp8", ignore=kept).groups == {"mlp", "experts", "shared experts", "mixer"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"quantization_config": 3}, "quantization_config must be an object, not a number"),
        ({"quantization_config": {"quant_method": "awq", "bits": "4"}}, "bits must be a whole number"),
        ({"quantization_config": {"quant_method": "gptq", "group_size": 0}}, "group_size must be a whole number"),
        (
            {"quantization_config": {"quant_method": "fp8", "weight_block_size": [0, 1]}},
            "weight_block_size must be two",
        ),
        ({"quantization_config": {"quant_method": "awq", "modules_to_not_convert": 3}}, "must be a list of names"),
        ({"quantization_config": {"quant_method": "fp8", "ignore": ["re:("]}}, "is no pattern of names of modules"),
        ({"quantization_config": {"quant_method": "fp8", "ignore": ["re:(.+)+!"]}}, "none of them of a group"),
        (
            {"quantization_config": {"quant_method": "fp8", "ignore": ["re:.*.*.*.*.*!"]}},
            "at most 200 signs and 4 repetitions",
        ),
    ],
)
def test_what_no_file_can_have_is_refused(config, message):
    with pytest.raises(BadInput) as caught:
        quantised(config, "c.json")
    assert str(caught.value).startswith("c.json: quantization_config") or "c.json: modules" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"quant_method": "gptq", "bits": 3, "group_size": -1, "desc_act": False},
        {"quant_method": "awq", "bits": 4, "group_size": -1},
    ],
)
def test_one_group_for_each_output_is_a_size_as_others_are(tmp_path, given):
    """A plain number has no symbols to read, and `fit` and `solve` read those of every size."""
    config = {"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32}
    config |= {"num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": False}
    (tmp_path / "config.json").write_text(json.dumps({**config, "quantization_config": given}), encoding="utf-8")
    study = load_study(str(tmp_path / "config.json")).change(recipe="vllm")
    sizes = [size for term in study.memory for part in term.parts for size in (part.copies, *part.shape)]
    assert all(isinstance(size, sp.Expr) for size in sizes)
