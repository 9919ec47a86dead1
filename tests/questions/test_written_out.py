"""A question that writes one size in others follows the caller who gives that size another value."""

import pytest

from symbolic_mem.base.symbols import M_total, d_ff
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_chain, plain_prose
from symbolic_mem.study.answered import found_for
from symbolic_mem.study.precedence import precedence


@pytest.mark.parametrize("name", ["cs336-a1-adamw", "cs336-a1-2026-adamw"])
def test_a_size_with_a_value_of_the_caller_is_not_written_in_others(name):
    plain, changed = load_study(name), load_study(name).change(values={"d_ff": 4864})
    assert d_ff not in found_for(plain, plain.question("a")).ledger.unfold(M_total).free_symbols
    asked = changed.question("a")
    assert d_ff in found_for(changed, asked).ledger.unfold(M_total).free_symbols
    assert any("the caller sets it otherwise" in plain_prose(said) for said in precedence(changed, asked))


def test_a_value_that_is_what_the_question_writes_changes_nothing():
    study = load_study("cs336-a1-adamw").change(values={"d_ff": 6400})
    assert d_ff not in found_for(study, study.question("a")).ledger.unfold(M_total).free_symbols


def test_a_number_does_not_stand_twice_where_a_line_is_one_symbol():
    study = load_study("set-activations")
    question = study.questions[0]
    found = question.answer(study.under(question))
    chains = [one for step in question.steps(found) for one in getattr(step, "chains", ())]
    whole = [plain_chain(one) for one in chains if one.left == M_total]
    assert whole[0] == "M_total = M_act = 1,374,389,534,720 bytes = 1280 GiB"  # 2 64 4096 64 (8192 + 32768)
