"""Worked problems: each line by itself, held against the figure of the source."""

from fractions import Fraction

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import L
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.evaluate import Evaluate
from symbolic_mem.questions.parts.figures import held_against, stated
from symbolic_mem.questions.parts.figures import verdict as judged
from symbolic_mem.render.text import plain_chain, plain_prose
from symbolic_mem.study.keys import At

STUDY = load_study("utilisation")
LLAMA = load_study("scaling-book-llama3-70b")  # 80 layers


V1, V2 = "the paper, version 1 of 2 May 2024", "the paper, version 2 of 3 June 2025"
HERE = At("my.toml", editions={"v1": V1, "v2": V2})


def asked(*steps, **keys):
    return Evaluate.read({"steps": list(steps), **keys}, HERE, "x")


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
    question = asked({"name": "a", "formula": "4", "printed": "5"}, edition="v1")
    *_, table = question.steps(question.answer(STUDY))
    assert [plain_prose(cell) for cell in table.rows[0]] == ["a", "4", "5", "25 % more"]
    assert plain_prose(table.caption) == f"Against the figures printed in {V1}"


def test_each_edition_has_its_table_and_says_what_it_computes():
    slipped = {"figure": "0.33", "edition": "v1", "computes": "a/3", "slip": "It divides by 3."}
    question = asked(
        {"name": "a", "formula": "1"},
        {"name": "b", "formula": "a/4", "printed": [slipped, {"figure": "0.25", "edition": "v2"}]},
    )
    found = question.answer(STUDY)
    *_, first, step, second = question.steps(found)
    assert [plain_prose(table.caption) for table in (first, second)] == [
        f"Against the figures printed in {V1}",
        f"Against the figures printed in {V2}",
    ]
    assert plain_prose(second.rows[0][-1]) == "it agrees"
    assert plain_prose(step.statement) == "For b that edition prints 0.33, which is what it computes:"
    assert plain_chain(step.chains[0]) == "1/3 a = 1/3 ≈ 0.33333"
    assert plain_prose(step.reason) == "It divides by 3."
    fact = found.facts["values"]["b"]
    assert (fact["printed"], fact["edition"], fact["verdict"]) == ("0.33", V1, "different")
    assert fact["editions"] == [{"printed": "0.25", "edition": V2, "verdict": "exact"}]


def test_a_slip_is_said_only_where_its_formula_gives_the_printed_figure():
    slipped = {"figure": "0.33", "edition": "v1", "computes": "1/5", "slip": "It divides by 5."}
    with pytest.raises(BadInput, match=r"question x, b: computes comes out to 0\.2, and that is not printed as 0\.33"):
        asked({"name": "b", "formula": "1/4", "printed": slipped}).answer(STUDY)


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
        (
            {"steps": [{"name": "a", "formula": "1", "printed": "x"}]},
            "steps, number 1: printed: 'x' is not a figure",
        ),
        ({"steps": [{"name": "a", "formula": "1", "printed": "1"}]}, "my.toml: a: printed = '1' is not dated; declare"),
        (
            {"steps": [{"name": "a", "formula": "1", "printed": "1"}], "edition": "v3"},
            "my.toml: edition: unknown edition 'v3'; did you mean 'v2'? known: v1, v2",
        ),
        (
            {"steps": [{"name": "a", "formula": "1", "printed": {"figure": "1", "edition": "v1", "slip": "x"}}]},
            "steps, number 1: printed: computes and slip stand together",
        ),
        ({"steps": [{"name": "a", "formula": "1", "printed": True}]}, "printed = true has the wrong type"),
        ({"steps": [{"name": "a", "formula": "1", "printed": {"edition": "v1"}}]}, "printed = None has the wrong type"),
        ({"steps": [{"name": "a", "formula": "1", "digits": 0}]}, "digits = 0 is not allowed; give 1 to 100"),
        ({"steps": [{"name": "a", "formula": "1", "note": "\x1b"}]}, "number 1: note holds a control character"),
        ({"steps": [{"name": "a", "formula": "1"}], "answer": "z"}, "my.toml: answer 'z' is no step"),
        ({"steps": [{"name": "a", "formula": "1"}], "anser": "a"}, "unknown key 'anser'; did you mean 'answer'"),
    ],
)
def test_what_cannot_be_worked_through_is_refused_with_its_place(content, said):
    with pytest.raises(BadInput) as refused:
        Evaluate.read(content, HERE, "x")
    assert said in str(refused.value)


def test_a_line_needs_its_values_and_a_number():
    with pytest.raises(MissingValue, match="question x needs a value for E"):
        asked({"name": "a", "formula": "E"}).answer(STUDY)
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


@pytest.mark.parametrize(
    ("value", "printed", "verdict"),
    [("5637e7", "56.3e9", "truncated"), ("5631e7", "56.3e9", "rounded"), ("5640e7", "56.3e9", "different")],
)
def test_a_figure_with_an_exponent_may_be_cut_off(value, printed, verdict):
    assert judged(sp.Rational(value), printed) == verdict


def test_the_figures_of_the_source_are_not_held_against_a_study_that_the_caller_changed():
    steps = ({"name": "a", "formula": "2*L", "printed": "160"}, {"name": "b", "formula": "L", "printed": "80"})
    question = asked(*steps, edition="v1")
    for study, verdicts in ((LLAMA, [["exact"], ["exact"]]), (LLAMA.change(values={"L": 70}), [[], []])):
        found = question.answer(study)
        assert [[held.verdict for held in each.held] for each in found.evaluated] == verdicts
        printed = [fact["printed"] for fact in found.facts["values"].values()]
        assert printed == (["160", "80"] if study is LLAMA else [None, None])
    *_, last = question.steps(found)
    assert plain_prose(last.prose) == f"The 2 printed figures ({V1}) are for the study as it stands."


def test_several_lines_answer_in_one_table_and_one_sentence():
    question = asked(
        {"name": "a", "formula": "3*L", "statement": "Layers", "unit": "layers"},
        {"name": "b", "formula": "a/2"},
        {"name": "c", "formula": "b/7", "statement": "The rest"},
        answer=["a", "c"],
        values={"L": 10},
    )
    found = question.answer(LLAMA.under(question))
    assert (found.value, found["a"].value, found["c"].value) == (None, 30, sp.Rational(15, 7))
    assert plain_prose(question.sentence(found)) == "Layers: a = 30 layers; the rest: c ≈ 2.1429."
    *_, table = question.steps(found)
    assert [[plain_prose(cell) for cell in row] for row in table.rows] == [
        ["Layers", "a", "30 layers"],
        ["The rest", "c", "≈ 2.1429"],
    ]


def test_every_case_is_worked_through():
    question = asked(
        {"name": "P_x", "formula": "3*L", "statement": "Parameters"},
        {"name": "M", "formula": "4*P_x", "unit": "B"},
        answer=["P_x", "M"],
        cases=[{"name": "small", "L": 10}, {"name": "2.7B", "L": 20}],
    )
    found = question.answer(LLAMA.under(question))
    assert plain_prose(question.sentence(found)) == (
        "Parameters: 30 for small and 60 for 2.7B; M: 120 bytes for small and 240 bytes for 2.7B."
    )
    assert (found["P_x, small"].value, found["M_2.7B"].value) == (30, 240)
    assert question.claimable == ("P_x, small", "M_small", "P_x, 2.7B", "M_2.7B") == tuple(question.claims(LLAMA))
    *_, table = question.steps(found)
    assert [[plain_prose(cell) for cell in row] for row in table.rows] == [
        ["small", "10", "30", "120 bytes"],
        ["2.7B", "20", "60", "240 bytes"],
    ]
    called = LLAMA.change(values={"L": 7})
    assert question.answer(called.under(question))["M_small"].value == 120
    (said,) = question.answer(called.under(question)).beside
    assert plain_prose(said) == "“L = 7” is not used here: the question finds or sets L itself."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"cases": {}}, "cases: give a list of tables"),
        ({"cases": [{"L": 1}]}, "cases, number 1: name is missing; give text"),
        ({"cases": [{"name": "a"}]}, "cases, number 1: gives no value"),
        (
            {"cases": [{"name": "a", "L": 1}, {"name": "a", "L": 2}]},
            "number 2: name = 'a' is empty or that of an earlier",
        ),
        (
            {"cases": [{"name": "a", "L": 1}, {"name": "b", "S": 2}]},
            "number 2: gives values to S, and the first case to L",
        ),
        ({"answer": ["a", "a"]}, "give the name of a step, or a list of different ones"),
        ({"answer": ["a", "z"]}, "answer 'z' is no step"),
    ],
)
def test_cases_and_answers_that_cannot_be_are_refused(content, said):
    with pytest.raises(BadInput) as refused:
        asked({"name": "a", "formula": "L"}, **content)
    assert said in str(refused.value)


def test_each_case_has_the_figures_of_its_editions():
    question = asked(
        {"name": "a", "formula": "3*L"},
        cases=[{"name": "small", "L": 10, "printed": {"a": "31"}}, {"name": "large", "L": 20, "printed": {"a": "60"}}],
        edition="v1",
    )
    found = question.answer(LLAMA.under(question))
    *_, table = question.steps(found)
    assert plain_prose(table.caption) == f"Against the figures printed in {V1}"
    assert [[plain_prose(cell) for cell in row] for row in table.rows] == [
        ["a_small", "30", "31", "≈ 3.3 % more"],
        ["a_large", "60", "60", "it agrees"],
    ]
    assert found.facts["cases"]["large"]["a"]["verdict"] == "exact"
    changed = LLAMA.change(values={"L": 7})
    *_, words = question.steps(question.answer(changed.under(question)))
    assert plain_prose(words.prose) == f"The 2 printed figures ({V1}) are for the study as it stands."


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("60", "cases, number 1: printed: give a table of figures"),
        ({"z": "60"}, "my.toml: printed 'z' is no step; known: a"),
        ({"a": "x"}, "cases, number 1: printed a: 'x' is not a figure"),
        ({"a": "1"}, "my.toml: small: printed a = '1' is not dated; declare"),
    ],
)
def test_figures_of_a_case_that_cannot_be_read_are_refused(printed, said):
    with pytest.raises(BadInput) as refused:
        asked({"name": "a", "formula": "L"}, cases=[{"name": "small", "L": 10, "printed": printed}])
    assert said in str(refused.value)


def test_the_words_of_bundled_lines_have_no_mark_of_a_formula_left():
    """A symbol that has a meaning and no value is one of the study, too: the D of `6*N*D`."""
    for name in (
        "flops-palm-chinchilla",
        "utilisation",
        "korthikanti",
        "playbook",
        "ptd-p-table-1",
        "scaling-book-training",
    ):
        study = load_study(name)
        for question in study.questions:
            if question.ask == "evaluate":
                seen = study.under(question)
                assert not [one.meaning for one in question.claims(seen).values() if "$" in one.meaning], name
                assert "$" not in plain_prose(question.sentence(question.answer(seen))), name
