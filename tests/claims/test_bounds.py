"""Claims that bound a number: a smallest number from below and a largest from above, with the number in it or not."""

from __future__ import annotations

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose


@pytest.mark.parametrize(
    ("study", "right", "wrong"),
    [
        ("cs336-a2-xxl", "n_fsdp >= 46", "n_fsdp >= 45"),
        ("cs336-a2-xxl", "n_fsdp => 46", "n_fsdp => 47"),
        ("cs336-a2-xxl", "n_fsdp > 45", "n_fsdp > 46"),
        ("cs336-a2-xxl", "n_fsdp must be at least 46", "n_fsdp must be at least 47"),
        ("cs336-a2-xxl", "more than 45 devices", "more than 44 devices"),
        ("cs336-a2-xxl", "> 45 devices", "> 44 devices"),
        ("cs336-a2-xxl", "no fewer than 46 devices", "no fewer than 45 devices"),
        ("cs336-a2-xxl", "T >= 20445", "T >= 20444"),
        ("cs336-a2-xxl", "T > 20444", "T > 20445"),
        ("cs336-a1-adamw", "B < 3", "B < 5"),
        ("cs336-a1-adamw", "batch size at most 2", "batch size at most 4"),
        # between two whole numbers: 184,000/9 tokens, and (80e9 - 34,032,921,600)/15,517,753,344 sequences
        ("cs336-a2-xxl", "T > 20444.4", "T > 20445.4"),
        ("cs336-a2-xxl", "at least 45.76 devices", "at least 45.86 devices"),
        ("cs336-a1-adamw", "B <= 2.962", "B <= 2.97"),
        ("cs336-a1-adamw", "B < 2.962", "B < 2.5"),
    ],
)
def test_a_bound_is_right_where_it_is_the_least_or_the_most(study: str, right: str, wrong: str) -> None:
    asked = load_study(study)
    assert check(asked, right).right
    assert not check(asked, wrong).right


@pytest.mark.parametrize(
    ("study", "claim"),
    [
        ("cs336-a2-xxl", "n_fsdp <= 46"),
        ("cs336-a2-xxl", "n_fsdp < 47"),
        ("cs336-a2-xxl", "at most 46 devices"),
        ("cs336-a2-xxl", "fewer than 47 devices"),
        ("cs336-a2-xxl", "less than 3276 GiB"),
        ("cs336-a2-xxl", "static < 3277 GiB"),
        ("cs336-a2-xxl", "static less than 3277 GiB"),
        ("cs336-a2-xxl", "3276 GiB or more"),
        ("cs336-a2-xxl", "T < 20444.4"),
        ("cs336-a1-adamw", "B > 2.962"),
        ("cs336-a1-adamw", "B >= 2"),
    ],
)
def test_any_other_bound_is_refused_in_one_text(study: str, claim: str) -> None:
    with pytest.raises(BadInput, match="is one number, not a bound; claim the number alone"):
        check(load_study(study), claim)


def test_a_bound_is_repeated_as_it_was_written() -> None:
    said = plain_prose(verdict_words(check(load_study("cs336-a2-xxl"), "n_fsdp >= 46")))
    assert said == "n_fsdp >= 46 (question b) is right: it is the exact number, and what is kept fits there."


def test_an_arrow_is_no_bound() -> None:
    assert check(load_study("cs336-a2-xxl"), "n_fsdp = 45.76 -> 46").right


XXL = load_study("cs336-a2-xxl")
STATES, KEPT, LABEL = 16 * 2 * 126 * 16384 * 53248, 2 * 128 * 1024 * 126 * (16384 + 53248), 95


@pytest.mark.parametrize(
    ("said", "slip"),
    [
        (f"n_fsdp > {(STATES + KEPT / 2) / (LABEL * 10**9):.3f}", "GB for GiB on the device"),
        (f"T > {2 * 184000 / 9:.1f}", "one mesh axis"),
        (f"T > {184000 / 9 / 2:.1f}", "twice the bandwidth"),
        (f"T > {184000 / 9 / 64:.2f}", "per chip"),
        ("T > 20443.4", None),
    ],
)
def test_a_wrong_bound_between_whole_numbers_has_its_slips(said, slip):
    verdict = check(XXL, said)
    assert not verdict.right
    found = [each.slips[0].name for each in verdict.explanations if len(each.slips) == 1]
    assert found[:1] == ([] if slip is None else [slip])


@pytest.mark.parametrize("said", ["n_fsdp > 46", "more than 46 devices"])
def test_a_bound_that_leaves_out_its_own_number_is_told_so(said):
    words = plain_prose(verdict_words(check(XXL, said)))
    assert words.endswith("so the claim is 1 too many (≈ +2.2 %). 46 is in the bound: it is at least 46.")
    assert "is in the bound" not in plain_prose(verdict_words(check(XXL, "n_fsdp > 47")))
