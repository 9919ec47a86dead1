"""Weights of transformers: the published configurations to the unit, by group, under every profile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.models.counts import active_parameters, parameters_by_group
from symbolic_mem.models.huggingface import read_config
from symbolic_mem.models.profile import profile, profiles
from symbolic_mem.models.transformer import transformer

DATA = Path(__file__).parent.parent / "data"
GOLDEN = json.loads((DATA / "params.json").read_text(encoding="utf-8"))["models"]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["config"])
def test_weights_are_those_of_the_published_model(golden):
    architecture = read_config(DATA / "hf_configs" / golden["config"])
    values, model = architecture.values(), transformer(architecture)
    assert model.parameters.xreplace(values) == golden["parameters"]
    assert active_parameters(model, architecture).xreplace(values) == golden["active"]
    assert {group: count.xreplace(values) for group, count in parameters_by_group(model).items()} == golden["groups"]


@pytest.mark.parametrize("name", profiles())
def test_a_profile_changes_no_weight_layer_or_product(name):
    architecture = read_config(DATA / "hf_configs" / "llama-3.1-8b.json")
    plain, other = transformer(architecture), transformer(architecture, profile(name))
    assert [layer.name for layer in other] == [layer.name for layer in plain]
    assert [layer.weights for layer in other] == [layer.weights for layer in plain]
    assert other.forward_flops == plain.forward_flops
