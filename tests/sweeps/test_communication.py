"""The seconds of a row are those that `comms` counts at its values: of a step, of all blocks, all axes added."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest

np = pytest.importorskip("numpy")

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import number
from symbolic_mem.base.rational import plain
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.questions.parts.mesh_times import times
from symbolic_mem.questions.parts.sends import volumes
from symbolic_mem.study.changed_device import use_rates
from symbolic_mem.study.changes import changes
from symbolic_mem.study.keys import At
from symbolic_mem.sweeps.axes import CHOICES
from symbolic_mem.sweeps.front import front_figure
from symbolic_mem.sweeps.plan import plan
from symbolic_mem.sweeps.sweep import sweep


def counted(study, labels, device=None, **keys):
    """What `comms` counts at those values, as one exact number of seconds."""
    chosen = {name: value for name, value in labels.items() if name in CHOICES and name != "device"}
    values = {name: value for name, value in labels.items() if name not in CHOICES}
    here = study.called(changes(values=values, **chosen))
    here = here if device is None else here.called([use_rates(device)])
    if here.plan is not None and (here.plan.axes or "X" not in values):
        return sum((Fraction(plain(one)) for one in times(here, volumes(here)).sends.values()), Fraction(0))
    asked = next((one for one in here.questions if isinstance(one, ComputeBound)), None)
    asked = (
        ComputeBound.read(keys, At("test"), "test") if asked is None else asked.given({"pass": "step"} | keys, "test")
    )
    found = asked.answer(here.under(asked))
    blocks = number(here.model.layers[0].repeat, here.values) if len(here.model.layers) == 1 else 1
    return blocks * sum((Fraction(number(one.time, found.at_batch)) for one in found.times.sent), Fraction(0))


@pytest.mark.parametrize(
    ("name", "values", "axes"),
    [
        ("cluster-llama-3.1-70b-64-h100", {"W_dcn": 50 * 10**9}, {"n_fsdp": [1, 4], "n_tp": [1, 8], "n_pp": [1, 4]}),
        ("cluster-deepseek-v3", {}, {"n_fsdp": [128, 256], "n_ep": [8, 64]}),
        ("cluster-mixtral-8x7b", {}, {"B": [1, 2], "n_ep": [2, 8]}),
        ("llama-3.1-8b", {}, {"plan": ["fsdp2-cp"], "n_cp": [1, 2], "S": [2048]}),
    ],
    ids=lambda given: str(given)[:30],
)
def test_a_row_is_what_comms_counts_along_the_axes_of_a_plan(name, values, axes):
    study = load_study(name).change(values=values, device="h100-80gb")
    found = sweep(study, columns=["communication"], **axes)
    for picked in product(*axes.values()):
        labels = dict(zip(axes, picked, strict=True))
        row = found.at(**labels)
        degree = {"n_fsdp": row["n_fsdp"]} if "n_fsdp" in row else {}
        expected = 0.0 if degree.get("n_fsdp") == 0 else float(counted(study, labels | degree, "h100-80gb"))
        assert row["communication"] == expected, labels


def test_a_row_over_a_degree_is_what_comms_counts_of_its_plan():
    axes = {"B": [1, 2], "S": [4096, 8192], "device": ["h100-80gb", "b200"], "plan": ["fsdp2", "zero-2"]}
    study = load_study("llama-3.1-8b")
    found = sweep(study, columns=["communication"], **axes)
    seen = set()
    for picked in product(*axes.values()):
        labels = dict(zip(axes, picked, strict=True))
        row = found.at(**labels)
        degree = row["n_fsdp"]
        seen.add(min(degree, 2))
        expected = float(counted(study, labels | {"n_fsdp": degree}, labels["device"])) if degree else 0.0
        assert row["communication"] == expected, labels
    assert seen == {0, 1, 2}


def test_a_row_has_the_bytes_of_the_recipe():
    """ZeRO-2 sends gradients in FP32 and weights in those of FP32, 8 bytes each but for one's own part; FSDP2 2 + 2 + 4, all of BF16 6."""
    study, parameters, link = load_study("llama-3.1-8b"), 8_030_261_248, 450 * 10**9
    axes = {"plan": ["zero-2", "fsdp2"], "recipe": ["fsdp2", "pure-bf16"], "device": ["h100-80gb"], "n_fsdp": [8]}
    found = sweep(study, columns=["communication"], **axes)
    each = {("zero-2", "fsdp2"): 8, ("fsdp2", "fsdp2"): 8, ("zero-2", "pure-bf16"): 4, ("fsdp2", "pure-bf16"): 6}
    for (how, kept), size in each.items():
        row = found.at(plan=how, recipe=kept, device="h100-80gb", n_fsdp=8)
        assert row["communication"] == float(Fraction(7 * size * parameters, 8 * link)), (how, kept)


@pytest.mark.parametrize("ring", ["limit", "exact"])
def test_a_row_is_what_the_mesh_of_a_study_sends_in_all_blocks(ring):
    study = load_study("cs336-a2-xxl")
    study = replace(study, network=replace(study.network, ring=ring))
    axes = {"X": [1, 16], "Y": [1, 4], "B": [128, 10**16 + 7]}
    found = sweep(study, columns=["communication"], **axes)
    for picked in product(*axes.values()):
        labels = dict(zip(axes, picked, strict=True))
        assert found.at(**labels)["communication"] == float(counted(study, labels)), labels


def test_an_exact_ring_over_the_degree_sends_nothing_on_one_device():
    study = load_study("llama-3.1-8b").called([use_rates("h100-80gb")])
    study = replace(study, network=replace(study.network, ring="exact"))
    found = sweep(study, columns=["communication"], n_fsdp=[1, 2, 3, 10**6 + 3])
    assert found["communication"][0] == 0
    for degree, seconds in zip(found.coordinates["n_fsdp"].tolist(), found["communication"].tolist(), strict=True):
        assert seconds == float(counted(study, {"X": degree}, scheme="fsdp", axes="given", **{"pass": "step"})), degree


@pytest.mark.parametrize(
    ("name", "axes", "message"),
    [
        ("llama-3.1-8b", {"capacity": ["80 GB"]}, "no rates are known of an amount of memory; give --device NAME"),
        ("llama-3.1-8b", {"plan": ["one-device"], "n_fsdp": [1]}, "plan 'one-device' sends nothing that comms counts"),
        ("llama-3.1-8b", {"recipe": ["inference"], "plan": ["fsdp2"]}, "nothing is trained here"),
        ("llama-3.1-8b", {"plan": ["hsdp"], "n_fsdp": [2], "X": [2]}, "communication needs a value for Y"),
        ("gpt2-xl", {"B": [1], "device": ["a100-80gb"]}, "nothing says what is sent; choose a plan"),
    ],
    ids=lambda given: str(given)[:30],
)
def test_what_nothing_says_is_refused(name, axes, message):
    study = load_study(name)
    if name == "gpt2-xl":
        study = replace(study, placement={"optimizer": study.placement["optimizer"]})
    with pytest.raises(BadInput, match=message):
        plan(study, columns=["communication"], axes=axes)


def test_the_column_is_there_where_it_is_asked_for():
    assert "communication" not in sweep("llama-3.1-8b", B=[1]).columns


@pytest.mark.parametrize(
    ("first", "ticks"),
    [
        (Fraction(1, 2), ["0", "500 ms", "1 s", "1.5 s", "2 s"]),
        (Fraction(1, 1000), ["1 ms", "10 ms", "100 ms", "1 s"]),
    ],
)
def test_a_front_of_seconds_has_ticks_of_them(first, ticks):
    planned = plan("cluster-mixtral-8x7b", columns=["communication", "peak"], axes={"B": [1]})
    points = [(first, 10**9), (Fraction(2), 5 * 10**8)]
    figure = front_figure(planned, (("communication", False), ("peak", False)), points)
    assert [tick.words.parts[0] for tick in figure.x.ticks] == ticks
