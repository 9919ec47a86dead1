"""Fields of a config.json that nothing reads: named where they may change the model, refused where they do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.accounts.left_out import left_out
from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.read import load_study
from symbolic_mem.models.huggingface import parse_config, read_config

CONFIGS = Path(__file__).parents[1] / "data" / "hf_configs"
GPT2 = {"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 4}


def unread(**more: object) -> tuple[str, ...]:
    return parse_config(json.dumps({**GPT2, **more}).encode(), "c.json").unread


def test_a_field_that_nobody_knows_is_named():
    assert unread(use_mixture_of_depths=True, n_memory_tokens=4) == ("use_mixture_of_depths", "n_memory_tokens")


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}])
def test_a_field_without_a_value_changes_nothing(value):
    assert unread(use_mixture_of_depths=value) == ()


def test_names_tokens_and_scales_change_nothing():
    assert unread(bos_token_id=50256, torch_dtype="bfloat16", layer_norm_epsilon=1e-5, moe_layer_freq=1) == ()
    assert unread(moe_layer_freq=2) == ("moe_layer_freq",)


def test_a_field_that_another_family_reads_is_said_to_have_no_part():
    read = parse_config(json.dumps({**GPT2, "num_local_experts": 8}).encode(), "c.json")
    assert read.unread == ()
    assert "In the file, but without a part in a model of this family: num_local_experts." in read.assumptions


@pytest.mark.parametrize(("name", "value"), [("add_cross_attention", True), ("pruned_heads", {"0": [1]})])
def test_a_field_that_changes_the_number_of_weights_is_refused(name, value):
    with pytest.raises(BadInput, match=rf"c\.json: {name} is .*, which is not counted; remove the field"):
        unread(**{name: value})
    assert unread(**{name: type(value)()}) == ()


@pytest.mark.parametrize("name", sorted(path.name for path in CONFIGS.glob("*.json")))
def test_of_the_published_configs_everything_that_matters_is_read(name):
    assert read_config(CONFIGS / name).unread == ()


def test_every_account_says_what_was_not_read(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({**GPT2, "use_mixture_of_depths": True}))
    study = load_study(str(path))
    said = [one.words for one in left_out(study.built, study.recipe, study.placement)]
    assert "what these fields of the config.json may change, which are not read: use_mixture_of_depths" in said
