"""Saved tensors of single blocks: PyTorch's own count, to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.models.attention import attention
from symbolic_mem.models.ends import embedding, head
from symbolic_mem.models.linear import join
from symbolic_mem.models.mlp import mlp
from symbolic_mem.models.norms import norm
from symbolic_mem.models.profile import Profile, profile
from symbolic_mem.models.tensors import Layer

DATA = Path(__file__).parent.parent / "data"
CASES = json.loads((DATA / "engines_blocks.json").read_text(encoding="utf-8"))["cases"]
SYMBOLS = {"B": s.B, "S": s.S, "h": s.n_heads, "g": s.n_kv, "hd": s.d_head, "d": s.d_model, "f": s.d_ff, "V": s.V}


def measured_profile(inputs: dict) -> Profile:
    found = profile(f"torch-{inputs['device']}-{inputs['recipe']}")
    if inputs["recipe"] == "autocast" and inputs["residual_dtype"] == "bfloat16":
        found = found.using(residual=None)
        if inputs["device"] == "cpu":
            # A fake CPU tensor gives LayerNorm BF16 statistics where the real one (measured too) gives FP32.
            found = found.keeping("layernorm", input="input", mean="input", rstd="input")
    return found


def gpt2(kernel: str, how: Profile) -> Layer:
    dropout = kernel.endswith("_dropout")
    how = how.using(kernel=kernel.removesuffix("_dropout").replace("eager32", "eager_fp32"))
    return join(
        "GPT-2 block",
        norm(how, "layer", bias=True),
        attention(
            how,
            n_kv=s.n_heads,
            d_head=s.d_model / s.n_heads,
            rotary=False,
            qkv_bias=True,
            o_bias=True,
            fused_qkv=True,
            attention_dropout=dropout,
            dropout=dropout,
            producer="layernorm",
        ),
        norm(how, "layer", bias=True),
        mlp(how, "gelu", bias=True, dropout=dropout, producer="layernorm"),
    )


def llama(variant: str, how: Profile) -> Layer:
    kernel, *traits = variant.split("_")
    if traits[:1] == ["cpu"]:
        kernel = "flash_cpu"
    by_hand = "handnorm" in traits
    how = how.using(kernel=kernel.replace("eager32", "eager_fp32"))
    if "repeatkv" in traits and kernel == "flash":
        repeated = {**how.row("attention flash")}
        repeated |= {one: {"bytes": "compute", "shape": f"{one}_repeated"} for one in "kv"}
        how = how.keeping("attention flash", **repeated)
    producer = "rmsnorm_by_hand" if by_hand else "rmsnorm"
    return join(
        "Llama block",
        norm(how, by_hand=by_hand),
        attention(how, producer=producer, qk_norm="head" if "qknorm" in traits else ""),
        norm(how, by_hand=by_hand),
        mlp(how, "silu", gated=True, producer=producer),
    )


def build(block: str, how: Profile) -> Layer:
    name, _, rest = block.partition("_")
    if name == "gpt2":
        return gpt2(rest, how)
    if name == "llama":
        return llama(rest, how)
    if block == "mlp_gelu_dropout":
        return mlp(how, "gelu", bias=True, dropout=True)
    if name == "mlp":
        return mlp(how, {"gelu_hand": "gelu_new"}.get(rest, rest), bias=True)
    return {
        "ffn_linear": lambda: mlp(how, "none"),
        "swiglu": lambda: mlp(how, "silu", gated=True),
        "geglu_tanh": lambda: mlp(how, "gelu_tanh", gated=True),
        "layernorm": lambda: norm(how, "layer", bias=True),
        "rmsnorm_fused": lambda: norm(how),
        "rmsnorm_hand": lambda: norm(how, by_hand=True),
        "head_ce": lambda: head(how),
        "head_ce_upcast": lambda: head(how.using(loss="cross_entropy_fp32")),
        "embed_pos_dropout": lambda: embedding(how, n_pos=s.S, dropout=True),
    }[block]()


def saved_bytes(layer: Layer, values: dict, kinds: tuple[str, ...] = ("activations",), compute: int = 2) -> sp.Expr:
    total = sum(
        (compute if tensor.bytes_per_element is None else tensor.bytes_per_element) * tensor.elements
        for tensor in layer.saved
        if tensor.kind in kinds
    )
    return sp.sympify(total).xreplace(values)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_block_keeps_what_autograd_keeps(case):
    inputs = case["inputs"]
    values = {symbol: sp.Integer(inputs[name]) for name, symbol in SYMBOLS.items()}
    assert saved_bytes(build(inputs["block"], measured_profile(inputs)), values) == case["value_bytes"]
