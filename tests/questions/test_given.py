"""A degree that has a value: whether a step fits there, what is left, and the smallest beside it."""

from __future__ import annotations

import pytest

import symbolic_mem as sm
from symbolic_mem.documents.account import Account

GIB = 2**30
# By hand: CS336's XXL has 32 L d_model d_ff bytes of states and B S L (d_model + d_ff) bytes of half its activations.
STATES = 32 * 126 * 16384 * 53248
HALF = 128 * 1024 * 126 * (16384 + 53248)


def asked(label="b", name="cs336-a2-xxl", **changes):
    return sm.answer(sm.load_study(name).change(**changes), label)


@pytest.mark.parametrize("n", [1, 8, 45, 46, 64])
def test_a_degree_that_is_given_fits_or_not(n):
    found = asked(values={"n_fsdp": n})
    held, room = (STATES + HALF) / n, 95 * GIB
    assert found.given.fits == (held < room) == (n >= 46)
    assert found.given.held * n == STATES + HALF
    facts = found.facts
    assert (facts["given"], facts["fits"], facts["value"]) == (n, n >= 46, 46)
    assert facts["left_bytes"] == (room * n - STATES - HALF) // n
    assert facts["peak_bytes"] == facts["total_bytes"] == -(-(STATES + HALF) // n)
    assert facts["per_device_bytes"] == -(-(STATES + HALF) // 46)


def test_nothing_is_given_where_nothing_has_a_value():
    found = asked()
    assert found.given is None and "given" not in found.facts and found.enough


def test_a_limit_that_must_not_be_reached():
    room = (STATES + HALF) // 64
    assert room * 64 == STATES + HALF
    for strict, fits in ((False, True), (True, False)):
        question = sm.load_study("cs336-a2-xxl").question("b").given({"strict": strict}, "here")
        study = sm.load_study("cs336-a2-xxl").change(values={"n_fsdp": 64}, capacity=f"{room} B")
        assert question.answer(study.under(question)).given.fits is fits


@pytest.mark.parametrize("n", [1, 2, 3, 4, 8])
def test_the_peak_of_a_given_degree_is_that_of_the_account(n):
    study = sm.load_study("llama-3.1-8b").change(values={"n_fsdp": n})
    found = sm.answer(study, "b")
    account = Account(study.change(device="h100-80gb", reading="reported"))
    assert found.given.held == max(one.bytes for one in account.instants)
    assert found.given.fits is account.fits is (n >= 4)
    assert found.given.left == account.left
    assert found.value == sm.answer(sm.load_study("llama-3.1-8b"), "b").value == 4


def test_rules_count_for_a_given_degree():
    question = sm.load_study("cs336-a2-xxl").question("b").given({"multiple_of": 8}, "here")
    for n, fits in ((47, False), (48, True), (40, False)):
        study = sm.load_study("cs336-a2-xxl").change(values={"n_fsdp": n})
        found = question.answer(study.under(question))
        assert (found.given.fits, found.value) == (fits, 48)
    assert found.given.broken == () and found.given.left < 0


def test_where_no_number_is_enough_the_given_one_is_still_answered():
    found = asked("b, literally", values={"n_fsdp": 1000})
    assert not found.feasible and not found.enough and found.facts["given"] == 1000 and not found.given.fits
    assert found.given.held * 1000 == STATES + HALF + 1000 * HALF


def test_a_study_without_placement_is_asked_about_one_device(tmp_path):
    path = tmp_path / "one.toml"
    path.write_text(
        'title = "One"\nvalues = { d_model = 512, d_ff = 2048, L = 4, B = 16, S = 256 }\n'
        'model = { kind = "ffn" }\nrecipe = { preset = "cs336" }\n[[question]]\nask = "min_degree"\ncapacity = "208 MiB"\n'
    )
    study = sm.load_study(str(path))
    assert sm.answer(study, "1").value == 1  # 128 MiB of states and 80 MiB of activations
    assert sm.answer(study.change(capacity="207 MiB"), "1").value is None


def test_a_report_of_a_study_that_asks_nothing_asks_whether_a_step_fits(tmp_path):
    path = tmp_path / "one.toml"
    path.write_text(
        'title = "One"\nvalues = { d_model = 512, d_ff = 2048, L = 4, B = 16, S = 256 }\n'
        'model = { kind = "ffn" }\nrecipe = { preset = "cs336" }\n'
    )
    study = sm.load_study(str(path))
    assert sm.report(study).found == ()
    (found,) = sm.report(study.change(capacity="1 GiB")).found
    assert found.value == 1
