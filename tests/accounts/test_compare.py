import itertools

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sampled import sampled

from symbolic_mem.accounts.account import account
from symbolic_mem.accounts.gaps import compare
from symbolic_mem.accounts.tensor_gaps import saved_tensors, tensor_gaps
from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, L, S, d_ff, d_model, n_fsdp, n_heads
from symbolic_mem.library.read import load_study
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.placement import over
from symbolic_mem.recipes.optimizers import optimizers
from symbolic_mem.recipes.read import presets, recipe
from symbolic_mem.recipes.recompute import Recompute

P = 2 * L * d_ff * d_model
PLACED = {"weights": over(n_fsdp), "activations": over(n_fsdp, "1/2", rest="kept")}
RULES = [Recompute(), Recompute("full", transient=True), Recompute("every", 2), Recompute("groups", 9)]


@st.composite
def accounts(draw) -> Memory:
    chosen = recipe(draw(st.sampled_from(sorted(name for name, how in presets().items() if how.trains))))
    if draw(st.booleans()):
        chosen = chosen.with_optimizer(draw(st.sampled_from(sorted(optimizers()))), step_counters=draw(st.booleans()))
    memory = account(ffn(), chosen.with_recompute(draw(st.sampled_from(RULES))))
    return memory.place(**PLACED) if draw(st.booleans()) else memory


def same(one: sp.Expr, other: sp.Expr) -> bool:
    return sp.expand(one - other) == 0


@given(a=accounts(), b=accounts())
@settings(deadline=None, max_examples=60)
def test_the_gaps_sum_to_the_difference_of_the_totals(a, b):
    gaps = compare(a, b)
    assert same(sp.Add(*(gap.difference for gap in gaps)), b.total - a.total)
    assert all(gap.difference != 0 and gap.reason and gap.name for gap in gaps)
    assert [KINDS.index(gap.kind) for gap in gaps] == sorted(KINDS.index(gap.kind) for gap in gaps)


@given(a=accounts(), b=accounts())
@settings(deadline=None, max_examples=40)
def test_every_term_stands_in_one_gap_at_most_and_the_other_way_round_is_the_negative(a, b):
    gaps = compare(a, b)
    assert sum(gap.a is not None for gap in gaps) <= len(a)
    assert sum(gap.b is not None for gap in gaps) <= len(b)
    back = compare(b, a)
    assert same(sp.Add(*(gap.difference for gap in gaps)), -sp.Add(*(gap.difference for gap in back)))
    assert compare(a, a) == ()


def test_megatron_against_zero_is_two_bytes_of_gradients():
    # 18 against 16 bytes per parameter: Megatron accumulates gradients in FP32, ZeRO keeps them in FP16
    (gap,) = compare(account(ffn(), recipe("zero-16")), account(ffn(), recipe("megatron-18")))
    assert (gap.kind, gap.name) == ("gradients", "FP16 gradients / accumulated gradients")
    assert gap.difference == 2 * P
    assert gap.reason == "bytes per element: 2 -> 4"


def test_a_second_copy_of_the_gradients_is_a_term_of_its_own():
    (gap,) = compare(account(ffn(), recipe("playbook-16")), account(ffn(), recipe("playbook-20")))
    assert gap.a is None
    assert (gap.name, gap.difference) == ("FP32 gradients", 4 * P)
    assert gap.reason == "only in the second: FP32, for accumulation"


def test_recomputing_every_second_block_is_819_gib_less_than_nothing():
    # 2142 - 1323 GiB on the CS336 XXL stack, in the two terms that it is made of
    plain, second = (account(ffn(), recipe("cs336").with_recompute(how)) for how in (RULES[0], RULES[2]))
    gaps = compare(plain, second)
    values = {d_model: 16384, d_ff: 53248, L: 126, "B": 128, "S": 1024}
    numbers = {sp.Symbol(str(name), positive=True): sp.Integer(value) for name, value in values.items()}
    assert [gap.difference.xreplace(numbers) / 2**30 for gap in gaps] == [1071 - 2142, 252]


def test_division_over_devices_is_named():
    memory = account(ffn(), recipe("cs336")).of("weights")
    (gap,) = compare(memory, memory.place(weights=over(n_fsdp)))
    assert gap.reason == "divided by: 1 -> n_fsdp"


def _term(name: str, elements: int, size: int) -> Term:
    return Term(name, "weights", sp.Integer(elements), sp.Integer(size), "")


@pytest.mark.parametrize("order", [1, -1])
def test_a_renamed_term_is_matched_by_its_elements_before_its_place(order):
    a = Memory((_term("one", 10, 4), _term("two", 20, 4)))
    b = Memory((_term("uno", 10, 2), _term("due", 20, 2))[::order])
    assert [gap.name for gap in compare(a, b)] == ["one / uno", "two / due"]


def test_equal_names_are_matched_with_equal_elements_first():
    a = Memory((_term("w", 10, 4), _term("w", 20, 4)))
    b = Memory((_term("w", 20, 4), _term("w", 10, 2)))
    (gap,) = compare(a, b)
    assert gap.difference == -20


def test_a_long_difference_without_a_value_names_what_is_missing(capsys):
    from symbolic_mem.cli.main import main

    assert main(["compare", "llama-3.1-8b", "--place", "activations=1", "--place", "activations=0"]) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.endswith("by how much needs n_fsdp.") and len(last) < 200


def test_the_reason_of_saved_tensors_names_the_tensors():
    # eager attention in FP32 and in BF16: the mask keeps its byte, and nothing grows from 1 to 4 bytes
    study = load_study("llama-3.1-8b")
    single, half = (study.change(recipe=name, kernel="eager").memory for name in ("fp32", "pure-bf16"))
    reasons = {gap.name: gap.reason for gap in compare(single, half) if gap.kind == "activations"}
    assert reasons["activations of the attention"] == "input, q, k, v, probabilities, out: 4 -> 2 bytes each"
    flash = study.change(recipe="fp32", kernel="flash").memory
    (gap,) = compare(single, flash)
    assert gap.reason == ("causal mask, probabilities: only in the first; logsumexp, seed, offset: only in the second")


@pytest.mark.parametrize(
    "pair", [("pure-bf16", "fp8"), ("fsdp2", "autocast"), ("fp32", "pure-bf16"), ("cs336", "fp32")]
)
@pytest.mark.parametrize("name", ["llama-3.1-8b", "cs336-a2-2026-memory"])
def test_a_width_is_compared_with_that_of_the_same_tensor(name, pair):
    study = load_study(name)
    a, b = (study.change(recipe=one) for one in pair)
    kept = [saved_tensors(side.model, side.recipe) for side in (a, b)]
    for gap in compare(a.memory, b.memory):
        assert gap.kind in STATIC or all(each.what != "bytes per element" for each in gap.contrasts)
        for change in gap.tensors:
            for tensor in change.names:
                one, other = (side.get((gap.layer, tensor)) for side in kept)
                assert (one is None, other is None) == (change.only == "second", change.only == "first")
                if one is not None and other is not None:
                    assert (str(one.size), str(other.size)) == (change.old, change.new)


def test_what_is_no_memory_is_refused():
    study = load_study("cs336-a2-xxl")
    with pytest.raises(BadInput, match=r"two memories, and '<study cs336-a2-xxl>' is none; give study.memory"):
        compare(study.memory, study)


@pytest.mark.parametrize("profile", ["hf-cuda-bf16", "hf-2023-cuda-bf16", "torch-cuda-bf16", "korthikanti"])
def test_each_saved_tensor_of_a_layer_has_a_name_of_its_own(profile):
    model = load_study("gpt2-xl").change(profile=profile, kernel="eager").model
    for layer in model.layers:
        names = [tensor.name for tensor in layer.saved]
        assert len(set(names)) == len(names), layer.name


def test_of_two_dropout_masks_the_one_that_a_fused_kernel_drops_is_named():
    study = load_study("gpt2-xl")
    kept = [saved_tensors(side.model, side.recipe) for side in (study, study.change(profile="torch-cuda-bf16"))]
    gaps = {gap.tensor: gap for gap in tensor_gaps(*kept) if gap.layer == "attention"}
    assert gaps["dropout mask"].reason == "only in the first: which probabilities dropout kept"
    assert gaps["dropout mask"].difference == -B * L * S**2 * n_heads
    assert "residual dropout mask" not in gaps


RECIPES = ("fsdp2", "bf16-master", "lora", "qlora", "pure-bf16", "autocast")


@pytest.mark.parametrize(
    ("name", "one", "other"),
    sampled(
        [
            (name, one, other)
            for name in ("llama-3.1-8b", "mixtral-8x7b", "deepseek-v3", "gpt2-xl")
            for one, other in itertools.combinations(RECIPES, 2)
        ],
        6,
    ),
)
def test_what_is_said_to_differ_has_another_number_on_each_side(name, one, other):
    study = load_study(name)
    try:
        sides = [study.change(recipe=each) for each in (one, other)]
        gaps = compare(*(side.memory for side in sides))
    except BadInput:
        return  # no such pair of recipe and model
    numbers = {**sides[0].values, **sides[1].values}
    for gap in gaps:
        assert gap.only or gap.contrasts or gap.tensors
        for contrast in gap.contrasts:
            old, new = (sp.sympify(each).xreplace(numbers) for each in (contrast.old, contrast.new))
            assert old != new, (gap.name, contrast.what)
