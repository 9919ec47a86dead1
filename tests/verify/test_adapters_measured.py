"""What steps with adapters hold, against PEFT on fake tensors: see tests/data/measure_adapters.py."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sampled import sampled

from symbolic_mem.base.exact import at
from symbolic_mem.library.read import read_study
from symbolic_mem.verify.held import held

DATA = Path(__file__).parents[1] / "data"
MEASURED = json.loads((DATA / "adapters.json").read_text(encoding="utf-8"))
ALONE = json.loads((DATA / "adapters_alone.json").read_text(encoding="utf-8"))
MARKS = ALONE["marks"] | {case["id"]: case["marks"] for case in ALONE["cases"]}
CASES = {case["id"]: case for case in (*MEASURED["cases"], *ALONE["cases"])}
NO_COPIES = ("start", "backward end", "step")


def study_of(case, folder, asks=True):
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
    if "n_fsdp" in case:
        content["values"] |= {"n_fsdp": case["n_fsdp"]}
        content["plan"] = {"preset": "fsdp2", "reshard": case["reshard"]}
    if case["lora"] is None:
        content["recipe"] |= {"optimizer_in_backward": True}
    else:
        trained = {"adapters": "adapter_config.json", "input_gradient": asks}
        content["recipe"] |= {"trained": trained, "gradients_persist": False}
    return read_study(content, "study.toml", "study", folder)


@pytest.mark.parametrize("case", sampled([pytest.param(one, id=one["id"]) for one in MEASURED["cases"]], 7))
def test_a_step_with_adapters_holds_what_was_measured(case, tmp_path):
    study = study_of(case, tmp_path)
    if (
        case["lora"] is not None
    ):  # measured with enable_input_require_grads, which PEFT calls where blocks are recomputed
        assert study.built.trained.reached == (case["again"] or "ends" in case["id"])
        study = replace(study, built=study.built.training(replace(study.built.trained, reached=True)))
    trained = sum(
        at(layer.repeat * weight.elements, study.values)
        for layer in study.model.layers
        for weight in layer.weights
        if weight.trained
    )
    assert trained == case["trained"]
    counted = held(study)
    gone = absent_copies(case, counted, trained - copied(study))
    assert {mark: one.bytes - gone.get(mark, 0) for mark, one in counted.items()} == case["marks"]


@pytest.mark.parametrize("name", sampled(MARKS, 7))
def test_a_step_as_peft_makes_it_or_as_nothing_asks_for_a_gradient_of_the_input(name, tmp_path):
    case, asks = CASES[name], name not in ALONE["marks"]
    study = study_of(case, tmp_path, asks=asks)
    if case["lora"] is not None:
        assert study.built.trained.reached == ("ends" in name or (asks and case["again"]))
    counted = held(study)
    gone = absent_copies(case, counted, case["trained"] - copied(study))
    for mark in ("forward end", "backward") if case.get("autocast") and not case["again"] else ():
        gone[mark] = gone.get(mark, 0) + not_needed(case)
    assert {mark: one.bytes - gone.get(mark, 0) for mark, one in counted.items()} == MARKS[name]


@pytest.mark.parametrize("case", sampled([pytest.param(one, id=one["id"]) for one in ALONE["divided"]], 3))
def test_a_rank_under_fsdp2_holds_what_was_measured(case, tmp_path):
    study = study_of(case, tmp_path, asks=case["reached"])
    assert study.built.trained.reached == case["reached"]
    assert {mark: one.bytes for mark, one in held(study).items()} == case["marks"]


def copied(study):
    """The numbers of what is trained whole."""
    return sum(
        at(weight.elements, study.values)
        for layer in study.model.layers
        for weight in layer.weights
        if weight.name.startswith("trained copy")
    )


def not_needed(case):
    """The bytes of the copies of A in the first block whose input needs no gradient: those of the first products."""
    modules = case["lora"]["target_modules"]
    if "embed_tokens" in case["lora"].get("modules_to_save", ()):
        return 0
    first = 3 if modules == "all-linear" else len({"q_proj", "k_proj", "v_proj"} & {*modules})
    return 2 * case["lora"]["r"] * case["config"]["hidden_size"] * first


def absent_copies(case, counted, adapters):
    """The bytes of the copies of adapters that are counted at every instant and gone at some."""
    if not case.get("autocast"):
        return {}
    copies = 2 * adapters
    found = dict.fromkeys(NO_COPIES, copies)
    if case["again"]:  # a block has its own while it is computed again
        of_others = copies - copies // case["config"]["num_hidden_layers"]
        found |= {"forward end": copies, "backward": copies if "the loss" in counted["backward"].instant else of_others}
    return found
