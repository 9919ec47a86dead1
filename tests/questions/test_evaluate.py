"""Worked problems: each line by itself, held against the figure of the source."""

from fractions import Fraction

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import L
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.evaluate import Evaluate
from symbolic_mem.questions.parts.figures import held_against, stated
from symbolic_mem.render.text import plain_prose

STUDY = load_study("utilisation")
LLAMA = load_study("scaling-book-llama3-70b")  # 80 layers


def asked(*steps, **keys):
    return Evaluate.read({"steps": list(steps), **keys}, "my.toml", "x")


def test_each_line_is_a_line_of_the_ledger():
    found = asked({"name": "a", "formula": "3*5"}, {"name": "M_b", "formula": "a/2", "unit": "GB"}).answer(STUDY)
    assert (found["a"].value, found["M_b"].value, found.value) == (15, sp.Rational(15, 2), sp.Rational(15, 2))
    over = asked({"name": "a", "formula": "3*L"}, {"name": "b", "formula": "a/2"}).answer(LLAMA)
    assert (over["b"].formula, over["b"].value, over["b"].at(L=10)) == (3 * L / 2, 120, 15)
    assert found.record["values"]["M_b"] == {"value": sp.Rational(15, 2), "unit": "GB", "printed": None}


def test_the_line_that_answers_is_the_last_or_the_one_that_is_named():
    steps = ({"name": "a", "formula": "1", "statement": "first"}, {"name": "b", "formula": "2"})
    last, named = asked(*steps), asked(*steps, answer="a")
    assert (last.answer(STUDY).value, named.answer(STUDY).value) == (2, 1)
    assert plain_prose(named.sentence(named.answer(STUDY))) == "First: a = 1."
    assert plain_prose(last.sentence(last.answer(STUDY))) == "The result is: b = 2."


def test_every_line_can_be_claimed():
    question = asked(
        {"name": "M_a", "formula": "3e9/2", "unit": "GB", "statement": "Weights"},
        {"name": "r", "formula": "sqrt(2)", "unit": "times"},
    )
    claims = question.claims(STUDY)
    assert question.claimable == tuple(claims) == ("M_a", "r")
    assert (claims["M_a"].value, claims["M_a"].measures, claims["M_a"].meaning) == (15 * 10**8, "bytes", "Weights")
    assert claims["r"].measures == "number" and abs(claims["r"].value ** 2 - 2) < Fraction(1, 10**35)


def test_what_a_user_writes_is_printed_as_it_is_written():
    question = asked({"name": "a", "formula": "1", "statement": "{x} is {0}", "note": "{y}", "unit": "{z}"})
    found = question.answer(STUDY)
    (step,) = question.steps(found)
    assert (plain_prose(step.statement), plain_prose(step.reason)) == ("{x} is {0}", "{y}")
    assert plain_prose(question.sentence(found)) == "{x} is {0}: a = 1 {z}."


def test_a_figure_that_is_off_says_by_how_much():
    question = asked({"name": "a", "formula": "4", "printed": "5"})
    *_, table = question.steps(question.answer(STUDY))
    assert [plain_prose(cell) for cell in table.rows[0]] == [
        "a",
        "4",
        "5",
        "not the printed figure (which is 25 % too high)",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "my.toml: nothing to work through"),
        ({"steps": []}, "my.toml: steps: nothing to work through"),
        ({"steps": ["a"]}, "my.toml: steps, number 1: a step is a table"),
        ({"steps": [{"name": "a", "formula": "b"}]}, "my.toml: steps, number 1: formula 'b': column 1: unknown name"),
        ({"steps": [{"name": "L", "formula": "1"}]}, "'L' is already the name of something"),
        ({"steps": [{"name": "a_b_c", "formula": "1"}]}, "'a_b_c' is not a name"),
        ({"steps": [{"name": "a", "formula": "1"}] * 2}, "steps, number 2: 'a' is already the name"),
        ({"steps": [{"name": "a", "formula": "1", "printed": "x"}]}, "steps, number 1: printed = 'x' is not a figure"),
        ({"steps": [{"name": "a", "formula": "1", "digits": 0}]}, "digits = 0 shows nothing"),
        ({"steps": [{"name": "a", "formula": "1", "note": "\x1b"}]}, "number 1: note holds a control character"),
        ({"steps": [{"name": "a", "formula": "1"}], "answer": "z"}, "my.toml: answer 'z' is no step"),
        ({"steps": [{"name": "a", "formula": "1"}], "anser": "a"}, "unknown key 'anser'; did you mean 'answer'"),
    ],
)
def test_what_cannot_be_worked_through_is_refused_with_its_place(content, said):
    with pytest.raises(BadInput) as refused:
        Evaluate.read(content, "my.toml", "x")
    assert said in str(refused.value)


def test_a_line_needs_its_values_and_a_number():
    with pytest.raises(MissingValue, match="question x needs a value for S"):
        asked({"name": "a", "formula": "S"}).answer(STUDY)
    with pytest.raises(BadInput, match="question x: b has no real number"):
        asked({"name": "a", "formula": "1-2"}, {"name": "b", "formula": "sqrt(a)"}).answer(STUDY)


@pytest.mark.parametrize(
    ("value", "printed", "verdict"),
    [
        ("2550", "2550", "exact"),
        ("7616000", "7.6e6", "rounded"),
        ("397", "400", "rounded"),
        ("352", "400", "rounded"),
        ("349", "400", "different"),
        ("4.375", "4.38", "rounded"),
        ("4.385", "4.38", "rounded"),
        ("4.386", "4.38", "different"),
        ("17.44", "16", "different"),
        ("0.31", "0.3", "rounded"),
        ("79200", "79,200", "exact"),
    ],
)
def test_a_printed_figure_is_exact_rounded_or_wrong(value, printed, verdict):
    assert held_against(sp.Rational(value), printed) == verdict
    assert (stated(printed) == sp.Rational(value)) == (verdict == "exact")


def test_the_figures_of_the_source_are_not_held_against_a_study_that_the_caller_changed():
    question = asked({"name": "a", "formula": "2*L", "printed": "160"}, {"name": "b", "formula": "L", "printed": "80"})
    for study, verdicts in ((LLAMA, ["exact", "exact"]), (LLAMA.change(values={"L": 70}), ["", ""])):
        found = question.answer(study)
        assert [each.verdict for each in found.evaluated] == verdicts
        printed = [fact["printed"] for fact in found.facts["values"].values()]
        assert printed == (["160", "80"] if study is LLAMA else [None, None])
    *_, last = question.steps(found)
    assert plain_prose(last.prose) == "The source's 2 figures are for the study as it stands."
