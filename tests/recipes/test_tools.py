"""Recipes of LLaMA-Factory and torchtitan: what their files say, in bytes of Llama 3.1 8B."""

from __future__ import annotations

import pytest

from symbolic_mem.base.exact import at
from symbolic_mem.library.read import load_study

WHOLE = 8_030_261_248
TABLES = 2 * 128_256 * 4096  # embedding and head
NORMS = 65 * 4096
RANK = 8
# Each product of a block has two adapters, of its rows and of its columns, of rank 8; the head has none.
ADAPTERS = 32 * RANK * (2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14_336))


@pytest.fixture
def kept():
    def bytes_of(name, *kinds):
        study = load_study("llama-3.1-8b").change(recipe=name, plan="one-device")
        return at(study.memory.of(*kinds).total, study.values)

    return bytes_of


def test_llama_factory_trains_adapters_in_fp32_beside_frozen_weights(kept):
    assert kept("llama-factory-lora", "weights") == 2 * WHOLE + (4 + 2) * ADAPTERS
    assert kept("llama-factory-lora", "gradients") == 4 * ADAPTERS
    assert kept("llama-factory-lora", "optimizer") == 8 * ADAPTERS


def test_its_qlora_packs_the_products_of_the_blocks_in_four_bits(kept):
    packed = WHOLE - TABLES - NORMS
    scales = packed // 64 + 4 * (packed // (64 * 256))  # one byte for 64 weights, and FP32 for 256 of these
    frozen = packed // 2 + 2 * (TABLES + NORMS)
    held = kept("llama-factory-qlora", "weights") - 6 * ADAPTERS
    assert 0 <= held - frozen - scales < 2**20  # tables of the code, one for each matrix
    assert kept("llama-factory-qlora", "optimizer") == 8 * ADAPTERS


def test_torchtitan_keeps_sixteen_bytes_and_its_step_makes_no_copies_of_all_tensors(kept):
    assert kept("torchtitan", "weights", "gradients", "optimizer") == 16 * WHOLE
    study = load_study("llama-3.1-8b").change(plan="fsdp2")
    steps = {}
    for name in ("torchtitan", "fsdp2"):
        one = study.change(recipe=name, values={"n_fsdp": 8})
        moments = [each.memory for each in one.timeline if each.words == "the optimizer step"]
        steps[name] = max(memory.placed(one.placement).at(one.numbers) for memory in moments)
    table, kept_there = 4 * TABLES // 2 // 8, 16 * WHOLE // 8
    assert 0 <= steps["torchtitan"] - kept_there <= 3 * table  # copies of one tensor at a time, at most
    assert steps["fsdp2"] - kept_there >= 4 * WHOLE // 8  # a foreach step makes one of all tensors
