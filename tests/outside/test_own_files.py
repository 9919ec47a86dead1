"""Whatever stands at whichever key of a file of a caller's own profiles, plans, recipes or adapters: read, or refused in one line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from test_files import JSON_VALUES, NEVER, SELDOM, TEXTS, refused
from walked import places, replaced, toml

import symbolic_mem
from symbolic_mem.models.own_profiles import read_profiles
from symbolic_mem.plans.read import read_plans
from symbolic_mem.recipes.own import read_recipes
from symbolic_mem.recipes.tuned import read_tuned

PROFILE = {
    "extends": "torch-cuda-bf16",
    "compute": 2,
    "residual": 2,
    "kernel": "flash",
    "precision": "16-bit",
    "assumptions": ["words", {"words": "words", "when": "attention flash"}],
    "keeps": {"rmsnorm": {}, "attention": {"flash": {}}},
    "families": {"llama": {"rmsnorm": {}}},
    "outputs": {},
    "regenerates": [],
    "by_head": ["llama"],
    "without": ["relu"],
    "loss_gradients": 2,
}
RECIPE = {
    "preset": "fsdp2",
    "optimizer": "lion",
    "recompute": {"every": 2},
    "step_counters": True,
    "gradients_persist": False,
    "trained": {"adapters": ["q_proj"], "rank": 8, "dropout": 0.1, "whole": ["norm"]},
    "offload": ["optimizer"],
    "ema": 4,
}
PLANS = tomllib.loads((Path(symbolic_mem.__file__).parent / "plans" / "plans.toml").read_text(encoding="utf-8"))
SAID = {"title": "ours", "source": "our script"}
FILES = {
    "a profile": (read_profiles, SAID | PROFILE),
    "a recipe": (read_recipes, SAID | RECIPE),
    "a plan": (read_plans, {key: value for key, value in PLANS["vllm-tp"].items() if key != "checked"} | SAID),
}
PRINTED = {*TEXTS, "words", "when", "assumptions"}


@pytest.mark.parametrize("what", FILES)
def test_a_wrong_value_at_any_key_of_ones_own_file(tmp_path, what):
    read, table = FILES[what]
    path, tried = tmp_path / "own.toml", 0
    path.write_bytes(toml({"ours": table}))
    assert list(read(str(path))) == ["ours"]
    for place in places({"ours": table}):
        for wrong, value in (NEVER | SELDOM).items():
            path.write_bytes(toml(replaced({"ours": table}, place, value)))
            taken = not refused((place, wrong), lambda: read(str(path)), str(path))
            assert not taken or wrong in SELDOM or PRINTED & set(place), (place, wrong)
            tried += 1
    assert tried > 200


def test_a_wrong_value_at_any_key_of_a_file_of_adapters(tmp_path):
    path = tmp_path / "adapter_config.json"
    whole = {
        "peft_type": "LORA",
        "r": 16,
        "target_modules": ["q_proj"],
        "lora_dropout": 0.1,
        "modules_to_save": ["lm_head"],
    }
    whole |= {"bias": "none", "use_dora": False}
    for place in places(whole):
        for wrong, value in JSON_VALUES.items():
            path.write_text(json.dumps(replaced(whole, place, value)), encoding="utf-8")
            taken = not refused(
                (place, wrong), lambda: read_tuned({"adapters": path.name}, "here", tmp_path), str(path)
            )
            assert not taken or wrong in SELDOM or wrong == "null", (place, wrong)
