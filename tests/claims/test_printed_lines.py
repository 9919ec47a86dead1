"""What a derivation prints on a line may be claimed as it stands there: its number, and its formula in the symbols of the page."""

import pytest

from symbolic_mem.claims.check import check
from symbolic_mem.claims.names import same_symbol
from symbolic_mem.claims.printed_lines import numbers_of_lines
from symbolic_mem.library.read import load_study

STUDIES = ["cs336-a2-xxl", "llama-3.1-8b", "cs336-a1-adamw", "headroom", "lora-llama-3.1-8b"]


@pytest.mark.parametrize("name", STUDIES)
def test_every_number_of_a_line_is_right_by_the_name_on_its_left(name):
    study, found = load_study(name), set()
    for question in study.questions:
        for one in numbers_of_lines(study, question):
            if not one.name.replace("_", "").replace(" ", "").isalnum() or one.unit == "s":
                continue  # no name, or among the seconds that `comms` prints
            if any(same_symbol(name, one.name) for name in question.claimable):
                continue  # what the question asks for has one answer
            said = f"{one.name} = {one.shown.figures} {one.unit}".strip()
            assert check(study, said, question=question.label).right, said
            found.add(one.name)
    assert found


@pytest.mark.parametrize(
    "claim", ["T_min = 5111.1", "T_min = X C/(n_pp M_X W)", "T_min = 25,301.7 tokens", "T_min = 10,222.2"]
)
def test_lines_of_several_ways_share_a_name(claim):
    assert check(load_study("cs336-a2-xxl"), claim, question="d").right


@pytest.mark.parametrize("claim", ["T_min = 3924.8", "T_min = 15,699.2", "T_min = X C/(n_pp M_X W)"])
def test_a_line_is_not_the_answer_of_a_question_that_asks_for_its_name(claim):
    assert not check(load_study("cs336-a2-xxl"), claim, question="c").right
    assert not check(load_study("cs336-a2-xxl"), claim).right


def test_a_degree_before_the_rule_of_a_question_is_not_its_answer():
    study = load_study("scaling-book-h100s")
    assert not check(study, "n_fsdp = 9", question="b").right
    assert check(study, "n_fsdp = 16", question="b").right


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("M_fix = M_act + M_buffers", True),
        ("M_fix = M_buffers + M_act", True),
        ("M_div = M_static", True),
        ("P_embedding = V d_model", True),
        ("P_embedding = 2 V d_model", False),
        ("P_embedding = 525,336,576", True),
        ("P_embedding = 525 million parameters", True),
        ("P_embedding = 500M", False),
    ],
)
def test_a_formula_is_read_in_the_symbols_that_the_line_prints(claim, right):
    assert check(load_study("llama-3.1-8b"), claim).right is right


@pytest.mark.parametrize("name", ["cs336-a1-adamw", "cs336-a1-2026-adamw"])
def test_an_account_that_is_an_expression_is_right_as_it_is_printed(name):
    study = load_study(name)
    heads = 8 if name == "cs336-a1-adamw" else "28/3"
    layers = f"8 B S L (S n_heads + {heads} d_model) + 4 B S (2 V + d_model)"
    for claim in (f"M_act = {layers}", f"activations = {layers}", "M_weights = 4 P", "M_optimizer = 8 P"):
        assert check(study, claim).right, claim
    for claim in ("M_weights = 2 P", "M_optimizer = 4 P", "M_act = 12 B S L"):
        assert not check(study, claim).right, claim


def test_what_a_question_has_as_an_expression_has_its_number_in_the_account():
    study = load_study("cs336-a1-adamw")
    assert check(study, "M_weights = 8.508 GB").right  # 4 bytes for each of 2,127,057,600
    assert not check(study, "M_weights = 8.6 GB").right
