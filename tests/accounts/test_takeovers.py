"""Where another instant of a step takes over: the instants themselves at the value that is named, and at the one before it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import sympy as sp
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, S, V, lookup, n_fsdp
from symbolic_mem.documents.account import Account
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.peaks import peak
from symbolic_mem.study.answered import found_for
from symbolic_mem.study.changes import changes

STEPS = (
    "cs336-a1-transformer",
    "cluster-deepseek-v3",
    "llama-3.1-70b",
    "mixtral-8x7b",
    "gpt2-xl",
    "qlora-llama-3.1-8b",
    "llama-3.1-8b",
    "cluster-llama-3-405b",
    "deepseek-v3",
    "lora-llama-3.1-8b",
    "qwen3-30b-a3b",
    "cluster-mixtral-8x7b",
)


def fullest(study, symbol, value):
    """The words of the instants at which one device holds most, of a step made anew at these values."""
    moved = replace(study, values={**study.values, symbol: sp.Integer(value)}, at=None)
    held = {}
    for one in moved.timeline:
        size = one.memory.placed(moved.placement).at(moved.values)
        held[one.words] = max(size, held.get(one.words, 0))
    return {words for words, size in held.items() if size == max(held.values())}


@pytest.mark.parametrize("name", sampled(STEPS, every=7))
def test_at_the_value_that_is_named_another_instant_is_the_fullest_and_one_before_it_is_not(name):
    draw, study, turned = random.Random(name), load_study(name), 0
    for _ in range(3):
        sets = {
            str(S): 2 ** draw.randrange(5, 11),
            str(B): draw.choice((1, 2, 4)),
            str(V): draw.randrange(1000, 300_000),
        }
        try:
            found = study.called(changes(values={str(n_fsdp): draw.choice((2, 8, 64)), **sets}))
        except BadInput:
            found = study.called(changes(values=sets))
        account = Account(found)
        most = peak(account.instants)
        assert account.per_device_record["takeovers"] == [one.record for one in most.turns.found]
        for turn in most.turns.found:
            symbol = lookup(turn.symbol)
            before = turn.value - 1 if turn.above else turn.value + 1
            assert turn.instant in fullest(found, symbol, turn.value)
            assert most.words not in fullest(found, symbol, turn.value)
            assert most.words in fullest(found, symbol, before), turn
            turned += 1
        for symbol in set(most.turns.symbols) - {one.symbol for one in most.turns.found}:
            assert most.words in fullest(found, lookup(symbol), 1000 if symbol == str(S) else 10**7)
    assert turned


def test_where_rows_are_cut_whole_it_is_said_of_what_does_not_cut_them():
    def most(tokens):
        study = load_study("llama-3.1-8b").change(values={"n_fsdp": 7, "S": tokens})
        return peak(Account(study, whole_rows=True).instants)

    even = peak(Account(load_study("llama-3.1-8b").change(values={"n_fsdp": 7})).instants).turns
    (turn,) = most(8192).turns.found
    assert even.symbols == ("B", "S", "V", "n_fsdp") and turn not in even.found
    assert turn.symbol == "S" and turn.instant == most(turn.value).words != most(turn.value + 1).words


def test_steps_are_those_of_the_bundled_studies_that_have_instants():
    assert set(STEPS) <= {name for name in bundled() if load_study(name).timeline}


@pytest.mark.parametrize(("name", "degree"), [("llama-3.1-8b", 8), ("llama-3.1-70b", 32), ("lora-llama-3.1-8b", 1)])
def test_the_margin_is_what_the_peak_is_over_every_other_phase(name, degree):
    study = load_study(name).called(changes(values={str(n_fsdp): degree}))
    told, held = Account(study).per_device_record, {}
    for one in study.timeline:
        size = one.memory.placed(study.placement).at(study.values)
        held[one.phase] = max(size, held.get(one.phase, 0))
    first, second = sorted(held.values(), reverse=True)[:2]
    assert (told["peak_bytes"], told["margin_bytes"]) == (first, first - second)


@pytest.mark.parametrize("capacity", ["200 GiB", "50 GiB", "30 GiB"])
@pytest.mark.parametrize("recompute", ["none", "full"])
def test_a_degree_that_is_found_has_the_turns_of_its_own_step(recompute, capacity):
    said = {"loss": "chunked:8", "gradients": "one-by-one", "optimizer": "adamw-fused", "recompute": recompute}
    study = load_study("llama-3.1-8b").change(plan="fsdp2", capacity=capacity, values={"B": 1, "S": 1024}, **said)
    found = found_for(study, study.question("b"))
    there = Account(study.change(values={"n_fsdp": found.value}))
    assert (found.value == 1) == (capacity == "200 GiB")
    assert peak(found.fullest_instants).turns.found == peak(there.instants).turns.found
