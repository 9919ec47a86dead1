"""Claims that people made, or that were once judged wrongly: right or wrong, and the slips that come first."""

import json
from pathlib import Path

import pytest

from symbolic_mem.claims.check import check
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

TOLD = json.loads((Path(__file__).parents[1] / "data" / "claims_told.json").read_text())["claims"]


@pytest.mark.parametrize(
    ("study", "question", "claim", "right", "slips"), [row[2:] for row in TOLD], ids=[row[0] for row in TOLD]
)
def test_a_claim_that_was_made(study, question, claim, right, slips):
    verdict = check(load_study(study), claim, question=question)
    first = [slip.name for slip in verdict.explanations[0].slips] if verdict.explanations else []
    assert verdict.right is right
    assert slips is None or first == slips


def test_those_that_people_made_come_first():
    verdict = check(load_study("cs336-a2-xxl"), "n_fsdp=38", question="b")
    first, *others = verdict.explanations
    assert first.seen and "four of eleven" in first.source
    assert [len(one.slips) for one in others] == [1] * len(others) and not any(one.seen for one in others)


def test_what_is_not_settled_and_what_is_given_is_said():
    """Public answers count from 10 to 17 operations of AdamW; the last study has two devices, and one would be enough."""
    said = {
        "cs336-a1-adamw F_adamw=21.27e9": "with 10 operations for each parameter. The study counts 14, and has 29,778,806,400 FLOP",
        "cs336-a1-adamw F_adamw=16.4e9": "from 10 to 17 operations for each parameter are right; the study counts 14, and the claim has ≈ 7.71. One slip",
        "cs336-a1-adamw MFU=0.5": "is right: it is what the study gives.",
        "cs336-a2-xxl S=512": "is wrong: the study gives 1024.",
        "cluster-llama-3.1-70b-64-h100 n_fsdp=2": "The study itself has n_fsdp = 2; the question asks for the smallest degree",
    }
    for claim, words in said.items():
        study, _, stated = claim.partition(" ")
        assert words in plain_prose(verdict_words(check(load_study(study), stated)))


def test_a_share_is_off_by_percentage_points_and_by_a_share_of_the_truth():
    study = load_study("cs336-a1-transformer")
    words = plain_prose(verdict_words(check(study, "share_mlp = 66 %")))
    assert "percentage points too little (≈ -1.4 %)" in words
