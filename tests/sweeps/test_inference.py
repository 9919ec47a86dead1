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


def test_degrees_that_divide_nothing_are_named_beside_the_rows():
    study = load_study("llama-3.1-8b").change(recipe="inference", values={"S": 1000, "n_pp": 2, "n_fsdp": 2})
    found = sweep(study, plan=["vllm-tp", "one-device"], cache=["bf16", "fp8"], n_tp=[1, 2], B=[1])
    assert found.beside == (
        "n_fsdp divides nothing here: no kind of memory is placed over it.",
        "With plan one-device: n_tp divides nothing here: no kind of memory is placed over it.",
        "n_pp = 2 divides nothing here: no kind of memory is placed over it.",
    )
    assert found.coordinates["n_fsdp"].tolist() == [2]
    assert sweep(study, plan=["vllm-tp+pp"], n_tp=[2], n_pp=[2], n_fsdp=[1], B=[1]).beside == ()


def test_caches_are_varied_by_name():
    study = load_study("llama-3.1-8b").change(recipe="inference", values={"B": 4, "S": 1000})
    found = sweep(study, cache=["bf16", "fp8", "int4"])
    for name in ("bf16", "fp8", "int4"):
        assert found.at(cache=name, n_fsdp=1)["peak"] == peak(study.change(cache=name))


@pytest.mark.parametrize(
    ("name", "options"),
    [("offload", ["none", "optimizer"]), ("gradients", ["kept", "freed"]), ("adapters", ["none", "q_proj"])],
)
def test_what_is_trained_and_where_it_lives_are_varied_by_name(name, options):
    study = load_study("llama-3.1-8b").change(values={"B": 1, "S": 1000})
    found = sweep(study, **{name: options}, n_fsdp=[8])
    for one in options:
        assert found.at(**{name: one}, n_fsdp=8)["peak"] == peak(study.change(**{name: one}, values={"n_fsdp": 8}))
