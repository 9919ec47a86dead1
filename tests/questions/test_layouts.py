"""Meshes of devices: which there are, which fit, and what is said of those that do not."""

from __future__ import annotations

import json

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import n_cp, n_ep, n_etp, n_fsdp, n_micro, n_pp, n_tp
from symbolic_mem.documents.documents import homework
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.questions.layouts import LISTED, Layouts
from symbolic_mem.questions.parts.meshes import degrees, meshes
from symbolic_mem.render.document import render
from symbolic_mem.render.text import plain_prose

SIZES = {"L": 12, "d_model": 512, "d_ff": 2048, "n_heads": 16, "n_kv": 8, "d_head": 32, "V": 32000, "B": 1, "S": 1024}
TABLES = {
    "title": "A small model on many devices",
    "model": {"kind": "transformer", "profile": "te-cuda-bf16", "loss": "vocab-parallel-te"},
    "recipe": {"preset": "megatron-18"},
    "plan": {"preset": "megatron"},
}


def study(question: dict | None = None, model: dict | None = None, **values: int):
    tables = TABLES | {"model": TABLES["model"] | (model or {}), "values": SIZES | values}
    asked = {"ask": "layouts", "label": "a", "capacity": "2 GiB"} | (question or {"devices": 8})
    return read_study(tables | {"question": [asked]}, "x", "x", None)


def found(question: dict | None = None, **given):
    one = study(question, **given)
    asked = one.question("a")
    return asked.answer(one.under(asked))


def test_meshes_are_all_products_that_the_sizes_of_the_model_allow():
    one = study(n_micro=24, n_fsdp=1)
    expected = {
        (tp, pp, cp, 24 // (tp * pp * cp))
        for tp in (1, 2, 4, 8)
        for pp in (1, 2, 3, 4, 6, 12)
        for cp in (2**power for power in range(11))
        if 24 % (tp * pp * cp) == 0
    }
    listed = {(mesh[n_tp], mesh[n_pp], mesh[n_cp], mesh[n_fsdp]) for mesh in meshes(one, 24)}
    assert listed == expected


def test_experts_are_divided_over_devices_that_the_other_axes_count():
    one = study(model={"experts": True}, E=8, k=2, d_expert=64)
    listed = list(meshes(one, 4))
    assert all((mesh[n_fsdp] * mesh[n_cp] * mesh[n_tp]) % mesh[n_ep] == 0 for mesh in listed)
    assert {mesh[n_ep] for mesh in listed} == {1, 2, 4}


def test_every_mesh_has_a_peak_or_a_reason_and_keeps_the_sequences_of_a_step():
    answer = found({"devices": 8, "sequences": 16})
    assert answer.number == len(answer.rows) > 10
    for row in answer.rows:
        assert (row.peak is None) == bool(row.refused)
        assert row.values[n_micro] * row.values[n_fsdp] == 16
    few = found({"devices": 8, "sequences": 2})
    assert any("are no multiple of" in row.refused for row in few.rows)
    idle = [row for row in few.rows if not row.refused and row.values[n_micro] < row.values[n_pp]]
    assert idle and all(row.peak is not None for row in idle)


def test_devices_that_the_stages_of_a_plan_do_not_divide_are_one_line():
    tables = TABLES | {"values": SIZES | {"n_pp": 4, "n_micro": 8}}
    tables |= {"plan": {"preset": "megatron", "layers": [2, 4, 4, 2]}}
    asked = {"ask": "layouts", "label": "a", "capacity": "2 GiB", "devices": 6}
    one = read_study(tables | {"question": [asked]}, "x", "x", None)
    with pytest.raises(BadInput, match="6 devices are no multiple of n_pp = 4"):
        one.question("a").answer(one.under(one.question("a")))


def test_a_degree_that_is_given_is_one_of_every_mesh():
    """By the caller or the question: what the study has is only where it runs today."""
    one = study({"devices": 16, "values": {"n_cp": 2}}, n_tp=8, n_micro=4, n_fsdp=1).change(values={"n_tp": 4})
    answer = one.question("a").answer(one.under(one.question("a")))
    assert {(mesh.values[n_tp], mesh.values[n_cp], mesh.values[n_pp]) for mesh in answer.rows} == {(4, 2, 1), (4, 2, 2)}
    said = " ".join(map(plain_prose, (one.question("a").sentence(answer), *answer.beside)))
    assert "meshes of 16 devices with n_tp = 4 and n_cp = 2 that" in said and "is not used here" not in said
    with pytest.raises(
        BadInput, match=r"no mesh of 16 devices that the model allows has n_tp = 4, n_cp = 2, n_fsdp = 3: "
    ):
        one.question("a").answer(one.change(values={"n_fsdp": 3}).under(one.question("a")))


def test_the_one_mesh_that_there_is_is_said_to_fit_or_not():
    asked = {"devices": 8, "values": {"n_tp": 8}}
    fits, none = (found(asked | more, n_micro=8) for more in ({}, {"capacity": "1 MiB"}))
    words = "The one mesh of 8 devices with n_tp = 8 that the model allows"
    assert plain_prose(fits.question.sentence(fits)).startswith(f"{words} fits 2 GiB: with n_tp = 8 its peak is ")
    assert plain_prose(none.question.sentence(none)) == f"{words} does not fit 1 MiB."


@pytest.mark.parametrize(("sequences", "said"), [({}, ""), ({"sequences": 16}, "“n_micro = 8” is not used here")])
def test_micro_batches_are_said_not_to_be_used_only_where_sequences_decide_them(sequences, said):
    one = study({"devices": 8, **sequences}).change(values={"n_micro": 8})
    answer = one.question("a").answer(one.under(one.question("a")))
    beside = " ".join(map(plain_prose, answer.beside))
    assert beside.startswith(said) and bool(beside) == bool(said)


def test_meshes_that_divide_experts_say_with_which_load():
    experts = {"model": {"experts": True}, "E": 8, "k": 2, "d_expert": 64}
    asked = [found({"devices": 4, "sequences": 8}, **given) for given in (experts, experts | {"f_load": 150}, {})]
    said = [" ".join(map(plain_prose, one.beside)) for one in asked]
    assert "is taken to be balanced" in said[0] and "the fullest rank get f_load percent" in said[1]
    assert "load" not in said[2]


def test_the_first_mesh_that_fits_cuts_the_model_least():
    answer = found({"devices": 8, "sequences": 16, "capacity": "600 MiB"})
    best = answer.best
    before = answer.rows[: answer.rows.index(best)]
    assert before and all(row.peak is None or row.peak > 600 * 2**20 for row in before)
    assert best.peak <= 600 * 2**20 and answer.value == len(answer.fitting)


@pytest.mark.parametrize("axis", ["n_tp", "n_pp", "n_cp"])
def test_the_smallest_degree_along_an_axis_is_the_first_at_which_the_peak_fits(axis):
    answer = found({"for": axis, "capacity": "1200 MiB"}, n_micro=24, n_fsdp=1, n_tp=1)
    symbol = {"n_tp": n_tp, "n_pp": n_pp, "n_cp": n_cp}[axis]
    room = 1200 * 2**20
    fitting = [row.values[symbol] for row in answer.rows if row.peak is not None and row.peak <= room]
    assert answer.value == (fitting[0] if fitting else None)
    assert [row.values[symbol] for row in answer.rows] == list(degrees(study(), symbol))


def test_a_mesh_that_just_fits_does_not_where_its_peak_must_be_less():
    asked = {"devices": 8, "sequences": 16}
    least = min(row.peak for row in found(asked).rows if row.peak is not None)
    fitting = [found({**asked, "capacity": f"{least} B", "strict": strict}).value for strict in (False, True)]
    assert fitting == [1, 0]


def test_at_most_two_hundred_meshes_are_tried():
    answer = found({"devices": 3 * 2**12, "sequences": 3 * 2**14})
    assert len(answer.rows) == LISTED < answer.number
    assert "that cut the model least are tried" in json.dumps(str(answer.tried_words))
    words = f"Of the 200 meshes of 12,288 devices that are tried, of {answer.number} that the model allows, "
    assert plain_prose(answer.question.sentence(answer)).startswith(words)


def test_the_answer_is_a_document_with_every_mesh():
    text = render(homework(study({"devices": 4, "sequences": 8})), "homework", "md").decode()
    assert "worst rank and instant" in text and "What does not shrink" in text
    assert text.count("on the first stage") >= 1


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "give one of for"),
        ({"for": "n_tp", "devices": 8}, "give one of for"),
        ({"for": "n_fsdp"}, "is no axis that cuts a model"),
        ({"devices": 0}, "devices"),
    ],
)
def test_what_is_no_such_question_is_one_line(table, said):
    with pytest.raises(BadInput, match=said):
        Layouts.read({"ask": "layouts", **table}, "my.toml", "a")


def test_the_parts_of_an_expert_are_an_axis_too():
    """Each expert in n_etp parts, over the n_fsdp n_tp devices that tensor and data parallelism lay out."""
    sizes = {"E": 8, "k": 2, "d_expert": 256}
    answer = found({"for": "n_etp", "capacity": "1 GiB"}, model={"experts": True}, n_tp=2, n_fsdp=2, n_micro=2, **sizes)
    tried = {row.values[n_etp]: row for row in answer.rows}
    assert list(tried) == [2**power for power in range(9)]
    assert [degree for degree, row in tried.items() if row.peak is not None] == [1, 2, 4]
    assert tried[1].peak > tried[2].peak > tried[4].peak


def test_where_every_mesh_is_refused_the_reason_of_most_is_the_answer():
    """Of nine degrees eight have too few micro-batches for the schedule, and the ninth no whole replica of an expert."""
    one = load_study("cluster-deepseek-v3").change(values={"n_micro": 30})
    asked = one.question("a")
    with pytest.raises(BadInput, match="'dualpipe' needs at least 2\\*n_pp = 32 micro-batches, and n_micro = 30"):
        asked.answer(one.under(asked))


def test_a_study_without_such_a_plan_is_refused():
    tables = {key: value for key, value in TABLES.items() if key != "plan"} | {"values": SIZES}
    one = read_study(tables, "x", "x", None)
    with pytest.raises(BadInput, match="no plan cuts the model over an axis"):
        Layouts("a", symbol=n_tp).answer(one)


@pytest.mark.parametrize("micro", [1, 2, 4, 5, 32])
def test_stages_that_have_all_micro_batches_in_flight_keep_less_the_more_there_are(micro):
    """Under 1F1B the first of four stages has the least of n_micro and 4 in flight; with n_micro of 4 or fewer a fifth adds none."""
    one = load_study("cluster-mixtral-8x7b").change(values={"n_micro": micro})
    answered = one.question("a").answer(one.under(one.question("a")))
    said = " ".join(map(plain_prose, answered.shrinks))
    assert ("with the number of stages" in said) == (micro > 4)
