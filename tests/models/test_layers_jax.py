"""Residuals of single blocks: JAX's own count, to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.models.attention import attention
from symbolic_mem.models.ends import head
from symbolic_mem.models.linear import join
from symbolic_mem.models.mlp import mlp
from symbolic_mem.models.norms import norm
from symbolic_mem.models.profile import Profile, profile
from symbolic_mem.models.tensors import Layer

DATA = Path(__file__).parent.parent / "data"
CASES = json.loads((DATA / "engines_jax_blocks.json").read_text(encoding="utf-8"))["cases"]
SYMBOLS = {"B": s.B, "S": s.S, "h": s.n_heads, "g": s.n_kv, "hd": s.d_head, "d": s.d_model, "f": s.d_ff, "V": s.V}
KERNELS = {"eager": "eager", "eager32": "eager_fp32", "lib": "library"}


def build(block: str, how: Profile) -> Layer:
    name, _, rest = block.partition("_")
    if name in ("gpt2", "llama"):
        how = how.using(kernel=KERNELS[rest])
    if name == "gpt2":
        return join(
            "GPT-2 block",
            norm(how, "layer", bias=True),
            attention(how, n_kv=s.n_heads, d_head=s.d_model / s.n_heads, rotary=False, fused_qkv=True),
            norm(how, "layer", bias=True),
            mlp(how, "gelu_tanh", bias=True),
        )
    if name == "llama":
        return join("Llama block", norm(how), attention(how), norm(how), mlp(how, "silu", gated=True))
    if name == "mlp":
        return mlp(how, rest, bias=True)
    return {
        "swiglu": lambda: mlp(how, "silu", gated=True),
        "layernorm": lambda: norm(how, "layer", bias=True),
        "rmsnorm": lambda: norm(how),
        "head_ce": lambda: head(how),
    }[block]()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_block_hands_on_what_jax_saves(case):
    inputs = case["inputs"]
    values = {symbol: sp.Integer(inputs[name]) for name, symbol in SYMBOLS.items()}
    layer = build(inputs["block"], profile("jax-bf16" if inputs["dtype"] == "bfloat16" else "jax-fp32"))
    saved = sum((tensor.bytes_per_element or 2) * tensor.elements for tensor in layer.saved)
    assert saved.xreplace(values) == case["value_bytes"]
