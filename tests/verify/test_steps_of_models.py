"""Whole steps of published models, measured once: what one device holds at each of six marks, to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.library.read import load_study
from symbolic_mem.study.changes import use_profile
from symbolic_mem.verify.verify import MODELS, expected

DATA = Path(__file__).parent.parent / "data"
CASES = json.loads((DATA / "steps_models.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_step_agrees_to_the_byte_at_every_mark(case):
    study = load_study(str(DATA / "hf_configs" / f"{case['config']}.json")).change(**case["change"])
    found = expected(study.changed([use_profile(MODELS)]), case["change"]["values"]["B"])
    assert {mark: one.bytes for mark, one in found.items()} == case["marks"]


def test_the_cases_decide_at_many_places_of_a_step():
    """Each kind of instant that is described is the fullest of a phase in some case."""
    named = set()
    for case in CASES:
        study = load_study(str(DATA / "hf_configs" / f"{case['config']}.json")).change(**case["change"])
        found = expected(study.changed([use_profile(MODELS)]), case["change"]["values"]["B"])
        named |= {one.instant for one in found.values()}
    for words in (
        "final norm",
        "the product with W_down",
        "the sum after the MLP",
        "the loss in the forward pass",
        "gather",
    ):
        assert any(words in instant for instant in named), words
