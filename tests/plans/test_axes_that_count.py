"""A degree of a plan changes what the ranks hold, or it is said beside the answer that it does not, or it is refused."""

from __future__ import annotations

from functools import cache

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import n_chunks, n_group, n_micro, n_pp
from symbolic_mem.library.read import load_study
from symbolic_mem.plans.pipeline import pipeline, pipelines
from symbolic_mem.questions.parts.assumptions import idle_degrees
from symbolic_mem.questions.parts.unread import refuse_unread
from symbolic_mem.render.text import plain_prose

AXES = ("n_tp", "n_pp", "n_cp", "n_ep", "n_etp", "n_micro", "n_chunks", "n_group")
REFUSED = {
    ("llama-3.1-8b", "megatron", "n_ep"): "n_ep = 2: it divides routed experts, and this model has none",
    (
        "mixtral-8x7b",
        "zero-1+megatron-tp+pp",
        "n_tp",
    ): "n_tp = 2: Megatron-LM trains no mixture of experts .* take plan",
}
PLANS = ("zero-1", "fsdp2", "fsdp2+torch-tp", "fsdp2+cp", "distributed-optimizer", "zero-1+megatron-tp+pp", "megatron")


@cache
def _base(name, plan):
    return load_study(name).change(plan=plan, values={"n_fsdp": 8})


def _held(study):
    """What each instant of a step holds, and what is kept without one."""
    seen = [(one.words, study.seen_at(one).placed().total) for one in study.timeline]
    kept = study.seen_at(None)
    return [*((words, study.numbers[total]) for words, total in seen), ("kept", kept.numbers[kept.placed().total])]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("name", ["llama-3.1-8b", "mixtral-8x7b"])
def test_a_degree_of_two_changes_what_is_held_or_is_named(name, plan):
    base = _base(name, plan)
    for axis in (*AXES, "n_replica"):
        beside = {"n_micro": 4} if axis == "n_pp" else {}
        if (refused := REFUSED.get((name, plan, axis))) is not None:
            with pytest.raises(BadInput, match=refused):
                base.change(values={axis: 2})
            continue
        study = base.change(values={axis: 2, **beside})
        named = any(plain_prose(said).startswith(f"{axis} = 2 ") for said in idle_degrees(study))
        assert named == (_held(study) == _held(base)), axis


@pytest.mark.parametrize("plan", ["pp", "fsdp2+pp", "fsdp2+torch-tp+pp", "dp+torch-sp+pp", "hsdp+pp", "zero-3+cp+pp"])
def test_stages_without_an_engine_are_refused_and_one_stage_is_not(plan):
    study = load_study("llama-3.1-8b")
    with pytest.raises(BadInput, match=r"with n_pp = 4: .* give plan megatron, .* or leave pp out") as refused:
        study.change(plan=plan, values={"n_tp": 2, "n_pp": 4, "n_micro": 8})
    assert "\n" not in str(refused.value)
    alone = study.change(plan=plan, values={"n_tp": 2, "n_pp": 1, "n_fsdp": 8})
    without = plan.replace("+pp", "") if "+" in plan else "one-device"
    assert _held(alone) == _held(study.change(plan=without, values={"n_tp": 2, "n_fsdp": 8}))


def test_the_product_that_the_refusal_names_counts_the_stages():
    study = load_study("llama-3.1-8b").change(plan="zero-1+megatron-tp+pp", values={"n_fsdp": 8, "n_micro": 8})
    more = study.change(values={"n_pp": 4})
    assert max(total for _, total in _held(more)[:-1]) < max(total for _, total in _held(study)[:-1])
    assert {one.rank for one in more.timeline} == {"the first stage", "the last stage"}


def test_replicas_count_under_a_plan_that_has_them_alone():
    study = load_study("llama-3.1-8b").change(values={"n_fsdp": 8})
    for plan, same in (("fsdp2", True), ("hsdp", False)):
        one, two = (study.change(plan=plan, values={"n_replica": number}) for number in (1, 2))
        assert (_held(one) == _held(two)) is same


def test_a_schedule_reads_what_changes_what_its_ranks_hold():
    values = {n_pp: 4, n_micro: 16, n_chunks: 2, n_group: 4}
    for name, order in pipelines().items():
        given = {symbol: value for symbol, value in values.items() if symbol != n_chunks or not order.chunks}
        for symbol, more in ((n_group, 8), (n_micro, 32), *([] if order.chunks else [(n_chunks, 3)])):
            if order.counts(given) != order.counts({**given, symbol: more}):
                assert symbol in pipeline(name).reads, (name, symbol)


def test_a_degree_is_refused_where_no_memory_is_asked_for():
    with pytest.raises(BadInput, match="n_tp = 4: nothing that flops-palm-chinchilla asks reads n_tp"):
        refuse_unread(load_study("flops-palm-chinchilla").change(values={"n_tp": 4}))


@pytest.mark.parametrize("plan", ["cp", "cp-all-to-all", "fsdp2-cp", "megatron"])
def test_ranks_along_an_axis_that_divides_nothing_of_a_stack_are_refused(plan):
    stack = load_study("cs336-a2-xxl")
    with pytest.raises(
        BadInput, match=f"plan '{plan}' with n_cp = 2: it divides tokens of a sequence, .*; leave n_cp out"
    ):
        stack.change(plan=plan, values={"n_cp": 2, "n_fsdp": 8})
    assert _held(stack.change(plan=plan, values={"n_cp": 1, "n_fsdp": 8}))


def test_logits_alone_are_divided_over_an_axis():
    whole = load_study("llama-3.1-8b").change(plan="fsdp2", values={"n_fsdp": 8})
    divided = whole.change(plan="fsdp2+loss-parallel", values={"n_tp": 2})
    assert dict(_held(divided)) != dict(_held(whole))
