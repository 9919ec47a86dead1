"""Documents say what the questions of their study take for granted, and nothing else."""

from __future__ import annotations

import pytest

from symbolic_mem.derive.documents import homework, report
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study import bundled, load_study

FIGURES = ("cs336-a1-transformer", "cs336-a2-buckets", "kv-cache", "scaling-book-training", "utilisation")
RATES = ("cs336-a2-2026-mesh",)


def _said(derivation) -> str:
    prose = [plain_prose(section.title) for section in derivation.sections]
    for section in derivation.sections:
        for block in section.blocks:
            prose += [plain_prose(item) for item in getattr(block, "items", ())]
    return "\n".join(prose)


@pytest.mark.parametrize("build", [homework, report])
@pytest.mark.parametrize("name", [*FIGURES, *RATES])
def test_without_a_question_about_memory_no_recipe_is_assumed(name, build):
    said = _said(build(load_study(name)))
    for word in ("Recipe", "AdamW with two FP32 moments", "What is not counted", "What is kept for the backward pass"):
        assert word not in said


@pytest.mark.parametrize("build", [homework, report])
@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-8b", "korthikanti", "fits-and-computes"])
def test_a_question_about_memory_names_its_recipe_and_what_it_leaves_out(name, build):
    said = _said(build(load_study(name)))
    assert "Recipe “" in said and "What is not counted" in said


def test_a_question_about_times_says_what_the_layers_are():
    assert "There is no attention, embedding or output layer." in _said(homework(load_study("cs336-a2-2026-mesh")))


def test_every_bundled_study_cites_a_source():
    for name in bundled():
        assert any(plain_prose(section.title) == "Sources" for section in homework(load_study(name)).sections), name
