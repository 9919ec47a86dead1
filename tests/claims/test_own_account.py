"""A claim by the name of a number of the account that is right of a question alone is told the account's own number."""

import pytest

from symbolic_mem.claims.account import ACCOUNT, account_claim, counted_kinds
from symbolic_mem.claims.check import check, check_all
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

SAID = "n the account of the study itself it is "


@pytest.mark.parametrize(
    ("name", "claim", "own"),
    [
        # 12 P = 2457 GiB and the 2142 GiB of all activations come to as much as 16 P and those of every second layer
        ("cs336-a2-xxl", "total=4599 GiB", "5418 GiB"),
        ("cs336-a2-xxl", "4599 GiB", "5418 GiB"),
        ("cs336-a2-xxl", "activations=1323 GiB", "2142 GiB"),
        ("cs336-a2-xxl", "T=20445", "131,072"),
        ("scaling-book-chips", "activations=10485.76 GB", "20,971.52 GB"),
        ("cs336-a2-xxl", "total=5418 GiB", ""),
        ("cs336-a2-xxl", "n_fsdp=49", ""),
    ],
)
def test_it_is_said_beside_a_number_of_a_question(name, claim, own):
    study = load_study(name)
    verdict = check(study, claim)
    said = plain_prose(verdict_words(verdict))
    assert verdict.right
    assert said.partition(SAID)[2].removesuffix(".") == own
    assert bool(verdict.question) is (name == "cs336-a2-xxl" and claim != "total=5418 GiB")


def test_the_question_is_named_where_the_verdict_does_not_name_it():
    said = plain_prose(verdict_words(check(load_study("scaling-book-chips"), "activations=10485.76 GB")))
    assert f"That is the number of question a, later; i{SAID}" in said


def test_where_the_question_is_named_nothing_is_said_of_the_account():
    verdict = check(load_study("cs336-a2-xxl"), "total=4599 GiB", question="b, remark")
    assert verdict.right and SAID not in plain_prose(verdict_words(verdict))


@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-70b", "lora-llama-3.1-8b", "set-activations"])
def test_the_numbers_of_the_account_are_right_of_it_first(name):
    study = load_study(name)
    for each in {*ACCOUNT} & {"weights", "gradients", "optimizer", "activations", "static", "total"}:
        own = account_claim(study, each, counted_kinds(study, None)).value
        verdict = check(study, f"{each}={own} bytes")
        assert verdict.right and verdict.question is None
        assert SAID not in plain_prose(verdict_words(verdict))


def test_a_number_without_a_name_follows_from_nothing_where_it_is_right():
    _, verdict = check_all(load_study("cs336-a2-xxl"), [("static=2457 GiB", None), ("4599 GiB", None)])
    assert verdict.right and verdict.question == "b, remark"
