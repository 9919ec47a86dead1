import json
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.base.symbols import B, L, S, d_head, d_model
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.huggingface import read_config
from symbolic_mem.models.profile import profile
from symbolic_mem.models.transformer import transformer
from symbolic_mem.recipes.read import recipe
from symbolic_mem.recipes.recompute import Recompute

DATA = Path(__file__).parent.parent / "data"
MODELS = json.loads((DATA / "engines_models.json").read_text())["cases"]
# GPT-2's checkpointed run keeps B S^2 bytes more, the size of one boolean mask for all blocks: not a rule of ours
CASES = [case for case in MODELS if case["id"].endswith("ckpt") and "gpt2" not in case["id"]]


def kept(model, how: Recompute) -> sp.Expr:
    return sp.expand(account(model, recipe("pure-bf16").with_recompute(how)).of("activations").total)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_hugging_face_gradient_checkpointing_to_the_byte(case):
    # the rotary tables are held by a closure there, which saved-tensor hooks do not see
    where = case["inputs"]
    architecture = read_config(DATA / where["config"])
    model = transformer(architecture, profile("hf-cuda-bf16", kernel=where["attention"]))
    layers = (
        replace(layer, saved=tuple(tensor for tensor in layer.saved if tensor.name not in ("cos", "sin")))
        for layer in model.layers
    )
    total = kept(replace(model, layers=tuple(layers)), Recompute("full"))
    numbers = {**architecture.values(), B: sp.Integer(where["B"]), S: sp.Integer(where["S"])}
    assert total.xreplace(numbers) == case["value_bytes"]


def test_under_autocast_the_input_of_a_block_has_the_dtype_of_the_residual_stream():
    model = transformer(Architecture(), profile("torch-cuda-autocast"))
    assert kept(model, Recompute("full")).coeff(L) == 4 * B * S * d_model


def test_checkpointing_leaves_what_is_outside_the_blocks():
    model = transformer(Architecture(), profile("torch-cuda-bf16"))
    outside = kept(model, Recompute()).subs(L, 0)
    assert sp.expand(kept(model, Recompute("full")) - outside) == 2 * B * L * S * d_model
    assert outside.has(d_head)
