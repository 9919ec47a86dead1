"""What every face says with an answer: too little room for a process, sequences that are cut, what a count divides."""

import json

import pytest

from symbolic_mem.cli.main import main
from symbolic_mem.hardware.catalogue import device
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.uncounted import uncounted_bytes, uncounted_records
from symbolic_mem.render.text import plain_prose


def said(capsys, *arguments):
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def cautions(capsys, *arguments):
    return json.loads(said(capsys, *arguments, "--json")).get("cautions", [])


def of_room(capsys, *arguments):
    """Those about what a process finds free."""
    return [
        one for one in cautions(capsys, *arguments) if not one.startswith(("Whole rows of tensors", "PyTorch runs on"))
    ]


def test_a_fit_whose_rows_may_take_more_than_is_left_says_so_and_counting_them_it_takes_more(capsys):
    asked = ("solve", "llama-3.1-405b", "--question", "b", "--json")
    found, padded = (json.loads(said(capsys, *asked, *more)) for more in ((), ("--padded-rows",)))
    (caution,) = (one for one in found["cautions"] if one.startswith("Whole rows of tensors"))
    assert caution.endswith("solve --padded-rows counts them.") and found["value"] < padded["value"]
    assert not any(one.startswith("Whole rows of tensors") for one in padded.get("cautions", ()))


def test_a_fit_that_no_process_has_room_for_says_so(capsys):
    asked = ("solve", "llama-3.1-405b", "--question", "b")
    (caution,) = of_room(capsys, *asked)
    assert caution.startswith("A process finds ≈ 78.664 GiB free on such a device")
    assert "caution     A process finds ≈ 78.664 GiB free" in said(capsys, *asked)
    assert not of_room(capsys, *asked, "--reserve", "1007 MiB")


def test_an_account_says_its_cautions_to_readers_and_to_programs(capsys):
    device, rows = ("--device", "h100-80gb"), ("--capacity", "119 GiB")
    for asked, beginning in (
        (("llama-3.1-8b", "--set", "n_fsdp=4", *device), "A process finds ≈ 78.664 GiB free"),
        (("qwen3-30b-a3b", "--set", "n_fsdp=9", *rows), "Whole rows of tensors may take ≈ 3.2864 GiB more"),
    ):
        (caution,) = cautions(capsys, "account", *asked)
        assert caution.startswith(beginning) and f"caution      {caution}" in said(capsys, "account", *asked)
    assert not cautions(capsys, "account", "llama-3.1-8b", "--set", "n_fsdp=8", *device)


def test_a_fit_within_the_stated_reserve_of_a_device_that_nobody_measured_says_so(capsys):
    asked = ("solve", "llama-3.1-405b", "--device", "tpu-v5p", "--reading", "binary")
    (caution,) = of_room(capsys, *asked)  # 62 MiB to spare of 95 GiB, of which XLA can use 95.74 GiB
    assert caution.startswith("≈ 94.939 GiB are needed, less than 1 GiB below the ≈ 95.74 GiB that software reports.")
    assert "518.625 MiB to ≈ 1.1151 GiB less than software reports" in caution
    assert not of_room(capsys, *asked, "--reserve", "1 GiB")
    assert not cautions(capsys, "solve", "cs336-a2-xxl")  # 94.5 GiB are more than 1 GiB below 95.74 GiB


def test_a_fit_of_the_label_beyond_what_software_reports_says_that_it_is_more(capsys):
    (caution,) = cautions(
        capsys, "solve", "qlora-llama-3.1-8b", "--question", "b", "--reading", "binary"
    )  # 25,768,925,056 of 24 GiB
    assert caution.startswith("≈ 23.999 GiB are needed, more than the ≈ 23.988 GiB that software reports.")
    assert "less than 1 GiB" not in caution


@pytest.mark.parametrize("name", ["a100-40gb", "h100-80gb", "h200"])
def test_a_process_finds_less_than_the_driver_shows(name):
    found = device(name)
    assert found.process is not None
    assert found.reported is not None
    assert 0.98 < found.process.bytes / found.reported < 1


def test_more_devices_than_sequences_are_named_with_the_rule_that_forbids_it(capsys):
    asked = ("solve", "cs336-a2-xxl", "--set", "B=2")
    (caution,) = cautions(capsys, *asked)
    assert "(n_fsdp = 35, B = 2)" in caution
    assert "--whole-samples" in caution
    assert not cautions(capsys, *asked, "--whole-samples")
    assert not cautions(capsys, "solve", "cs336-a2-xxl")  # 46 devices for 128 sequences


ZERO_2 = ("llama-3.1-8b", "--plan", "zero-2", "--recompute", "full", "--set", "B=1")
SIZES, BESIDE = "What is not counted may take up to ", "What is not counted may not fit beside it."


def test_a_fit_beside_which_what_is_not_counted_has_no_room_is_not_said_bare(capsys):
    found = json.loads(said(capsys, "solve", *ZERO_2, "--json"))
    study = load_study("llama-3.1-8b").change(recompute="full", values={"B": 1})
    in_step = [one["bytes"] for one in found["not_counted"] if "its step" in one["what"]]
    in_passes = [one["bytes"] for one in found["not_counted"] if one["bytes"] and "its step" not in one["what"]]
    gone = study.memory.of("activations", "buffers").at(study.numbers)
    sizes = sum(in_step) - gone  # the copy of AdamW has the room of the activations
    assert len(in_step) == 2 and len(in_passes) == 5 and sizes > sum(in_passes)
    left = found["capacity_bytes"] - found["per_device_bytes"]
    (caution,) = found["cautions"]
    assert sizes > left > 0 and caution.startswith(f"{SIZES}≈ {sizes / 2**30:.5} GiB beside what is counted")
    assert f"and ≈ {left / 2**30:.5} GiB are left" in caution
    shown = said(capsys, "solve", *ZERO_2)
    assert f"fits its ≈ 79.647 GiB. {BESIDE}" in shown and f"caution     {caution}" in shown
    there = ("--set", "n_fsdp=2", "--device", "h100-80gb")
    account = said(capsys, "account", *ZERO_2, *there)
    assert f"stay free; {BESIDE[0].lower()}{BESIDE[1:-1]}\n" in account and f"caution      {caution}" in account
    assert cautions(capsys, "account", *ZERO_2, *there) == [caution]
    assert f"and what is kept fits there. {caution}" in said(capsys, "check", *ZERO_2, "--claim", "n_fsdp=2")
    assert said(capsys, "solve", *ZERO_2, "--for", "B", "--set", "n_fsdp=2").splitlines()[1].endswith(BESIDE)


@pytest.mark.parametrize("name", ["cs336-a1-adamw", "cs336-a1-2026-adamw"])
def test_what_the_optimizer_makes_when_the_activations_are_gone_has_their_room(name, capsys):
    """At B = 3 the step holds 16 P and the copy of 4 P, far less than the states with their activations."""
    asked = ("solve", name, "--question", "b, binary")
    assert not [one for one in cautions(capsys, *asked) if one.startswith(SIZES)]
    assert BESIDE not in said(capsys, *asked)
    study = load_study(name)
    copy = 4 * int(study.model.parameters.xreplace(dict(study.values)))
    for size in (1, 64, 1024):
        seen = study.change(values={"B": 1, "S": size})
        gone = seen.memory.of("activations").at(seen.numbers)
        gradients_of_logits = 4 * size * 50257
        assert uncounted_bytes(seen, seen.values) == max(gradients_of_logits, copy - gone)


def test_at_a_degree_with_room_the_smallest_one_alone_is_said_so(capsys):
    asked = (*ZERO_2, "--set", "n_fsdp=16")
    assert (
        said(capsys, "solve", *asked)
        .splitlines()[1]
        .endswith("At n_fsdp = 2 what is not counted may not fit beside it.")
    )
    assert not cautions(capsys, "solve", *asked)


def test_a_mesh_that_no_process_has_room_for_says_so(capsys):
    asked = ("fit", "cluster-mixtral-8x7b", "--plans", "64", "--sequences", "128")
    (caution,) = cautions(capsys, *asked)  # it cuts least of 125 that fit, with 0.31 GiB of 79.65 left
    assert caution.startswith("A process finds ≈ 78.664 GiB free") and "≈ 79.336 GiB are needed" in caution
    assert caution in said(capsys, *asked)
    assert not cautions(capsys, *asked[:3], "32", *asked[4:])


def test_a_sum_under_a_plan_is_a_run_and_as_its_source_places_it_none(capsys):
    asked = ("solve", "llama-3.1-8b", "--recipe", "bf16-master", "--plan", "zero-2", "--set", "B=1")
    (caution,) = (one for one in cautions(capsys, *asked) if one.startswith(SIZES))
    assert caution and not cautions(capsys, "solve", "cs336-a2-xxl")


def test_a_count_that_divides_what_is_kept_whole_says_so():
    study = load_study("llama-3.1-8b")
    question = study.question("a")
    (caution,) = question.answer(study.under(question)).cautions
    assert "It divides the activations, too" in plain_prose(caution)
    even = load_study("cs336-a2-xxl")
    question = even.question("a")
    assert question.answer(even.under(question)).cautions == ()


def test_a_count_is_of_the_whole_model_which_a_plan_cuts(capsys):
    cut = ("--plan", "fsdp2+torch-sp", "--set", "n_tp=2")
    asked = ("solve", "llama-3.1-8b", "--question", "a", "--json")
    whole, found = (json.loads(said(capsys, *asked, *more)) for more in ((), cut))
    assert found["value"] == whole["value"] == 3
    (caution,) = found["cautions"]
    assert caution.startswith("This counts amounts of memory, those of the whole model, which the plan cuts;")
    degree = json.loads(said(capsys, "solve", "llama-3.1-8b", *cut, "--json"))
    assert any(each.startswith("The model itself is divided over n_tp devices") for each in degree["assumptions"])


@pytest.mark.parametrize("recipe", ["deepspeed-z2-20", "zero-offload"])
def test_a_recipe_that_keeps_weights_whole_says_so_where_they_are_divided(capsys, recipe):
    asked = ("account", "llama-3.1-8b", "--recipe", recipe, "--set", "n_fsdp=8", "--json")
    told, kept = (json.loads(said(capsys, *asked, *more)) for more in ((), ("--plan", "zero-2")))
    words = "keeps the weights whole on every device, and here they are divided: plan zero-2 keeps them whole."
    assert words in " ".join(told["assumptions"]) and "keeps the weights whole" not in " ".join(kept["assumptions"])
    weights = 2 * 8_030_261_248
    assert kept["per_device"]["total_bytes"] - told["per_device"]["total_bytes"] == weights - weights // 8


def test_what_the_loss_holds_and_what_the_optimizer_makes_are_never_there_together(capsys):
    """With 256 tokens the copy of the step is more than the activations that are gone then, and the loss has what is left."""
    study = load_study("cs336-a1-adamw").change(values={"B": 1, "S": 256})
    told = [one for one in uncounted_records(study, study.values) if one["bytes"]]
    logits, copy = (one["bytes"] for one in told)
    gone = study.memory.of("activations").at(study.numbers)
    assert (logits, copy) == (4 * 256 * 50257, 4 * 2_127_057_600) and copy - gone > logits
    needed = study.memory.at(study.numbers)
    for room, cautioned in ((copy - gone, 0), (copy - gone - 1, 1), (copy - gone + logits - 1, 0)):
        asked = ("account", "cs336-a1-adamw", "--set", "B=1", "--set", "S=256", "--capacity", f"{needed + room} B")
        assert sum(one.startswith(SIZES) for one in cautions(capsys, *asked)) == cautioned
