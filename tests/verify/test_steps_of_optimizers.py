"""Whole steps of a stack under each optimizer, measured once: see tests/data/measure_optimizer_steps.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.library.read import load_study
from symbolic_mem.recipes.optimizers import in_step, optimizers
from symbolic_mem.verify.run import run_of
from symbolic_mem.verify.verify import expected

DATA = Path(__file__).parent.parent / "data"
CASES = json.loads((DATA / "steps_optimizers.json").read_text(encoding="utf-8"))["cases"]
STUDY = next(
    line for line in (DATA / "measure_optimizer_steps.py").read_text(encoding="utf-8").split('"""') if "[model]" in line
)


def study_of(case, folder):
    """The study that the script measures."""
    degree = f"n_fsdp = {case['n_fsdp']}" if case["n_fsdp"] > 1 else ""
    flags = {name: str(case[name]).lower() for name in ("foreach", "in_backward")}
    path = folder / "study.toml"
    plan = "fsdp2" if degree else "one-device"
    path.write_text(STUDY.format(**{**case, **flags, "degree": degree, "plan": plan}), encoding="utf-8")
    return load_study(str(path))


@pytest.mark.parametrize("position", range(len(CASES)))
def test_a_step_agrees_to_the_byte_at_every_mark(position, tmp_path):
    case = CASES[position]
    found = expected(study_of(case, tmp_path), 1)
    assert {mark: one.bytes for mark, one in found.items()} == case["marks"]


def test_every_step_of_pytorch_that_is_said_is_measured_but_that_which_needs_numbers():
    """ASGD asks its counter for a number, which a fake tensor has not: its copy was measured with real ones."""
    said = {name for name, one in optimizers().items() if one.step is not None and one.source.startswith("torch.optim")}
    assert said - {case["optimizer"] for case in CASES} == {"asgd"}


def test_what_is_not_known_of_a_step_is_said_and_what_is_nothing_is_not(tmp_path):
    from symbolic_mem.questions.parts.uncounted import uncounted_records

    case = {"recipe": "fp32", "foreach": True, "in_backward": False, "n_fsdp": 1}
    told = {}
    for name in ("muon", "adamw-8bit", "sgd", "adagrad"):
        study = study_of({**case, "optimizer": name}, tmp_path)
        told[name] = [one for one in uncounted_records(study, study.values) if "in its step" in one["what"]]
    assert [one["bytes"] for one in told.pop("muon")] == [None]
    (copies,) = told.pop("adagrad")
    assert copies["bytes"] == 2 * 4 * 3 * 3 * 64 * 192  # two copies in FP32 of three blocks of three matrices
    assert told == {"adamw-8bit": [], "sgd": []} and in_step("muon") is None


def test_rprop_is_not_run_on_divided_tensors(tmp_path):
    study = study_of(
        {"optimizer": "rprop", "recipe": "fsdp2", "foreach": True, "in_backward": False, "n_fsdp": 4}, tmp_path
    )
    with pytest.raises(BadInput, match="cannot step rprop on divided tensors"):
        run_of(study)
