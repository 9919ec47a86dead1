"""Measure whole training steps of a small stack under each optimizer of PyTorch that `verify` runs: writes steps_optimizers.json.

Run with PyTorch, from the root of the repository: ``python tests/data/measure_optimizer_steps.py``. Nothing is computed, no
accelerator is needed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch

from symbolic_mem.library.read import load_study
from symbolic_mem.recipes.optimizers import in_step
from symbolic_mem.study.study import Study
from symbolic_mem.verify.held import MARKS
from symbolic_mem.verify.measure import measure
from symbolic_mem.verify.run import OPTIMIZERS, run_of

CASES = Path(__file__).parent / "steps_optimizers.json"
STUDY = """
title = "A stack under an optimizer"
[model]
kind = "gated-ffn"
[values]
d_model = 64
d_ff = 192
L = 3
B = 1
S = 8
{degree}
[recipe]
preset = "{recipe}"
optimizer = "{optimizer}"
foreach = {foreach}
step_counters = true
optimizer_in_backward = {in_backward}
[plan]
preset = "{plan}"
"""


def study_of(case: dict, folder: Path) -> Study:
    degree = f"n_fsdp = {case['n_fsdp']}" if case["n_fsdp"] > 1 else ""
    plan = "fsdp2" if degree else "one-device"
    flags = {name: str(case[name]).lower() for name in ("foreach", "in_backward")}
    path = folder / "study.toml"
    path.write_text(STUDY.format(**{**case, **flags, "degree": degree, "plan": plan}), encoding="utf-8")
    return load_study(str(path))


def cases() -> list[dict]:
    return [
        {"optimizer": name, "recipe": recipe, "foreach": foreach, "in_backward": inside, "n_fsdp": degree}
        for name in OPTIMIZERS
        if in_step(name) is not None
        for recipe, foreach, inside, degree in (
            ("fp32", True, False, 1),
            ("fp32", False, False, 1),
            ("pure-bf16", True, True, 1),
            ("pure-bf16", False, True, 1),
            ("fsdp2", True, False, 4),
            ("fsdp2", False, False, 4),
        )
    ]


if __name__ == "__main__":
    found = []
    for case in cases():
        with tempfile.TemporaryDirectory() as folder:
            marks = measure(run_of(study_of(case, Path(folder))))
            found.append({**case, "marks": {mark: marks[mark] for mark in MARKS}})
    source = f"PyTorch {torch.__version__.split('+')[0]} with fake tensors: bytes of the first rank in the step that verify measures"
    rows = ",\n".join(f"  {json.dumps(row)}" for row in found)
    CASES.write_text(f'{{"source": {json.dumps(source)}, "cases": [\n{rows}\n]}}\n', encoding="utf-8")
