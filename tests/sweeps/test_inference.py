"""Sweeps of inference: what one device holds at every batch, context and degree, as single questions say it."""

from __future__ import annotations

from itertools import product

import pytest

from symbolic_mem.library.read import load_study
from symbolic_mem.sweeps.sweep import sweep


def peak(study):
    return max(one.memory.placed(study.placement).at(study.numbers) for one in study.timeline)


@pytest.mark.parametrize("plan", [None, "vllm-tp+pp"])
def test_a_sweep_of_inference_says_what_one_device_holds(plan):
    study = load_study("llama-3.1-8b").change(recipe="inference")
    axes = {"B": [1, 3], "S": [1000, 4096]}
    if plan is not None:
        study, axes = study.change(plan=plan), axes | {"n_tp": [1, 2], "n_pp": [1, 2]}
    found = sweep(study, **axes)
    assert found["peak"].size == 4 * (1 if plan is None else 4) and found["fits"].all()
    for position, values in enumerate(product(*axes.values())):
        held = peak(study.change(values=dict(zip(axes, values, strict=True))))
        assert found["peak"].ravel()[position] == held
