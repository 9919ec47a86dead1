"""What a block of transformers keeps where heads are grouped, with a mask and without, to the byte: see tests/data/measure_grouped.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.base import symbols as s
from symbolic_mem.base.exact import evaluate
from symbolic_mem.models.huggingface import parse_config
from symbolic_mem.models.profile import profile
from symbolic_mem.models.transformer import transformer
from symbolic_mem.recipes.read import recipe

MEASURED = json.loads((Path(__file__).parent.parent / "data" / "grouped.json").read_text(encoding="utf-8"))
RANDOM = 16 + 8  # the seed and the offset of FlashAttention, which a processor's kernel has not


def block(config, kernel):
    def layers(count):
        architecture = parse_config(json.dumps({**config, "num_hidden_layers": count}).encode(), "config.json")
        model = transformer(architecture, profile("hf-cuda-bf16", kernel=kernel))
        values = architecture.values() | {name: sp.Integer(MEASURED[name.name]) for name in (s.B, s.S)}
        return evaluate(account(model, recipe("cs336")).of("activations", "buffers").total, values)

    return layers(3) - layers(2)


@pytest.mark.parametrize("name", MEASURED["rows"])
def test_keys_are_repeated_beside_a_mask_alone(name):
    row = MEASURED["rows"][name]
    assert row["unmasked_bytes"] == row["ones_bytes"] == block(row["config"], "flash_gqa") - RANDOM
    mask = 2 * MEASURED["B"] * MEASURED["S"] ** 2  # the processor's kernel keeps one of its own in BF16
    assert row["padded_bytes"] == block(row["config"], "flash") - RANDOM + mask


def test_the_two_kernels_differ_where_some_heads_share_their_keys():
    rows = MEASURED["rows"]
    same = {name for name, row in rows.items() if block(row["config"], "flash") == block(row["config"], "flash_gqa")}
    assert same == {"llama, one key", "llama, keys of all"}
