"""The compute-bound batch: four published conventions, times and volumes, and one answer for every face."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import W_dcn, X, Y, n_pod, table
from symbolic_mem.claims.case import Misreading, read_off
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.render.json import jsonable
from symbolic_mem.study.changed_values import set_value

STUDY = load_study("cs336-a2-xxl")
# Totals, per chip and per rank of CS336 (2025), part (c), with C = 4.6e14 and W = 1.8e11; see tests/data/comms.json.
PUBLISHED = {
    ("max", "given"): (20444.4, 319.44, 1277.8, 20445),
    ("sum", "given"): (25301.7, 395.34, 1581.4, 25302),
    ("max", "optimal"): (3924.8, 61.32, 1277.8, 3925),
    ("sum", "optimal"): (15699.2, 245.30, 2555.6, 15700),
}


def asked(**keys):
    return ComputeBound.read(keys, "comms", "comms")


def report(study, **keys):
    """What `comms --json` prints."""
    return json.loads(json.dumps(jsonable(asked(**keys).answer(study).communication)))


def with_values(study, **values):
    return study.called([set_value(name, value) for name, value in values.items()])


def without(study, *symbols):
    return replace(study, values={symbol: value for symbol, value in study.values.items() if symbol not in symbols})


@pytest.mark.parametrize(("overlap", "axes"), PUBLISHED)
def test_the_four_conventions(overlap, axes):
    found = report(STUDY, overlap=overlap, axes=axes)
    total, chip, rank, smallest = PUBLISHED[overlap, axes]
    assert found["conventions"] | {"overlap": overlap, "axes": axes, "unit": "tokens"} == found["conventions"]
    assert found["critical_batch_tokens"] == pytest.approx(total, abs=0.05)
    assert found["per_chip"] == pytest.approx(chip, abs=0.006)
    assert found["per_fsdp_rank"] == pytest.approx(rank, abs=0.05)
    assert found["smallest_batch_tokens"] == smallest
    assert found["feasible"] is True


@pytest.mark.parametrize(("overlap", "axes"), PUBLISHED)
def test_answer_record_ledger_and_claims_are_one_number(overlap, axes):
    question = asked(overlap=overlap, axes=axes)
    found, claims = question.answer(STUDY), question.claims(STUDY)
    total, _, _, smallest = PUBLISHED[overlap, axes]
    assert found.value == found.facts["smallest_batch_tokens"] == claims["batch_tokens"].value == smallest
    assert found["T_min"].value == found.facts["critical_batch_tokens"] == sp.Rational(claims["batch_tokens"].quotient)
    assert float(found["T_min"].value) == pytest.approx(total, abs=0.05)


def test_the_formula_gives_the_number_when_it_is_read_again():
    found = report(STUDY, overlap="sum")
    names = {str(name.symbol): name.symbol for name in table()}
    values = {names[name]: value for name, value in found["values"].items() if name in names}
    again = read_formula(found["formula"], names).subs(values)
    assert float(again) == pytest.approx(found["critical_batch_tokens"], rel=1e-14)


def test_the_best_whole_mesh_is_named():
    assert report(STUDY, overlap="sum", axes="optimal")["best_whole_mesh"]["X"] == 8
    best = report(STUDY, axes="optimal")["best_whole_mesh"]
    assert best | {"X": 4, "Y": 16} == best


def test_times_and_volumes_at_the_batch_of_the_study():
    found = report(STUDY)
    math, gather, *_ = found["times"]
    tokens = 128 * 1024
    assert math["seconds"] == pytest.approx(4 * tokens * 16384 * 53248 / (64 * 4.6e14), rel=1e-14)
    assert gather["bytes"] == 2 * 2 * 16384 * 53248 // 4
    assert gather["seconds"] == pytest.approx(gather["bytes"] / (2 * 1.8e11), rel=1e-14)
    assert found["winner"] == "math"


def test_what_the_layers_take_for_granted_is_said():
    said = report(STUDY)["assumptions"]
    assert (
        "Each block is two bias-free linear layers; there is no attention, embedding, normalisation or output layer."
        in said
    )
    assert any(sentence.startswith("Nothing is recomputed") for sentence in said)
    assert set(STUDY.model.said) <= set(said)


def test_a_named_line_has_its_number_at_other_values():
    found = asked().answer(STUDY)
    assert found["alpha"].value == sp.Rational(23000, 9)
    assert found["t_math"].at(T=sp.Rational(184000, 9)) == found["t_fsdp"].value
    assert found["T_min"].at(X=32) == 2 * found["T_min"].value


def test_a_mesh_on_which_no_batch_is_enough_is_an_answer():
    study = with_values(STUDY, X=2, Y=32)
    found = report(study)
    assert found["feasible"] is False
    assert found["critical_batch_tokens"] is None
    assert "no batch is large enough" in found["reason"]
    assert found["winner"] == "Y"
    assert report(with_values(study, B=1))["winner"] == "X"
    assert asked().claims(study)["batch_tokens_per_chip"].value is None


def test_a_batch_without_numbers_leaves_times_open():
    found = report(without(STUDY, *(s for s in STUDY.values if str(s) in ("B", "S"))))
    assert found["times"][0]["seconds"] is None
    assert found["winner"] is None
    assert found["smallest_batch_tokens"] == 20445


def test_without_a_mesh_the_best_one_is_meant_by_every_face():
    study, question = without(STUDY, X, Y), asked(chips=64)
    assert question.resolved(study).axes == "optimal"
    assert question.answer(study).value == question.claims(study)["batch_tokens"].value == 3925
    assert report(study, chips=64)["winner"] is None
    assert asked().resolved(STUDY).axes == "given"
    with pytest.raises(BadInput, match="the number of chips is not known"):
        asked().answer(study)
    with pytest.raises(MissingValue, match="Y"):
        asked(axes="given", chips=64).answer(study)


def test_claims_count_the_same_batch_in_four_units():
    claims = asked().claims(STUDY)
    values = {name: claim.value for name, claim in claims.items()}
    assert values == {
        "batch_tokens": 20445,
        "batch_tokens_per_chip": 320,
        "batch_tokens_per_rank": 1278,
        "batch_sequences": 20,
        "T_min": Fraction(184000, 9),
        "T_min_per_chip": Fraction(2875, 9),
        "T_min_per_rank": Fraction(11500, 9),
    }
    claim = claims["batch_tokens"]
    assert claim.per == {"batch": 1, "chip": 64, "rank": 16, "sequence": 1024}
    assert claim.quotient == Fraction(184000, 9)
    read = [read_off(claim, Misreading(rounding=how)).value for how in ("up", "down", "nearest")]
    assert read == [20445, 20444, 20444]
    assert "batch_sequences" not in asked().claims(without(STUDY, *(s for s in STUDY.values if str(s) == "S")))


@pytest.mark.parametrize("ring", ["limit", "exact"])
@pytest.mark.parametrize("overlap", ["max", "sum"])
def test_exact_rings_are_derived_too(ring, overlap):
    study = replace(STUDY, network=replace(STUDY.network, ring=ring))
    question = asked(overlap=overlap, axes="optimal")
    found = question.answer(study)
    assert list(question.steps(found))
    x = found.used.x
    at_best = {"X": x, "Y": 64 / x, "T": found.used.tokens}
    times = [found[name].at(at_best) for name in ("t_math", "t_fsdp", "t_tp")]
    math, fsdp, tensor = map(sp.N, times)
    sent = max(fsdp, tensor) if overlap == "max" else fsdp + tensor
    assert float(sent) == pytest.approx(float(math), rel=1e-12)


def test_pods_have_no_best_mesh_but_an_answer():
    study = replace(STUDY, values={**STUDY.values, n_pod: sp.Integer(2), W_dcn: sp.Integer(10**10)})
    found = asked().answer(study)
    assert found.used.axes == "given"
    assert found.free is None
    assert found.facts["critical_batch_tokens"] == 2 * sp.Rational(184000, 9)
    with pytest.raises(BadInput, match="two axes of one pod"):
        asked(axes="optimal").answer(study)


@pytest.mark.parametrize("scheme", ["dp", "fsdp", "tp"])
@pytest.mark.parametrize("one_pass", ["forward", "backward", "step"])
def test_one_axis_schemes_answer_too(scheme, one_pass):
    found = report(STUDY, scheme=scheme, **{"pass": one_pass})
    assert found["conventions"]["scheme"] == scheme
    alone = {"dp": {"forward": 0, "step": 2 / 3}.get(one_pass, 1), "fsdp": 1, "tp": 0}[scheme]
    assert found["critical_batch_tokens"] == pytest.approx(alone * 184000 / 9, abs=1e-9)


def test_a_model_of_many_layers_is_written_in_its_own_sizes():
    llama = load_study("llama-3.1-8b")
    mesh = with_values(llama, X=16, Y=4, M_X=2, M_Y=1, C="4.6e14", W="1.8e11")
    found = report(replace(mesh, network=STUDY.network))
    assert "phi" not in found["formula"] + str(found["values"])
    assert "n_kv" in found["formula"]
