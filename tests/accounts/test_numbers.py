"""Numbers of an account come straight from its parts, and nothing is written out on the way."""

import pickle
from dataclasses import replace

import pytest
import sympy as sp

from symbolic_mem import account, n_fsdp, over, recipe
from symbolic_mem.accounts.instants import BACKWARD, STEP, instants
from symbolic_mem.base.errors import MissingValue
from symbolic_mem.base.exact import Numbers, number
from symbolic_mem.base.symbols import B, L, S, d_ff, d_model
from symbolic_mem.library.read import load_study

SIZES = {B: 3, S: 4096}


def _study(name):
    study = load_study(name)
    return study, {**SIZES, **study.values}


def _without_each_tensor(model):
    for position, layer in enumerate(model.layers):
        for tensor in layer.saved:
            fewer = replace(layer, saved=tuple(one for one in layer.saved if one is not tensor))
            yield replace(model, layers=(*model.layers[:position], fewer, *model.layers[position + 1 :]))


@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-8b", "deepseek-v3", "gpt2-xl"])
def test_the_parts_add_up_to_the_formula(name):
    study, values = _study(name)
    assert study.memory.at(values) == number(study.memory.total, values)
    for term in study.memory:
        assert term.at(values) == number(term.bytes, values)
    numbers = Numbers(values)
    for model in list(_without_each_tensor(study.model))[::7]:
        memory = account(model, study.recipe)
        assert memory.at(numbers) == number(memory.total, values)
    for state in study.recipe.states:
        more = replace(state, bytes_per_element=sp.Rational(7, 2))
        states = tuple(more if one is state else one for one in study.recipe.states)
        memory = account(study.model, replace(study.recipe, states=states))
        assert memory.at(numbers) == number(memory.total, values)


def test_placed_numbers_are_those_of_the_placed_formula():
    study, values = _study("llama-3.1-8b")
    placed = study.memory.place(weights=over(n_fsdp), activations=over(2 * n_fsdp, "1/3"), gradients=over(n_fsdp, "0"))
    at = values | {n_fsdp: 7}
    assert placed.at(at) == number(placed.total, at)
    for term in placed:
        assert sp.expand(sp.Add(*(part.elements for part in term.parts)) - term.elements) == 0


def test_a_number_writes_nothing_out(monkeypatch):
    study, values = _study("llama-3.1-8b")
    model = replace(study.model, layers=study.model.layers[::-1])

    def refuse(*_):
        raise AssertionError("an account was written out where only its number is wanted")

    monkeypatch.setattr(sp, "gcd_terms", refuse)
    assert account(model, study.recipe).at(values) == study.memory.at(values)


def test_an_account_is_made_once_for_a_model_and_a_recipe():
    study, _ = _study("deepseek-v3")
    same = replace(study.model, name=study.model.name)
    assert hash(same) == hash(study.model)
    assert account(same, study.recipe) is account(study.model, study.recipe)
    assert pickle.loads(pickle.dumps(study.memory)) == study.memory


def test_all_symbols_without_a_value_are_named():
    memory = load_study("cs336-a2-xxl").memory
    with pytest.raises(MissingValue, match="the memory needs a value for B, S, d_ff"):
        memory.at({L: 1, d_model: 2})
    assert memory.of("weights").at({L: 1, d_model: 2, d_ff: 3}) == 4 * 12


def test_gradients_that_do_not_persist_make_two_instants():
    kept, freed = recipe("cs336"), recipe("cs336").without_persistent_gradients()
    model = load_study("cs336-a2-xxl").model
    (together,) = instants(kept)
    assert account(model, kept, together).kinds == ("weights", "gradients", "optimizer", "activations")
    assert instants(freed) == (BACKWARD, STEP)
    assert [account(model, freed, one).kinds for one in instants(freed)] == [
        ("weights", "optimizer", "activations"),
        ("weights", "gradients", "optimizer"),
    ]
