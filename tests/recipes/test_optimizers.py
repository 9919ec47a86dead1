import json
from pathlib import Path

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.models.tensors import Layer, Model, Tensor
from symbolic_mem.recipes.optimizers import optimizer, optimizers
from symbolic_mem.recipes.read import recipe
from symbolic_mem.recipes.states import RULES, State, at_least

CASES = json.loads((Path(__file__).parent.parent / "data" / "optimizers.json").read_text())["cases"]
ITEMSIZE = {"float32": sp.Integer(4), "bfloat16": sp.Integer(2)}

NAMES = {  # (engine, its name for the optimizer) -> ours
    ("torch", "SGD"): "sgd",
    ("torch", "SGD_momentum"): "sgd-momentum",
    ("torch", "SGD_nesterov"): "sgd-momentum",
    ("torch", "Adam"): "adam",
    ("torch", "AdamW"): "adamw",
    ("torch", "AdamW_amsgrad"): "amsgrad",
    ("torch", "NAdam"): "nadam",
    ("torch", "RAdam"): "radam",
    ("torch", "Adamax"): "adamax",
    ("torch", "Adagrad"): "adagrad",
    ("torch", "RMSprop"): "rmsprop",
    ("torch", "RMSprop_centered_mom"): "rmsprop-centered-momentum",
    ("torch", "Rprop"): "rprop",
    ("torch", "ASGD"): "asgd",
    ("torch", "Adafactor"): "adafactor",
    ("torch", "Muon"): "muon",
    ("bitsandbytes", "AdamW8bit"): "adamw-8bit",
    ("bitsandbytes", "PagedAdamW8bit"): "adamw-8bit",
    ("bitsandbytes", "Lion8bit"): "lion-8bit",
    ("bitsandbytes", "SGD8bit"): "sgd-8bit",
    ("bitsandbytes", "Adam32"): "adam-32bit",
    ("bitsandbytes", "RMSprop8bit"): "rmsprop-8bit",
    ("bitsandbytes", "RMSprop32bit"): "rmsprop-32bit",
    ("schedulefree", "AdamWScheduleFree"): "schedule-free-adamw",
    ("schedulefree", "RAdamScheduleFree"): "schedule-free-adamw",
    ("schedulefree", "SGDScheduleFree"): "schedule-free-sgd",
    ("optax", "adamw"): "optax-adamw",
    ("optax", "adam"): "optax-adamw",
    ("optax", "lamb"): "optax-adamw",
    ("optax", "adamw_mu_bf16"): "optax-adamw-mu-bf16",
    ("optax", "adamw_ema"): "optax-adamw-ema",
    ("optax", "sgd_momentum"): "optax-sgd-momentum",
    ("optax", "sgd_nesterov"): "optax-sgd-momentum",
    ("optax", "lion"): "optax-lion",
    ("optax", "lion_bf16"): "optax-lion-mu-bf16",
    ("optax", "adagrad"): "optax-adagrad",
    ("optax", "rmsprop"): "optax-rmsprop",
    ("optax", "rmsprop_momentum"): "optax-rmsprop-momentum",
    ("optax", "novograd"): "optax-novograd",
    ("optax", "sm3"): "optax-sm3",
    ("optax", "muon"): "optax-muon",
    ("optax", "adafactor_momentum"): "optax-adafactor-momentum",
}


def one_tensor(*shape) -> Model:
    weight = Tensor("w", tuple(sp.sympify(size) for size in shape))
    return Model("one tensor", (Layer("layer", weights=(weight,)),))


def state_bytes(name: str, parameter: int, *shape: int, step_counters: bool = True) -> sp.Expr:
    states = optimizer(name).states(sp.Integer(parameter), step_counters)
    model = one_tensor(*shape)
    return sp.Add(*(state.bytes_per_element * part.elements for state in states for part in state.parts(model)))


def test_the_averages_of_transformers_adafactor_are_fp32_whatever_the_weights_are():
    """Of transformers 5.24, a step of BF16 parameters of 64 x 160 and of 160: FP32 rows, columns or vector, and RMS."""
    assert (state_bytes("adafactor-32bit", 2, 64, 160), state_bytes("adafactor-32bit", 2, 160)) == (900, 644)


@pytest.mark.parametrize(
    ("name", "large", "small"),
    [("lion-32bit", 1_048_576, 256), ("ademamix-32bit", 3_145_728, 768), ("ademamix-8bit", 798_720, 768)],
)
def test_states_of_bitsandbytes_are_those_that_its_init_state_makes(name, large, small):
    """Of bitsandbytes 0.50.2, BF16 parameters of 64 x 4096 and of 64: state1, state2, absmax1 and absmax2."""
    assert (state_bytes(name, 2, 64, 4096), state_bytes(name, 2, 64)) == (large, small)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_state_of_one_tensor_is_that_of_the_engine_to_the_byte(case):
    name = NAMES[case["engine"], case["optimizer"]]
    assert state_bytes(name, ITEMSIZE[case["param_dtype"]], *case["shape"]) == case["bytes"]


def test_a_short_side_or_three_dimensions_decide_what_optax_factors():
    # optax.adafactor, min_dim_size_to_factor=128: (r + c + 1) itemsize + 4, or (N + 2) itemsize + 4 (optax 0.2.8, eval_shape)
    assert state_bytes("optax-adafactor", 4, 128, 128) == (128 + 128 + 1) * 4 + 4
    assert state_bytes("optax-adafactor", 4, 127, 4099) == (127 * 4099 + 2) * 4 + 4
    assert state_bytes("optax-adafactor", 4, 126, 256, 512) == (126 * 256 + 126 * 512 + 1) * 4 + 4


def test_torch_adafactor_keeps_rows_and_columns():
    # torch.optim.Adafactor, PyTorch 2.13: a 4099 x 1021 matrix has a row and a column vector and a step
    assert state_bytes("adafactor", 4, 4099, 1021) == 20_484
    assert state_bytes("adafactor", 4, 8, 30, 50) == (8 * 30 + 8 * 50) * 4 + 4


def test_step_counters_are_counted_only_on_request():
    # AdamW keeps 8 bytes per parameter and a 4-byte step per tensor: 6979321860 - 4 for this tensor
    assert state_bytes("adamw", 4, 53248, 16384, step_counters=False) == 6_979_321_856
    assert state_bytes("adamw", 4, 53248, 16384) == 6_979_321_860


def test_muon_keeps_one_moment_for_a_matrix_and_two_for_anything_else():
    assert state_bytes("muon", 4, 30, 50) == 4 * 1500
    assert state_bytes("muon", 4, 30) == 8 * 30
    assert state_bytes("muon", 4, 2, 30, 50) == 8 * 3000


@given(
    name=st.sampled_from(sorted(optimizers())),
    parameter=st.sampled_from([2, 4]),
    shape=st.lists(st.integers(1, 300), min_size=1, max_size=3),
)
@settings(deadline=None, max_examples=60)
def test_putting_the_sizes_in_after_or_before_is_the_same(name, parameter, shape):
    symbols = sp.symbols(f"a:{len(shape)}", positive=True)
    values = dict(zip(symbols, map(sp.Integer, shape), strict=True))
    symbolic = state_bytes(name, parameter, *symbols)
    assert sp.sympify(symbolic).xreplace(values) == state_bytes(name, parameter, *shape)


@given(size=st.integers(1, 100_000), least=st.integers(1, 5_000))
@settings(deadline=None, max_examples=60)
def test_at_least_is_one_or_zero(size, least):
    assert at_least(sp.Integer(size), least) == int(size >= least)


def test_an_unknown_optimizer_names_the_nearest():
    with pytest.raises(BadInput, match=r"unknown optimizer 'adam-w'; did you mean 'adamw'\?"):
        optimizer("adam-w")


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("galore_adamw_8bit", "adamw"),
        ("apollo_adamw", "adamw"),
        ("lomo", "sgd"),
        ("adalomo", "adafactor-32bit"),
        ("adamw_apex_fused", "adamw"),
        ("adamw_torch_8bit", "adamw-8bit"),
        ("adamw_torch_4bit", "adamw-8bit"),
        ("stable_adamw", "adamw"),
        ("grokadamw", "adamw"),
    ],
)
def test_an_optimizer_that_is_not_described_says_what_to_ask(name, instead):
    with pytest.raises(BadInput, match=f"optimizer {name!r} is not described; ask for {instead}[, ]"):
        optimizer(name)


def test_every_rule_of_the_data_is_known_and_every_kept_thing_has_a_reason():
    for one in optimizers().values():
        assert one.source and one.title
        for kept in one.kept:
            assert kept.rule in RULES
            assert kept.reason


def test_the_account_shows_one_term_for_every_state():
    memory = account(one_tensor(4099, 1021), recipe("fp32").with_optimizer("adamw-8bit", step_counters=True))
    # bitsandbytes 0.50.2, AdamW8bit, float32, 4099 x 1021: no tensor is small, so that there is no term for small ones
    assert [term.name for term in memory.of("optimizer")] == ["8-bit moments", "scales of the 8-bit moments"]
    assert memory.of("optimizer").total == 8_500_942


def test_parts_carry_the_shapes_that_sharding_needs():
    parts = State("rows", "optimizer", sp.Integer(4), rule="rows").parts(one_tensor(30, 50))
    assert [part.shape for part in parts] == [(30,)]


def test_a_tensor_of_4096_elements_is_the_first_with_8_bit_moments():
    # bitsandbytes 0.50.2, min_8bit_size = 4096: fewer elements stay in FP32 (4095: 32760 bytes, measured)
    assert state_bytes("adamw-8bit", 4, 4096) == 2 * (4096 + 4 * 16)
    assert state_bytes("adamw-8bit", 4, 64, 64) == 2 * (4096 + 4 * 16)


@pytest.mark.parametrize(
    ("name", "of_embedding", "of_matrix", "of_norm"),
    [
        ("adamw_bnb_8bit", 8, 2 + 8 / 256, 8),
        ("paged_adamw_8bit", 8, 2 + 8 / 256, 8),
        ("lion_8bit", 4, 1 + 4 / 256, 4),
        ("ademamix_8bit", 12, 3 + 12 / 256, 12),
        ("rmsprop_bnb_8bit", 4, 1 + 4 / 256, 4),
        ("AdamW8bit", 2 + 8 / 256, 2 + 8 / 256, 8),
        ("paged_adamw", 8, 8, 8),
        ("paged-lion", 4, 4, 4),
        ("paged_ademamix", 12, 12, 12),
    ],
)
def test_transformers_leaves_embeddings_in_32_bits(name, of_embedding, of_matrix, of_norm):
    """States that bitsandbytes 0.50.2 makes where optim_bits of an nn.Embedding is overridden, as create_optimizer does; paged ones the same."""
    shapes = {"token embedding": (320, 64), "attention": (320, 64), "norm": (64,)}
    weights = tuple(Tensor(group, tuple(map(sp.Integer, shape)), group=group) for group, shape in shapes.items())
    layers = tuple(Layer(weight.name, weights=(weight,)) for weight in weights)
    kept = account(Model("three tensors", layers), recipe("pure-bf16").with_optimizer(name)).of("optimizer")
    assert kept.total == int(320 * 64 * (of_embedding + of_matrix)) + 64 * of_norm


def test_a_paged_optimizer_says_where_its_states_are():
    paged, plain = (recipe("pure-bf16").with_optimizer(name) for name in ("PagedAdamW8bit", "AdamW8bit"))
    assert paged.states == plain.states and not any("unified memory" in one for one in plain.said)
    assert [one for one in paged.said if "unified memory" in one and "count on the device" in one]
    assert not any("unified memory" in one for one in paged.with_optimizer("adamw").said)
