"""The installed transformers on the meta device: every family, empty, small and with its choices, group by group.

About 480 models in 40 s on two cores, less than 1 GB; PyTorch's CPU wheel and transformers take 1 GB on disk.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.models.installed import built_by_transformers

DATA = Path(__file__).parents[1] / "data"
VERSION = "5.24.0"
CASES = [
    *json.loads((DATA / "params_families.json").read_text())["variants"],
    *json.loads((DATA / "params_counted.json").read_text())["cases"],
    *json.loads((DATA / "params.json").read_text())["variants"],
]


@pytest.fixture(scope="module", autouse=True)
def transformers() -> Iterator[None]:
    try:
        module = importlib.import_module("transformers")
        importlib.import_module("torch")
    except ImportError:
        if os.environ.get("SYMBOLIC_MEM_NO_SKIP") == "1":
            pytest.fail("transformers and torch are needed, and SYMBOLIC_MEM_NO_SKIP=1 forbids skipping")
        pytest.skip("transformers and torch are not installed")
    assert module.__version__ == VERSION
    yield


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{i}-{case['config']['model_type']}") for i, case in enumerate(CASES)]
)
def test_the_library_holds_what_the_stored_counts_say(case):
    layers, said = built_by_transformers(case["config"], "c.json")
    groups: dict[str, int] = {}
    for layer in layers:
        for weight in layer.weights:
            groups[weight.group] = groups.get(weight.group, 0) + int(layer.repeat * weight.elements)
    assert groups == case["groups"]
    assert said.startswith(f"Counted by transformers {VERSION} on PyTorch ")


@pytest.mark.parametrize(
    ("config", "parameters"),
    [  # two that this package does not know, in the sizes of their configuration classes
        ({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}, 60_506_624),
        ({"model_type": "albert", "architectures": ["AlbertModel"], "num_hidden_groups": 1}, 222_595_584),
    ],
)
def test_a_family_that_is_not_known_is_counted(config, parameters, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    with pytest.raises(BadInput, match="--from transformers"):
        load_study(str(path))
    record = Account(load_study(str(path), origin="transformers")).record
    assert record["parameters"] == parameters
    assert record["activation_bytes"] is None


def test_a_described_family_keeps_its_account_where_the_library_counts_the_same(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "llama", "num_hidden_layers": 2}))
    study = load_study(str(path), origin="transformers")
    assert study.built.architecture is not None
    assert any(said.endswith("The count is the same.") for said in study.model.said)


def test_where_the_library_counts_otherwise_its_count_holds(tmp_path):
    path = tmp_path / "config.json"
    config = {"model_type": "gpt2", "n_layer": 2, "add_cross_attention": True}
    path.write_text(json.dumps(config))
    with pytest.raises(BadInput, match="add_cross_attention"):
        load_study(str(path))
    assert load_study(str(path), origin="transformers").model.parameters == 53_561_088 + 2 * 2_363_904


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "zzz"}, "does not know model_type 'zzz'"),
        ({"model_type": "llama", "num_hidden_layers": 100_000}, "num_hidden_layers is more than 1,000"),
        ({"model_type": "llama", "architectures": ["os.system"]}, "a class that transformers 5.24.0 does not have"),
        ({"model_type": "llama", "architectures": ["LlamaConfig"]}, "a class that transformers 5.24.0 does not have"),
        ({"model_type": "llama", "num_attention_heads": 0}, "does not build it"),
    ],
)
def test_what_the_library_cannot_build_is_one_line(config, message):
    with pytest.raises(BadInput) as caught:
        built_by_transformers(config, "c.json")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
