"""Stacks of two-matrix blocks: activations and the copies of weights that autocast or a cast in the block keeps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.base import symbols as s
from symbolic_mem.base.exact import evaluate
from symbolic_mem.models.mlp import mlp
from symbolic_mem.models.profile import profile
from symbolic_mem.models.tensors import Model
from symbolic_mem.recipes.read import recipe

DATA = Path(__file__).parent.parent / "data"
CASES = json.loads((DATA / "engines_stacks.json").read_text(encoding="utf-8"))["cases"]
WIDTHS = {"bfloat16": 2, "float16": 2, "float32": 4, "float64": 8}


def profile_name(inputs: dict) -> str:
    if "weight_dtype" in inputs:
        return {"bfloat16": "jax-bf16", "float32": "jax-fp32-weights"}[inputs["weight_dtype"]]
    return f"torch-{inputs['device']}-" + {"pure": "bf16", "autocast": "autocast"}[inputs["recipe"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_stack_keeps_what_the_engine_keeps(case):
    inputs = case["inputs"]
    width = WIDTHS[inputs.get("compute_dtype", "bfloat16")]
    block = replace(mlp(profile(profile_name(inputs)), "none"), repeat=s.L)
    memory = account(Model("stack", (block,)), recipe("cs336").override({"activations": sp.Integer(width)}))
    copies = case["quantity"] in ("bf16_weight_copies_saved_by_autocast", "weight_copies_kept_as_residuals")
    values = {
        symbol: sp.Integer(inputs[name])
        for name, symbol in (("L", s.L), ("B", s.B), ("S", s.S), ("d", s.d_model), ("f", s.d_ff))
    }
    expected = case["value_bytes"]
    if copies and inputs.get("input_requires_grad") is False:
        expected += 2 * inputs["d"] * inputs["f"]  # a weight serves the gradient of its input: the first has none
    assert evaluate(memory.of("buffers" if copies else "activations").total, values) == expected
