"""Comparisons as questions: which sides there are, and what each of them is called."""

import pytest
import sympy as sp

from symbolic_mem.accounts.tensor_gaps import saved_tensors, tensor_gaps
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.document.steps import Step
from symbolic_mem.library.read import read_study
from symbolic_mem.questions.compare import Compare
from symbolic_mem.recipes.read import recipe
from symbolic_mem.recipes.recompute import Recompute
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changed_recipe import use_optimizer, use_recipe
from symbolic_mem.study.changed_values import set_value

VALUES = {"d_model": 2, "d_ff": 3, "L": 5, "B": 7, "S": 11}
P = 2 * 5 * 2 * 3


@pytest.fixture
def study(tmp_path):
    return read_study({"title": "x", "model": {"kind": "ffn"}, "values": VALUES}, "my.toml", "my", tmp_path)


def asked(**keys):
    return Compare.read(keys, "my.toml", "x")


def test_the_difference_is_a_number_a_line_and_a_claim(study):
    question = asked(recipe=["zero-16", "megatron-18"])
    found = question.answer(study)
    # 2 bytes more for each of 2 * 5 * 2 * 3 parameters
    assert found.value == found["difference"].value == question.claims(study)["difference"].value == 2 * P
    assert found["M_second"].value - found["M_first"].value == 2 * P
    assert found["difference"].at(L=10) == 4 * P
    assert found.facts["gaps"][0]["reason"] == "bytes per element: 2 -> 4"
    assert plain_prose(question.sentence(found)).endswith(
        "than recipe zero-16: FP16 gradients / accumulated gradients (bytes per element: 2 → 4)."
    )


def test_gaps_say_what_differs_as_data(study):
    (gap,) = (term.gap for term in asked(recipe=["zero-16", "megatron-18"]).answer(study).terms)
    ((what, old, new),) = ((each.what, each.old, each.new) for each in gap.contrasts)
    assert (what, old, new, gap.only) == ("bytes per element", 2, 4, "")
    (gap,) = (term.gap for term in asked(recipe=["playbook-16", "playbook-20"]).answer(study).terms)
    assert (gap.only, gap.note, gap.contrasts) == ("second", "FP32, for accumulation", ())


def test_the_callers_changes_hold_on_both_sides(study):
    question = asked(recipe=["cs336", "megatron-18"])
    called = study.called([set_value("L", 10), use_optimizer("lion")])
    found = question.answer(called.under(question))
    assert found.value == 2 * 2 * P  # twice the layers; the momentum of Lion is the same on both sides
    assert found.a.study.recipe.with_optimizer("adamw").bytes_per_parameter == 16
    assert found.a.study.recipe.bytes_per_parameter == 12


def test_a_recipe_of_the_callers_leaves_the_optimizers_that_are_compared(study):
    question = asked(optimizer=["adamw", "lion"])
    called = study.called([use_recipe("megatron-18")])
    found = question.answer(called.under(question))
    assert (found.a.study.recipe.name, found.value) == ("megatron-18", -4 * P)


def test_what_the_caller_sets_is_no_name_of_a_side(study):
    question = asked(recipe=["cs336", "megatron-18"], recompute=["none", "full"])
    called = study.called([use_recipe("zero-16")])
    found = question.answer(called.under(question))
    assert found.a.name == "recomputation “nothing is recomputed”"
    assert [term.gap.kind for term in found.terms] == ["activations"] * len(found.terms)
    assert [(own.words, other.words) for own, other in called.lost(question)] == [
        ("recipe cs336", "recipe zero-16"),
        ("recipe megatron-18", "recipe zero-16"),
    ]


def test_a_document_needs_every_value_and_an_answer_does_not(study):
    question = asked(place=[{"weights": 1}, {"weights": "1/2"}])
    found = question.answer(study)
    assert (found.value, found.absent) == (None, ("n_fsdp",))
    with pytest.raises(MissingValue, match="question x needs a value for n_fsdp"):
        list(question.steps(found))


def test_a_name_of_a_side_is_no_template(study):
    found = asked(place=[{"weights": 1}, {"weights": "1/2"}]).answer(study.called([set_value("n_fsdp", 4)]))
    assert plain_prose(found.question.sentence(found)).startswith("Placement weights 1/2 needs ")
    assert found.question.heading(found) == "Placement weights 1 against placement weights 1/2"


def test_tensors_that_one_account_alone_keeps_say_where_and_why(study):
    plain, every = recipe("cs336"), recipe("cs336").with_recompute(Recompute("every", 2))
    gaps = tensor_gaps(saved_tensors(study.model, plain), saved_tensors(study.model, every))
    assert [(gap.layer, gap.tensor, gap.only) for gap in gaps] == [
        ("feed-forward block", "x", ""),
        ("feed-forward block", "h", ""),
        ("recomputed feed-forward block", "x", "second"),
    ]
    assert [each.what for each in gaps[0].contrasts] == ["copies"]
    assert gaps[2].reason.startswith("only in the second: input of a block")
    whole = sp.Add(*(gap.difference for gap in gaps)).xreplace({s: VALUES[s.name] for s in _symbols(gaps)})
    assert whole == asked(recompute=["none", {"every": 2}]).answer(study).value


def _symbols(gaps):
    return {symbol for gap in gaps for symbol in gap.difference.free_symbols}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "my.toml: nothing to compare; give one of recipe"),
        ({"recipe": []}, "my.toml: recipe is given 0 times"),
        ({"recipe": ["cs336"] * 3}, "my.toml: recipe is given 3 times"),
        ({"recipe": 3}, "my.toml: recipe = 3 has the wrong type"),
        ({"recipe": "cs33"}, "my.toml: recipe: unknown recipe 'cs33'; did you mean 'cs336'"),
        ({"optimizer": ["adamw", "lio"]}, "my.toml: optimizer: unknown optimizer 'lio'; did you mean 'lion'"),
        ({"profile": "tf"}, "my.toml: profile: unknown profile 'tf'"),
        ({"recompute": {"evry": 2}}, "unknown key 'evry'; did you mean 'every'"),
        ({"recompute": "ful"}, "my.toml: recompute: unknown recomputation 'ful'; did you mean 'full'"),
        ({"recompute": ["none", "every"]}, "my.toml: recompute 'every': every counts blocks"),
        ({"recompute": 2}, "my.toml: recompute = 2 has the wrong type"),
        ({"place": "activations"}, "my.toml: place = 'activations' has the wrong type"),
        ({"place": {"activation": 1}}, "my.toml: place: unknown kind 'activation' of memory"),
        ({"place": {"activations": 2}}, "my.toml: place: fraction 2 is more than 1"),
        ({"rest": ["kept", "lost"]}, "my.toml: rest: unknown 'lost'"),
        ({"recipes": "cs336"}, "unknown key 'recipes'; did you mean 'recipe'"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_place(content, said):
    with pytest.raises(BadInput) as refused:
        Compare.read(content, "my.toml", "x")
    assert said in str(refused.value)


@pytest.mark.parametrize("keys", [{"recipe": ["zero-16", "megatron-18"]}, {"recipe": "megatron-18"}])
def test_where_the_caller_sets_what_is_compared_nothing_is_left_to_compare(study, keys):
    question = asked(**keys)
    found = question.answer(study.called([use_recipe("fp32")]))
    assert found.value == 0 and found.same
    assert question.heading(found) == "Nothing to compare"
    assert plain_prose(question.sentence(found)) == (
        "Nothing is left to compare: what the caller sets (recipe fp32) took the place of the question's own on both "
        "sides, which are now the study as it stands (recipe fp32)."
    )
    said = [plain_prose(step.statement) for step in question.steps(found) if isinstance(step, Step)]
    assert "Both sides: the study as it stands (recipe fp32). They take" in said


def test_a_question_that_names_one_side_twice_has_nothing_to_compare(study):
    question = asked(recipe=["fp32", "fp32"])
    assert plain_prose(question.sentence(question.answer(study))).startswith(
        "Nothing is left to compare: both sides are "
    )
