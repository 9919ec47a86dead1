"""Profiles as data: every row names known tensors and shapes, and wrong names are refused in useful words."""

from __future__ import annotations

from pathlib import Path

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import evaluate
from symbolic_mem.base.symbols import B, L, S, V, d_ff, d_head, d_model, n_heads, n_kv
from symbolic_mem.library.read import load_study
from symbolic_mem.models.architecture import NORM_PLACES, QK_NORMS, Architecture
from symbolic_mem.models.attention import attention
from symbolic_mem.models.mlp import mlp
from symbolic_mem.models.norms import norm
from symbolic_mem.models.profile import operation_tensors, profile, profiles
from symbolic_mem.models.tensors import Layer, Model, Tensor
from symbolic_mem.models.transformer import transformer
from symbolic_mem.recipes.read import recipe


@pytest.mark.parametrize("name", profiles())
def test_every_row_keeps_tensors_that_the_operation_has(name):
    how = profile(name)
    for rows in (how.keeps, *how.families.values()):
        for operation, row in rows.items():
            known = operation_tensors(operation)
            assert set(row) <= set(known), operation


def test_every_tensor_has_a_reason():
    for layer in transformer():
        assert all(tensor.reason for tensor in layer.saved)


def test_a_name_that_no_profile_has():
    with pytest.raises(BadInput, match="unknown profile 'torch-cuda'; did you mean 'torch-cuda-"):
        profile("torch-cuda")


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda how: mlp(how, "swish"), "does not say what 'swish' keeps"),
        (lambda how: norm(how, "batch"), "unknown norm 'batch'; known: layer, rms"),
        (lambda how: attention(how, heads_with_keys="few"), "heads_with_keys is 'few'; known: all, one, some"),
    ],
)
def test_names_that_no_builder_knows(build, words):
    with pytest.raises(BadInput, match=words):
        build(profile("torch-cuda-bf16"))


def test_a_kernel_that_no_row_describes():
    with pytest.raises(BadInput, match="has no attention kernel 'flesh'; did you mean 'flash'"):
        attention(profile("torch-cuda-bf16", kernel="flesh"))


def test_an_operation_that_was_not_measured():
    with pytest.raises(BadInput, match="profile 'jax-bf16' does not say what 'silu_clamped' keeps"):
        mlp(profile("jax-bf16"), "silu_clamped")


def test_dropout_of_attention_is_counted_regenerated_or_refused():
    names = [
        tensor.name for tensor in attention(profile("torch-cuda-bf16", kernel="eager"), attention_dropout=True).saved
    ]
    assert "dropout mask" in names
    flash = profile("torch-cuda-bf16")
    assert attention(flash, attention_dropout=True).saved == attention(flash).saved
    with pytest.raises(BadInput, match="has no attention kernel 'eager_dropout'"):
        attention(profile("jax-bf16"), attention_dropout=True)


def test_a_kernel_of_ones_own():
    fused = profile("torch-cuda-bf16").keeping("gate").keeping("silu", activation="compute")
    assert [tensor.name for tensor in mlp(fused, "silu", gated=True).saved] == ["input", "activation"]


def test_autocast_converts_an_fp32_input_for_every_linear_layer():
    how = profile("torch-cuda-autocast")
    inputs = [tensor.name for tensor in attention(how, producer="rmsnorm").saved if tensor.name.startswith("input")]
    assert inputs == ["input", "input for W_k", "input for W_v"]
    fused = [tensor.name for tensor in attention(how, producer="rmsnorm", fused_qkv=True).saved]
    assert [name for name in fused if name.startswith("input")] == ["input"]


def test_a_recipe_decides_the_bytes_that_the_engine_leaves_open():
    model = Model("one", (mlp(profile("torch-cuda-bf16"), "none"),))
    eight_bits = recipe("cs336").override({"activations": sp.Integer(1)})
    assert account(model, eight_bits).of("activations").total == B * S * (d_ff + d_model)


def test_the_account_of_a_llama_like_model_is_ten_lines():
    terms = {term.layer or term.name: term for term in account(transformer(), recipe("cs336"))}
    heads = d_head * (n_heads + n_kv)
    assert len(terms) == 10
    assert terms["attention norm"].bytes == 2 * B * L * S * (d_model + 2)
    assert terms["MLP"].bytes == 2 * B * L * S * (4 * d_ff + d_model)
    assert sp.expand(terms["attention"].bytes - 2 * B * L * S * (d_model + 2 * heads + 2 * n_heads) - 24 * L) == 0


def test_tensors_of_several_sizes_are_one_exact_term():
    sizes = (Tensor("x", (B, S, d_model)), Tensor("mask", (B, S), bytes_per_element=sp.Integer(1)))
    (term,) = account(Model("one", (Layer("layer", saved=sizes, repeat=L),)), recipe("cs336")).of("activations")
    assert term.bytes == B * L * S * (2 * d_model + 1)
    assert sp.expand(sum(part.elements for part in term.parts) * term.bytes_per_element - term.bytes) == 0


SIZES = st.fixed_dictionaries(
    {symbol: st.integers(1, 40).map(sp.Integer) for symbol in (B, S, L, V, d_model, d_ff, n_heads, n_kv, d_head)}
)


@settings(deadline=None, max_examples=25)
@given(
    name=st.sampled_from(sorted(profiles())),
    values=SIZES,
    gated=st.booleans(),
    place=st.sampled_from(NORM_PLACES),
    qk_norm=st.sampled_from(QK_NORMS),
    fused=st.booleans(),
    parallel=st.booleans(),
)
def test_the_factored_account_is_the_plain_sum_of_all_tensors(name, values, gated, place, qk_norm, fused, parallel):
    architecture = Architecture(
        gated=gated, norm_place=place, qk_norm=qk_norm, fused_qkv=fused, fused_gate=fused, parallel_residual=parallel
    )
    model = transformer(architecture, profile(name))
    plain = 0
    for layer in model:
        for tensor in layer.saved:
            count = int(layer.repeat.subs(values)) * int(tensor.bytes_per_element or 2)
            for size in tensor.shape:
                count *= int(sp.sympify(size).subs(values))
            plain += count
    memory = account(model, recipe("cs336"))
    assert evaluate(memory.of("activations", "buffers").total, values) == plain


@pytest.mark.parametrize(("name", "said"), [("deepseek-v3", True), ("qwen3-30b-a3b", False)])
def test_routers_that_transformers_keeps_in_fp32_are_named(name, said):
    """Its classes name gate.weight in _keep_in_fp32_modules_strict; those of Qwen and Mixtral do not."""
    path = str(Path(__file__).parents[1] / "data" / "hf_configs" / f"{name}.json")
    for how, there in (("hf-cuda-bf16", said), ("torch-cuda-bf16", False)):
        study = load_study(path).change(recipe="pure-bf16", profile=how)
        assert any("weights of routers of this family in FP32" in one for one in study.model.assumptions) is there
