"""Families that are counted part by part, and models of several modalities: against what the engine's modules hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.cli.main import main
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.models.config import Described, describe
from symbolic_mem.models.counted import counted, counted_families
from symbolic_mem.models.families import families
from symbolic_mem.models.transformer import transformer
from symbolic_mem.models.wrappers import wrappers
from symbolic_mem.questions.parts.assumptions import assumptions
from symbolic_mem.render.text import plain_prose

CASES = json.loads((Path(__file__).parents[1] / "data" / "params_counted.json").read_text())["cases"]
MAMBA = {"model_type": "mamba", "num_hidden_layers": 3, "hidden_size": 48, "vocab_size": 101}


def groups(found: Described) -> dict[str, int]:
    counts: dict[str, int] = {}
    layers = [(layer, {}) for layer in found.layers]
    if found.architecture is not None:
        layers += [(layer, found.architecture.values()) for layer in transformer(found.architecture)]
    for layer, values in layers:
        for weight in layer.weights:
            count = int((layer.repeat * weight.elements).xreplace(values))
            counts[weight.group] = counts.get(weight.group, 0) + count
    return counts


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{i}-{case['config']['model_type']}") for i, case in enumerate(CASES)]
)
def test_every_part_counts_to_the_unit(case):
    found = groups(describe(case["config"], "c.json"))
    assert found == case["groups"]
    assert sum(found.values()) == case["parameters"]


def test_every_family_has_cases_and_stands_once():
    counted, wrapped, described = set(counted_families()[0]), set(wrappers()), set(families().known)
    assert {case["config"]["model_type"] for case in CASES} == counted | wrapped
    assert not (counted & wrapped or counted & described or wrapped & described)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (MAMBA | {"hidden_size": 48.5}, "hidden_size must be a whole number, not a fraction"),
        (MAMBA | {"hidden_size": 10**10}, "hidden_size is out of range; it must be from 0 to 1,000,000,000"),
        (
            MAMBA | {"architectures": ["MambaForJokes"]},
            "architectures names 'MambaForJokes'; of model_type 'mamba' counted",
        ),
        (MAMBA | {"architectures": 3}, "architectures must be a list of names"),
        (
            {"model_type": "qwen3_next", "num_hidden_layers": 3, "layer_types": ["full_attention"]},
            "layer_types has 1 entries",
        ),
        (
            {"model_type": "qwen3_next", "num_hidden_layers": 1, "layer_types": ["magic"]},
            "layer_types has a layer of kind 'magic'",
        ),
        (
            {"model_type": "qwen3_next", "mlp_only_layers": [99]},
            "mlp_only_layers must be a list of layer numbers from 0 to 47",
        ),
        ({"model_type": "qwen3_next", "decoder_sparse_step": 0}, "decoder_sparse_step is 0; it must be 1 or more"),
        ({"model_type": "lfm2", "full_attn_idxs": [32]}, "full_attn_idxs must be a list of layer numbers from 0 to 31"),
        (
            {"model_type": "nemotron_h", "moe_latent_size": 64},
            "moe_latent_size is '64': it gives the experts a narrow width",
        ),
        (
            {"model_type": "nemotron_h", "hybrid_override_pattern": "MX"},
            "hybrid_override_pattern has a layer of kind 'X'",
        ),
        ({"model_type": "gemma3n_text", "intermediate_size": [1, 2]}, "intermediate_size has 2 entries for 35 layers"),
        ({"model_type": "minimax", "num_attention_heads": 30}, "d_head = d/h is 2048/15, not a whole number"),
        ({"model_type": "gemma3", "text_config": 3}, "text_config must be an object"),
        ({"model_type": "gemma3", "vision_config": 3, "text_config": {}}, "vision_config must be an object"),
        ({"model_type": "gemma3"}, "there is no text_config"),
    ],
)
def test_what_no_model_can_have_is_refused(config, message):
    with pytest.raises(BadInput) as caught:
        describe(config, "c.json")
    assert str(caught.value).startswith(f"c.json: {message}")
    assert "\n" not in str(caught.value)


def test_a_model_without_its_head_is_counted_without_it():
    whole, bare = (
        describe({**MAMBA, "tie_word_embeddings": False}, "c.json"),
        describe({**MAMBA, "architectures": ["MambaModel"]}, "c.json"),
    )
    assert groups(whole)["head"] == 48 * 101
    assert "head" not in groups(bare)


def test_a_field_that_nothing_reads_is_named():
    assert describe({**MAMBA, "gates": 3, "initializer_range": 0.1}, "c.json").unread == ("gates",)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{i}-{case['config']['model_type']}") for i, case in enumerate(CASES)]
)
def test_every_field_of_these_files_is_read_or_changes_nothing(case):
    assert describe(case["config"], "c.json").unread == ()


def test_a_field_of_a_wrapper_and_of_its_tower_that_nothing_reads_is_named():
    case = next(case["config"] for case in CASES if case["config"]["model_type"] == "qwen3_vl")
    assert describe(case, "c.json").unread == ()
    strange = {**case, "gates": 3, "vision_config": {**case["vision_config"], "tanks": 2}}
    assert describe(strange, "c.json").unread == ("gates", "vision_config.tanks")


def test_the_account_says_that_the_blocks_are_not_described(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(MAMBA))
    record = Account(load_study(str(path))).record
    assert record["activation_bytes"] is None
    assert record["parameters"] == sum(record["parameters_by_group"].values())
    assert "the activations of the blocks, which are not described" in [one["what"] for one in record["not_counted"]]


def test_of_inference_nothing_is_said_of_the_backward_pass(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"model_type": "jamba"}')
    said = [
        plain_prose(one)
        for name in ("fsdp2", "vllm")
        for one in assumptions(load_study(str(path)).change(recipe=name))
        if "backward" in plain_prose(one)
    ]
    assert said == ["What its blocks keep for the backward pass is not described: only weights are counted."]


def test_a_default_that_another_field_makes_idle_is_not_said_to_hold():
    family = counted_families()[0]["qwen3_next"]
    kinds = 12 * [*3 * ["linear_attention"], "full_attention"]
    alone, listed = (
        counted(family, {"num_hidden_layers": 48} | each, "c.json") for each in ({}, {"layer_types": kinds})
    )
    assert alone.sizes.absent["full_attention_interval"] == "4" and alone.parameters == listed.parameters
    assert "full_attention_interval" not in listed.sizes.absent


def test_a_published_limit_that_json_has_no_number_for_is_read_over(tmp_path):
    path = tmp_path / "config.json"
    fields = '"model_type": "mamba2", "num_hidden_layers": 2, "time_step_limit": '
    counts = set()
    for limit in ("[0.0, Infinity]", '[0.0, {"__float__": "Infinity"}]', "[0.0, 0.1]"):
        path.write_text(f"{{{fields}{limit}}}")
        built = load_study(str(path)).built
        counts.add(sum(layer.repeat * layer.parameters for layer in built.model))
        assert built.unread == ()
    assert len(counts) == 1


def test_the_language_model_of_a_wrapper_keeps_its_account(tmp_path):
    path = tmp_path / "config.json"
    case = next(case for case in CASES if case["config"]["model_type"] == "qwen3_vl")
    path.write_text(json.dumps(case["config"]))
    study = load_study(str(path)).change(values={"B": 1, "S": 8}, profile="hf-cuda-bf16")
    record = Account(study).record
    alone = describe({**case["config"]["text_config"], "tie_word_embeddings": False}, "c.json").architecture
    assert record["activation_bytes"] > 0
    assert record["parameters"] == case["parameters"]
    assert study.built.architecture.values() == alone.values()
    assert "the activations of the parts beside the language model, which are not described" in [
        one["what"] for one in record["not_counted"]
    ]


def test_of_the_experts_of_a_counted_family_a_token_visits_some(tmp_path):
    path = tmp_path / "config.json"
    case = next(case for case in CASES if case["config"].get("num_experts") == 7)
    path.write_text(json.dumps(case["config"]))
    record = Account(load_study(str(path))).record
    groups = record["parameters_by_group"]
    assert record["active_parameters"] == sum(groups.values()) - groups["experts"] * 5 / 7


@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[-1]], ids=lambda case: case["config"]["model_type"])
def test_every_verb_takes_a_model_without_symbols(case, tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(case["config"]))
    for arguments in (
        ["report"],
        ["solve", "--device", "h100-80gb"],
        ["compare", "--recipe", "zero-16"],
    ):
        verb, *options = arguments
        assert main([verb, str(path), *options]) == 0, capsys.readouterr().err
    assert main(["account", str(path), "--profile", "hf-cuda-bf16"]) == 2
    assert "is not built from a profile: it takes no profile" in capsys.readouterr().err
