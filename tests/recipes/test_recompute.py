import json
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, L, S, d_ff, d_head, d_model, n_fsdp, n_heads, n_kv
from symbolic_mem.library.read import load_study
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.gated_ffn import gated_ffn
from symbolic_mem.models.huggingface import read_config
from symbolic_mem.models.profile import profile
from symbolic_mem.models.tensors import PREDICTION, Layer, Model, Tensor
from symbolic_mem.models.transformer import transformer
from symbolic_mem.plans.placement import over
from symbolic_mem.recipes.read import read_recipe, recipe
from symbolic_mem.recipes.recompute import STREAMS, Recompute, block_input, counts, recompute, streams, transient
from symbolic_mem.solvers.bound import solve
from symbolic_mem.verify.held import held

DATA = json.loads((Path(__file__).parent.parent / "data" / "recompute.json").read_text())
GIB = 2**30
XXL = {d_model: 16384, d_ff: 53248, L: 126, B: 128, S: 1024}
RULES = {
    "none": Recompute(),
    "dots": Recompute(),  # JAX: all products are saved, which is everything here
    "unrolled": Recompute(),
    "full": Recompute("full"),
    "every2": Recompute("every", 2),
    "every2_odd": Recompute("every", 2, "last"),
    "shifted_half": Recompute("half"),
    "names_half": Recompute("half"),
    "pairs": Recompute("groups", 2),
    "group2": Recompute("groups", 2),
    "group9": Recompute("groups", 9),
}
SIZES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}


def put(expr: sp.Expr, values: dict) -> sp.Expr:
    return sp.sympify(expr).xreplace({symbol: sp.Integer(value) for symbol, value in values.items()})


def sizes_of(case: dict) -> dict:
    return {d_model: case["d"], d_ff: case["f"], L: case["L"], B: case["B"], S: case["S"]}


def ids(case: dict) -> str:
    return case["id"]


@pytest.mark.parametrize("case", [c for c in DATA["saved"] if c["quantity"].startswith("activation")], ids=ids)
def test_activations_kept_are_those_of_the_engine_to_the_byte(case):
    chosen = replace(recipe("autocast"), activations=sp.Integer(SIZES[case["activation_dtype"]]))
    if case["checkpoint"] in ("shifted_half", "names_half"):
        chosen = recipe("cs336")
    memory = account(ffn(), chosen.with_recompute(RULES[case["checkpoint"]]))
    assert put(memory.of("activations").total, sizes_of(case)) == case["bytes"]


@pytest.mark.parametrize("case", [c for c in DATA["saved"] if "weight_copies" in c["quantity"]], ids=ids)
def test_weight_copies_of_autocast_are_those_of_the_engine_to_the_byte(case):
    memory = account(ffn(), recipe("autocast").with_recompute(RULES[case["checkpoint"]]))
    copies = put(memory.of("buffers").total, sizes_of(case))
    if case.get("input_requires_grad") is False and case["checkpoint"] == "none":
        copies -= 2 * case["d"] * case["f"]  # the first weight's copy is kept for the gradient of the input alone
    assert copies == case["bytes"]


@pytest.mark.parametrize("case", DATA["live"], ids=ids)
def test_all_live_bytes_at_the_start_of_backward_and_at_the_step_are_those_of_the_engine(case):
    size = SIZES[case["dtype"]]
    name = "adamw" if case["optimizer"] == "adamw" else "sgd"
    chosen = recipe("fp32" if size == 4 else "pure-bf16").with_optimizer(name, step_counters=True)
    chosen = chosen.with_recompute(RULES[case["checkpoint"]]).without_persistent_gradients()
    after_forward = case["quantity"] == "live_after_forward"
    memory = account(ffn(), chosen, at="backward" if after_forward else "step")
    besides = size if after_forward else size * case["B"] * case["S"] * case["d"]  # the loss; the batch itself
    assert put(memory.total, sizes_of(case)) + besides == case["bytes"]


@pytest.mark.parametrize(
    ("rule", "gib"),
    [("none", 2142), ("full", 504), ("every2", 1323), ("shifted_half", 1071), ("group2", 252), ("group9", 56)],
)
def test_the_reference_problem_in_gib(rule, gib):
    # PyTorch 2.13 and JAX 0.10.2 on the CS336 XXL stack: every second block keeps 1323 GiB, not half of 2142
    memory = account(ffn(), recipe("cs336").with_recompute(RULES[rule]))
    assert put(memory.of("activations").total, XXL) == gib * GIB


def enumerate_blocks(how: Recompute, kinds: list[tuple[int, int]]) -> int:
    """Bytes kept by blocks one after the other: a list of (input, all saved) per block."""
    total = 0
    for i, (begin, saved) in enumerate(kinds):
        place = i % how.size
        match how.rule:
            case "none":
                total += saved
            case "full":
                total += begin
            case "every":
                total += begin if place == (0 if how.phase == "first" else how.size - 1) else saved
            case "groups":
                total += begin if place == 0 else 0
            case "half":
                total += saved if i % 2 == 0 else 0
    return total


HOWS = st.one_of(
    st.sampled_from([Recompute(), Recompute("full"), Recompute("half")]),
    st.builds(Recompute, st.just("every"), st.integers(1, 6), st.sampled_from(["first", "last"])),
    st.builds(Recompute, st.just("groups"), st.integers(1, 6)),
)


def two_kinds(dense: sp.Expr, moe: sp.Expr) -> Model:
    x = Tensor("x", (B, S, d_model))
    narrow = Tensor("h", (B, S, d_ff))
    wide = Tensor("e", (B, S, 3 * d_ff))
    return Model(
        "two kinds of block",
        (
            Layer("embedding", weights=(Tensor("E", (d_model,)),), saved=(Tensor("ids", (B, S)),)),
            Layer("dense", saved=(x, narrow), repeat=dense, block="dense block"),
            Layer("norm", saved=(x,), repeat=moe, block="expert block"),
            Layer("experts", saved=(wide,), repeat=2 * moe, block="expert block"),
        ),
    )


@given(how=HOWS, dense=st.integers(0, 9), moe=st.integers(1, 25))
@settings(deadline=None, max_examples=120)
def test_the_formulas_count_what_an_enumeration_of_the_blocks_counts(how, dense, moe):
    first, second = sp.symbols("first second", positive=True)
    values = {first: dense, second: moe, B: 2, S: 3, d_model: 5, d_ff: 7}
    blocks = [(2 * 6 * 5, 2 * 6 * (5 + 7))] * dense + [(2 * 6 * 5, 2 * 6 * (5 + 2 * 21))] * moe
    memory = account(two_kinds(first, second), recipe("cs336").with_recompute(how))
    embedding = 2 * 6
    assert put(memory.of("activations").total, values) == enumerate_blocks(how, blocks) + embedding


@given(how=HOWS, blocks=st.integers(1, 40))
@settings(deadline=None, max_examples=60)
def test_recomputation_never_keeps_more_and_leaves_weights_and_products_alone(how, blocks):
    values = XXL | {L: blocks}
    before, after = (account(ffn(), recipe("cs336").with_recompute(rule)) for rule in (Recompute(), how))
    assert put(after.of("activations").total, values) <= put(before.of("activations").total, values)
    assert after.static == before.static
    assert recompute(ffn(), how).parameters == ffn().parameters
    assert recompute(ffn(), how).forward_flops == ffn().forward_flops


def attention() -> Model:
    x = Tensor("x", (B, S, d_model), "input")
    scores = Tensor("scores", (B, n_heads, S, S), "softmax output")
    mask = Tensor("mask", (B, n_heads, S, S), "dropout", bytes_per_element=sp.Integer(1))
    return Model("attention", (Layer("attention", saved=(x, scores, mask), repeat=L, block="block"),))


def test_selective_recomputation_drops_the_score_tensors_and_nothing_else():
    # Korthikanti et al. (2022), section 5: of sbh (34 + 5 a s / h) the part 5 a s / h goes
    how = Recompute("selective", transient=True)
    memory = account(attention(), recipe("cs336").with_recompute(how))
    assert memory.of("activations").total == 2 * L * B * S * d_model
    assert sp.expand(memory.of("buffers").total - 3 * B * n_heads * S**2) == 0


def test_selective_recomputation_of_a_model_without_scores_says_that_nothing_changes():
    model = recompute(ffn(), Recompute("selective"))
    assert model.layers == ffn().layers
    assert "nothing changes" in model.said[-1]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Recompute("full", transient=True), d_ff),  # the block's input is kept anyway
        (Recompute("groups", 9, transient=True), 9 * d_ff + 8 * d_model),
        (Recompute("half", transient=True), d_ff + d_model),
    ],
)
def test_what_one_group_recomputes_is_a_term_on_request_only(how, expected):
    chosen = recipe("cs336").with_recompute(how)
    (term,) = account(ffn(), chosen).of("buffers")
    assert sp.expand(put(term.bytes, {L: 126}) - 2 * B * S * expected) == 0
    assert not account(ffn(), recipe("cs336").with_recompute(replace(how, transient=False))).of("buffers").terms


def test_a_group_larger_than_the_model_recomputes_the_model():
    (layer, again) = transient(ffn(sp.Integer(3)), Recompute("groups", 9))
    assert (layer.repeat, again.repeat) == (3, 2)


def test_a_converted_copy_of_the_input_is_recomputed_with_the_rest():
    copy = Tensor("fp32 copy of x", (B, S, d_model), "norm", bytes_per_element=sp.Integer(4))
    model = Model("norms", (Layer("norm", saved=(copy,), repeat=L, block="block"),))
    memory = account(model, recipe("cs336").with_recompute(Recompute("full", transient=True)))
    assert memory.of("activations").total == 2 * B * L * S * d_model
    assert memory.of("buffers").total == 4 * B * S * d_model


def test_a_model_without_blocks_is_refused():
    flat = Model("flat", (Layer("linear", saved=(Tensor("x", (B, S)),)),))
    with pytest.raises(BadInput, match="'flat' has no repeated blocks"):
        recompute(flat, Recompute("full"))


def test_half_with_weight_copies_is_refused():
    with pytest.raises(BadInput, match=r"half recomputation keeps those of some products .*every = 2"):
        account(ffn(), recipe("autocast").with_recompute(Recompute("half")))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("ful", r"unknown recomputation 'ful'; did you mean 'full'\?"),
        ("every", r"my.toml: 'every' needs a number; write \{ every = 2 \}"),
        (2, "my.toml: give one of none, full, half, selective, products, or a table"),
        ({"evry": 2}, r"my.toml: unknown key 'evry'; did you mean 'every'\?"),
        ({}, "my.toml: give one of rule, every, groups, block and products, not 0 of them"),
        ({"every": 2, "groups": 3}, "my.toml: give one of rule, every, groups, block and products, not 2 of them"),
        ({"every": 0}, "counts 0 blocks in a row; give a whole number of at least 1"),
        ({"every": "2"}, "every must be a whole number, not text"),
        ({"every": 2, "phase": "odd"}, "phase of the recomputed block is 'odd'; known: first, last"),
        ({"groups": 2, "phase": "first"}, "a group keeps the input of its first block; drop phase"),
        ({"products": 1}, "one product of 1 is computed again; give at least 2, or recompute = 'products'"),
        ({"products": 2, "phase": "last"}, "products counts inside each block; drop phase"),
        ({"products": 2, "transient": True}, "what a block computes again beside its products counts at its instants"),
        ({"rule": "full", "transient": 1}, "transient must be true or false"),
        ({"rule": "full", "phase": "last"}, "phase says which block of every few is recomputed; drop phase"),
    ],
)
def test_a_rule_that_cannot_be_read_says_what_to_write(written, message):
    with pytest.raises(BadInput, match=message):
        Recompute.read(written, "my.toml")


def test_rules_as_they_are_written():
    assert Recompute.read("full", "") == Recompute("full")
    assert Recompute.read({"rule": "half", "transient": True}, "") == Recompute("half", transient=True)
    assert Recompute.read({"groups": 9}, "") == Recompute("groups", 9)
    assert str(Recompute("every", 2)) == "of every 2 blocks the first is recomputed from its input"


@pytest.mark.parametrize("how", [Recompute("every", 3, "last"), Recompute("groups", 9, transient=True), Recompute("full", transient=True), Recompute("half"), Recompute("products", 2)])  # fmt: skip
def test_the_short_form_of_a_rule_is_read_as_that_rule(how):
    assert load_study("cs336-a2-xxl").change(recompute=how.short).recipe.recompute == how


@pytest.mark.parametrize("given", ["full+", "full+transiet", "half+last", "+transient"])
def test_a_short_form_that_says_something_else_is_refused(given):
    with pytest.raises(BadInput, match=r"^recompute"):
        load_study("cs336-a2-xxl").change(recompute=given)


def test_the_account_counts_what_is_held_while_a_block_is_recomputed():
    # the inner stream of one block of 128 sequences of 1024 tokens, in BF16, beside the inputs of all blocks
    study = load_study("cs336-a2-xxl").change(recompute="full+transient")
    (again,) = study.memory.of("buffers").terms
    assert again.at(study.values) == 2 * 128 * 1024 * 53248
    assert study.memory.at(study.values) - again.at(study.values) == 3780 * 2**30


def test_part_b_needs_49_devices_with_what_every_second_block_really_keeps():
    # (3276 + 1323) / 95 GiB on TPU v5p; the 46 of the homework drops half of the activations instead
    memory = account(ffn(), recipe("cs336").with_recompute(Recompute("every", 2)))
    placed = memory.place(**dict.fromkeys(memory.kinds, over(n_fsdp)))
    values = {symbol: sp.Integer(value) for symbol, value in XXL.items()}
    assert solve(placed, n_fsdp, capacity=95 * GIB, strict=True).at(values).value == 49


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("blocks", range(1, 7))
def test_the_first_blocks_keep_their_input_and_the_others_all(size, blocks):
    values = {d_model: 8, d_ff: 32, B: 2, S: 4, L: blocks}
    how = recipe("pure-bf16").with_recompute(Recompute.read({"block": size}, "my.toml"))
    again = min(size, blocks)
    expected = 2 * 2 * 4 * (8 * again + (8 + 32) * (blocks - again))
    assert account(ffn(), how).of("activations").at(values) == expected


def test_uniform_is_groups_and_block_has_no_phase():
    assert Recompute.read({"uniform": 4}, "my.toml") == Recompute("groups", 4)
    for wrong in ({"block": 2, "phase": "last"}, {"block": 0}, {"block": 2, "uniform": 2}, "block"):
        with pytest.raises(BadInput):
            Recompute.read(wrong, "my.toml")


@pytest.mark.parametrize(("size", "backward"), [(1, 23875569116), (3, 23770641836), (8, 23508323636)])
def test_a_step_whose_first_blocks_are_recomputed_holds_what_was_measured(size, backward):
    """Llama 3.1 8B with 8 blocks in transformers 5.24 and PyTorch 2.13, on fake tensors, as `verify` measures it."""
    counted = read_recipe({"preset": "pure-bf16", "optimizer": "adamw", "step_counters": True}, "my.toml")
    study = load_study("llama-3.1-8b").change(
        recipe=counted, plan="one-device", profile="hf-cuda-bf16", values={"L": 8, "S": 256, "B": 1}
    )
    study = study.change(kernel="flash", recompute={"block": size})
    found = held(study)
    assert found["backward"].bytes == backward and found["step"].bytes == 27955732780


def test_a_block_that_keeps_its_products_keeps_its_input_and_what_they_give():
    """A Llama-like block has seven products: W_q, W_k, W_v, W_o, W_gate, W_up, W_down; of two in a row the second goes."""
    values = {B: 2, S: 64, L: 3, d_model: 512, d_ff: 1408, n_heads: 8, n_kv: 2, d_head: 64}
    rows, q, kv = 2 * 64, 8 * 64, 2 * 64
    attended = 2 * rows * q + 4 * rows * 8 + 24
    first, every = 2 * rows * 512, 2 * rows * (q + 2 * kv + 2 * 512 + 2 * 1408)
    half = 2 * rows * (q + kv + 1408 + 512)
    for written, expected in (("products", every), ({"products": 2}, half)):
        (layer,) = (
            one for one in recompute(transformer(), Recompute.read(written, "")).layers if "recomputed" in one.name
        )
        kept = sum(put(one.elements * (one.bytes_per_element or 2), values) for one in layer.saved)
        assert kept == first + attended + expected
        assert put(layer.repeat, values) == 3


def test_products_of_blocks_that_are_not_described_are_refused():
    with pytest.raises(
        BadInput, match=r"recompute = products=2: the operations of its blocks \(.*\) are not described"
    ):
        recompute(gated_ffn(), Recompute("products", 2))


def test_rules_that_keep_blocks_recompute_none():
    assert {counts(Recompute(rule), sp.S.Zero, L) for rule in ("none", "selective")} == {(sp.S.Zero, L)}
    assert counts(Recompute("full"), sp.S.Zero, L) == (L, sp.S.Zero)


def test_what_enters_a_block_says_why_it_is_kept():
    layer = ffn().layers[0]
    assert block_input(layer).reason == "input of a block: its backward pass starts again from here"
    assert block_input(layer).shape == layer.saved[0].shape


@pytest.mark.parametrize(
    ("name", "how", "kept"),
    [
        ("llama-3.1-8b", "torch-cuda-bf16", True),  # its norm keeps its input as it is
        ("llama-3.1-8b", "hf-cuda-bf16", False),  # its norm keeps a copy in FP32
        ("qwen3-30b-a3b", "hf-cuda-bf16", False),
        ("gemma-2-9b", "hf-cuda-bf16", False),
        ("gpt2-xl", "hf-cuda-bf16", True),  # LayerNorm keeps its input as it is
        ("gpt-neox-20b", "hf-cuda-bf16", True),
        ("olmo-2-7b", "hf-cuda-bf16", True),  # W_gate and W_up keep the stream, which they read
    ],
)
def test_the_second_of_two_blocks_starts_from_the_residual_stream_of_the_first(name, how, kept):
    """It is kept once for each pair where nothing in the first block keeps it; a last block without a second keeps none."""
    architecture = read_config(Path(__file__).parent.parent / "data" / "hf_configs" / f"{name}.json")
    model = transformer(architecture, profile(how))
    layers = [one for one in recompute(model, Recompute("half")).layers if one.name == STREAMS]
    for blocks in range(1, 9):
        values = {B: 2, S: 64, L: blocks, d_model: 512}
        found = sum(put(one.repeat * tensor.elements, values) for one in layers for tensor in one.saved)
        assert found == (0 if kept else blocks // 2 * 2 * 64 * 512)


def test_the_residual_streams_of_two_kinds_of_blocks_are_those_of_their_pairs():
    """Of 3 dense blocks and the rest with experts the pairs are (0, 1), (2, 3), ...: the last dense block is the first of one."""
    layer = Layer("norm", block="dense block", stream=Tensor("residual stream", (B, S, d_model)))
    for last in range(4, 10):
        dense, experts = ((sp.Integer(0), sp.Integer(3)), (sp.Integer(3), sp.Integer(last)))
        found = [
            sum(one.repeat for one in streams(layer, Recompute("half"), *ends, sp.Integer(last)))
            for ends in (dense, experts)
        ]
        firsts = range(0, last - 1, 2)
        assert found == [sum(first < 3 for first in firsts), sum(first >= 3 for first in firsts)]


def test_a_module_that_predicts_one_token_more_keeps_all_that_it_saves_under_half():
    """Nothing before it keeps what it could start again from, whether the number of blocks is even or odd."""
    model = transformer(replace(Architecture(), mtp=sp.Integer(1)))
    found = [
        sp.Add(
            *(one.repeat * tensor.elements for one in which.layers if one.block == PREDICTION for tensor in one.saved)
        )
        for which in (model, recompute(model, Recompute("half")))
    ]
    assert found[0] != 0 and sp.expand(found[0] - found[1]) == 0
