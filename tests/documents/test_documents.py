"""Documents say what the questions of their study take for granted, and nothing else."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import lru_cache

import derived
import pytest
from sampled import sampled

from symbolic_mem.document.steps import Paragraph, Step, Table
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.device_count import DeviceCount
from symbolic_mem.render.arrange import arrange
from symbolic_mem.render.document import render
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changes import changes

FIGURES = ("cs336-a1-transformer", "cs336-a2-buckets", "kv-cache", "scaling-book-training", "utilisation")
RATES = ("cs336-a2-2026-mesh",)


def _said(derivation) -> str:
    prose = [plain_prose(section.title) for section in derivation.sections]
    for section in derivation.sections:
        for block in section.blocks:
            prose += [plain_prose(item) for item in getattr(block, "items", ())]
    return "\n".join(prose)


@pytest.mark.parametrize("build", [homework, report])
def test_a_document_builds_each_account_once(build, monkeypatch):
    """Its four questions are about two rules of recomputation."""
    accounts, made = importlib.import_module("symbolic_mem.accounts.account"), []
    whole = accounts._account.__wrapped__

    @lru_cache
    def counted(*given):
        made.append(whole(*given))
        return made[-1]

    monkeypatch.setattr(accounts, "_account", counted)
    study = replace(load_study("deepseek-v3"))  # of which nothing is answered yet
    build(study)
    assert len(study.questions) == 4 and len(made) == len(set(made)) == 2


@pytest.mark.parametrize("build", [homework, report])
def test_a_document_gives_its_answers_in_every_detail(build):
    study = load_study("cs336-a2-xxl")
    short, full, alone = (build(study, detail) for detail in ("short", "full", "answer"))
    assert len(short.answers) == len(study.questions) == 6
    assert short.answers == full.answers == alone.answers
    assert not alone.parts


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


@pytest.mark.parametrize("name", sampled(bundled(), 6))
def test_every_bundled_study_cites_a_source(name):
    study = load_study(name)
    problem = derived.homework(name).sections[0]
    said = [plain_prose(block.prose) for block in problem.blocks if isinstance(block, Paragraph)]
    assert study.source and f"Source: {study.source.removesuffix('.')}." in said


def _tables(derivation) -> dict[str, Table]:
    return {plain_prose(b.caption): b for s in derivation.sections for b in s.blocks if isinstance(b, Table)}


def test_what_is_given_has_no_symbol_that_nothing_asks_for():
    given = _tables(homework(load_study("scaling-book-training")))["What is given"]
    assert "to be found" not in [plain_prose(row[-1]) for row in given.rows]
    assert "What is given" not in _tables(homework(load_study("cs336-a2-buckets")))


def test_a_report_without_a_question_about_memory_has_no_account():
    titles = [plain_prose(section.title) for section in report(load_study("kv-cache")).sections]
    assert "The account" not in titles and "What the memory depends on" not in titles


@pytest.mark.parametrize("name", ["deepseek-v3", "gpt2-xl"])
def test_long_derivatives_wrap_and_are_not_one_wide_fraction(name):
    (found,) = [
        t for caption, t in _tables(arrange(report(load_study(name)))).items() if "answers to each symbol" in caption
    ]
    assert found.columns[1].align == "text"
    assert not any("/n_heads" in plain_prose(row[1]) and len(plain_prose(row[1])) > 120 for row in found.rows)


def test_a_floor_of_many_terms_is_the_sum_of_their_bytes_above_them():
    (section,) = [
        s for s in arrange(report(load_study("deepseek-v3"))).sections if "depends on" in plain_prose(s.title)
    ]
    step = next(block for block in section.blocks if isinstance(block, Step))
    (_, total), (_, size) = step.chains[0].links
    assert sum(total.sides) == size.value


def test_buffers_are_named_where_they_are_counted():
    said = plain_prose(homework(load_study("deepseek-v3")).answers[0])
    assert "GiB of activations and buffers)" in said


def test_a_number_that_is_given_is_not_set_equal_to_itself():
    (section,) = [s for s in homework(load_study("kv-cache")).parts if "k_calc" in repr(s.blocks)]
    for block in section.blocks:
        for chain in getattr(block, "chains", ()):
            assert not (
                len(chain.links) == 2 and str(chain.links[0][1]) == str(getattr(chain.links[1][1], "value", ""))
            )


def test_the_report_lists_its_questions_as_its_sections_name_them():
    study = load_study("cs336-a2-xxl")
    untitled = replace(study, questions=(DeviceCount.read({"capacity": "80 GiB"}, "here", "a"),))
    assert "(a) Memory, and how many devices that is" in plain_prose(report(untitled).sections[0].blocks[1].items[0])


def test_a_recipe_that_keeps_nothing_has_a_report_without_an_account():
    study = load_study("zero-table-1").called(changes(recipe="accelerate", optimizer="sgd"))
    assert "The account" not in _said(report(study))


def test_a_heading_stays_with_the_table_below_it():
    tex = render(report(load_study("cs336-a2-xxl")), "report", "tex").decode()
    before = tex.partition("\\section*{2~~Notation}")[0].splitlines()
    assert before[-1].startswith("\\needspace{")
