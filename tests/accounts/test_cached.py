"""What decoding keeps, against the caches that transformers fills on small models: see tests/data/measure_caches.py."""

from __future__ import annotations

import json
from math import ceil
from pathlib import Path

import pytest

from symbolic_mem.accounts.account import account
from symbolic_mem.accounts.cached import cache_terms
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, L, L_window, S, S_window, d_c, d_head, d_rope, n_kv
from symbolic_mem.models.architecture import Architecture, Latent, Window
from symbolic_mem.models.build import build_model
from symbolic_mem.models.transformer import transformer
from symbolic_mem.recipes.caches import cache_format, cache_formats
from symbolic_mem.recipes.read import recipe

MEASURED = json.loads((Path(__file__).parents[1] / "data" / "caches.json").read_text(encoding="utf-8"))
GEMMA = {"model_type": "gemma3_text", "num_hidden_layers": 26, "num_key_value_heads": 1, "head_dim": 256}


def built(config, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return build_model({"config": path.name}, str(path), tmp_path)


def bytes_of(made, how, sequences, tokens):
    return account(made.model, how).of("cache").at({**made.values, B: sequences, S: tokens})


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in MEASURED["cases"]])
def test_a_cache_has_the_bytes_that_transformers_holds(case, tmp_path):
    made = built(case["config"], tmp_path)
    assert bytes_of(made, recipe("inference"), MEASURED["B"], MEASURED["S"]) == case["bytes"]


def test_every_counted_decoder_that_was_measured_has_a_state_or_a_key():
    kinds = {case["config"]["model_type"] for case in MEASURED["cases"]}
    assert {"mamba", "mamba2", "qwen3_next", "minimax", "deepseek_v32", "gemma3n_text", "lfm2"} <= kinds
    assert len(MEASURED["cases"]) >= 38


@pytest.mark.parametrize(("tokens", "kept"), [(100, 100), (511, 511), (512, 512), (513, 512), (8192, 512)])
def test_a_layer_with_a_window_keeps_the_last_tokens_only(tokens, kept, tmp_path):
    made = built({**GEMMA, "sliding_window": 512}, tmp_path)
    assert bytes_of(made, recipe("inference"), 3, tokens) == 3 * 2 * 2 * 256 * (4 * tokens + 22 * kept)


@pytest.mark.parametrize(("tokens", "blocks", "of_window"), [(1, 1, 2), (16, 1, 2), (17, 2, 3), (1000, 63, 33)])
def test_pages_are_whole_and_a_window_needs_one_more(tokens, blocks, of_window, tmp_path):
    made = built({**GEMMA, "sliding_window": 512}, tmp_path)
    assert bytes_of(made, recipe("vllm"), 1, tokens) == 2 * 2 * 256 * 16 * (4 * blocks + 22 * of_window)


def test_the_formulas_are_those_of_the_papers():
    kept = {
        "MHA, GQA, MQA": (Architecture(), 4 * B * S * L * n_kv * d_head),
        "MLA": (Architecture(latent=Latent()), 2 * B * S * L * (d_c + d_rope)),
    }
    for made, right in kept.values():
        (term,) = cache_terms(transformer(made), recipe("inference"))
        assert (term.bytes - right).expand() == 0
    both = tuple(cache_terms(transformer(Architecture(window=Window())), recipe("inference")))
    assert [term.name for term in both] == ["keys and values", "keys and values in sliding windows"]
    assert sum(term.bytes for term in both).xreplace({L_window: L, S_window: S}).equals(4 * B * S * L * n_kv * d_head)


@pytest.mark.parametrize(
    ("name", "of_a_vector", "once"),
    [
        ("bf16", 2 * 128, 0),
        ("fp16", 2 * 128, 0),
        ("fp32", 4 * 128, 0),
        ("fp8", 128, 4),
        ("int8", 128 + 4, 0),
        ("int4", 64 + 4, 0),
        ("q8_0", 4 * 34, 0),
        ("q4_0", 4 * 18, 0),
        ("q4_1", 4 * 20, 0),
        ("iq4_nl", 4 * 18, 0),
        ("q5_0", 4 * 22, 0),
        ("q5_1", 4 * 24, 0),
    ],
)
def test_a_format_has_its_bytes_and_its_scales(name, of_a_vector, once, tmp_path):
    made = built({"model_type": "llama", "num_hidden_layers": 3, "num_key_value_heads": 8, "head_dim": 128}, tmp_path)
    vectors = 2 * 3 * 8 * 5 * 77
    assert bytes_of(made, recipe("inference").with_cache(name), 5, 77) == vectors * of_a_vector + 2 * 3 * once


def test_every_format_is_tried():
    plain, blocks = {"bf16", "fp16", "fp32", "fp8", "int8", "int4"}, {"q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"}
    assert set(cache_formats()) == plain | blocks


@pytest.mark.parametrize("name", ["FP8", "fp8-e4m3", "float8", "E5M2", "torch.float8_e4m3fn", " fp8 "])
def test_a_format_may_be_spelt_otherwise(name):
    assert cache_format(name).name == "fp8"


def test_an_unknown_format_names_the_known_ones():
    with pytest.raises(BadInput, match=r"unknown cache dtype 'fp9'; did you mean 'fp8'\? known: bf16, fp16, fp32, fp8"):
        cache_format("fp9")


def test_states_that_the_code_keeps_in_fp32_are_not_quantised(tmp_path):
    made = built({"model_type": "mamba", "num_hidden_layers": 2}, tmp_path)
    assert bytes_of(made, recipe("inference").with_cache("int4"), 1, 9) == bytes_of(made, recipe("inference"), 1, 9)
    assert bytes_of(made, recipe("inference"), 1, 9) == bytes_of(made, recipe("inference"), 1, 10**6)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sliding_window", "all", r"sliding_window must be a whole number, not text"),
        ("sliding_window", 0, r"sliding_window is 0; it must be from 1 to"),
        ("layer_types", ["sliding_attention"], r"layer_types has 1 entries for 26 layers"),
        ("layer_types", ["strange"] * 26, r"it must say sliding_attention or full_attention"),
        ("sliding_window_pattern", 2.5, r"sliding_window_pattern must be a whole number, not a fraction"),
    ],
)
def test_a_window_that_cannot_be_is_refused(field, value, words, tmp_path):
    with pytest.raises(BadInput, match=words):
        built({**GEMMA, field: value}, tmp_path)


QWEN = {
    "model_type": "qwen3_next",
    "num_hidden_layers": 48,
    "linear_num_value_heads": 32,
    "linear_num_key_heads": 16,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_conv_kernel_dim": 4,
}
NEMOTRON = {
    "model_type": "nemotron_h",
    "hybrid_override_pattern": "M-M*",
    "num_hidden_layers": 4,
    "mamba_num_heads": 96,
    "mamba_head_dim": 80,
    "ssm_state_size": 128,
    "n_groups": 8,
    "conv_kernel": 4,
}
JAMBA = {
    "model_type": "jamba",
    "num_hidden_layers": 8,
    "hidden_size": 512,
    "mamba_expand": 2,
    "mamba_d_state": 16,
    "mamba_d_conv": 4,
    "attn_layer_period": 8,
    "attn_layer_offset": 4,
}
MAMBA2 = {
    "model_type": "mamba2",
    "hidden_size": 256,
    "num_hidden_layers": 3,
    "num_heads": 8,
    "head_dim": 64,
    "state_size": 128,
    "n_groups": 1,
    "conv_kernel": 4,
}


@pytest.mark.parametrize(
    ("config", "convolution", "recurrent"),
    [
        (QWEN, 36 * (2 * 16 * 128 + 32 * 128) * 3 * 2, 36 * 32 * 128 * 128 * 2),
        ({**QWEN, "model_type": "qwen3_5_text"}, 36 * 8192 * 3 * 2, 36 * 32 * 128 * 128 * 2),
        ({**QWEN, "model_type": "qwen3_5_text", "mamba_ssm_dtype": "float32"}, 36 * 8192 * 3 * 2, 36 * 524_288 * 4),
        (NEMOTRON, 2 * (96 * 80 + 2 * 8 * 128) * 3 * 2, 2 * 96 * 80 * 128 * 4),
        ({**NEMOTRON, "mamba_ssm_cache_dtype": "auto"}, 2 * 9728 * 3 * 2, 2 * 96 * 80 * 128 * 2),
        (JAMBA, 7 * 1024 * 3 * 2, 7 * 1024 * 16 * 2),
        (MAMBA2, 3 * (512 + 2 * 128) * 3 * 2, 3 * 8 * 64 * 128 * 2),
    ],
)
def test_states_of_vllm_are_those_of_its_calculators(config, convolution, recurrent, tmp_path):
    """vLLM, model_executor/layers/mamba/mamba_utils.py: shapes and dtypes; models/config.py: what a config.json asks for."""
    made = built(config, tmp_path)
    kept = {
        term.name: term.at({**made.values, B: 3, S: 5000}) for term in account(made.model, recipe("vllm")).of("cache")
    }
    assert (kept["convolution states"], kept["recurrent states"]) == (3 * convolution, 3 * recurrent)


def test_a_dtype_that_no_state_has_is_one_line(tmp_path):
    with pytest.raises(BadInput, match="mamba_ssm_dtype is 'half'; it must be one of float32, float16, bfloat16, auto"):
        built({**QWEN, "mamba_ssm_dtype": "half"}, tmp_path)


def test_a_recipe_of_training_keeps_no_cache():
    with pytest.raises(BadInput, match="recipe 'cs336' trains, and keeps no cache; choose recipe inference"):
        recipe("cs336").with_cache("fp8")
    with pytest.raises(BadInput, match="recipe 'cs336' trains"):
        recipe("cs336").with_pages(16)


@pytest.mark.parametrize("given", [0, -1, 2.5, True, 10**9])
def test_a_page_is_a_whole_number_of_tokens(given):
    with pytest.raises(BadInput, match=r"page: .* is no number of tokens; give a whole number from 1 to 1,000,000"):
        recipe("inference").with_pages(given)


def test_inference_has_no_optimizer_and_nothing_is_recomputed():
    from symbolic_mem.recipes.recompute import Recompute

    with pytest.raises(BadInput, match="recipe 'inference' is one of inference and has no optimizer"):
        recipe("inference").with_optimizer("lion")
    with pytest.raises(BadInput, match="has no backward pass; leave recompute out"):
        recipe("inference").with_recompute(Recompute("full"))
    with pytest.raises(BadInput, match="has no gradients"):
        recipe("inference").without_persistent_gradients()


@pytest.mark.parametrize(("tokens", "pages"), [(1, 1), (15, 1), (16, 1), (17, 2)])
def test_pages_count_for_each_sequence(tokens, pages, tmp_path):
    made = built({"model_type": "llama", "num_hidden_layers": 1, "num_key_value_heads": 1, "head_dim": 8}, tmp_path)
    how = recipe("inference").with_pages(16)
    assert bytes_of(made, how, 7, tokens) == 7 * 2 * 2 * 8 * 16 * ceil(tokens / 16) == 7 * 2 * 2 * 8 * 16 * pages
