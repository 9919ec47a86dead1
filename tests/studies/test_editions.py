"""Every printed figure of a bundled study is dated, and where it is another number the study says what is known of it."""

from __future__ import annotations

import re

import pytest

from symbolic_mem.base.tomlfile import read_toml
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.evaluate import Evaluate
from symbolic_mem.questions.parts.keys import Printed
from symbolic_mem.questions.stages import Stages

STUDIES = [load_study(name) for name in bundled()]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DATED = re.compile(
    rf"\b(?:{'|'.join(MONTHS)}) 20[0-9]{{2}}\b|\b20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}\b|commit [0-9a-f]{{7}}"
)


def figures(study):
    """Every printed figure with what stands beside it: the notes of its line, and the words of its question."""
    for question in study.questions:
        match question:
            case Evaluate():
                found = question.answer(study.under(question))
                for _, each in found.numbers:
                    for held in each.held:
                        yield held.figure, held.verdict, f"{each.line.note}{question.text}"
            case Printed():
                yield from ((figure, "", question.printed_note) for figure in question.printed)
            case Stages() if question.printed:
                yield from ((None, question.edition, question.printed_note) for _ in (0,))


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_every_edition_is_dated_and_used(study):
    declared = _declared(study.name)
    used = {figure.edition if figure else verdict for figure, verdict, _ in figures(study)}
    assert used == set(declared.values()), "an edition that prints nothing, or a figure of none"
    for words in declared.values():
        assert DATED.search(words), f"{words!r} says no commit and no date"


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_figure_that_is_another_number_says_what_is_computed_or_what_is_known(study):
    for figure, verdict, beside in figures(study):
        if verdict == "different":
            assert figure.computes is not None or beside, f"{figure.written} of {figure.edition} stands without a word"


def _declared(name: str) -> dict[str, str]:
    from importlib.resources import files

    return read_toml(files("symbolic_mem.library") / f"studies/{name}.toml").get("editions", {})
