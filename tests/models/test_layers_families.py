"""Every family of config.json, small, with its loss: what transformers keeps, to the byte, and its parameters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import evaluate
from symbolic_mem.models.families import families
from symbolic_mem.models.huggingface import parse_config, read_config
from symbolic_mem.models.profile import profile, profiles
from symbolic_mem.models.transformer import transformer
from symbolic_mem.recipes.read import recipe

DATA = Path(__file__).parent.parent / "data"
CASES = json.loads((DATA / "engines_families.json").read_text(encoding="utf-8"))["cases"]
OF_2023 = json.loads((DATA / "engines_2023.json").read_text(encoding="utf-8"))["cases"]


def measured(how, architecture):
    """The profile as a processor keeps it, where the cases were measured: statistics and masks have the dtype of what they are of."""
    how = how.for_family(architecture.family).using(families={})
    row = how.row("layernorm")
    if architecture.norm == "layer" and row.get("input") == "input":
        how = how.keeping("layernorm", **{**row, "mean": "input", "rstd": "input"})
    for operation, mask in (
        ("dropout", "mask"),
        ("embedding_dropout", "mask"),
        ("attention eager_dropout", "dropout_mask"),
    ):
        how = how.keeping(operation, **{**how.row(operation), mask: "compute"})
    return how


@pytest.mark.parametrize("case", [*CASES, *OF_2023], ids=lambda case: case["id"])
def test_a_small_model_keeps_what_transformers_keeps(case):
    architecture = parse_config(json.dumps(case["config"]).encode(), "config.json")
    how = profile("hf-cuda-bf16", kernel=case["attention"]) if "attention" in case else profile("hf-2023-cuda-bf16")
    model = transformer(architecture, measured(how, architecture))
    values = architecture.values() | {s.B: sp.Integer(case["B"]), s.S: sp.Integer(case["S"])}
    memory = account(model, recipe("cs336"))
    assert evaluate(memory.of("activations", "buffers").total, values) == case["value_bytes"]
    assert evaluate(model.parameters, values) == case["parameters"]


def test_every_family_whose_blocks_are_described_was_measured():
    described = {name for name, family in families().known.items() if family.describes}
    same_blocks = {
        "kimi_k2": "deepseek_v3",
        "qwen2_vl_text": "qwen2",
        "qwen2_5_vl_text": "qwen2",
        "qwen3_vl_text": "qwen3",
        "qwen3_vl_moe_text": "qwen3_moe",
        "internlm2": "llama",
        "minicpm": "llama",
        "qwen": "llama",
    }
    assert {case["config"]["model_type"] for case in CASES} == described - set(same_blocks)
    assert all(families().known[one].keeps_as == other for one, other in same_blocks.items())


def test_a_family_whose_blocks_are_not_described_keeps_nothing_and_says_so():
    architecture = parse_config(b'{"model_type": "apertus"}', "config.json")
    model = transformer(architecture, profile("hf-cuda-bf16"))
    assert not any(layer.saved for layer in model)
    assert "What its blocks keep for the backward pass is not described: only weights are counted." in model.said


def test_a_profile_that_was_measured_for_some_families_refuses_others():
    assert set(profile("hf-2023-cuda-bf16").measured) == {case["config"]["model_type"] for case in OF_2023}
    with pytest.raises(
        BadInput, match=r"'hf-2023-cuda-bf16' was measured for llama, .*, not for qwen3; choose another"
    ):
        transformer(parse_config(b'{"model_type": "qwen3"}', "config.json"), profile("hf-2023-cuda-bf16"))


def test_rows_of_families_are_for_families_that_can_be_read():
    kept_as = {family.keeps_as for family in families().known.values()}
    for how in profiles().values():
        assert set(how.families) <= kept_as


def test_experts_under_autocast_are_refused_because_nobody_measured_them():
    mixtral = read_config(DATA / "hf_configs" / "mixtral-8x7b.json")
    with pytest.raises(BadInput, match="profile 'hf-cuda-autocast' does not say what 'router' keeps"):
        transformer(mixtral, profile("hf-cuda-autocast"))
