"""STUDY as a folder: that of a model, as it is published and downloaded."""

from __future__ import annotations

import json

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.read import load_study

LLAMA = {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 99}


@pytest.fixture
def model(tmp_path, monkeypatch):
    folder = tmp_path / "Tiny-Llama"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize("written", ["Tiny-Llama", "./Tiny-Llama", "Tiny-Llama/"])
def test_the_folder_of_a_model_is_a_study(model, written):
    study = load_study(written)
    assert (study.name, study.title) == ("Tiny-Llama", "Memory of training Tiny-Llama")
    assert study.model.parameters == load_study("Tiny-Llama/config.json").model.parameters


def test_the_current_folder_has_its_own_name(model, monkeypatch):
    monkeypatch.chdir(model)
    assert load_study("./").name == "Tiny-Llama"


def test_a_bundled_study_is_not_hidden_by_a_folder_of_its_name(model):
    model.rename(model.with_name("llama-3.1-8b"))
    assert len(load_study("llama-3.1-8b").questions) > 1
    assert load_study("./llama-3.1-8b").questions == ()


def test_a_folder_without_a_model_is_refused(model):
    (model / "config.json").unlink()
    with pytest.raises(BadInput, match=r"^Tiny-Llama is a folder without a config\.json; name a \.toml study or"):
        load_study("Tiny-Llama")


def test_the_name_of_a_model_on_a_hub_is_refused_with_what_to_do():
    with pytest.raises(BadInput, match=r"^meta-llama/Llama-3\.1-8B: there is no such file or folder, nor its config"):
        load_study("meta-llama/Llama-3.1-8B")
