"""What grows with a study grows in line with it: calls of functions are counted, which no other load of the machine changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from symbolic_mem.document.prose import Chain
from symbolic_mem.document.work import Work
from symbolic_mem.documents.account import Account
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import read_study
from symbolic_mem.questions.device_count import DeviceCount
from symbolic_mem.render.document import render
from symbolic_mem.render.json import record_json

STUDY = {
    "title": "A small stack",
    "model": {"kind": "ffn"},
    "values": {"d_model": 512, "d_ff": 2048, "L": 4, "B": 16, "S": 256},
    "recipe": {"preset": "cs336"},
    "placement": {"weights": {"over": "n_fsdp"}},
}
SIZES = (10, 20, 40)


def calls(work: Callable[[], object]) -> int:
    """How many functions are called."""
    number = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal number
        number += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return number


def growth(work: Callable[[int], object]) -> float:
    """How much more the second doubling of the size costs than the first: 2 where the work is in line with the size."""
    work(SIZES[0])  # what is made once
    few, some, many = (calls(lambda size=size: work(size)) for size in SIZES)
    return (many - some) / (some - few)


def asking(number: int):
    questions = [{"label": f"q{i}", "ask": "device_count", "capacity": f"{64 + i} MiB"} for i in range(number)]
    return read_study({**STUDY, "question": questions}, "my.toml", "my", Path())


def stacked(number: int):
    study = asking(1)
    (layer,) = study.built.model.layers
    layers = tuple(replace(layer, name=f"kind {i}") for i in range(number))
    return replace(study, built=replace(study.built, model=replace(study.built.model, layers=layers)))


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(asking, id="a study"),
        pytest.param(lambda number: render(homework(asking(number)), "homework", "md"), id="its solution"),
    ],
)
def test_questions_cost_in_line_with_their_number(work):
    assert growth(work) < 2.2


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda number: record_json(Account(stacked(number)).record), id="an account"),
        pytest.param(lambda number: render(report(stacked(number)), "report", "md"), id="a report"),
    ],
)
def test_kinds_of_layers_cost_in_line_with_their_number(work):
    assert growth(work) < 2.2


def test_what_is_told_is_looked_up_and_not_gone_through(monkeypatch):
    plain, seen = Chain.__hash__, []
    monkeypatch.setattr(Chain, "__hash__", lambda chain: seen.append(chain) or plain(chain))
    few, some, many = (noted(seen, lambda size=size: homework(asking(size))) for size in SIZES)
    assert (many - some) / (some - few) < 2.2


def noted(seen: list, work: Callable[[], object]) -> int:
    """How often something is seen."""
    seen.clear()
    work()
    return len(seen)


def test_a_memory_that_questions_share_is_derived_once(monkeypatch):
    plain, seen = Work.check, []
    monkeypatch.setattr(Work, "check", lambda work, chain: seen.append(chain) or plain(work, chain))
    few, _, many = (noted(seen, lambda size=size: homework(asking(size))) for size in SIZES)
    assert (many - few) / (SIZES[2] - SIZES[0]) <= 3  # the lines of its own capacity and quotient


def test_what_one_question_takes_for_granted_is_not_asked_of_all(monkeypatch):
    plain, seen = DeviceCount.counted, []
    monkeypatch.setattr(DeviceCount, "counted", property(lambda one: seen.append(one) or plain.fget(one)))
    few, some, many = (
        noted(seen, lambda size=size: [one.record for one in homework(asking(size)).found]) for size in SIZES
    )
    assert (many - some) / (some - few) < 2.2
