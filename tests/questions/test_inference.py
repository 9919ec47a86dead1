"""The largest batch and context of inference, beside a search through all numbers; tensor parallelism; what is asked."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, S, lookup
from symbolic_mem.documents.account import Account
from symbolic_mem.documents.documents import answer
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.largest import Largest

SMALL = {"hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 40}
CONFIGS = {
    "all tokens": {**SMALL, "model_type": "llama", "num_hidden_layers": 2, "intermediate_size": 24},
    "windows": {
        **SMALL,
        "model_type": "gemma2",
        "num_hidden_layers": 5,
        "intermediate_size": 24,
        "sliding_window": 21,
    },
    "windows alone": {
        **SMALL,
        "model_type": "mistral",
        "num_hidden_layers": 2,
        "intermediate_size": 24,
        "sliding_window": 21,
    },
}


def study(name, tmp_path, **changes):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIGS[name]), encoding="utf-8")
    return load_study(str(path)).change(**{"recipe": "inference", **changes})


def found(given, symbol):
    question = Largest("x", symbol=lookup(symbol))
    return question.answer(given.under(question))


@pytest.mark.parametrize("page", [1, 4])
@pytest.mark.parametrize("spare", range(0, 40_000, 7_900))
@pytest.mark.parametrize("name", ["all tokens", "windows"])
def test_the_longest_context_is_that_of_a_search(name, page, spare, tmp_path):
    given = study(name, tmp_path, values={"B": 2}, page=page)
    weights = given.memory.of("weights").at(given.values)
    given = study(name, tmp_path, values={"B": 2}, page=page, capacity=f"{weights + spare} B")

    there = [account(given.model, given.recipe), *(one.memory for one in given.timeline)]

    def fits(tokens):
        return all(memory.at({**given.values, S: tokens}) <= weights + spare for memory in there)

    right = max((tokens for tokens in range(page, 2000, page) if fits(tokens)), default=None)
    assert found(given, "S").value == right


def test_where_every_layer_has_a_window_no_context_is_too_long(tmp_path):
    given = study("windows alone", tmp_path, values={"B": 2}, capacity="1 MB", kernel="eager")
    assert found(given, "S").value is None and found(given, "S").feasible
    small = study("windows alone", tmp_path, values={"B": 2}, capacity="15 kB", kernel="eager")
    room = 15_000 - small.memory.of("weights").at(small.values)
    assert found(small, "S").value == room // (2 * 2 * 2 * 2 * 2 * 8) < 21


@pytest.mark.parametrize(("capacity", "words"), [("100 kB", "are full"), ("32 kB", "are not full yet")])
def test_it_is_said_whether_windows_are_full(capacity, words, tmp_path):
    from symbolic_mem.render.text import plain_prose

    said = [
        plain_prose(one)
        for one in found(study("windows", tmp_path, values={"B": 1}, capacity=capacity), "S").assumptions
    ]
    assert any(words in line for line in said), said


@pytest.mark.parametrize("change", [{}, {"page": 16}, {"cache": "fp8"}, {"cache": "int4", "page": 16}])
def test_the_largest_batch_is_that_of_the_formula(change):
    given = load_study("llama-3.1-8b").change(
        recipe="inference", kernel="eager", values={"S": 8200}, device="h100-80gb", reading="reported", **change
    )
    tokens = 16 * -(-8200 // 16) if "page" in change else 8200
    each = {"fp8": Fraction(128), "int4": Fraction(68)}.get(change.get("cache"), Fraction(256))
    scales = 4 * 2 * 32 if change.get("cache") == "fp8" else 0
    room = 85_520_809_984 - 2 * 8_030_261_248 - scales
    assert found(given, "B").value == room // (2 * 32 * 8 * tokens * each)


@pytest.mark.parametrize(("devices", "heads"), [(1, 4), (2, 2), (4, 1), (8, 1), (16, 1)])
def test_a_key_value_head_is_copied_where_there_are_fewer_than_devices(devices, heads):
    given = load_study("qwen3-30b-a3b").change(
        recipe="inference", plan="vllm-tp", values={"n_tp": devices, "B": 3, "S": 100}
    )
    assert given.memory.of("cache").at(given.values) == 3 * 100 * 48 * 2 * 2 * 128 * heads


def test_experts_are_cut_with_the_rest_and_a_latent_cache_is_not():
    one, eight = (
        load_study("deepseek-v3").change(recipe="inference", plan="vllm-tp", values={"n_tp": n, "B": 1, "S": 1000})
        for n in (1, 8)
    )
    assert eight.memory.of("cache").at(eight.values) == one.memory.of("cache").at(one.values) == 70272 * 1000
    whole, part = (each.memory.of("weights").at(each.values) for each in (one, eight))
    assert whole / 8 < part < whole / 7.8


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(BadInput, match=r"plan 'vllm-tp' divides n_heads = 32 .* over n_tp = 3"):
        load_study("llama-3.1-8b").change(recipe="inference", plan="vllm-tp", values={"n_tp": 3})


@pytest.mark.parametrize(("plan", "words"), [("cp", "tokens of a sequence"), ("torch-sp", "residual stream")])
def test_plans_whose_caches_are_not_described_are_refused(plan, words):
    with pytest.raises(BadInput, match=f"plan '{plan}' divides .*{words}.* choose plan vllm-tp, "):
        load_study("llama-3.1-8b").change(
            recipe="inference", plan=plan, values={"n_tp": 2} if plan == "torch-sp" else None
        )


def test_a_study_of_training_asks_nothing_of_training_any_more():
    given = load_study("llama-3.1-8b").change(recipe="inference", values={"B": 8})
    assert [asked.ask for asked in given.questions] == ["device_count"] and not given.text
    assert given.title == "llama-3.1-8b: the memory of inference" and given.placement == {}
    assert answer(given, "a").value == 1


def test_what_lives_divided_can_still_be_said():
    given = load_study("llama-3.1-8b").change(recipe="inference", place={"cache": "1"}, values={"B": 8, "n_fsdp": 4})
    assert given.placed().of("cache").at(given.values) * 4 == given.memory.of("cache").at(given.values)


def test_b_stands_for_sequences_of_a_device():
    given = load_study("llama-3.1-8b").change(recipe="inference")
    assert given.memory.of("cache").total.has(B)


def test_a_count_of_devices_says_what_a_pass_of_inference_holds_beside_what_it_keeps():
    study = load_study("llama-3.1-8b").change(recipe="inference", profile="hf-cuda-bf16")
    question = study.question("a")
    found = question.answer(study.under(question))
    (passing,) = [one for one in found.facts["not_counted"] if one["what"].startswith("the activations of a pass")]
    told = Account(study).per_device_record
    assert passing["bytes"] == told["peak_bytes"] - told["total_bytes"]
