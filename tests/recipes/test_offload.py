"""What lives in the host's memory leaves the device, but for what is at work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symbolic_mem.accounts.account import on_host
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import at
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.hosted import hosted
from symbolic_mem.questions.parts.unread import refuse_unread
from symbolic_mem.recipes.read import recipe

STUDY = load_study("llama-3.1-8b").change(recipe="pure-bf16", plan="one-device", values={"B": 1, "S": 2048})


def most(study, *kinds):
    memories = (one.memory.of(*kinds) if kinds else one.memory for one in study.timeline)
    return max(memory.placed(study.placement).at(study.numbers) for memory in memories)


def test_states_leave_the_device_and_are_on_the_host():
    parameters = at(STUDY.model.parameters, STUDY.values)
    gone = STUDY.change(offload="optimizer")
    assert STUDY.memory.at(STUDY.values) - gone.memory.at(STUDY.values) == 4 * parameters
    assert on_host(gone.model, gone.recipe).at(gone.values) == 4 * parameters
    assert most(gone, "optimizer") == 0  # neither states nor the copies of a step


def test_gradients_are_on_the_device_as_they_are_made():
    gone = STUDY.change(offload="gradients,optimizer")
    largest = 2 * 128256 * 4096
    assert most(gone, "gradients") == largest < most(STUDY, "gradients")
    assert {"gradients", "AdamW moments"} == {term.name for term in on_host(gone.model, gone.recipe)}


@pytest.mark.parametrize("rule", ["none", "full"])
def test_activations_of_other_blocks_are_gone(rule):
    study = STUDY.change(recompute=rule)
    gone = study.change(offload="activations")
    held = on_host(gone.model, gone.recipe).at(gone.values)
    assert most(study, "activations") > most(gone, "activations")
    assert study.memory.at(study.values) == gone.memory.at(gone.values) + held
    longer = gone.change(values={"L": 64})
    assert most(longer, "activations") == most(gone, "activations")  # whatever the number of blocks is


def test_weights_are_there_as_they_are_gathered():
    gone = STUDY.change(offload="weights,gradients,optimizer")
    assert not gone.memory.of("weights", "gradients", "optimizer").terms
    block = 2 * (at(STUDY.model.parameters, STUDY.values) - 2 * 128256 * 4096 - 4096) // 32
    gathered = max(
        term.at(gone.numbers) for one in gone.timeline for term in one.memory if term.name == "gathered weights"
    )
    root = 2 * (2 * 128256 * 4096 + 4096)
    assert gathered == 2 * (
        block + root
    )  # when the first block is gathered: the gather's result, and the weights from it


@pytest.mark.parametrize("name", ["lora", "llama-factory-lora"])
def test_a_host_has_no_copies_that_are_cast_for_products(name):
    """Llama 3.1 8B with adapters of rank 8 on all linear layers: BF16 weights and FP32 adapters."""
    study = load_study("llama-3.1-8b").change(recipe=name, plan="one-device", offload="weights")
    assert hosted(study).at(study.values) == 2 * 8_030_261_248 + 4 * 20_971_520


def test_the_bytes_of_zero_offload_are_those_of_the_paper():
    study = load_study("llama-3.1-8b").change(recipe="zero-offload", plan="one-device")
    parameters = at(study.model.parameters, study.values)
    assert study.memory.of("weights", "gradients", "optimizer").at(study.values) == 2 * parameters
    assert on_host(study.model, study.recipe).at(study.values) == 14 * parameters


@pytest.mark.parametrize(
    ("kinds", "words"),
    [("caches", "cannot be offloaded; known"), ("gradients,x", "'x' cannot be offloaded"), ("", "names nothing")],
)
def test_an_offload_of_what_is_not_there_is_refused(kinds, words):
    with pytest.raises(BadInput, match=words):
        STUDY.change(offload=kinds)


def test_an_offload_that_nothing_keeps_is_refused():
    with pytest.raises(BadInput, match="keeps no gradients"):
        recipe("scaling-book-10").with_offload(("gradients",))
    with pytest.raises(BadInput, match="is one of inference"):
        recipe("inference").with_offload(("weights",))
    with pytest.raises(BadInput, match="recipe 'accelerate' counts no weights"):
        recipe("accelerate").with_offload(("optimizer",))
    with pytest.raises(BadInput, match="leave gradients out"):
        recipe("pure-bf16").in_backward_pass().with_offload(("gradients",))


def test_a_host_holds_the_fullest_stage_of_a_pipeline():
    """Llama 3.1 70B in plain arithmetic: 20 of 80 blocks cut over four ranks, Adam's 12 bytes divided over two."""
    values = {"n_tp": 4, "n_pp": 4, "n_fsdp": 2, "B": 1, "S": 512, "n_micro": 8}
    study = load_study("llama-3.1-70b").change(
        recipe="megatron-18", plan="zero-1+megatron-tp+pp", offload="optimizer", values=values
    )
    block = (2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672) // 4 + 2 * 8192
    words = -(-128256 // 512) * 128 * 8192  # rows of a rank are a multiple of 128
    assert hosted(study).at(study.values) == 6 * (20 * block + words + 8192)


def test_a_host_holds_whole_rows_where_devices_do():
    study = load_study("llama-3.1-8b").change(offload="optimizer", values={"n_fsdp": 7})
    even, rows = (Account(study, whole_rows=whole).held_on_host for whole in (False, True))
    blocks = 32 * (
        2 * -(-4096 // 7) * 4096 + 2 * -(-1024 // 7) * 4096 + 2 * -(-14336 // 7) * 4096 + -(-4096 // 7) * 14336
    )
    norms, words = 65 * -(-4096 // 7), 2 * -(-128256 // 7) * 4096
    assert rows == 8 * (blocks + norms + words) and even < rows


def test_a_value_that_the_host_alone_reads_counts():
    study = load_study("llama-3.1-8b").change(
        recipe="qlora", offload="weights,optimizer,gradients", values={"r_lora": 32}
    )
    Account(study).refuse_unread()
    refuse_unread(study)
    with pytest.raises(BadInput, match="reads E"):
        Account(study.change(values={"E": 4})).refuse_unread()


@pytest.mark.parametrize("kinds", ["gradients", "weights", "weights,gradients"])
def test_a_step_on_the_device_has_what_it_works_on_at_once(kinds):
    parameters = at(STUDY.model.parameters, STUDY.values)
    held = [
        one.memory.placed({}).at(STUDY.numbers) for one in STUDY.change(offload=kinds).timeline if one.phase == "step"
    ]
    assert held == [(2 + 2 + 4 + 2) * parameters]  # weights, gradients, moments, and AdamW's copy


def test_of_frozen_weights_a_step_on_the_device_has_none():
    frozen = load_study("lora-llama-3.1-8b").change(plan="one-device", offload="weights", values={"r_lora": 8})
    (held,) = {one.memory.of("weights").at(frozen.numbers) for one in frozen.timeline if one.phase == "step"}
    assert held == 4 * 32 * 8 * ((4096 + 4096) + (4096 + 1024))  # A and B of W_q and W_v, in FP32


def test_a_step_from_master_weights_does_not_read_the_others():
    study = STUDY.change(recipe="bf16-master", offload="weights")
    assert all(not one.memory.of("weights").terms for one in study.timeline if one.phase == "step")


def test_a_step_tensor_by_tensor_has_those_of_the_one_at_work():
    study = STUDY.change(optimizer="adamw", offload="gradients")
    one_by_one = replace(study.recipe, foreach=False)
    largest = 2 * 128256 * 4096
    held = [
        one.memory.of("gradients").at(STUDY.numbers)
        for one in replace(study, recipe=one_by_one).timeline
        if one.phase == "step"
    ]
    assert held and max(held) == largest
