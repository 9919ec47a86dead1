"""A sequence that is longer than the positions that a model is made for is said to be, by every verb that takes its length."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[1] / "data" / "hf_configs"
SAID = "more than the {} positions"


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "llama-3.1-8b", "--recipe", "vllm", "--set", "B=1", "--set"),
        ("account", "llama-3.1-8b", "--set", "B=1", "--set", "n_fsdp=8", "--set"),
        ("fit", "llama-3.1-8b", "--on", "h100-80gb", "--set"),
        ("solve", "llama-3.1-8b", "--recipe", "vllm", "--for", "B", "--device", "h100-80gb", "--set"),
    ],
)
@pytest.mark.parametrize(("tokens", "long"), [(131072, False), (131073, True)])
def test_a_longer_sequence_is_said_to_be_longer(run, arguments, tokens, long):
    """Llama 3.1 8B: max_position_embeddings 131,072, which its scaling of kind llama3 has in it."""
    assert (SAID.format("131,072") in run(*arguments, f"S={tokens}").out) is long


def test_a_length_that_is_found_is_said_to_be_longer(run):
    asked = ("solve", "llama-3.1-8b", "--recipe", "vllm", "--for", "S", "--set", "B=1", "--device")
    assert SAID.format("131,072") in run(*asked, "h100-80gb").out
    assert "max_position_embeddings" not in run(*asked, "rtx-3090").out


@pytest.mark.parametrize(("recipe", "refuses"), [("vllm", True), ("inference", False), ("lora", False)])
def test_only_the_engine_that_is_asked_about_is_named(run, recipe, refuses):
    out = run(
        "account",
        "llama-3.1-8b",
        "--recipe",
        recipe,
        "--plan",
        "one-device",
        "--device",
        "h200",
        "--set",
        "B=1",
        "--set",
        "S=200000",
    ).out
    assert SAID.format("131,072") in out and ("vLLM refuses" in out) is refuses


def test_positions_that_are_learned_are_a_limit_as_before(refused):
    assert "S = 1025 is more than n_pos = 1024" in refused("account", "gpt2-xl", "--set", "S=1025")


def test_a_config_without_the_number_says_nothing(run):
    """A model of which nobody says for how many positions it is made."""
    table = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    Path("config.json").write_text(json.dumps({**table, "num_attention_heads": 4, "vocab_size": 100}), encoding="utf-8")
    out = run("account", "config.json", "--set", "B=1", "--set", "S=1000000").out
    assert "max_position_embeddings" not in out


@pytest.mark.parametrize(
    ("name", "device", "positions"), [("gpt-neox-20b", "h200", 2048), ("llama-3.1-8b", "h200", 4096)]
)
def test_a_length_that_nobody_gives_is_one_that_the_model_has(run, name, device, positions):
    """GPT-NeoX 20B: max_position_embeddings 2048, rotary."""
    found = run("fit", str(CONFIGS / f"{name}.json"), "--on", device)
    assert f"S = {positions}: tokens" in found.out and "max_position_embeddings" not in found.out


@pytest.mark.parametrize(("tokens", "left"), [(1024, 0), (1000, 2 * 24)])
def test_no_more_tokens_are_left_than_there_are_learned_positions(run, tokens, left):
    """GPT-2 XL has 1024: two sequences of 1000 tokens may be 24 tokens longer each, whatever memory is free."""
    asked = ("fit", str(CONFIGS / "gpt2-xl.json"), "--on", "h200", "--set", "B=2", "--set", f"S={tokens}", "--json")
    rows = json.loads(run(*asked).out)["rows"]
    assert {row["what"]: row["left_tokens"] for row in rows if row["fits"]} == dict.fromkeys(
        ("inference", "LoRA", "QLoRA", "full training"), left
    )
