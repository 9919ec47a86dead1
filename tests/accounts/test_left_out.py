"""What an account leaves out: each size against peaks that engines measured, and how it is said in every face."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem import account, recipe
from symbolic_mem.accounts.left_out import (
    CONVERTED,
    GATHERED,
    GRADIENTS,
    KERNEL,
    LOSS,
    OTHER,
    OVER,
    ROWS,
    STEP,
    WORKING,
    LeftOut,
    beyond,
    left_out,
)
from symbolic_mem.accounts.units import units
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.symbols import B, L, Psi, S, V, d_ff, d_model, n_fsdp, n_tp
from symbolic_mem.claims.check import check
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.documents import documents
from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.models.built import Built
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.given import given_parameters
from symbolic_mem.models.own_profiles import profile_of
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.assumptions import idle_degrees
from symbolic_mem.questions.parts.uncounted import uncounted, uncounted_records
from symbolic_mem.recipes.read import presets
from symbolic_mem.render.document import render
from symbolic_mem.render.text import plain_prose
from symbolic_mem.solvers.shards import on_rank
from symbolic_mem.study.changed_recipe import use_profile, use_recipe
from symbolic_mem.study.changes import changes

CASES = json.loads((Path(__file__).parents[1] / "data" / "left_out.json").read_text(encoding="utf-8"))["cases"]
CONFIGS = Path(__file__).parents[1] / "data" / "hf_configs"
STATES = ("weights", "gradients", "optimizer")
SHARDED = {kind: Placed(n_fsdp) for kind in STATES}


def measured(*kinds):
    found = [case for case in CASES if case["kind"] in kinds]
    return pytest.mark.parametrize("case", found, ids=lambda case: case["id"])


def named(found: tuple[LeftOut, ...], name: str) -> LeftOut:
    (one,) = (one for one in found if one.name == name)
    return one


def near(case, value):
    return abs(value - case["value_bytes"]) <= case["tolerance_bytes"]


@measured("unit")
def test_a_backward_pass_holds_two_units_and_the_gradients_of_one_over_what_is_kept(case):
    given = case["inputs"]
    values = {symbol: given[str(symbol)] for symbol in (d_model, d_ff, L, S, n_fsdp)} | {B: given["samples"]}
    how = recipe(given["recipe"])
    kept = account(ffn(), how).placed(SHARDED).at(values)
    found = left_out(Built(ffn(), {}), how, SHARDED)
    freed = how.activations * values[B] * values[S] * values[d_ff]  # the last block has used its h by then
    counters = 8 * values[L]  # one step counter of 4 bytes for each of two tensors
    assert near(case, kept + counters + named(found, GATHERED).at(values) + named(found, GRADIENTS).at(values) - freed)


@measured("step")
def test_adamw_copies_the_parameters_of_the_rank(case):
    given = case["inputs"]
    built = Built(given_parameters(), {})
    assert near(
        case, named(left_out(built, recipe("fp32"), SHARDED), STEP).at({Psi: given["P"], n_fsdp: given["n_fsdp"]})
    )


@measured("loss")
def test_the_loss_of_a_sharded_model_holds_gradients_a_block_and_the_root(case):
    given = case["inputs"]
    study = load_study(given["study"]).called(
        [use_profile("hf-cuda-bf16"), *changes(values={name: given[name] for name in ("n_fsdp", "S", "B")})]
    )
    how = recipe("fsdp2").without_persistent_gradients()
    states = account(study.model, how).of(*STATES).placed(study.placement).at(study.values)
    found = left_out(study.built, how, study.placement)
    loss, gathered = (named(found, name).at(study.values) for name in (LOSS, GATHERED))
    assert loss is not None and gathered is not None
    assert near(case, states + loss + gathered)


@measured("loss backward")
def test_the_loss_holds_two_gradients_of_the_size_of_the_logits(case):
    given = case["inputs"]
    study = load_study("llama-3.1-8b").called([use_recipe(given["recipe"]), use_profile(given["profile"])])
    found = named(left_out(study.built, recipe(given["recipe"]), {}), LOSS)
    assert near(case, found.at({symbol: given[str(symbol)] for symbol in (B, S, V)}))


@pytest.mark.parametrize("profile", ["jax-bf16", "korthikanti"])
def test_a_loss_that_was_not_measured_has_no_size(profile):
    study = load_study("gpt2-xl" if profile == "korthikanti" else "llama-3.1-8b")
    built = study.built.under(profile_of(profile), None)
    assert named(left_out(built, recipe("fsdp2"), {}), LOSS).size is None


@pytest.mark.parametrize(("preset", "each"), [("fp32", 4), ("pure-bf16", 2)])
def test_a_loss_of_an_assignment_makes_the_gradients_of_the_logits_at_least(preset, each):
    study = load_study("cs336-a1-transformer").change(recipe=preset)
    (held,) = [one for one in left_out(study.built, study.recipe, {}) if one.name == OVER]
    assert held.at({**study.values, B: sp.Integer(2)}) == each * 2 * 1024 * 50257


@pytest.mark.parametrize(("profile", "each"), [("cs336-cuda-autocast", 6), ("cs336-cuda-fp32", 8)])
def test_a_loss_in_elementary_operations_holds_what_was_measured_over_what_it_keeps(profile, each):
    study = load_study("llama-3.1-8b")
    built = study.built.under(profile_of(profile), None)
    assert named(left_out(built, recipe("fsdp2"), {}), OVER).size == each * B * S * V
    how = recipe("fsdp2")
    assert OVER in {one.name for one in beyond(built.model, how, {}, left_out(built, how, {}))}


@pytest.mark.parametrize(
    "name", ["gemma-3-1b", "gpt-neox-20b", "phi-4-mini", "olmo-2-7b", "mixtral-8x7b", "llama-3.1-8b"]
)
@pytest.mark.parametrize(("profile", "kernel"), [("torch-cuda-bf16", "flash"), ("hf-cuda-bf16", "eager")])
@pytest.mark.parametrize("tokens", [128, 1024, 4096])
def test_a_described_block_holds_less_than_twice_what_it_keeps_over_its_fuller_end(name, profile, kernel, tokens):
    """Which is what is said of one that is not described: its ends are counted, with all that it keeps or all its gradients."""
    study = load_study(str(CONFIGS / f"{name}.json")).change(
        recipe="pure-bf16", profile=profile, kernel=kernel, values={"B": 2, "S": tokens}
    )
    for unit in units(study.model).blocks:
        assert unit.work is not None

        def size(moment, of=study.numbers):
            held = (of[one.elements] * (one.bytes_per_element or 2) for one in (*moment.kept, *moment.gradients))
            return sum(held) + 2 * sum(of[one.elements] for one in moment.made)

        keeps = sum(study.numbers[one.elements] * (one.bytes_per_element or 2) for one in unit.work.saved(unit.name))
        ends = max(keeps, 2 * sum(study.numbers[one.elements] for one in unit.trained))
        assert 0 < max(map(size, unit.work.backward(unit.name, False))) - ends < 2 * keeps


def test_a_block_that_is_not_described_says_how_much_it_may_work_with():
    """By hand, of the last block of DeepSeek-V3: twice what it keeps."""
    study = load_study("deepseek-v3").change(recipe="fsdp2", plan="fsdp2", values={"n_fsdp": 64})
    found = named(uncounted(study.seen_at(study.timeline[0])), WORKING)
    kept = [
        sum(
            study.numbers[layer.repeat * one.elements] * (one.bytes_per_element or 2)
            for layer in unit.layers
            for one in layer.saved
        )
        for unit in units(study.rank.model).blocks
    ]
    assert found.at(study.values) == 2 * max(kept)


def test_every_size_is_its_formula():
    for name in ("llama-3.1-8b", "deepseek-v3", "cs336-a2-xxl"):
        study = load_study(name)
        values = {**study.values, n_fsdp: sp.Integer(7)}
        for one in (*uncounted(study), *uncounted(study, degree=True)):
            assert (one.size is None) == (not one.sets)
            assert one.size is None or one.size.xreplace(values).doit() == one.at(values), one.name


def test_tensor_parallelism_divides_what_is_gathered_and_gathers_nothing_itself():
    (gathered, *_) = left_out(Built(ffn(), {}), recipe("fsdp2"), dict.fromkeys(STATES, Placed(n_fsdp * n_tp)))
    assert gathered.size == 8 * d_ff * d_model / n_tp
    found = left_out(Built(ffn(), {}), recipe("fsdp2"), dict.fromkeys(STATES, Placed(n_tp)))
    assert not {GATHERED, GRADIENTS} & {one.name for one in found}


def test_the_loss_is_divided_as_the_batch_is_also_where_activations_are_dropped():
    study = load_study("llama-3.1-8b")

    def size(placed):
        return named(left_out(study.built, recipe("fsdp2"), {"activations": placed}), LOSS).size

    whole = 4 * B * S * V
    half = sp.Rational(1, 2)
    assert size(Placed(n_fsdp)) == size(Placed(n_fsdp, half, "dropped")) == whole / n_fsdp
    assert sp.expand(size(Placed(n_fsdp, half, "kept")) - whole * (half / n_fsdp + half)) == 0


@pytest.mark.parametrize("name", [name for name, how in presets().items() if how.trains])
def test_the_words_of_a_recipe_stand_where_no_size_says_the_same(name):
    how = recipe(name)
    words = {one.words for one in left_out(Built(given_parameters(), {}), how, None) if one.name in (OTHER, ROWS)}
    assert words == {said.words for said in how.not_counted}
    sized = {one.name: one for one in left_out(Built(ffn(), {}), how, SHARDED)}
    assert set(sized) <= {GATHERED, GRADIENTS, STEP, OTHER, ROWS} and GRADIENTS in sized
    assert (GATHERED not in sized) == any(said.instead_of for said in how.not_counted)


def test_an_optimizer_without_a_measured_step_has_no_size_and_one_without_temporaries_no_line():
    def step(name):
        return [
            one.size for one in left_out(Built(ffn(), {}), recipe("fsdp2").with_optimizer(name), {}) if one.name == STEP
        ]

    assert step("adamw") == [8 * L * d_ff * d_model] and step("lion") == [None] and step("sgd") == []


@pytest.mark.parametrize(
    "given",
    [{}, {"plan": "fsdp2"}, {"recipe": "torchtitan", "loss": "fp32"}, {"recipe": "lora", "values": {"r_lora": 16}}],
    ids=str,
)
def test_rows_take_what_is_said_of_them_at_every_instant(given):
    study = load_study("gpt2-xl").change(**given)
    for degree in (3, 7, 48, 1000):
        known = study.change(values={"n_fsdp": degree, "V": 50257})
        numbers = Numbers.of(known.values)

        def padding(placed, known=known, numbers=numbers):
            return on_rank(placed, numbers) - placed.at(known.values)

        kept, whole = (one.at(numbers) for one in uncounted(known, degree=True) if one.name == ROWS)
        assert kept == padding(known.placed())
        assert all(0 <= padding(known.seen_at(one).placed()) <= kept + whole for one in known.timeline)
        bounds = [one.at(numbers) for one in uncounted(known) if one.name == ROWS]
        assert kept < bounds[0] and whole < bounds[1]


def test_every_face_says_it():
    study = load_study("cs336-a2-xxl")
    block = 2 * 2 * 16384 * 53248
    (found,) = (one for one in documents.answers(study) if one.question.label == "b")
    parameters = 126 * 2 * 16384 * 53248
    expected = [block, block, 2 * parameters, None]
    assert [one["bytes"] for one in found.facts["not_counted"]] == expected
    assert [one["bytes"] for one in Account(study).record["not_counted"]] == expected
    assert next(one["formula"] for one in uncounted_records(study, study.values)) == 4 * d_ff * d_model
    lines = [plain_prose(said) for head, said in found.summary if head == "not counted"]
    assert lines[0] == "the gathered weights of the block that is being computed: 3.25 GiB"
    for layout in ("homework", "report"):
        page = render(getattr(documents, layout)(study), layout, "md").decode()
        assert page.count("gathered weights of the block that is being computed") == 1
        assert "what is kept fits and that one device less is not enough" in page
    right = plain_prose(verdict_words(check(study, "n_fsdp=46")))
    assert right == "n_fsdp = 46 (question b) is right: it is the exact number, and what is kept fits there."


def test_a_degree_that_divides_nothing_is_named_in_every_face():
    sentence = "n_tp = 8 divides nothing here: no kind of memory is placed over it."
    study = load_study("cs336-a2-xxl").called(changes(values={"n_tp": 8}))
    assert [plain_prose(said) for said in idle_degrees(study)] == [sentence]
    assert sentence in [plain_prose(said) for said in Account(study).record["assumptions"]]
    (found,) = (one for one in documents.answers(study) if one.question.label == "b")
    assert sentence in [plain_prose(said) for said in found.facts["assumptions"]]
    assert sentence in plain_prose(verdict_words(check(study, "n_fsdp=46")))
    assert sentence in plain_prose(verdict_words(check(study, "n_fsdp=45")))
    for layout in ("homework", "report"):
        assert render(getattr(documents, layout)(study), layout, "md").decode().count("divides nothing here") == 1


def test_a_degree_that_something_uses_is_not_named():
    assert idle_degrees(load_study("cs336-a2-xxl")) == ()
    study = load_study("llama-3.1-8b").called(changes(values={"n_fsdp": 8}))
    assert idle_degrees(study) == ()
    bare = replace(study, placement={}, questions=())
    assert [plain_prose(said) for said in idle_degrees(bare)] == [
        "n_fsdp = 8 divides nothing here: no kind of memory is placed over it."
    ]
    for name in ("korthikanti", "zero-table-1", "zero-table-2"):
        assert idle_degrees(load_study(name)) == (), name


ROOT, BLOCK = (
    2 * 128256 * 4096 + 4096,
    2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096,
)  # of Llama 3.1 8B


@pytest.mark.parametrize("plan", ["one-device", "dp", "zero-1", "zero-2"])
def test_weights_that_are_whole_in_another_dtype_than_that_of_the_computation_are_converted_for_it(plan):
    """Of FP32 weights those of a block and of all around the blocks in BF16, as the step of fully_shard on one device has them."""
    whole = load_study("llama-3.1-8b").change(plan=plan)
    found = left_out(whole.rank, whole.recipe, whole.placement)
    assert named(found, CONVERTED).at(whole.values) == 2 * (ROOT + BLOCK)
    assert CONVERTED in {one.name for one in uncounted(whole)}
    for other in ("fp32", "pure-bf16", "autocast", "lora", "cs336"):  # in one dtype, or with copies of their own
        one = whole.change(recipe=other)
        assert CONVERTED not in {each.name for each in left_out(one.rank, one.recipe, one.placement)}


def test_weights_that_are_gathered_are_converted_as_they_are():
    whole = load_study("llama-3.1-8b")
    assert CONVERTED not in {one.name for one in left_out(whole.rank, whole.recipe, whole.placement)}


@pytest.mark.parametrize(
    ("changes", "heads", "keys"),
    [({}, 32, 8), ({"profile": "hf-cuda-bf16"}, 32, 32), ({"plan": "torch-sp", "recipe": "pure-bf16"}, 8, 2)],
)
def test_flash_attention_works_with_sums_in_fp32_and_gradients_of_every_head(changes, heads, keys):
    """`dq_accum`, `softmax_d` and, with fewer keys, `dk_expanded` and `dv_expanded` of mha_bwd; tokens in 128s."""
    values = {"B": 2, "S": 4000, **({"n_tp": 4} if "plan" in changes else {})}
    study = load_study("llama-3.1-8b").change(values=values, **changes)
    size = named(left_out(study.rank, study.recipe, study.placement), KERNEL).at(study.values)
    sums = 4 * 2 * 4096 * heads * 128 + 4 * 2 * heads * 4096
    assert size == sums + (2 * 2 * 2 * 4000 * heads * 128 if keys != heads else 0)
    other = study.change(kernel="eager")
    assert KERNEL not in {one.name for one in left_out(other.rank, other.recipe, other.placement)}


@pytest.mark.parametrize(("width", "filled"), [(64, 64), (80, 96), (128, 128), (160, 192), (256, 256)])
def test_flash_attention_fills_heads_to_32_numbers_and_wide_ones_to_64(tmp_path, width, filled):
    config = {"model_type": "llama", "hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 2}
    config |= {"num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 512, "head_dim": width}
    (tmp_path / "c.json").write_text(json.dumps(config))
    study = load_study(str(tmp_path / "c.json")).change(values={"B": 3, "S": 129})
    size = named(left_out(study.rank, study.recipe, study.placement), KERNEL).at(study.values)
    assert size == 4 * 3 * 256 * 4 * (filled + 1)
