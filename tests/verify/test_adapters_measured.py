"""What steps with adapters hold, against PEFT on fake tensors: see tests/data/measure_adapters.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.base.exact import at
from symbolic_mem.library.read import read_study
from symbolic_mem.verify.held import held

MEASURED = json.loads((Path(__file__).parents[1] / "data" / "adapters.json").read_text(encoding="utf-8"))
ALONE = ("start", "backward end", "step")


def study_of(case, folder):
    (folder / "config.json").write_text(json.dumps(case["config"]), encoding="utf-8")
    (folder / "adapter_config.json").write_text(json.dumps(case["lora"]), encoding="utf-8")
    content = {
        "title": "measured",
        "model": {"config": "config.json", "profile": "hf-cuda-bf16", "kernel": "flash"},
        "values": {"B": case["B"], "S": case["S"]},
        "recipe": {
            "preset": "lora" if case.get("autocast") else "pure-bf16",
            "optimizer": "adamw",
            "step_counters": True,
            "foreach": case["foreach"],
            "recompute": "full" if case["again"] else "none",
        },
    }
    if case["lora"] is None:
        content["recipe"] |= {"optimizer_in_backward": True}
    else:
        content["recipe"] |= {"trained": {"adapters": "adapter_config.json"}, "gradients_persist": False}
    return read_study(content, "study.toml", "study", folder)


@pytest.mark.parametrize("case", [pytest.param(one, id=one["id"]) for one in MEASURED["cases"]])
def test_a_step_with_adapters_holds_what_was_measured(case, tmp_path):
    study = study_of(case, tmp_path)
    trained = sum(
        at(layer.repeat * weight.elements, study.values)
        for layer in study.model.layers
        for weight in layer.weights
        if weight.trained
    )
    assert trained == case["trained"]
    counted = held(study)
    adapters = trained - sum(
        at(weight.elements, study.values)
        for layer in study.model.layers
        for weight in layer.weights
        if weight.name.startswith("trained copy")
    )
    gone = absent_copies(case, counted, adapters)
    assert {mark: one.bytes - gone.get(mark, 0) for mark, one in counted.items()} == case["marks"]


def absent_copies(case, counted, adapters):
    """The bytes of the copies of adapters that are counted at every instant and gone at some."""
    if not case.get("autocast"):
        return {}
    copies = 2 * adapters
    found = dict.fromkeys(ALONE, copies)
    if case["again"]:  # a block has its own while it is computed again
        of_others = copies - copies // case["config"]["num_hidden_layers"]
        found |= {"forward end": copies, "backward": copies if "the loss" in counted["backward"].instant else of_others}
    return found
