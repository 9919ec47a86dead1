"""Plans as meshes of named axes: what each rank has of a model, products of plans, and what an engine refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.models.cut import DIMENSIONS
from symbolic_mem.plans.pipeline import pipelines
from symbolic_mem.plans.read import plan, plans
from symbolic_mem.questions.parts.assumptions import divided_model
from symbolic_mem.render.text import plain_prose

SIZES = {s.L: 2, s.d_model: 64, s.d_ff: 256, s.n_heads: 8, s.n_kv: 4, s.d_head: 8, s.V: 1000, s.B: 1, s.S: 32}


def rank(preset: str, model: dict | None = None, **values: int):
    tables = {
        "kind": "transformer",
        "norm": "layer",
        "norm_bias": True,
        "o_bias": True,
        "mlp_bias": True,
        "qkv_bias": True,
    }
    given = {str(symbol): size for symbol, size in SIZES.items()} | values
    return read_study(
        {"title": "x", "model": tables | (model or {}), "values": given, "plan": {"preset": preset}}, "x", "x", None
    )


def shapes(study) -> dict[str, tuple[int, ...]]:
    found = {}
    for layer in study.model.layers:
        for weight in layer.weights:
            found[weight.name] = tuple(int(study.numbers[size]) for size in weight.shape)
    return found


def test_layers_are_cut_by_column_and_by_row_and_biases_by_row_are_whole():
    found = shapes(rank("torch-tp", n_tp=4))
    assert found["W_q"] == (16, 64) and found["b_q"] == (16,)
    assert found["W_k"] == (8, 64) and found["W_o"] == (64, 16) and found["b_o"] == (64,)
    assert found["W_gate"] == (64, 64) and found["W_down"] == (64, 64) and found["b_down"] == (64,)
    assert found["gain of the MLP norm"] == (64,)
    assert found["W_E"] == (250, 64)


def test_megatron_pads_the_vocabulary_for_each_rank_also_without_tensor_parallelism():
    assert shapes(rank("megatron", n_tp=4))["W_E"] == (1024 // 4, 64)
    assert shapes(rank("megatron", n_tp=1))["W_E"] == (1024, 64)
    assert shapes(rank("megatron", n_tp=4, V=5121))["W_E"] == (11 * 512 // 4, 64)


def test_experts_are_divided_over_their_own_axes_and_the_router_is_whole():
    found = rank("megatron", {"experts": {"d_shared": 128}}, n_tp=2, n_ep=4, n_fsdp=4, E=16, k=2, d_expert=32)
    sizes = shapes(found)
    assert sizes["W_router"] == (16, 64)
    experts = {w.name: w.shape for layer in found.model.layers for w in layer.weights if w.group == "experts"}
    assert [int(found.numbers[size]) for size in experts["W_gate_up"]] == [4, 64, 64]
    shared = {w.name: w.shape for layer in found.model.layers for w in layer.weights if w.group == "shared experts"}
    assert [int(found.numbers[size]) for size in shared["W_down"]] == [64, 64]  # 128 over n_tp


@pytest.mark.parametrize(
    ("preset", "stream", "inputs"), [("torch-tp", 32, 32), ("torch-sp", 8, 32), ("megatron-sp", 8, 8)]
)
def test_sequence_parallelism_divides_the_stream_and_megatron_its_inputs_too(preset, stream, inputs):
    study = rank(preset, n_tp=4)
    by_name = {layer.name: layer for layer in study.model.layers}
    assert study.numbers[by_name["MLP norm"].saved[0].shape[1]] == stream
    assert study.numbers[by_name["MLP"].saved[0].shape[1]] == inputs
    assert study.numbers[by_name["attention"].saved[1].shape[1]] == 32


def test_context_parallelism_divides_every_token_and_no_weight():
    whole, part = rank("one-device"), rank("cp", n_cp=4)
    assert shapes(whole) == shapes(part)
    kept = [study.memory.of("activations").at(study.numbers) for study in (whole, part)]
    alone = 2 + 24 * 2  # numbers that do not grow with tokens
    again = 2 * 2 * 8 * 64  # of two blocks the output of attention, which is kept in both orders
    assert kept[0] - alone == 4 * (kept[1] - alone - again)


def test_tensor_and_sequence_parallelism_of_korthikanti_come_out():
    """Korthikanti et al. (2022), arXiv:2205.05198, equations 2 and 4: bytes that a block keeps."""
    model = {"kind": "transformer", "profile": "korthikanti", "norm": "layer", "gated": False, "activation": "gelu"}
    model |= {"position": "none", "attention_dropout": 0.1, "residual_dropout": 0.1}
    h, a, seq, b, t = 64, 8, 32, 2, 4
    values = {
        "L": 1,
        "d_model": h,
        "d_ff": 4 * h,
        "n_heads": a,
        "n_kv": a,
        "d_head": h // a,
        "V": 512,
        "B": b,
        "S": seq,
    }
    printed = {
        "megatron-tp": seq * b * h * (10 + sp.Rational(24, t)) + 5 * sp.Rational(a * seq * seq * b, t),
        "megatron-sp": sp.Rational(seq * b * h * 34 + 5 * a * seq * seq * b, t),
    }
    for preset, law in printed.items():
        tables = {"title": "x", "model": model, "values": values | {"n_tp": t}, "plan": {"preset": preset}}
        study = read_study(tables, "x", "x", None)
        block = {f"activations of the {layer.name}" for layer in study.model.layers if layer.block}
        kept = study.memory.where(lambda term, names=block: term.name in names)
        assert kept.at(study.numbers) == law


def test_an_axis_without_a_value_is_one():
    study = load_study("llama-3.1-8b").change(plan="fsdp2+torch-tp")
    assert study.values[s.n_tp] == 1
    assert study.model == load_study("llama-3.1-8b").model


def test_every_cut_is_of_a_named_dimension_and_has_a_source():
    for one in plans().values():
        assert one.source and one.title
        assert {dimension for dimension, _ in one.cuts} <= set(DIMENSIONS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fsdp2+hsdp", "both say gradients, optimizer, weights"),
        ("torch-tp+torch-sp", "both say heads, inner, keys, vocabulary"),
        ("dp+zero-1", "both say what is sent"),
        ("fsdp2+tensor", "unknown plan 'tensor'"),
    ],
)
def test_what_is_no_product_is_one_line(name, said):
    with pytest.raises(BadInput, match=said.replace("+", r"\+")) as refused:
        plan(name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("preset", "values", "said"),
    [
        ("torch-tp", {"n_tp": 3}, "divides n_heads = 8 (query heads) over n_tp = 3"),
        ("torch-tp", {"n_tp": 8}, "divides n_kv = 4 (key-value heads) over n_tp = 8"),
        ("torch-sp", {"n_tp": 4, "S": 30}, "divides S = 30 (tokens in the residual stream) over n_tp = 4"),
        ("cp", {"n_cp": 3}, "divides S = 32 (tokens of a sequence) into 2*n_cp = 6 pieces, two for each rank"),
        ("cp", {"n_cp": 8, "S": 40}, "divides S = 40 (tokens of a sequence) into 2*n_cp = 16 pieces"),
        ("cp-all-to-all", {"n_cp": 16}, "divides n_heads = 8 (query heads) over n_cp = 16"),
        ("megatron", {"n_tp": 4, "d_ff": 254}, "divides d_ff = 254"),
        ("torch-sp", {"n_tp": 1}, "sequence parallelism divides nothing"),
        ("megatron", {"n_ep": 2}, "divides routed experts, and this model has none; leave n_ep out"),
    ],
)
def test_a_degree_that_its_engine_refuses_is_one_line(preset, values, said):
    with pytest.raises(BadInput) as refused:
        rank(preset, **values)
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"n_ep": 3, "n_fsdp": 3}, "divides E = 16 (routed experts) over n_ep = 3"),
        ({"n_ep": 4, "n_fsdp": 2}, "n_tp/(n_ep*n_etp) = 1/2 devices"),
    ],
)
def test_experts_need_devices_that_their_degree_divides(values, said):
    with pytest.raises(BadInput) as refused:
        rank("megatron", {"experts": True}, E=16, k=2, d_expert=32, **values)
    assert said in str(refused.value)


def test_pytorch_cuts_what_does_not_come_out_unevenly():
    study = read_study(
        {
            "title": "x",
            "model": {"kind": "ffn"},
            "values": {"d_model": 37, "d_ff": 211, "n_tp": 4},
            "plan": {"preset": "torch-tp"},
        },
        "x",
        "x",
        None,
    )
    assert study.numbers[study.model.layers[0].weights[0].shape[0]] == 53
    told = [plain_prose(line) for line in divided_model(study)]
    assert any("d_ff = 211" in line and "the fullest rank, with 53, is counted" in line for line in told)


@pytest.mark.parametrize("preset", ["megatron-tp", "megatron-sp"])
def test_megatron_s_ranks_share_key_value_heads_where_there_are_fewer(preset):
    """Each projects an eighth of queries, keys and values, and works with one of two key-value heads (core/transformer/attention.py)."""
    one = rank(preset, {"profile": "te-cuda-bf16"}, n_kv=2, n_tp=8)
    assert shapes(one)["W_qkv"] == ((8 * 8 + 2 * 2 * 8) // 8, 64) and shapes(one)["W_o"] == (64, 8)
    kept = {tensor.name: tensor for layer in one.model.layers for tensor in layer.saved}
    assert [int(one.numbers[kept[name].shape[-1]]) for name in ("q", "k", "v")] == [8, 8, 8]
    told = [plain_prose(line) for line in divided_model(one)]
    assert any("There are more ranks than key-value heads" in line for line in told)
    assert any(
        "The vocabulary of 1000 rows is padded to 1024, a multiple of 128 on each rank." in line for line in told
    )
    with pytest.raises(BadInput, match="give a divisor of 4 or a multiple of it"):
        rank(preset, n_heads=12, n_kv=4, n_tp=6)
    told = [plain_prose(line) for line in divided_model(rank(preset, n_tp=2, V=1024))]
    assert not any("padded" in line or "more ranks" in line for line in told)


def test_pytorch_refuses_fewer_micro_batches_than_stages():
    """Schedule1F1B of PyTorch 2.13 raises; Megatron-LM runs them."""
    values = {"n_tp": 2, "n_pp": 2, "n_micro": 1, "n_fsdp": 2}
    with pytest.raises(
        BadInput, match="schedule '1f1b' of PyTorch needs at least n_pp = 2 micro-batches, and n_micro = 1"
    ):
        assert load_study("llama-3.1-8b").change(plan="torchtitan", values=values).timeline
    assert load_study("llama-3.1-8b").change(plan="megatron", recipe="megatron-18", values=values).timeline


def test_a_schedule_that_its_engine_does_not_have_is_refused():
    """`get_schedule_class` of PyTorch 2.13 knows seven; Megatron-LM runs 1F1B where a rank has one virtual chunk."""
    values = {"n_tp": 2, "n_pp": 2, "n_micro": 4, "n_fsdp": 2}
    for name in pipelines():
        one = load_study("llama-3.1-8b").change(plan="torchtitan", values=values)
        scheduled = replace(one, plan=replace(one.plan, schedule=name))
        theirs = {"gpipe", "1f1b", "interleaved", "looped-bfs", "interleaved-zero-bubble", "zbv", "dualpipe-v"}
        if name not in theirs:
            with pytest.raises(BadInput, match=f"schedule '{name}' is none of PyTorch's; give one of gpipe, 1f1b, "):
                assert scheduled.timeline
        elif name == "interleaved":
            with pytest.raises(BadInput, match="needs at least 2 chunks on each rank, and n_chunks = 1"):
                assert scheduled.timeline
            assert scheduled.change(values={"n_chunks": 2}).timeline
        else:
            assert scheduled.timeline


QWEN_AWQ = {
    "model_type": "qwen2",
    "hidden_size": 8192,
    "intermediate_size": 29568,
    "num_hidden_layers": 80,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "vocab_size": 152064,
    "tie_word_embeddings": False,
    "quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128},
}
QWEN_FP8 = {
    "model_type": "qwen3_moe",
    "hidden_size": 4096,
    "moe_intermediate_size": 1536,
    "num_hidden_layers": 94,
    "num_attention_heads": 64,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "vocab_size": 151936,
    "quantization_config": {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]},
}


@pytest.mark.parametrize(
    ("config", "degree", "said"),
    [
        (
            QWEN_AWQ,
            2,
            "W_down is stored in groups of 128 inputs, and a rank has 14784 of its inputs, no multiple of 128",
        ),
        (QWEN_AWQ | {"intermediate_size": 29696}, 8, ""),
        (QWEN_AWQ | {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": -1}}, 2, ""),
        (QWEN_AWQ | {"quantization_config": None}, 2, ""),
        (QWEN_FP8, 4, ""),
        (QWEN_FP8, 8, "is stored in tiles of 128 by 128, and a rank has 192 of its outputs, no multiple of 128"),
    ],
)
def test_a_rank_has_whole_groups_of_a_file(config, degree, said, tmp_path):
    """vLLM, issues 21695 (Qwen 2.5 72B in AWQ, whose files were filled up to 29,696) and 17569 (Qwen3 235B in FP8 over 8)."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}), encoding="utf-8")
    change = {"recipe": "vllm", "plan": "vllm-tp", "values": {"n_tp": degree}}
    if not said:
        load_study(str(path)).change(**change)
        return
    with pytest.raises(BadInput, match=said):
        load_study(str(path)).change(**change)
