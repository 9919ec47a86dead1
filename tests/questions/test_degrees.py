"""Degrees under the rules of a cluster: golden degrees, one step for each rule, contradictions, what is reserved."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.document.steps import Paragraph
from symbolic_mem.documents.documents import homework
from symbolic_mem.documents.parts import part
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.device_count import DeviceCount
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.instants import one_is_asked
from symbolic_mem.questions.parts.printed import verdict
from symbolic_mem.questions.parts.rules import reason_words
from symbolic_mem.render.json import jsonable
from symbolic_mem.render.text import plain_chain, plain_prose
from symbolic_mem.solvers.degree import Applied, Reason, smallest_degree
from symbolic_mem.solvers.profile import Profile
from symbolic_mem.solvers.rules import MultipleOf, allowed
from symbolic_mem.study.changes import changes
from symbolic_mem.sweeps.sweep import sweep

GPUS = "jax-ml/scaling-book, gpus.md of 18 August 2025, commit 1a55377"

DATA = json.loads((Path(__file__).parents[1] / "data" / "bounds.json").read_text(encoding="utf-8"))


def derived(study, **options):
    question = MinDegree.read(options, "here", "x")
    found = question.answer(study.under(question))
    return part(found), found


def small():
    """A study of which 40 MiB ask for six devices."""
    values = {"d_model": 512, "d_ff": 2048, "L": 4, "B": 16, "S": 256}
    return load_study("cs336-a2-xxl").called(changes(values=values, place={"activations": "1"}))


def ask(**options):
    study = load_study("cs336-a2-xxl").called(changes(place={"activations": "1"}))
    section, found = derived(study, **({"capacity": "80 GiB"} | options))
    lines = [plain_chain(chain) for block in section.blocks for chain in getattr(block, "chains", ())]
    said = [
        plain_prose(getattr(block, "prose", None) or block.statement)
        for block in section.blocks
        if hasattr(block, "prose") or hasattr(block, "statement")
    ]
    return jsonable(found.facts), lines, said


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        ({}, "plain"),
        ({"whole_samples": True}, "whole_samples"),
        ({"divides": "B"}, "divides_batch"),
        ({"padded_rows": True}, "plain"),
    ],
)
def test_degrees_of_the_reference_problem(rules, key):
    assert ask(**rules)[0]["value"] == DATA["rules_xxl"][key]


def test_every_rule_is_a_step_of_its_own():
    found, lines, said = ask(whole_samples=True, multiple_of=8, power_of_two=True)
    assert [(rule["before"], rule["after"]) for rule in found["rules"]] == [(68, 71), (71, 72), (72, 128)]
    assert any(line.startswith("M_71 = ") and "⌈128/71⌉" in line for line in lines)
    assert "8 · 9 = 72 ≥ 71" in lines and "n_fsdp = 2^7 = 128 ≥ 72" in lines
    assert any("From 71 on, the first that also" in line or "From 71 on, the first is 72" in line for line in said)
    assert found["largest_allowed_below"] == 64 and found["value_without_rules"] == 68
    assert found["at_largest_allowed_below_bytes"] > found["capacity_bytes"] >= found["per_device_bytes"]


def test_contradictory_rules_are_an_explained_answer():
    found, _, said = ask(multiple_of=8, divides="L")
    assert (found["feasible"], found["value"]) == (False, None)
    assert found["reason"] == "no degree is at once a multiple of 8 and a divisor of 126 (L)"
    assert said[-1].endswith("Without rules it is 68.")


def test_a_limit_below_the_need_is_explained():
    found, _, _ = ask(at_most=64)
    assert found["feasible"] is False and "at most 64" in found["reason"]


RULES = {"multiple_of": 8, "power_of_two": True, "divides": "d_ff"}


@pytest.mark.parametrize("keys", [keys for n in range(4) for keys in combinations(RULES, n)])
@pytest.mark.parametrize("at_most", [3, 6, 7])
def test_the_reason_why_no_degree_obeys_names_the_bound_without_the_rules_in_conflict(keys, at_most):
    study = small()
    options = {"capacity": "40 MiB"} | {name: RULES[name] for name in keys} | {"at_most": at_most}
    _, found = derived(study, **options)
    solved, reason = found.degree, found.degree.reason
    assert solved.ideal.value == 6
    if reason is None:
        assert solved.allowed.admits(solved.value)
    elif reason.code == "contradiction":
        assert allowed(reason.rules).first(1) is None
    else:
        assert (reason.code, reason.needed) == ("limit", 6)
        assert allowed(reason.rules).first(6) is None
        assert plain_prose(found.reason).startswith("at least 6 devices are needed, and no such number is ")


def test_a_rule_that_raised_the_degree_is_no_part_of_what_is_needed():
    section, found = derived(small(), capacity="40 MiB", power_of_two=True, at_most=6)
    assert plain_prose(found.reason) == (
        "at least 6 devices are needed, and no such number is a power of two and at most 6"
    )
    said = [plain_prose(block.statement) for block in section.blocks if hasattr(block, "statement")]
    assert "n_fsdp must be at most 6. From 8 on, no number also obeys the rules before." in said


def test_rules_that_some_degree_obeys_at_which_nothing_fits_are_not_said_to_leave_no_degree():
    memory = Memory((Term("w", "weights", sp.Integer(24), sp.S.One, "", degree=n_fsdp),))
    profile = Profile(0, 24)
    ideal = smallest_degree(memory, n_fsdp, 10, {})
    rule = MultipleOf(8)
    failed = replace(
        ideal,
        value=None,
        steps=(Applied(rule, 3, None, profile),),
        reason=Reason("unfit", (rule,), needed=3),
    )
    assert plain_prose(reason_words(failed)) == (
        "at least 3 devices are needed, and on no number of them that is a multiple of 8 does it fit"
    )


def test_what_is_reserved_and_usable_is_a_step():
    found, lines, said = ask(reserved="2 GiB", usable=0.95)
    counted = (80 * 2**30 - 2 * 2**30) * 19 / 20
    assert found["capacity_bytes"] == int(counted)
    assert any("C_mem = u (C_label − C_reserved) = " in line for line in lines)
    assert any("2 GiB of it are reserved" in line for line in said)
    assert found["value"] == -(-5817533202432 * 20 // (19 * 78 * 2**30))


@pytest.mark.parametrize("rule", [{"multiple_of": True}, {"multiple_of": "1/2"}, {"divides": "Q"}, {"at_most": "-3"}])
def test_a_rule_without_a_whole_number_is_refused(rule):
    with pytest.raises(BadInput):
        ask(**rule)


@pytest.mark.parametrize(
    ("exact", "printed", "found"),
    [
        (4187.5, "4187", "truncated"),
        (2218.75, "2218", "truncated"),
        (536, "536", "exact"),
        (1.875, "1.88", "rounded"),
        (226, "225", "different"),
    ],
)
def test_printed_figures(exact, printed, found):
    import sympy as sp

    assert verdict(sp.Rational(str(exact)), printed) == found


def test_a_figure_of_the_source_is_not_held_against_a_study_that_the_caller_changed():
    study = load_study("scaling-book-h100s")
    for changed, said in (
        (study, f"The printed figure is 9 ({GPUS}): it agrees."),
        (study.change(device="a100-40gb"), "The printed figure, "),
    ):
        printed = [asked for asked in changed.questions if getattr(asked, "printed", "")]
        words = [
            plain_prose(block.prose)
            for asked in printed
            for block in part(asked.answer(changed.under(asked))).blocks
            if isinstance(block, Paragraph) and "printed figure" in plain_prose(block.prose)
        ]
        assert len(words) == len(printed) and words[0].startswith(said), words
    assert words[0] == f"The printed figure, 9 ({GPUS}), is for the study as it stands."


def test_a_third_of_the_bytes_is_not_a_whole_number_and_the_lines_say_so():
    tiny = {"L": 1, "B": 1, "S": 1, "d_model": 100, "d_ff": 100}
    study = load_study("cs336-a2-xxl").called(changes(place={"activations": "1/3"}, rest="kept", values=tiny))
    section, found = derived(study, capacity="100 kB")
    lines = [plain_chain(chain) for block in section.blocks for chain in getattr(block, "chains", ())]
    # 2 weights of 100 x 100 with 16 bytes are 320000; of 2 x 200 bytes of activations a third is divided
    assert any(line.startswith("M_div") and "≈ 320,133.33333333 bytes" in line for line in lines)
    assert any(line.startswith("M_fix") and "≈ 266.66666666667 bytes" in line for line in lines)
    assert found.value == 4  # 320133.3/99733.3 = 3.2


def test_a_count_of_kinds_that_the_recipe_does_not_keep_is_refused():
    study = load_study("cs336-a2-xxl").called(changes(recipe="scaling-book-10"))
    question = DeviceCount.read({"capacity": "80 GiB", "kinds": ["gradients"]}, "here", "x")
    with pytest.raises(BadInput, match="question x counts nothing: of gradients none is kept; kept are weights, optim"):
        question.answer(study.under(question))


@pytest.mark.parametrize(("values", "degree"), [({}, None), ({"B": 1}, None), ({"B": 1, "S": 1024}, 1)])
def test_a_plan_that_divides_what_an_optimizer_without_states_lacks_asks_about_one_device(values, degree):
    """ZeRO-1 of SGD divides nothing, and is the run of data parallelism."""
    found = {}
    for plan in ("dp", "zero-1"):
        study = load_study("llama-3.1-8b").change(plan=plan, optimizer="sgd", values=values, device="h100-80gb")
        one = MinDegree.read({}, "here", "x").answer(study)
        found[plan] = (one.value if one.feasible else None, one.degree.ideal.fixed)
    assert found["zero-1"] == found["dp"] and found["dp"][0] == degree
    kept = load_study("llama-3.1-8b").change(plan="zero-1", recipe="bf16-master", optimizer="sgd")
    assert not one_is_asked(kept, n_fsdp)  # the optimizer's own weights are divided


@pytest.mark.parametrize("plan", ["dp", "zero-1"])
def test_every_face_answers_where_nothing_is_divided(plan):
    """A worked solution and a sweep ask about one device as `solve` does."""
    study = load_study("llama-3.1-8b").change(
        plan=plan, optimizer="sgd", values={"B": 1, "S": 1024}, device="h100-80gb"
    )
    (found,) = (one for one in homework(study).found if isinstance(one.question, MinDegree))
    labels = {"plan": plan, "optimizer": "sgd", "B": 1, "S": 1024}
    row = sweep("llama-3.1-8b", **{name: [label] for name, label in labels.items()}).at(**labels)
    assert found.value == 1 and bool(row["fits"]) and row["peak"] == found.held(1)


def test_a_plan_that_cuts_the_model_over_another_degree_names_it():
    study = load_study("llama-3.1-8b").change(plan="cp", device="h100-80gb")
    with pytest.raises(BadInput, match="the plan cuts the model over n_cp: ask for that degree"):
        MinDegree.read({}, "here", "x").answer(study)
