"""The bundled looks: a course sheet and a paper in two columns, from what `docs/templates.md` says that a template gets."""

from __future__ import annotations

import re

import pytest
from overfull import overfull

from symbolic_mem.base.errors import BadInput, RenderError
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render
from symbolic_mem.render.pdf import pdf
from symbolic_mem.render.templates import looks

BUILD = {"homework": homework, "report": report}


def of(name: str, look: str, ending: str = "tex", layout: str = "homework") -> str:
    return render(BUILD[layout](load_study(name)), layout, ending, look).decode()


def test_a_look_is_chosen_by_its_name_and_another_name_is_refused_with_those_there_are():
    assert looks() == ("course-sheet", "two-column")
    with pytest.raises(
        BadInput, match=r"'three-column' is not a folder; .* or a bundled look: course-sheet, two-column"
    ):
        of("cs336-a2-buckets", "three-column")


@pytest.mark.parametrize(
    ("look", "layout", "ending"),
    [("course-sheet", "report", "tex"), ("course-sheet", "homework", "html"), ("two-column", "homework", "md")],
)
def test_a_look_without_a_template_for_a_document_is_refused(look, layout, ending):
    with pytest.raises(BadInput, match=rf"{look}: the look has no {layout}\.{ending}\.j2; it has homework\."):
        of("cs336-a2-buckets", look, ending, layout)


@pytest.mark.parametrize("ending", ["tex", "md"])
def test_a_course_sheet_has_each_answer_behind_its_solution_and_none_in_front(ending):
    study = load_study("cs336-a2-buckets")
    document, sheet = homework(study), of("cs336-a2-buckets", "course-sheet", ending)
    answers = [one.end() for one in re.finditer(r"\*\*Answer\.\*\*|\\textbf\{Answer\.\}", sheet)]
    exercises = [one.start() for one in re.finditer("Exercise", sheet)]
    assert len(answers) == len(exercises) == len(document.parts)
    assert all(exercise < answer for exercise, answer in zip(exercises, answers, strict=True))
    assert all(answer < exercise for answer, exercise in zip(answers, exercises[1:], strict=False))


NUMBER = r"\d+(?:\\,\d{3})+"


def test_a_sheet_leaves_no_number_out_and_a_paper_none_of_a_display():
    usual = render(homework(load_study("cs336-a2-xxl")), "homework", "tex").decode()
    assert set(re.findall(NUMBER, of("cs336-a2-xxl", "course-sheet"))) == set(re.findall(NUMBER, usual))
    displays = "".join(re.findall(r"^\\\[$(.*?)^\\\]$", usual, re.MULTILINE | re.DOTALL))
    shown = set(re.findall(NUMBER, displays))
    assert len(shown) > 10
    assert shown <= set(re.findall(NUMBER, of("cs336-a2-xxl", "two-column")))


def test_a_paper_has_its_answers_as_the_abstract():
    paper = of("cs336-a2-xxl", "two-column", layout="report")
    abstract = paper.partition(r"\begin{abstract}")[2].partition(r"\end{abstract}")[0]
    assert "(b)}~" in abstract and "46" in abstract and r"\begin{answers}" not in paper


def test_a_sheet_is_set_without_tex_and_a_paper_is_refused_in_a_line():
    document = homework(load_study("cs336-a2-buckets"))
    assert pdf(of("cs336-a2-buckets", "course-sheet"), document.figures, route="typst").startswith(b"%PDF-")
    with pytest.raises(RenderError, match="install a TeX engine") as refused:
        pdf(of("cs336-a2-buckets", "two-column"), document.figures, route="typst")
    assert "\n" not in str(refused.value)


SET = [("course-sheet", "homework"), ("two-column", "homework"), ("two-column", "report")]
WHOLE = ("cs336-a2-xxl", "llama-3.1-8b", "deepseek-v3", "korthikanti", "fits-and-computes", "set-sharding")
CASES = [  # every study in one of them, and these in all
    (name, *look)
    for number, name in enumerate(sorted(bundled()))
    for place, look in enumerate(SET)
    if name in WHOLE or place == number % len(SET)
]


@pytest.mark.system
@pytest.mark.parametrize(("name", "look", "layout"), CASES)
def test_no_box_is_too_wide_in_either_look(needs, name, look, layout, tmp_path):
    needs("pdflatex")
    assert overfull(of(name, look, layout=layout), tmp_path) == []
