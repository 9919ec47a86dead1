"""Every row of a sweep is the answer that `solve` and `account` give at those values."""

from __future__ import annotations

from itertools import product
from math import ceil

import numpy as np
import pytest
from sampled import sampled

from symbolic_mem.accounts.instants import instant
from symbolic_mem.accounts.schedule import PHASES
from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.asking import turned, usual
from symbolic_mem.questions.parts.instants import instants
from symbolic_mem.study.changes import changes
from symbolic_mem.sweeps.axes import CHOICES
from symbolic_mem.sweeps.plan import plan
from symbolic_mem.sweeps.sweep import sweep

H100 = "h100-80gb"


def asked(study, keys):
    own = list(usual(study))
    found = next((one for one in own if isinstance(one, MinDegree)), None)
    return (found or turned(own[0] if own else None, MinDegree, "sweep", study.name)).given(keys, "test")


def studied(study, question, labels):
    chosen = {name: value for name, value in labels.items() if name in CHOICES}
    values = {name: value for name, value in labels.items() if name not in CHOICES}
    return study.called(changes(values=values, **chosen)).under(question)


def solved(study, question, labels):
    """What `solve` says at those values: the degree, the peak and its instant."""
    here = studied(study, question, labels)
    found = question.answer(here)
    if found.value is None:
        return {str(question.symbol): 0, "fits": False, "peak": 0, "left": 0, "instant": None}
    facts = found.record
    words = facts.get("instant") or instant(found.fullest(found.value).study.instant, here.recipe).words
    left = int((here.capacity.counted - found.held(found.value)) // 1)
    return {
        str(question.symbol): found.value,
        "fits": True,
        "peak": facts["peak_bytes"],
        "left": left,
        "instant": words,
    }


def held(study, question, labels):
    """What one device holds at a given degree, by the exact account of each instant."""
    here = studied(study, question, labels)
    moments = sorted(instants(here, question.counted), key=lambda one: PHASES.index(one.at.phase) if one.at else 0)
    sizes = [one.placed(question.counted).at(here.values) for one in moments]
    most = max(range(len(sizes)), key=lambda one: (sizes[one], -one))
    room = here.capacity.counted
    fits = bool(sizes[most] < room if question.strict else sizes[most] <= room)
    words = moments[most].at.words if moments[most].at else instant(moments[most].instant, here.recipe).words
    return {"fits": fits, "peak": ceil(sizes[most]), "left": int((room - sizes[most]) // 1), "instant": words}


SOLVED = [
    ("cs336-a2-xxl", {}, {"B": [1, 64, 777], "S": [1, 511, 1024]}),
    ("cs336-a2-xxl", {"strict": False, "kinds": ["weights", "optimizer"]}, {"L": [1, 126], "d_model": [3, 16384]}),
    ("cs336-a2-xxl", {"multiple_of": 8, "at_most": 64}, {"B": range(1, 300, 37), "d_ff": [53248, 53249]}),
    ("cs336-a2-xxl", {"divides": "B"}, {"B": [96, 128, 4096], "S": [64, 1024]}),
    ("cs336-a2-xxl", {}, {"capacity": ["95 GiB", "7 GB", "0.5 GB"], "B": [1, 2, 3]}),
    ("llama-3.1-8b", {}, {"L": [1, 2, 3, 4, 7], "B": [1, 3], "device": [H100]}),
    ("llama-3.1-8b", {}, {"recompute": ["none", "full", "every=3", "groups=4"], "L": [1, 3, 9, 32]}),
    ("llama-3.1-8b", {}, {"plan": ["zero-1", "zero-3", "fsdp2"], "device": [H100], "B": [1, 2, 64]}),
    ("llama-3.1-8b", {"power_of_two": True}, {"loss": ["fp32", "bf16", "fused"], "S": [1024, 8192, 10**6]}),
    ("deepseek-v3", {}, {"L": [4, 5, 61], "S": [4096, 16384], "capacity": ["192 GB"]}),
    ("mixtral-8x7b", {}, {"E": [2, 8], "k": [1, 2], "recipe": ["fsdp2", "pure-bf16"]}),
    ("llama-3.1-8b", {}, {"plan": ["fsdp2+torch-sp"], "S": [1024, 2048, 4096], "n_tp": [2, 4]}),
    ("llama-3.1-8b", {}, {"plan": ["fsdp2+torch-tp"], "n_tp": [1, 8], "B": [1, 2], "L": [1, 2, 32]}),
    ("gpt2-xl", {}, {"n_heads": [5, 25], "B": [1, 8], "S": [512, 1024]}),
]


@pytest.mark.parametrize(("name", "keys", "axes"), sampled(SOLVED, 5), ids=lambda given: str(given)[:60])
def test_a_row_is_what_solve_answers(name, keys, axes):
    study = load_study(name)
    question = asked(study, keys)
    found = sweep(study, asks=keys, **axes)
    for values in product(*axes.values()):
        labels = dict(zip(axes, values, strict=True))
        assert found.at(**labels) == solved(study, question, labels), labels


def test_a_plan_that_divides_nothing_fits_on_one_device_or_on_none():
    found = sweep("llama-3.1-8b", plan=["dp", "fsdp2"], capacity=["192 GB", "80 GB"], B=1, S=1024)
    study = load_study("llama-3.1-8b")
    question = asked(study, {})
    for room, degree in (("192 GB", 1), ("80 GB", 0)):
        labels = {"plan": "dp", "capacity": room, "B": 1, "S": 1024}
        assert found.at(**labels)["n_fsdp"] == degree
        assert held(study, question, {**labels, "n_fsdp": 1})["fits"] == bool(degree)


@pytest.mark.parametrize(
    ("name", "plan", "axes"),
    [("lora-llama-3.1-8b", "one-device", {"r_lora": [8, 16]}), ("qlora-llama-3.1-8b", "dp", {"S": [2048, 4096]})],
)
def test_training_that_is_whole_on_each_device_has_the_peaks_of_its_account(name, plan, axes):
    found = sweep(name, plan=[plan], device=[H100], **axes)
    ((symbol, values),) = axes.items()
    for value in values:
        peak = Account(load_study(name).change(plan=plan, values={symbol: value})).per_device_record["peak_bytes"]
        row = found.at(plan=plan, device=H100, **{symbol: value}, n_fsdp=1)
        assert row["peak"] == peak and row["fits"]


HELD = [
    ("cs336-a2-xxl", {}, {"n_fsdp": [1, 2, 45, 46, 47], "B": [100, 128]}),
    ("llama-3.1-8b", {}, {"B": [1, 4], "n_fsdp": range(1, 6), "L": [1, 2, 32]}),
    ("llama-3.1-8b", {"strict": True}, {"n_fsdp": [1, 8], "plan": ["zero-2", "fsdp2"], "recipe": ["fsdp2", "fp32"]}),
    ("deepseek-v3", {}, {"n_fsdp": [1, 7, 2048], "S": [1, 4096]}),
    (
        "llama-3.1-8b",
        {},
        {"n_tp": [1, 2], "n_pp": [1, 2], "n_micro": [2, 4], "n_fsdp": [1, 2], "S": [64, 8192], "plan": ["megatron"]},
    ),
    ("cluster-gpt-3-175b", {}, {"B": [1, 2], "n_fsdp": [6], "n_micro": [24, 48]}),
    ("cluster-deepseek-v3", {}, {"B": [1, 3], "n_fsdp": [256], "n_ep": [16, 64]}),
]


@pytest.mark.parametrize(("name", "keys", "axes"), sampled(HELD, 3), ids=lambda given: str(given)[:60])
def test_a_row_at_a_given_degree_is_what_is_held(name, keys, axes):
    study = load_study(name)
    question = asked(study, keys)
    found = sweep(study, asks=keys, **axes)
    assert "n_fsdp" not in found.columns
    for values in product(*axes.values()):
        labels = dict(zip(axes, values, strict=True))
        assert found.at(**labels) == held(study, question, labels), labels


def test_a_batch_that_no_plan_cuts_is_an_array():
    axes = {"B": range(1, 65), "n_fsdp": range(1, 65), "S": range(1024, 8193, 1024), "n_tp": [4, 8]}
    planned = plan("cluster-llama-3.1-70b-64-h100", axes=axes)
    assert planned.points == 65_536 and len(planned.cases.cases) <= 2 * 8  # what must come out decides: n_tp and S


def test_rows_are_the_points_of_the_grid():
    batches, lengths = [1, 5, 32, 7], [4096, 100, 9, 8192]
    grid = sweep("llama-3.1-8b", B=batches, S=lengths, L=[2, 32])
    rows = sweep("llama-3.1-8b", rows={"B": batches, "S": lengths, "L": [2, 32, 2, 32]})
    for i, (batch, length) in enumerate(zip(batches, lengths, strict=True)):
        assert {name: column[i] for name, column in rows.columns.items() if name != "instant"} == {
            name: column[i, i, i % 2] for name, column in grid.columns.items() if name != "instant"
        }
        which = rows["instant"][i]
        assert (rows.words[which] if which >= 0 else None) == grid.at(B=batch, S=length, L=[2, 32][i % 2])["instant"]


@pytest.mark.parametrize("batch", [10**9, 10**15, 10**25, 10**30])
def test_a_row_is_exact_past_machine_integers(batch):
    study = load_study("cs336-a2-xxl")
    axes = {"L": [3, 10**15 + 7, batch - 1], "B": [1, batch]}
    question = asked(study, {})
    found = sweep(study, **axes)
    for depth, size in product(axes["L"], axes["B"]):
        labels = {"L": depth, "B": size}
        try:
            expected = solved(study, question, labels)
        except BadInput:
            continue
        assert found.at(**labels) == expected, labels


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("llama-3.1-8b", {"B": [1, 64], "L": [2, 32]}),
        ("deepseek-v3", {"n_fsdp": [1, 64], "S": [64, 4096]}),
        ("cs336-a2-xxl", {"B": [1, 128], "d_ff": [1, 53248]}),
    ],
    ids=lambda given: str(given)[:30],
)
def test_the_fullest_instant_is_the_peak_and_its_terms_make_it(name, axes):
    found = sweep(name, instants=True, terms=True, **axes)
    each = [column for name, column in found.columns.items() if name.startswith("instant: ")]
    terms = [column for name, column in found.columns.items() if name.startswith("term: ")]
    assert len(each) == len(found.words) and len(terms) > 2
    assert (np.maximum.reduce(each) == found["peak"]).all()
    beyond = sum(terms) - found["peak"]  # each term is rounded up by itself
    assert (beyond >= 0).all() and (beyond < len(terms)).all()
    alone = sweep(name, **axes)
    assert all((column == found[name]).all() for name, column in alone.columns.items())
