"""Activations in flight on each rank of a pipeline, against a walk over the actions of the schedule."""

from __future__ import annotations

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import n_chunks, n_group, n_micro, n_pp
from symbolic_mem.library.read import load_study
from symbolic_mem.plans.pipeline import pipeline, pipelines
from symbolic_mem.plans.read import read_plan
from symbolic_mem.questions.parts.assumptions import divided_model, pipeline_ends
from symbolic_mem.render.text import plain_prose


def most_alive(actions: list[str]) -> int:
    alive = most = 0
    for action in actions:
        alive += 1 if action == "F" else -1
        most = max(most, alive)
    return most


def one_f_one_b(warm: int, number: int) -> list[str]:
    """A warm-up of forward passes, then one of each, then the backward passes that are left."""
    warm = min(warm, number)
    steady = ["F", "B"] * (number - warm)
    return ["F"] * warm + steady + ["B"] * warm


@pytest.mark.parametrize("micro", [4, 5, 8, 16])
@pytest.mark.parametrize("stages", [1, 2, 4])
def test_1f1b_holds_what_a_walk_over_its_actions_holds(stages, micro):
    walked = tuple(most_alive(one_f_one_b(stages - rank - 1, micro)) for rank in range(stages))
    assert pipeline("1f1b").counts({n_pp: sp.Integer(stages), n_micro: sp.Integer(micro)}) == walked


@pytest.mark.parametrize(
    ("stages", "chunks", "group", "micro"), [(2, 2, 2, 8), (4, 2, 4, 8), (4, 4, 4, 4), (4, 2, 5, 20), (2, 3, 2, 2)]
)
def test_interleaved_holds_what_a_walk_over_its_actions_holds(stages, chunks, group, micro):
    walked = []
    for rank in range(stages):
        warm = (chunks - 1) * group + 2 * (stages - rank - 1)
        walked.append(most_alive(one_f_one_b(warm, micro * chunks)))
    values = {n_pp: stages, n_chunks: chunks, n_group: group, n_micro: micro}
    assert pipeline("interleaved").counts({symbol: sp.Integer(value) for symbol, value in values.items()}) == tuple(
        walked
    )


def test_the_first_rank_of_interleaved_is_korthikanti_s_factor():
    """Korthikanti et al. (2022), section 4.2.3: L (1 + (p - 1)/(p v)) layers of activations on the first stage."""
    p, v = 8, 4
    first = pipeline("interleaved").counts({n_pp: sp.Integer(p), n_chunks: sp.Integer(v), n_micro: sp.Integer(64)})[0]
    assert sp.Rational(first, p * v) == 1 + sp.Rational(p - 1, p * v)


def test_every_schedule_has_a_source_and_a_count_that_does_not_grow_from_rank_to_rank():
    for one in pipelines().values():
        values = {n_pp: sp.Integer(4), n_micro: sp.Integer(16)} | ({} if one.chunks else {n_chunks: sp.Integer(2)})
        counts = one.counts(values)
        assert one.source and list(counts) == sorted(counts, reverse=True)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("zb-h1", {n_pp: 4, n_micro: 3}, "at least n_pp = 4 micro-batches, and n_micro = 3"),
        (
            "interleaved",
            {n_pp: 4, n_chunks: 2, n_micro: 6},
            "a multiple of n_group = 4 micro-batches, or n_pp = 4 or more over it, and n_micro = 6",
        ),
        ("interleaved", {n_pp: 4, n_chunks: 2, n_micro: 3}, "at least n_group = 4 micro-batches, and n_micro = 3"),
        ("interleaved", {n_pp: 4, n_chunks: 2, n_micro: 8, n_group: 3}, "n_group = 3 micro-batches through a chunk"),
        ("interleaved", {n_pp: 4, n_chunks: 2, n_micro: 8, n_group: 5}, "a multiple of n_group = 5 micro-batches, or"),
        ("zbv", {n_pp: 4, n_chunks: 3, n_micro: 8}, "has 2 chunks on each rank, and n_chunks = 3"),
        ("dualpipe-v", {n_pp: 4, n_micro: 4}, "at least 2*n_pp = 8 micro-batches"),
    ],
)
def test_what_an_engine_refuses_is_one_line(name, values, said):
    with pytest.raises(BadInput) as refused:
        pipeline(name).counts({symbol: sp.Integer(value) for symbol, value in values.items()})
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("stages", [4, 16, 24, 32])
def test_v_half_holds_half_of_what_1f1b_holds_and_one_micro_batch_more(stages):
    """Qi et al. (2024): (p + 2)/2 micro-batches on each rank, where the first rank of 1F1B has p; a chunk is half a stage."""
    given = {n_pp: sp.Integer(stages), n_micro: sp.Integer(128)}
    counts = pipeline("v-half").counts(given)
    assert {sp.Rational(count, 2) for count in counts} == {sp.Rational(pipeline("1f1b").counts(given)[0], 2) + 1}


def test_fewer_micro_batches_than_stages_are_all_in_flight_on_the_first_of_them():
    """Megatron-LM runs them: a rank warms up with as many as there are."""
    counts = pipeline("1f1b").counts({n_pp: sp.Integer(4), n_micro: sp.Integer(2)})
    assert counts == (2, 2, 2, 1)
    one = load_study("llama-3.1-8b").change(plan="megatron", values={"n_pp": 4, "n_micro": 2})
    assert "There are fewer micro-batches, n_micro = 2, than the 4 stages" in " ".join(
        map(plain_prose, divided_model(one))
    )
    enough = one.change(values={"n_micro": 4})
    assert "fewer than" not in " ".join(map(plain_prose, divided_model(enough)))


def test_a_last_group_may_be_smaller_but_has_a_micro_batch_for_each_stage():
    """Megatron-LM: the rest of the micro-batches over whole groups is none, or at least as many as there are stages."""
    given = {n_pp: sp.Integer(4), n_chunks: sp.Integer(2), n_group: sp.Integer(6)}
    assert pipeline("interleaved").counts({**given, n_micro: sp.Integer(10)}) == (13, 11, 9, 7)
    with pytest.raises(BadInput, match="or n_pp = 4 or more over it, and n_micro = 9"):
        pipeline("interleaved").counts({**given, n_micro: sp.Integer(9)})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"preset": "fsdp2", "schedule": "1f1b"}, "has no stages, so there is no schedule"),
        ({"preset": "pp", "schedule": "2f2b"}, "unknown schedule '2f2b'"),
        ({"preset": "pp", "layers": "many"}, "layers"),
        ({"preset": "fsdp2", "engine": "te-2.11"}, "no instants of an engine are known"),
        ({"preset": "megatron", "engine": "z80"}, "unknown engine 'z80'"),
    ],
)
def test_keys_of_a_plan_that_it_does_not_have_are_refused(table, said):
    with pytest.raises(BadInput, match=said):
        read_plan(table, "my.toml [plan]")


@pytest.mark.parametrize("name", list(pipelines()))
def test_the_ranks_that_are_said_to_have_most_in_flight_have_most(name):
    values = {n_pp: sp.Integer(4), n_micro: sp.Integer(32)} | (
        {} if pipeline(name).chunks else {n_chunks: sp.Integer(2)}
    )
    counts = pipeline(name).counts(values)
    first_has_most = counts[0] == max(counts) and len(set(counts)) > 1
    assert pipeline_ends(pipeline(name)).startswith("Of ranks with the same blocks the first") == first_has_most
    assert pipeline_ends(pipeline(name)).startswith("All ranks have equally many") == (len(set(counts)) == 1)
