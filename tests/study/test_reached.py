"""Whether a gradient has to reach what enters the first block, which a change of the recipe, the values or the plan decides again."""

from __future__ import annotations

import json

import pytest

from symbolic_mem.accounts.units import units
from symbolic_mem.base.exact import at
from symbolic_mem.library.read import load_study

LLAMA = {"recipe": "lora", "plan": "one-device", "values": {"B": 1, "S": 1024}}


@pytest.fixture
def file(tmp_path):
    def write(**fields):
        path = tmp_path / "adapter_config.json"
        content = {"peft_type": "LORA", "r": 8, "target_modules": ["q_proj", "v_proj"], **fields}
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    return write


def blocks(study):
    return [(unit.name, at(unit.count, study.values), unit.goes_back) for unit in units(study.model).blocks]


def test_it_follows_what_is_recomputed():
    plain = load_study("llama-3.1-8b").change(**LLAMA)
    again = plain.change(recompute="full")
    assert blocks(plain) == [("first block", 1, True), ("later block", 31, True)]
    assert blocks(again) == [("block", 32, True)]
    assert blocks(again.change(recompute="none")) == blocks(plain)
    assert blocks(plain.change(recipe="pure-bf16")) == [("block", 32, True)]


def test_it_follows_the_number_of_blocks():
    study = load_study("llama-3.1-8b").change(**LLAMA)
    one = study.change(values={"L": 1})
    assert blocks(one) == [("block", 1, True)]
    assert blocks(one.change(values={"L": 2})) == [("first block", 1, True), ("later block", 1, True)]


def test_weights_that_are_trained_whole_are_reached(file):
    study = load_study("llama-3.1-8b").change(**LLAMA)
    head = study.change(adapters=file(modules_to_save=["lm_head"]))
    embedded = study.change(adapters=file(modules_to_save=["embed_tokens"]))
    assert [one.built.trained.reached for one in (head, embedded)] == [False, True]


def test_blocks_below_the_adapters_keep_nothing_and_have_no_backward_pass(file):
    study = load_study("llama-3.1-8b").change(**LLAMA)
    last = study.change(adapters=file(layers_to_transform=[31]))
    assert blocks(last) == [("block below the adapters", 31, False), ("block with adapters", 1, True)]
    words = [one.words for one in last.timeline if one.phase == "backward"]
    assert any("with adapters" in one for one in words) and not any("below" in one for one in words)
    # of the last block alone: q, v of rank 8 and their inputs in BF16, the attention kernel, the MLP norm, and the MLP
    d, kv, inner, tokens = 4096, 1024, 14336, 1024
    attention = 2 * tokens * (2 * d + d + 2 * kv + d + 2 * 8) + 4 * 32 * tokens + 24
    kept = attention + tokens * (2 * d + 4) + 2 * tokens * 3 * inner
    counted = [layer for layer in last.model.layers if layer.block]
    assert (
        sum(
            at(layer.repeat * one.elements, last.values) * int(one.bytes_per_element or 2)
            for layer in counted
            for one in layer.saved
        )
        == kept
    )


def test_documents_say_which_it_is():
    study = load_study("llama-3.1-8b").change(**LLAMA)
    said = " ".join(study.model.said)
    assert "no gradient has to reach the first block's input" in said
    assert "counted as one that needs a gradient" in " ".join(study.change(recompute="full").model.said)
