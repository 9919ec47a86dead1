"""Claims about some of all: parameters that a token visits or training updates, and an amount followed by what it is of."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.read import read_claim
from symbolic_mem.library.read import load_study
from symbolic_mem.study.changes import changes

# By hand: Mixtral's published 46,702,792,704 less six of eight experts, 6 * 3 * 4096 * 14336 weights in each of 32 layers.
MIXTRAL = 46_702_792_704 - 32 * 6 * 3 * 4096 * 14336
# By hand: matrices of rank 8 beside the 4096 x 4096 of queries and the 1024 x 4096 of values, in each of 32 layers.
ADAPTERS = 32 * 8 * ((4096 + 4096) + (1024 + 4096))


@pytest.mark.parametrize(
    ("study", "right", "wrong"),
    [
        ("mixtral-8x7b", "active=12.9B", "active=12.8B"),
        ("mixtral-8x7b", "12.9B active parameters per token", "13.1B active parameters per token"),
        ("mixtral-8x7b", f"P_active={MIXTRAL}", f"P_active={MIXTRAL + 1}"),
        ("mixtral-8x7b", "12.88 billion activated params", "12.87 billion activated params"),
        ("deepseek-v3", "37.6B active parameters", "37.5B active parameters"),
        ("llama-3.1-8b", "active parameters = 8.03B", "active parameters = 8.02B"),
        ("lora-llama-3.1-8b", "trainable parameters = 3.41M", "trainable parameters = 3.42M"),
        ("lora-llama-3.1-8b", f"{ADAPTERS:,} trainable parameters", f"{ADAPTERS - 1:,} trainable parameters"),
        ("lora-llama-3.1-8b", "trainable = L r (2 d_model + n_heads d_head + n_kv d_head)", "trainable = L r d_model"),
        ("lora-llama-3.1-8b", "rank=8", "rank=16"),
        ("lora-llama-3.1-8b", "r=8", "r=9"),
        ("cs336-a2-xxl", "3.2 TiB static", "3.3 TiB static"),
        ("cs336-a2-xxl", "3518 GB of states", "3517 GB of states"),
        ("cs336-a2-xxl", "about 2142 GiB for the activations", "about 2143 GiB for the activations"),
        ("llama-3.1-8b", "29.9 GiB of weights", "30.1 GiB of weights"),
    ],
)
def test_each_is_right_and_one_unit_beside_it_wrong(study: str, right: str, wrong: str) -> None:
    asked = load_study(study)
    assert check(asked, right).right
    assert not check(asked, wrong).right


def test_they_are_counted_exactly() -> None:
    assert check(load_study("mixtral-8x7b"), "active=1B").expected == Fraction(MIXTRAL)
    assert check(load_study("lora-llama-3.1-8b"), "trainable=1M").expected == Fraction(ADAPTERS)


def test_a_number_of_parameters_is_of_all() -> None:
    verdict = check(load_study("mixtral-8x7b"), "12.9B parameters")
    assert not verdict.right
    assert [slip.name for slip in verdict.explanations[0].slips] == ["active parameters for all"]


def test_inference_trains_none() -> None:
    serving = load_study("llama-3.1-8b").called(changes(recipe="vllm"))
    with pytest.raises(BadInput, match="trains no parameters"):
        check(serving, "trainable=8.03B")


def test_an_amount_of_memory_is_no_name() -> None:
    assert read_claim("94.5 GiB of memory per GPU").bare
    assert read_claim("16 bytes of state per parameter").bare
    assert read_claim("at least 30 GiB of weights").bound == "least"


@pytest.mark.parametrize("text", ["70.272 KB", "about 70.272 KB", "70.272 KB per token"])
def test_a_unit_that_is_none_is_told(text: str) -> None:
    with pytest.raises(BadInput, match=r"70\.272 kB \(10\^3 bytes each\) or 70\.272 KiB \(2\^10 bytes each\)"):
        check(load_study("kv-cache"), text)
