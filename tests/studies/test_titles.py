"""No title says a device, an amount or a number of things that its question does not have: it follows what the caller gives."""

from __future__ import annotations

import re

import pytest
from sampled import sampled

import symbolic_mem as sm
from symbolic_mem.base.errors import BadInput, SymbolicMemError
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.documents.documents import homework
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.library.bundled import bundled
from symbolic_mem.render.text import plain_prose

CALLS = (
    {"device": "mi300x"},
    {"capacity": "37 GiB"},
    {"device": "mi300x", "reading": "reported"},
    *({"values": {name: 37}} for name in ("n_fsdp", "n_tp", "B", "S", "n_kept", "Psi")),
)
WORDS = dict(
    zip(("two", "three", "four", "five", "six", "seven", "eight", "sixteen"), (2, 3, 4, 5, 6, 7, 8, 16), strict=True)
)
COUNTED = {"sequences": ("B",), "tokens": ("S", "T"), "parameters": ("Psi",), "checkpoints": ("n_kept",)}
COUNTED |= dict.fromkeys(("devices", "GPUs", "chips", "ranks", "H100s", "H100"), ("n_fsdp", "n_tp"))
AMOUNT = re.compile(r"\d[\d,.]* (?:[kMGT]i?B)\b")
COUNT = re.compile(rf"(?<!nodes of )\b(\d[\d,]*|{'|'.join(WORDS)}) ({'|'.join(COUNTED)})\b")
NAMES = {
    word
    for one in load_devices().values()
    for word in one.title.split()
    if re.fullmatch(r"[A-Za-z]+\d+[A-Za-z]*", word)
}


def contradictions(title, seen, *, weighed, fixed=()):
    """What a title names and the study as its question sees it does not have, of what the question does not fix itself."""
    capacity = seen.capacity if weighed and seen.device.known else None
    if capacity is not None and capacity.device is not None:
        title = title.replace(capacity.device.title, "")
    if weighed:
        yield from (word for word in re.findall(r"\w+", title) if word.removesuffix("s") in NAMES)
        for amount in AMOUNT.findall(title):
            if capacity is None or abs(parse_bytes(amount) / capacity.nominal - 1) > 1e-4:
                yield amount
    known = {str(symbol): value for symbol, value in seen.values.items() if str(symbol) not in fixed}
    for number, things in COUNT.findall(title):
        value = WORDS.get(number) or int(number.replace(",", ""))
        if any(name in known and known[name] != value for name in COUNTED[things]):
            yield f"{number} {things}"


@pytest.mark.parametrize("name", list(bundled()))
def test_titles_say_what_their_questions_have(name):
    study = sm.load_study(name)
    for call in ({}, *CALLS):
        try:
            changed = study.change(**call)
            seen = [(question, changed.under(question)) for question in changed.questions]
        except BadInput:
            continue
        weighed = any(question.weighed for question in changed.questions)
        assert not list(contradictions(changed.heading, changed, weighed=weighed)), (call, changed.heading)
        for question, one in seen:
            for words in (question.title, question.text):
                said = plain_prose(one.said(words))
                fixed = {*question.finds, *map(str, question.stepped)}
                wrong = contradictions(
                    said, one, weighed=question.weighed, fixed={*fixed, *({"T"} if "S" in fixed else ())}
                )
                assert not list(wrong), (call, said)


def test_a_title_with_a_wrong_name_would_be_seen():
    study = sm.load_study("cs336-a2-xxl").change(device="mi300x", values={"B": 37})
    seen = study.under(study.question("b"))
    assert list(contradictions("on 80 GiB of two H100s with 128 sequences", seen, weighed=True)) == [
        "H100s",
        "80 GiB",
        "128 sequences",
    ]
    assert not list(contradictions(f"on {seen.capacity.title}", seen, weighed=True))


@pytest.mark.parametrize(
    ("name", "call", "label", "said"),
    [
        ("cs336-a1-adamw", {"capacity": "40 GB"}, "b", "(b) The largest batch in 40 GB"),
        ("cs336-a1-adamw", {"device": "h100-80gb"}, "b, binary", "(b, binary) The largest batch in 80 GiB"),
        ("deepseek-v3", {"device": "mi300x"}, "c", "(c) The same on AMD Instinct MI300X 192 GB"),
        ("zero-table-1", {"values": {"Psi": 10**9}}, "c", "(c) A model of 1,000,000,000 parameters"),
        (
            "scaling-book-chips",
            {"values": {"n_kept": 3}},
            "a, later",
            "(a, later) The same, checkpoints in each layer: 3",
        ),
    ],
)
def test_a_title_is_filled_with_what_the_caller_gives(name, call, label, said):
    made = homework(sm.load_study(name).change(**call).only(label))
    assert [plain_prose(part.title) for part in made.parts if part.label == label] == [said]


@pytest.mark.parametrize("name", sampled(bundled(), 4))
def test_what_a_question_does_not_read_is_said_in_its_part(name):
    study = sm.load_study(name)
    for call in ({"device": "mi300x"}, {"values": {"B": 37}}, {"values": {"S": 48}}):
        try:
            changed = study.change(**call)
            before = {question.label: sm.answer(study, question.label) for question in study.questions}
            after = [sm.answer(changed, question.label) for question in changed.questions]
        except SymbolicMemError:
            continue
        for found in after:
            said = [plain_prose(one) for one in found.beside]
            unused = [one for one in said if "is not used here: the " in one]
            if any("answer does not depend" in one or "compares no memory" in one for one in unused):
                was = before[found.question.label]
                assert plain_prose(found.question.sentence(found)) == plain_prose(was.question.sentence(was))


def test_a_title_ends_with_the_sizes_of_the_model_that_the_caller_gives():
    study = sm.load_study("llama-3.1-8b")
    assert study.change(values={"L": 40}).heading == f"{study.heading}, with L = 40"
    assert (
        study.change(values={"d_ff": 8192, "L": 40, "B": 2}).heading == f"{study.heading}, with L = 40 and d_ff = 8192"
    )
    assert study.change(values={"B": 2, "S": 128}, device="mi300x").heading == study.heading


def test_the_title_of_a_variant_gives_no_size_away():
    study = sm.load_study("set-states")
    assert study.varied(1).heading == study.heading
