"""Claims that people made, or that were once judged wrongly: right or wrong, and the slips that come first."""

import json
from pathlib import Path

import pytest

from symbolic_mem.claims.check import check
from symbolic_mem.library.read import load_study

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
