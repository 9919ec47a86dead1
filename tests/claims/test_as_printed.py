"""Amounts of memory in the derivations of every study, claimed as they are printed, are not called wrong; their neighbours are."""

import re
from dataclasses import fields, is_dataclass

import pytest
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.check import check
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount
from symbolic_mem.document.steps import Bullets
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render.json import jsonable
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.answered import answer_to, seen_by


def _amounts(value):
    """Every amount of memory anywhere in a part of a document, whatever holds it."""
    if isinstance(value, Amount):
        if value.shown.unit in (*BYTES_PER, "byte", "bytes"):
            yield value.shown.plain.removeprefix("≈ ")
    elif isinstance(value, tuple):
        for each in value:
            yield from _amounts(each)
    elif is_dataclass(value) and not isinstance(value, Figure):  # whose axes have round numbers
        for each in fields(value):
            yield from _amounts(getattr(value, each.name))


@pytest.mark.usefixtures("verdicts_alone")
@pytest.mark.parametrize("name", sampled(bundled(), 24))
def test_what_a_derivation_shows_is_right_as_it_is_printed(name):
    study = load_study(name)
    wrong = []
    for part in homework(study).sections:
        if part.label and study.question(part.label).subject != "formulas":
            told = tuple(dict.fromkeys(_amounts(part.blocks)))
            wrong += [(part.label, each) for each in told if not check(study, each, question=part.label).right]
    assert not wrong


@pytest.mark.usefixtures("verdicts_alone")
@pytest.mark.parametrize("name", sampled(bundled(), 8))
def test_every_number_of_a_record_is_right_by_its_key(name):
    study, wrong = load_study(name), []
    for question in study.questions:
        try:
            record = jsonable(answer_to(seen_by(study, question), question).record)
        except BadInput:
            continue  # which a value is missing for
        for key, value in record.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                said = f"{key} = {value}"
                wrong += [] if check(study, said, question=question.label).right else [(question.label, said)]
    assert not wrong


ROWS = [
    ("cluster-gpt-3-175b", "b", "Adam moments = 20.844 GiB", "Adam moments = 20.9 GiB"),
    ("cluster-gpt-3-175b", "b", "gradients inside the loss = 25 MiB", "gradients inside the loss = 26 MiB"),
    ("cluster-gpt-3-175b", "b", "M_act = 12.530 GiB", "M_act = 12.6 GiB"),
    ("cluster-llama-3.1-70b-64-h100", "b", "580.09 GiB", "580.9 GiB"),
    ("cs336-a2-xxl", None, "80 GB", "81 GB"),
    ("cs336-a2-xxl", "b", "reported = 95.74 GiB", "reported = 95.84 GiB"),
    ("cs336-a2-xxl", "b, remark", "nothing is recomputed = 2142 GiB", "nothing is recomputed = 2152 GiB"),
    ("llama-3.1-8b", "b", "always: FP32 parameters, gradients, AdamW moments = 29.915 GiB", "M_act = 29.9 GiB"),
    ("cs336-a1-transformer", None, "600 MiB", "610 MiB"),
    ("deepseek-v3", None, "673,150,552,416 bytes", "673,150,552,417 bytes"),
    ("lora-llama-3.1-8b", None, "margin_bytes = 1017053172", "margin_bytes = 1017053173"),
    ("cluster-mixtral-8x7b", None, "29.100 GiB", "29.200 GiB"),
    ("cs336-a2-xxl", None, "the TPU v5p has 95 GiB", "the TPU v5p has 96 GiB"),
    ("llama-3.1-8b", None, "static = 128,484,179,968", "static = 128,484,179,969"),
    ("cs336-a2-xxl", None, "device 80 GB", "device 81 GB"),
    ("cs336-a2-xxl", None, "H100 80 GB", "H100 81 GB"),
    ("cs336-a2-xxl", None, "capacity = 95 GiB", "capacity = 96 GiB"),
    ("cs336-a2-xxl", None, "static 3276 GiB", "static 3276 GB"),
    ("cs336-a2-xxl", "b", "96.6 GiB", "96.7 GiB"),
    ("llama-3.1-8b", None, "5.8711 GiB", "5.8811 GiB"),
    ("lora-llama-3.1-8b", None, "21.003 GiB", "21.103 GiB"),
    ("lora-llama-3.1-8b", None, "969.94 MiB", "979.94 MiB"),
    ("gpt2-xl", None, "79.678 GiB", "79.778 GiB"),
    ("qlora-llama-3.1-8b", "a", "7444905984 bytes", "7444905985 bytes"),
]


@pytest.mark.usefixtures("verdicts_alone")
@pytest.mark.parametrize(
    ("name", "label", "said", "near"), sampled([pytest.param(*row, id=f"{row[0]}: {row[2]}") for row in ROWS], 4)
)
def test_a_row_a_line_and_a_label_are_right_and_their_neighbours_wrong(name, label, said, near):
    study = load_study(name)
    assert check(study, said, question=label).right
    assert not check(study, near, question=label).right


def test_a_term_of_one_device_is_right_where_it_is_said_to_be_of_one():
    study = load_study("cs336-a2-xxl").change(values={"n_fsdp": 46})
    said = ("17.804 GiB", "master weights = 17.804 GiB per device", "master weights = 17.904 GiB per device")
    assert [check(study, each).right for each in (*said, "master weights = 17.804 GiB")] == [True, True, False, False]


def test_another_degree_is_no_answer_because_a_table_shows_what_it_holds():
    study = load_study("cs336-a2-xxl")
    assert not check(study, "M_device = 96.6 GiB", question="b").right
    assert not check(study, "n_fsdp = 45", question="b").right


def test_a_study_s_own_degree_is_no_slip():
    study = load_study("cluster-llama-3.1-70b-64-h100")
    own, other = (check(study, f"n_fsdp = {number}", question="a") for number in (2, 8))
    assert (own.right, own.own, own.explanations) == (False, True, ())
    assert not other.right and not other.own


@pytest.mark.parametrize("name", ["cluster-deepseek-v3", "llama-3.1-70b", "set-sharding"])
def test_every_item_of_a_list_of_amounts_is_right_by_its_printed_name(name):
    study = load_study(name)
    said = [
        match
        for section in report(study, "full").sections
        for block in section.blocks
        if isinstance(block, Bullets) and section.target not in ("assumptions", "not-counted", "references")
        for item in block.items
        if (match := re.fullmatch(r"(.+): (?:.*, here )?(?:≈ )?([\d,.]+ [KMGT]i?B)", plain_prose(item)))
    ]
    assert said
    for match in said:
        assert check(study, f"{match[1]}: {match[2]}").right
