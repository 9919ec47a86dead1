"""A notebook runs from top to bottom, finds its own numbers, and says how its study was made."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.base.symbols import B
from symbolic_mem.cli.options import SHARED, chosen_study
from symbolic_mem.documents.documents import answer, homework, report
from symbolic_mem.documents.sheet import sheet
from symbolic_mem.hardware.catalogue import device
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render
from symbolic_mem.study.changed_values import set_value

UNSET = set(SHARED) - {"study", "values", "place", "rest"}


def cells(document, kind):
    content = json.loads(render(document, document.layout, "ipynb"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


def run(document) -> list:
    """The value of the last line of every code cell, run in one namespace as a kernel does."""
    known: dict = {}
    values = []
    for cell in cells(document, "code"):
        *before, last = cell.splitlines()
        exec("\n".join(before), known)  # noqa: S102 (its own code)
        values.append(eval(last, known))
    return values


@pytest.mark.parametrize("build", [homework, report])
@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-8b", "korthikanti"])
def test_every_cell_gives_the_number_of_its_document(build, name):
    document = build(load_study(name))
    _, *answers = run(document)
    assert [found.value for found in answers] == [found.value for found in document.found]
    assert [found.question.label for found in answers] == [part.label for part in document.parts]


def test_what_a_caller_changed_stands_in_the_first_cell():
    study = load_study("cs336-a2-xxl").change(values={"B": 64}, rest="kept").only("b").signed(author="A. Student")
    document = homework(study)
    first, found = run(document)
    assert first.values == study.values and found.value == document.found[0].value != 46
    code = cells(document, "code")[0]
    assert "change(values={'B': 64}, rest='kept').only('b').signed(author='A. Student')" in code
    assert run(homework(load_study("set-states").varied(2)))[0].variant == 2


def test_what_the_command_line_changed_stands_there_too():
    given = {"study": "cs336-a2-xxl", "values": ("B=64",), "place": (), "rest": "kept", **dict.fromkeys(UNSET)}
    assert chosen_study(given).made[-1] == ".change(values={'B': 64}, rest='kept')"


def test_a_report_of_a_study_that_asks_nothing_answers_its_own_question():
    study = replace(load_study("llama-3.1-8b"), questions=()).change(device="h100-80gb")
    (part,) = report(study).parts
    assert answer(study, part.label).value == report(study).found[0].value


def test_values_that_are_no_plain_numbers_and_names_are_written_as_such_or_not_at_all():
    study = load_study("cs336-a2-xxl")
    changed = study.change(values={B: sp.Integer(64), "S": Fraction(2048)}, device=device("h100-80gb"))
    code = ".change(values={'B': 64, 'S': 2048}, device='h100-80gb')"
    assert changed.made[-1] == code
    assert study.change(recipe=study.recipe).made == () != study.made
    assert changed.changed([set_value("B", 32)]).made == ()


def test_where_nobody_knows_how_a_study_was_made_there_are_no_cells_to_run():
    assert not cells(homework(load_study("cs336-a2-xxl").called([set_value("B", 64)])), "code")
    assert not cells(sheet(load_study("set-states")), "code")


def test_a_study_of_ones_own_is_loaded_by_its_path(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        (Path(__file__).parents[2] / "symbolic_mem/library/studies/zero-table-1.toml").read_text(encoding="utf-8")
    )
    assert run(homework(load_study(str(path))))[0].name == "own"


def test_the_same_document_is_the_same_notebook_without_outputs():
    made = [render(homework(load_study("cs336-a2-xxl")), "homework", "ipynb") for _ in range(2)]
    assert made[0] == made[1] and len(made[0]) < 200_000
    content = json.loads(made[0])
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in content["cells"]}) == len(content["cells"])
    assert all(cell["outputs"] == [] for cell in content["cells"] if cell["cell_type"] == "code")


def test_a_document_is_told_in_its_cells_of_text():
    told = "\n".join(cells(homework(load_study("cs336-a2-xxl").signed(author="A_B")), "markdown"))
    assert "A\\_B" in told and "> **Answers**" in told and "\\begin{aligned}" in told
