"""The largest batch, length, width or model: golden answers, plain loops, what cannot be answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import L, S
from symbolic_mem.documents.parts import part
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.largest import Largest
from symbolic_mem.render.json import jsonable
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.changes import changes

DATA = json.loads((Path(__file__).parents[1] / "data" / "bounds.json").read_text(encoding="utf-8"))
CASES = {case["id"]: case["value"] for case in DATA["cases"]}


def ask(study, **options):
    question = Largest.read(options, "here", "x")
    found = question.answer(study.under(question))
    return part(found), found


def adamw():
    return load_study("cs336-a1-adamw")


@pytest.mark.parametrize(("capacity", "value"), [("80 GB", 2), ("80 GiB", 3)])
def test_the_batch_of_assignment_1_under_both_gigabytes(capacity, value):
    _, found = ask(adamw(), **{"for": "B"}, capacity=capacity)
    each, states = CASES["cs336-a1-adamw-act-per-seq"], 16 * CASES["cs336-a1-gpt2xl-params"]
    assert found.upper.value == value
    assert dict(found.upper.coefficients) == {0: states, 1: each}
    shown = jsonable(found.facts)
    assert shown["per_device_bytes"] == states + value * each
    assert shown["at_value_plus_one_bytes"] == states + (value + 1) * each


@settings(deadline=None, max_examples=15)
@given(st.integers(9, 60), st.sampled_from(["B", "S", "L", "d_model", "d_ff"]), st.booleans())
def test_small_models_against_a_plain_loop(mebibytes, name, strict):
    small = {"V": 50, "S": 16, "L": 2, "d_model": 16, "d_ff": 64, "n_heads": 2, "B": 3}
    study = adamw().called(changes(values=small))
    _, found = ask(study, **{"for": name}, capacity=f"{mebibytes} MiB", strict=strict)
    symbol, most = sp.Symbol(name, positive=True), mebibytes * 2**20
    total = study.memory.total.xreplace({s: v for s, v in study.values.items() if s != symbol})
    take = sp.lambdify(symbol, total, "math")
    low = 1
    while (take(low) < most) if strict else (take(low) <= most):
        low = low * 2 if ((take(2 * low) < most) if strict else (take(2 * low) <= most)) else low + 1
    assert found.upper.value == low - 1


def test_a_degree_may_be_given_and_must_be():
    study = load_study("cs336-a2-xxl")
    with pytest.raises(MissingValue, match="n_fsdp"):
        ask(study, **{"for": "B"}, capacity="95 GiB")
    _, found = ask(study.called(changes(values={"n_fsdp": 64})), **{"for": "B"}, capacity="95 GiB")
    per_sequence, states = 126 * (16384 + 53248) * 1024, 32 * 126 * 16384 * 53248
    most = (64 * 95 * 2**30 - states) // per_sequence
    assert found.upper.value == most


@pytest.mark.parametrize("name", ["tokens", "parameters", "T", "P"])
def test_tokens_and_parameters_have_their_names(name):
    study = load_study("cs336-a2-xxl").called(changes(values={"n_fsdp": 64}))
    _, found = ask(study, **{"for": name}, capacity="95 GiB")
    assert str(found.upper.bound.symbol) == name[0].upper()


def test_a_symbol_that_the_memory_lacks_names_those_that_it_has():
    with pytest.raises(BadInput, match=r"known: B, L, .*d_model"):
        ask(adamw(), **{"for": "n_kv"}, capacity="80 GB")


def test_infeasible_says_what_is_in_the_way():
    section, found = ask(adamw(), **{"for": "B"}, capacity="30 GB")
    assert found.upper.value is None and jsonable(found.facts)["feasible"] is False
    said = " ".join(plain_prose(b.prose) for b in section.blocks if hasattr(b, "prose"))
    assert "what does not depend on B already takes" in said


def test_beyond_64_bits_the_answer_is_exact():
    study = adamw().called(changes(values={"S": 1}))
    _, found = ask(study, **{"for": "B"}, capacity="9999999999 EB")
    constant, each = dict(found.upper.coefficients)[0], dict(found.upper.coefficients)[1]
    assert found.upper.value == (9999999999 * 10**18 - constant) // each > 2**63


@pytest.mark.parametrize("devices", [2, 4, 8, 16])
def test_a_stack_of_few_blocks_is_asked_at_the_instants_that_it_has(devices):
    study = load_study("llama-3.1-8b").change(
        capacity="79 GiB", values={"n_fsdp": devices, "d_model": 16384, "d_ff": 53248, "n_heads": 128, "B": 1, "S": 512}
    )
    found = Largest(symbol=L, label="solve").answer(study)

    def fits(blocks):
        some = study.change(values={"L": blocks})
        return max(one.memory.placed(some.placement).at(some.values) for one in some.timeline) <= found.capacity.counted

    most = max((blocks for blocks in range(1, 12) if fits(blocks)), default=None)
    assert found.value == most


def test_a_loss_in_chunks_asks_for_tokens_that_divide():
    study = load_study("llama-3.1-8b").change(
        capacity="79 GiB", loss="chunked:16", values={"n_fsdp": 8, "B": 4, "S": 4096}
    )
    found = Largest(symbol=S, label="solve").answer(study)
    assert found.value is not None and found.value % 4 == 0 and 4 * found.value % 16 == 0
    capacity = found.capacity.counted
    assert found.held(found.value) <= capacity < found.held(found.value + 4)
    free = Largest(symbol=S, label="solve").answer(study.change(loss="fp32-held"))
    assert not free.upper.rules
