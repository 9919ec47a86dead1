"""Gradients that do not persist: the backward pass and the optimizer step must both fit, counted here by hand."""

from __future__ import annotations

from math import ceil

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

D_MODEL, D_FF, LAYERS, TOKENS = 512, 2048, 4, 16  # FP32: 4 bytes each of weights and gradients, 8 of moments
PARAMETERS = 2 * LAYERS * D_MODEL * D_FF
ACTIVATIONS = 4 * TOKENS * LAYERS * (D_MODEL + D_FF)  # bytes for one sequence
STUDY = """
title = "Small"
[model]
kind = "ffn"
[values]
d_model = 512
d_ff = 2048
L = 4
B = {batch}
S = 16
n_fsdp = {devices}
[recipe]
preset = "{preset}"
gradients_persist = false
[placement]
weights = {{}}
gradients = {{}}
optimizer = {{}}
[[question]]
label = "a"
ask = "{ask}"
capacity = "60 MiB"
"""
ROOM = 60 * 2**20


@pytest.fixture
def study(tmp_path):
    def load(ask="min_degree", batch=1, devices=2, preset="fp32", more=""):
        path = tmp_path / "small.toml"
        path.write_text(STUDY.format(ask=ask, batch=batch, devices=devices, preset=preset) + more, encoding="utf-8")
        return load_study(str(path))

    return load


@pytest.mark.parametrize("batch", [1, 30, 60, 90])
def test_the_degree_is_the_larger_of_both_moments(study, batch):
    found = homework(study(batch=batch)).found[0]
    backward = ceil(12 * PARAMETERS / (ROOM - batch * ACTIVATIONS))
    step = ceil(16 * PARAMETERS / ROOM)
    assert found.value == max(backward, step)


@pytest.mark.parametrize("batch", [1, 60])
def test_the_count_of_devices_is_the_larger_of_both_moments(study, batch):
    found = homework(study("device_count", batch)).found[0]
    assert found.value == ceil(max(12 * PARAMETERS + batch * ACTIVATIONS, 16 * PARAMETERS) / ROOM)


def test_the_moment_that_decides_is_said(study):
    answered = homework(study())
    opening = plain_prose(answered.sections[1].blocks[0].prose)
    assert "is counted: the optimizer step" in opening and opening.endswith("gives 2.")
    assert plain_prose(answered.found[0].assumptions[-1]).startswith("What is counted is the optimizer step")


def test_the_largest_batch_needs_room_for_the_step(study):
    with pytest.raises(
        BadInput, match="the optimizer step, with all gradients, takes 67,108,864 bytes of the 62,914,560"
    ):
        homework(study("largest"))
    found = homework(study("largest", devices=4)).found[0]
    assert found.value == (ROOM - 12 * PARAMETERS // 4) // ACTIVATIONS


def test_recomputation_does_not_make_the_step_smaller(study):
    assert homework(study("recompute")).found[0].value == ceil(16 * PARAMETERS / ROOM)


def test_what_persists_no_longer_is_not_said_to_persist(study):
    said = [plain_prose(one) for one in homework(study(preset="cs336")).found[0].assumptions]
    assert not any("persist between micro-batches, so they coexist" in one for one in said)


def test_every_document_of_such_a_study_is_derived(study):
    assert report(study("insight")).sections and report(study("recompute")).sections
