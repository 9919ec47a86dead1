"""Measure whole training steps of models of transformers on fake tensors: writes the marks of steps_models.json anew.

Run with PyTorch and transformers, from the root of the repository: ``python tests/data/measure_steps.py``. Nothing is
computed, no accelerator is needed. A new case is a row of the file without marks: a configuration of `hf_configs`, or one
written out, the change of a study, and the attention kernel.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
import transformers

from symbolic_mem.library.read import load_study
from symbolic_mem.study.changed_recipe import use_kernel, use_profile
from symbolic_mem.study.study import Study
from symbolic_mem.verify.held import MARKS
from symbolic_mem.verify.measure import measure
from symbolic_mem.verify.run import run_of
from symbolic_mem.verify.verify import MODELS

DATA = Path(__file__).parent
CASES = DATA / "steps_models.json"


def study_of(case: dict, folder: Path) -> Study:
    path = folder / "config.json"
    config = case["config"]
    if isinstance(config, str):
        path = DATA / "hf_configs" / f"{config}.json"
    else:
        path.write_text(json.dumps(config), encoding="utf-8")
    kernel = [use_kernel(case["kernel"])] if "kernel" in case else []
    return load_study(str(path)).change(**case["change"]).changed([use_profile(MODELS), *kernel])


if __name__ == "__main__":
    found = json.loads(CASES.read_text(encoding="utf-8"))
    version = f"PyTorch {torch.__version__.split('+')[0]} with transformers {transformers.__version__}"
    found["source"] = f"{version}, FSDP2 and fake tensors: bytes of the first rank in its third step"
    for case in found["cases"]:
        with tempfile.TemporaryDirectory() as folder:
            marks = measure(run_of(study_of(case, Path(folder))))
            case["marks"] = {mark: marks[mark] for mark in MARKS}
    CASES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
