"""The products of a backward pass with adapters, beside those that PyTorch's own counter counted of PEFT's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.library.read import read_study
from symbolic_mem.models.backward import backward_flops

MEASURED = json.loads((Path(__file__).parents[1] / "data" / "adapter_products.json").read_text(encoding="utf-8"))
SIZES = MEASURED["sizes"]


def study(case: dict):
    trained = {"adapters": case["target_modules"], "rank": SIZES["r"]}
    trained |= {"layers": case["layers_to_transform"]} if "layers_to_transform" in case else {}
    trained |= {"whole": ["head"]} if "modules_to_save" in case else {}
    width, heads = SIZES["hidden_size"], SIZES["num_attention_heads"]
    values = {"L": SIZES["num_hidden_layers"], "d_model": width, "d_ff": SIZES["intermediate_size"], "n_heads": heads}
    values |= {"n_kv": SIZES["num_key_value_heads"], "d_head": width // heads, **{one: SIZES[one] for one in "VBS"}}
    tables = {
        "title": "x",
        "model": {"kind": "transformer", "profile": "hf-cuda-bf16"},
        "values": values,
        "recipe": {"preset": "lora", "trained": trained, "recompute": "full" if case["reached"] else "none"},
        "plan": {"preset": "one-device"},
    }
    return read_study(tables, "x", "x", None)


@pytest.mark.parametrize("case", MEASURED["cases"], ids=str)
def test_a_backward_pass_makes_the_products_that_pytorch_counts(case):
    """Eager attention makes no gradient of keys that nothing trained is before; a fused kernel makes it with the others."""
    one = study(case)
    assert one.built.trained.reached == case["reached"]
    assert one.numbers[one.model.forward_flops] == case["forward"]
    keys = 2 * SIZES["B"] * SIZES["S"] ** 2 * SIZES["hidden_size"]
    alone = not case["reached"] and case["target_modules"] == ["q_proj", "v_proj"]
    assert one.numbers[backward_flops(one.rank)] == case["backward"] + keys * alone
