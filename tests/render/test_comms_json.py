"""`comms_report` is what the contract of the command line promises."""

import json

import pytest

from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import table
from symbolic_mem.library.changes import override
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.comms_json import comms_report

STUDY = load_study("cs336-a2-xxl")
# Totals, per chip and per rank of CS336 (2025), part (c), with C = 4.6e14 and W = 1.8e11; see tests/data/comms.json.
PUBLISHED = {
    ("max", "given"): (20444.4, 319.44, 1277.8, 20445),
    ("sum", "given"): (25301.7, 395.34, 1581.4, 25302),
    ("max", "optimal"): (3924.8, 61.32, 1277.8, 3925),
    ("sum", "optimal"): (15699.2, 245.30, 2555.6, 15700),
}


@pytest.mark.parametrize(("overlap", "axes"), PUBLISHED)
def test_the_four_conventions(overlap, axes):
    found = json.loads(json.dumps(comms_report(STUDY, overlap, axes)))
    total, chip, rank, whole = PUBLISHED[overlap, axes]
    assert found["conventions"] | {"overlap": overlap, "axes": axes, "unit": "tokens"} == found["conventions"]
    assert found["critical_batch_tokens"] == pytest.approx(total, abs=0.05)
    assert found["per_chip"] == pytest.approx(chip, abs=0.006)
    assert found["per_fsdp_rank"] == pytest.approx(rank, abs=0.05)
    assert found["smallest_batch_tokens"] == whole
    assert found["feasible"] is True


def test_the_formula_gives_the_number_when_it_is_read_again():
    found = comms_report(STUDY, "sum")
    names = {str(name.symbol): name.symbol for name in table()}
    values = {names[name]: value for name, value in found["values"].items() if name in names}
    again = read_formula(found["formula"], names).subs(values)
    assert float(again) == pytest.approx(found["critical_batch_tokens"], rel=1e-14)


def test_the_best_whole_mesh_is_named():
    assert comms_report(STUDY, "sum", "optimal")["best_whole_mesh"]["X"] == 8
    assert (
        comms_report(STUDY, "max", "optimal")["best_whole_mesh"] | {"X": 4, "Y": 16}
        == comms_report(STUDY, "max", "optimal")["best_whole_mesh"]
    )


def test_times_and_volumes_at_the_batch_of_the_study():
    found = comms_report(STUDY)
    math, gather, *_ = found["times"]
    tokens = 128 * 1024
    assert math["seconds"] == pytest.approx(4 * tokens * 16384 * 53248 / (64 * 4.6e14), rel=1e-14)
    assert gather["bytes"] == 2 * 2 * 16384 * 53248 // 4
    assert gather["seconds"] == pytest.approx(gather["bytes"] / (2 * 1.8e11), rel=1e-14)
    assert found["winner"] == "math"


def test_a_mesh_on_which_no_batch_is_enough_is_an_answer():
    found = comms_report(override(STUDY, values={"X": "2", "Y": "32"}))
    assert found["feasible"] is False
    assert found["critical_batch_tokens"] is None
    assert "no batch is large enough" in found["reason"]
    assert found["winner"] == "Y"
    assert comms_report(override(STUDY, values={"X": "2", "Y": "32", "B": "1"}))["winner"] == "X"


def test_a_batch_without_numbers_leaves_times_open():
    study = load_study("cs336-a2-xxl")
    open_batch = type(study)(
        **{
            **{name: getattr(study, name) for name in study.__dataclass_fields__},
            "values": {symbol: value for symbol, value in study.values.items() if str(symbol) not in ("B", "S")},
        }
    )
    found = comms_report(open_batch)
    assert found["times"][0]["seconds"] is None
    assert found["winner"] is None
    assert found["smallest_batch_tokens"] == 20445


@pytest.mark.parametrize("scheme", ["dp", "fsdp", "tp"])
@pytest.mark.parametrize("pass_name", ["forward", "backward", "step"])
def test_one_axis_schemes_answer_too(scheme, pass_name):
    found = comms_report(STUDY, scheme=scheme, pass_name=pass_name)
    assert found["conventions"]["scheme"] == scheme
    alone = {"dp": {"forward": 0, "step": 2 / 3}.get(pass_name, 1), "fsdp": 1, "tp": 0}[scheme]
    assert found["critical_batch_tokens"] == pytest.approx(alone * 184000 / 9, abs=1e-9)
