"""What a rank holds in a step of DeepSpeed's ZeRO, against DeepSpeed's own bytes: see tests/data/measure_deepspeed.py."""

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem import gated_ffn, load_study, recipe
from symbolic_mem.accounts.timeline import timeline
from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput
from symbolic_mem.models.built import Built
from symbolic_mem.plans.read import plan
from symbolic_mem.questions.parts.uncounted import uncounted
from symbolic_mem.recipes.read import read_recipe

DATA = Path(__file__).parents[1] / "data"
CASES = json.loads((DATA / "deepspeed_zero.json").read_text(encoding="utf-8"))["cases"]
SIZES = {"n_fsdp": s.n_fsdp, "L": s.L, "d_model": s.d_model, "d_ff": s.d_ff, "B": s.B, "S": s.S}
NUMBER = 2  # bytes of BF16


def ours(case):
    """The fullest instant of each pass, of the package."""
    how = recipe("deepspeed-bf16").with_bucket(case["bucket"])
    if case.get("micro_batches", 1) == 1:
        how = how.without_persistent_gradients()
    if case.get("adamw") == "foreach":
        how = how.with_optimizer("adamw")
    shares = plan(f"zero-{case['stage']}").shares
    values = {symbol: case[name] for name, symbol in SIZES.items()}
    found = {"forward": 0, "backward": 0, "step": 0}
    for one in timeline(Built(gated_ffn(residual=True), {}), how, shares, values):
        phase = "backward" if one.phase == "loss" else one.phase
        found[phase] = max(found[phase], one.memory.placed(shares).at(values))
    return found


def parts(case):
    """The numbers of a rank's part of all weights, and of the whole tensors that it has a part of, tensor by tensor."""
    sizes = [case["d_model"] * case["d_ff"]] * 3 * case["L"]
    part = sum(sizes) // case["n_fsdp"]
    begin = case.get("rank", case["n_fsdp"] - 1) * part
    starts = [sum(sizes[:position]) for position in range(len(sizes))]
    whole = [size for at, size in zip(starts, sizes, strict=True) if at < begin + part and at + size > begin]
    return part, sum(whole)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rank_holds_what_deepspeed_holds(case):
    """To the byte, but for what tensors have beyond the rank's part; in ZeRO-2's backward pass at most a full bucket and the part more."""
    found, theirs = ours(case), case["bytes"]
    part, whole = parts(case)
    beyond, several = NUMBER * (whole - part), case.get("micro_batches", 1) > 1
    assert theirs["step"] == found["step"] + beyond
    assert theirs["forward"] == found["forward"] + (beyond if several and case["stage"] == 2 else 0)
    if case["stage"] == 1:
        assert theirs["backward"] == found["backward"]
    else:
        times = 2 if several else 1
        assert (
            0 <= found["backward"] + times * beyond - theirs["backward"] <= NUMBER * (case["bucket"] + whole) + beyond
        )


P, HEAD, BUCKET = 8_030_261_248, 128_256 * 4096, 500_000_000  # of Llama 3.1 8B


@pytest.fixture(scope="module")
def llama():
    study = load_study("llama-3.1-8b").change(recipe="deepspeed-bf16", recompute="full")
    how = study.recipe.without_persistent_gradients()

    def at(stage, n):
        shares, values = plan(f"zero-{stage}").shares, {**study.values, s.B: 1, s.n_fsdp: n}
        step = timeline(study.built, how, shares, values)
        found: dict[str, int] = {}
        for one in step:
            found[one.words] = max(found.get(one.words, 0), one.memory.placed(shares).at(values))
        return found

    return at


def test_the_step_flattens_a_rank_s_gradients_and_converts_them(llama):
    for stage in (1, 2):
        found = llama(stage, 8)["the optimizer step, when the gradients are flattened and converted"]
        ids = 2 * 1024  # nothing else of a batch is there
        assert found - (2 * P + (12 + 2 + 2 + 4) * P // 8) < ids * 4096


def test_a_gradient_larger_than_the_bucket_is_reduced_alone(llama):
    """Head and embedding have 525,336,576 numbers: each waits whole, and a copy of it is reduced, while the bucket is there."""
    assert HEAD > BUCKET
    found = llama(2, 8)
    alone = found["the reduction of the gradient of what comes before the blocks"]
    full = found["the reduction of a full bucket, when the gradient of what comes before the blocks is there"]
    assert alone - full == NUMBER * (HEAD - BUCKET)
    assert any(words.startswith("the reduction of the gradient of the head") for words in found)


def test_norms_are_taken_in_fp64_tensor_by_tensor(llama):
    """Measured: of a tensor larger than a rank's part, of 714,000 numbers, 5,712,000 bytes; get_norm_dtype of DeepSpeed."""
    for stage in (1, 2):
        found = llama(stage, 64)["the norm of the gradients"]
        assert 0 <= found - (2 * P + (12 + 2) * P // 64 + 8 * HEAD) < 2**20


def test_zero_3_of_deepspeed_has_no_instants_here():
    study = load_study("llama-3.1-8b").change(recipe="deepspeed-bf16")
    assert not timeline(study.built, study.recipe, plan("zero-3").shares, study.values)
    assert not timeline(study.built, study.recipe.with_offload(("optimizer",)), plan("zero-2").shares, study.values)


@pytest.mark.parametrize("given", [0, -1, 10**12 + 1, True])
def test_a_bucket_of_no_size_is_refused(given):
    with pytest.raises(BadInput, match="a whole number from 1 to 1,000,000,000,000"):
        recipe("deepspeed-bf16").with_bucket(given)


def test_a_recipe_without_a_bucket_takes_no_size_of_one():
    with pytest.raises(BadInput, match="recipe 'fsdp2' has no bucket; choose recipe deepspeed-bf16"):
        recipe("fsdp2").with_bucket(1000)


@pytest.mark.parametrize(("name", "schedule"), [("pure-bf16", "deepspeed"), ("deepspeed-bf16", "torch")])
def test_a_schedule_of_another_engine_is_refused(name, schedule):
    with pytest.raises(BadInput, match="of DeepSpeed"):
        recipe(name).with_schedule(schedule)


def test_gradients_that_are_accumulated_in_another_dtype_have_no_instants_here():
    how = recipe("deepspeed-bf16").override({"gradients": sp.Integer(4)})
    assert not timeline(Built(gated_ffn(), {}), how, plan("zero-2").shares, {})


def test_a_study_says_the_size_of_the_bucket():
    table = {"preset": "deepspeed-bf16", "reduce_bucket_size": 2_000}
    chosen = read_recipe(table, "study.toml [recipe]")
    assert chosen.bucket == 2000 and "a bucket of 2,000 numbers" in " ".join(chosen.changes)


def test_one_device_has_the_buckets_too_and_no_tensor_is_cut():
    """DeepSpeed reduces on one rank as on several: measured with n_fsdp = 1."""
    study = load_study("llama-3.1-8b").change(recipe="deepspeed-bf16", plan="zero-2", values={"n_fsdp": 1})
    assert not any("have beyond it" in row.words and row.there(study.values) for row in uncounted(study))
    cut = study.change(values={"n_fsdp": 2})
    (row,) = (row for row in uncounted(cut) if "have beyond it" in row.words)
    assert row.there(cut.values) and row.at(cut.values) == 2 * NUMBER * HEAD
