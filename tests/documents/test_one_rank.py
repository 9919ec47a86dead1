"""What is said of numbers and of what differs: whose they are under a plan that cuts the model, and every symbol of a formula."""

from __future__ import annotations

import pytest

from symbolic_mem.base.symbols import lookup
from symbolic_mem.document.steps import Bullets, Table
from symbolic_mem.documents.documents import report
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.assumptions import DEGREES
from symbolic_mem.render.document import render
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changes import changes


@pytest.fixture(scope="module")
def document():
    return report(load_study("cluster-mixtral-8x7b"))


def section(document, title):
    return next(each for each in document.sections if plain_prose(each.title) == title)


def test_parameters_and_kinds_are_said_to_be_those_of_one_rank(document):
    shown = render(document, "report", "md").decode()
    assert "The number of parameters of one rank, in all stages, is" in shown
    assert (
        "The weights, gradients and activations of one rank, in all stages, are whole on each of its replicas." in shown
    )
    assert "whole on every device" not in shown and "The number of parameters is" not in shown


def test_without_stages_no_stages_are_named():
    study = load_study("llama-3.1-8b").called(changes(plan="fsdp2+torch-tp", values={"n_tp": 2}))
    shown = render(report(study), "report", "md").decode()
    assert "The number of parameters of one rank is" in shown and "in all stages" not in shown


def test_what_no_plan_cuts_is_said_of_the_model():
    shown = render(report(load_study("llama-3.1-8b")), "report", "md").decode()
    assert "The number of parameters is" in shown and "of one rank" not in shown


def test_the_notation_has_every_degree_of_the_plan(document):
    (given,) = section(document, "Notation").blocks
    names = {plain_prose(row[0]) for row in given.rows}
    assert {"n_tp", "n_pp", "n_ep", "n_fsdp", "n_micro"} <= names


def test_nothing_answers_to_one_percent_of_a_device(document):
    tables = [block for block in section(document, "What the memory depends on").blocks if isinstance(block, Table)]
    symbols = {lookup(plain_prose(row[0])) for table in tables for row in table.rows}
    assert symbols and not symbols & set(DEGREES)


def test_a_size_without_symbols_has_its_unit(document):
    (listed,) = (
        block for block in section(document, "What the memory depends on").blocks if isinstance(block, Bullets)
    )
    said = [plain_prose(item) for item in listed.items]
    assert "workspaces of the engine: ≈ 102.40 MiB" in said


def test_two_parts_differ_in_what_becomes_of_a_kind_not_in_how_that_is_written():
    """Of what is divided whole there is no rest, so that dropping it changes nothing."""
    shown = render(report(load_study("set-sharding")), "report", "md").decode()
    assert "with another placement of the activations." in shown and "and weights." not in shown


def test_values_that_differ_are_mathematics():
    shown = render(report(load_study("zero-table-1")), "report", "md").decode()
    assert r"with other values of $\Psi$." in shown
    study = load_study("llama-3.1-8b").called(changes(values={"S": 8192}, recompute="full"))
    changed = render(report(study), "report", "md").decode()
    assert "The caller has set: $S = 8192$; " in changed


def test_the_notation_has_the_degree_that_a_table_steps_through():
    (given,) = section(report(load_study("zero-table-1")), "Notation").blocks
    cells = [
        plain_prose(cell)
        for row in (given.columns, *given.rows)
        for cell in (c.head if hasattr(c, "head") else c for c in row)
    ]
    assert "n_fsdp" in cells and "several in (a), several in (b), several in (c), 64 in (d)" in cells
