"""The studies of fine-tuning, by plain arithmetic on the sizes of the model."""

import pytest

from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study

L, D, FF, KEYS, V = 32, 4096, 14336, 1024, 128256
LINEAR = L * (2 * D * D + 2 * D * KEYS + 3 * D * FF)
OTHERS = 2 * V * D + (2 * L + 1) * D


def adapters(rank: int, widths: list[tuple[int, int]]) -> int:
    return L * sum(rank * (into + out) for into, out in widths)


def packed(elements: int) -> int:
    """NF4 of QLoRA: half a byte each, a byte of scale for 64, and four bytes for 256 of those."""
    return elements // 2 + elements // 64 + 4 * (elements // 64 // 256)


def test_lora_trains_the_adapters_of_queries_and_values():
    found = Account(load_study("lora-llama-3.1-8b")).record
    few = adapters(8, [(D, D), (D, KEYS)])
    assert few == 3_407_872  # as PEFT prints it for rank 8
    assert found["parameters"] == LINEAR + OTHERS + few
    assert found["static_bytes"] == 2 * (LINEAR + OTHERS) + (4 + 2 + 4 + 8) * few


@pytest.mark.parametrize("name", ["lora-llama-3.1-8b", "qlora-llama-3.1-8b"])
def test_nothing_frozen_has_a_gradient_or_a_moment(name):
    study = load_study(name)
    kinds = {kind: study.memory.of(kind).total.xreplace(study.values) for kind in ("gradients", "optimizer")}
    assert kinds["optimizer"] == 2 * kinds["gradients"]
    assert kinds["gradients"] % 4 == 0 and kinds["gradients"] < 4 * OTHERS


def test_qlora_packs_the_matrices_of_the_blocks_and_nothing_else():
    found = Account(load_study("qlora-llama-3.1-8b")).record
    few = adapters(64, [(D, D), (D, KEYS), (D, KEYS), (D, D), (D, FF), (D, FF), (FF, D)])
    assert few == 167_772_160  # as PEFT prints it for rank 64 on all linear layers
    assert found["static_bytes"] == packed(LINEAR) + 2 * OTHERS + (4 + 2 + 4 + 8) * few
