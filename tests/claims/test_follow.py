"""Follow-on errors: a number rightly made of an earlier wrong one of the same person."""

import pytest

from symbolic_mem.claims.check import check, check_all
from symbolic_mem.claims.follow import NAME
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changes import changes

FOLLOWING = [
    # 3276 GB and 2142 GB are GiB; the label is read as 80 x 10^9 bytes, as the person did: 5418/80 = 67.7
    ("cs336-a2-xxl", {"reading": "marketed"}, ["static=3276 GB", "activations=2142 GB", "devices=68"]),
    ("cs336-a2-xxl", {}, ["static=3276 GB", "activations=2142 GB", "total=5418 GB"]),
    ("cs336-a2-xxl", {}, ["static=2457 GiB", "total=4599 GiB"]),  # which is right of (b, remark), too
    ("cs336-a2-xxl", {}, ["P=110e9", "static=1760 GB"]),  # half the parameters, and rightly 16 bytes of each
    ("cs336-a2-xxl", {}, ["P=110e9", "static=1760 GB", "n_fsdp=29"]),
    ("cs336-a1-adamw", {}, ["P=1.64B", "static=26.2 GB"]),  # P is a line of (c) alone; 16 * 1.64 = 26.24
    ("cs336-a1-adamw", {}, ["P=1.64B", "weights=6.56 GB"]),
    ("cs336-a2-xxl", {}, ["total=3000 GiB", "devices=38"]),
    ("cs336-a2-xxl", {}, ["n_fsdp=50", "M_device=86.9 GiB"]),
    ("cs336-a2-xxl", {}, ["batch_tokens=25302", "batch_tokens_per_chip=396"]),
]


@pytest.mark.parametrize(("name", "changed", "claims"), FOLLOWING)
def test_the_last_follows_from_an_earlier_wrong_number(name, changed, claims):
    study = load_study(name).called(changes(**changed))
    *_, verdict = check_all(study, [(claim, None) for claim in claims])
    assert not verdict.right
    assert verdict.explanations[0].slips[0].name == NAME
    said = plain_prose(verdict_words(verdict))
    assert "It is the right method from an earlier wrong number: it follows from" in said
    assert claims[0].replace("=", " = ") in said


def test_lines_of_a_worked_problem_follow():
    study = load_study("cs336-a1-adamw")
    others = sum(check(study, f"{name}=1", question="c").expected for name in ("F_second", "F_update", "F_decay"))
    wrong = 10**10
    first, second = check_all(study, [(f"F_first={wrong}", "c"), (f"F_adamw={others + wrong}", "c")])
    assert not first.right and not second.right
    assert [slip.name for slip in second.explanations[0].slips] == [NAME]


def test_nothing_follows_from_a_right_number_or_from_another_person():
    study = load_study("cs336-a2-xxl")
    right, wrong = check_all(study, [("static=3276 GiB", None), ("devices=67", None)])
    assert right.right and NAME not in {slip.name for one in wrong.explanations for slip in one.slips}
    alone = check(study, "total=5418 GB")
    assert NAME not in {slip.name for one in alone.explanations for slip in one.slips}


def test_a_part_does_not_follow_from_its_whole():
    study = load_study("cs336-a2-xxl")
    _, part = check_all(study, [("static=1758.8 GB", None), ("weights=439.7 GB", None)])
    assert NAME not in {slip.name for one in part.explanations for slip in one.slips}


@pytest.mark.parametrize("claim", ["static=26.1 GB", "weights=6.57 GB"])
def test_what_is_one_unit_beside_it_does_not_follow(claim):
    _, verdict = check_all(load_study("cs336-a1-adamw"), [("P=1.64B", None), (claim, None)])
    assert NAME not in {slip.name for one in verdict.explanations for slip in one.slips}


def test_more_figures_than_are_right_are_told_of_another_count_too():
    study = load_study("cs336-a1-adamw")
    said = {each: plain_prose(verdict_words(check(study, f"F_adamw={each} GFLOP"))) for each in ("23.0", "23", "23.4")}
    assert "is right to two figures, not to the three that it shows, with 11 operations" in said["23.0"]
    assert "is right to two figures with 11 operations" in said["23"]
    assert "is right to three figures with 11 operations" in said["23.4"]
