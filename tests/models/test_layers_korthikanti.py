"""Korthikanti et al. (2022), arXiv:2205.05198: their bytes per layer and their totals, as identities of expressions."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.symbols import B, L, S, V, d_model, n_heads
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.profile import profile
from symbolic_mem.models.tensors import Layer, Model
from symbolic_mem.models.transformer import transformer

TENTH = sp.Rational(1, 10)
GPT = Architecture(
    name="GPT",
    d_ff=4 * d_model,
    n_kv=n_heads,
    d_head=d_model / n_heads,
    norm="layer",
    norm_bias=True,
    qkv_bias=True,
    o_bias=True,
    mlp_bias=True,
    fused_qkv=True,
    position="learned",
    gated=False,
    activation="gelu",
    tied=True,
    attention_dropout=TENTH,
    residual_dropout=TENTH,
    embedding_dropout=TENTH,
)
SBH = S * B * d_model
SCORES = n_heads * S**2 * B


def kept(layer: Layer) -> sp.Expr:
    return sum((2 if t.bytes_per_element is None else t.bytes_per_element) * t.elements for t in layer.saved)


def block(model: Model) -> sp.Expr:
    return sp.expand(sum(kept(layer) for layer in model if layer.block))


def by_name(model: Model) -> dict[str, Layer]:
    return {layer.name: layer for layer in model}


def test_a_layer_keeps_sbh_times_34_plus_5_a_s_over_h():
    assert block(transformer(GPT, profile("korthikanti"))) == sp.expand(SBH * (34 + 5 * n_heads * S / d_model))


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("attention", 11 * SBH + 5 * SCORES),
        ("MLP", 19 * SBH),
        ("attention norm", 2 * SBH),
        ("MLP norm", 2 * SBH),
        ("final norm", 2 * SBH),
        ("embedding", SBH),
        ("head and loss", 2 * SBH + 4 * S * B * V),
    ],
)
def test_each_part_keeps_what_section_4_says(name, published):
    assert sp.expand(kept(by_name(transformer(GPT, profile("korthikanti")))[name]) - published) == 0


def test_flash_attention_drops_the_scores():
    assert block(transformer(GPT, profile("korthikanti", kernel="flash"))) == 34 * SBH


def test_pytorch_keeps_more_statistics_and_a_mask():
    engine = transformer(GPT, profile("torch-cuda-bf16", kernel="eager"))
    textbook = transformer(GPT, profile("korthikanti"))
    assert sp.expand(block(engine) - block(textbook)) == 16 * B * S + S**2


@pytest.mark.parametrize(
    ("name", "kernel", "dropout", "measured"),
    [
        ("torch-cuda-bf16", "eager", False, 32 * SBH + 2 * SCORES + 16 * B * S + S**2),
        ("torch-cuda-bf16", "flash", True, 34 * SBH + 4 * n_heads * S * B + 16 * B * S + 24),
        ("torch-cuda-bf16", "flash", False, 32 * SBH + 4 * n_heads * S * B + 16 * B * S + 24),
        ("torch-cuda-bf16", "eager_fp32", True, 34 * SBH + 7 * SCORES + 16 * B * S + S**2),
        ("torch-cuda-bf16", "eager_fp32", False, 32 * SBH + 6 * SCORES + 16 * B * S + S**2),
        ("torch-cpu-bf16", "eager", True, 36 * SBH + 6 * SCORES + 8 * B * S + S**2),
    ],
)
def test_measured_layers_of_other_settings(name, kernel, dropout, measured):
    off = dict.fromkeys(("attention_dropout", "residual_dropout"), sp.S.Zero)
    model = transformer(GPT if dropout else replace(GPT, **off), profile(name, kernel=kernel))
    assert sp.expand(block(model) - measured) == 0


def test_autocast_on_cuda_keeps_norm_inputs_and_softmax_in_fp32():
    model = transformer(GPT, profile("torch-cuda-autocast", kernel="eager"))
    activations = [
        replace(layer, saved=tuple(t for t in layer.saved if t.kind == "activations")) for layer in model.layers
    ]
    measured = 38 * SBH + 7 * SCORES + 16 * B * S + S**2
    assert sp.expand(block(replace(model, layers=tuple(activations))) - measured) == 0


def test_forward_flops_are_a_third_of_the_published_model_flops():
    # 72 B L s h^2 (1 + s/(6h) + v/(12 h L)) counts forward and backward, the latter twice the former.
    published = 72 * B * L * S * d_model**2 * (1 + S / (6 * d_model) + s.V / (12 * d_model * L))
    assert sp.expand(3 * transformer(GPT).forward_flops - published) == 0
