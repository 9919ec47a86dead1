"""Modules written by hand, as in CS336's assignment 2: what a whole model with its loss keeps, to the byte."""

from __future__ import annotations

import pytest
import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.base import symbols as s
from symbolic_mem.base.exact import evaluate
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.profile import profile
from symbolic_mem.models.transformer import transformer
from symbolic_mem.recipes.read import recipe

SIZES = {s.B: 3, s.S: 40, s.V: 1009, s.d_model: 320, s.n_heads: 10, s.d_ff: 216}
# Distinct storages that autograd packs, without parameters, inputs and buffers: PyTorch 2.11 on an NVIDIA H200.
MEASURED = {"cs336-cuda-fp32": {2: 6_342_080, 3: 8_797_440}, "cs336-cuda-autocast": {2: 8_207_680, 3: 11_311_360}}


@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("name", MEASURED)
def test_a_model_keeps_what_was_measured(name, layers):
    model = transformer(Architecture(n_kv=s.n_heads, d_head=s.d_model / s.n_heads), profile(name))
    values = {symbol: sp.Integer(size) for symbol, size in (SIZES | {s.L: layers}).items()}
    kept = account(model, recipe("autocast" if "autocast" in name else "fp32")).of("activations", "buffers").total
    assert evaluate(kept, values) == MEASURED[name][layers]
