"""`can_be` rules out only numbers that a question does not answer, under every slip."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.catalogue import occurring
from symbolic_mem.claims.changes import set_value
from symbolic_mem.claims.check import check
from symbolic_mem.library.read import load_study
from symbolic_mem.solvers.rules import MultipleOf


@pytest.mark.parametrize(
    ("name", "label"), [("cs336-a2-xxl", "b"), ("cs336-a2-xxl", "b, literally"), ("llama-3.1-8b", "b")]
)
@pytest.mark.parametrize("multiple", [1, 8])
def test_a_degree_can_be_what_it_is_and_nothing_else(name: str, label: str, multiple: int) -> None:
    study = load_study(name)
    question = study.question(label)
    if multiple > 1:
        question = replace(question, multiple_of=(MultipleOf(multiple),))
    tried = 0
    for slip, slipped in occurring(Case(study.under(question), question)):
        asked, symbol = slipped.question, str(question.symbol)
        try:
            value = asked.claims(slipped.study)[symbol].value
        except BadInput:
            continue
        tried += 1
        can = {n for n in (1, 2, 9, 10**6) if asked.can_be(slipped.study, symbol, Fraction(n))}
        if value is None:
            assert asked.rules or not can, slip.name
            continue
        near = {n for n in (value - 1, value, value + 1) if asked.can_be(slipped.study, symbol, Fraction(n))}
        assert value in near, slip.name
        assert asked.rules or near == {value}, slip.name
        assert asked.rules or can <= {value}, slip.name
        assert not asked.can_be(slipped.study, symbol, Fraction(2 * value + 1, 2)), slip.name
    assert tried > 10


@pytest.mark.parametrize(("name", "occurs"), [("deepseek-v3", False), ("llama-3.1-8b", True)])
def test_sizes_that_no_such_model_has_are_no_slip(name: str, occurs: bool) -> None:
    """Three blocks of DeepSeek-V3 are dense: one block alone would have fewer than none with experts."""
    study = load_study(name)
    question = study.questions[0]
    assert (set_value(Case(study.under(question), question), L="1") is not None) == occurs


def test_a_degree_under_another_rule_of_recomputation_can_be_what_it_is_and_nothing_else() -> None:
    study = load_study("llama-3.1-8b")
    (question,) = (one for one in study.questions if one.ask == "recompute")
    value = question.claims(study.under(question))["n_fsdp"].value
    can = {
        n
        for n in {1, 2, 10**6, value - 1, value, value + 1}
        if question.can_be(study.under(question), "n_fsdp", Fraction(n))
    }
    assert can == {value}
    assert not question.can_be(study.under(question), "n_fsdp", Fraction(2 * value + 1, 2))


def test_a_question_whose_number_a_wrong_claim_cannot_be_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study("llama-3.1-8b")
    (other,) = (one for one in study.questions if one.ask == "recompute")
    value = other.claims(study.under(other))["n_fsdp"].value
    assert check(study, f"n_fsdp={value}").question == other.label
    monkeypatch.setattr(type(other), "claims", lambda *_: pytest.fail("answered"))
    assert check(study, "n_fsdp=9").question != other.label
