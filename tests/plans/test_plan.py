"""Plans against the published table of ZeRO, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import L, d_ff, d_model, n_cp, n_fsdp
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.models.built import Built
from symbolic_mem.models.ffn import ffn
from symbolic_mem.plans.read import plan, plans, read_plan
from symbolic_mem.plans.rests import sizes
from symbolic_mem.plans.schemes import SCHEMES
from symbolic_mem.recipes.read import recipe
from symbolic_mem.study.study import Study

PARAMETERS = 7_500_000_000
VALUES = {L: 1, d_ff: 1, d_model: sp.Integer(PARAMETERS // 2), n_fsdp: 64}


@pytest.mark.parametrize(
    ("name", "printed"),
    [("dp", "120"), ("zero-1", "31.4"), ("zero-2", "16.6"), ("zero-3", "1.9")],
)
def test_bytes_of_one_device_are_those_of_zero_table_1(name, printed):
    """Rajbhandari et al. (2020), figure 1: Psi = 7.5B, N = 64, K = 12, in GB of 10^9 bytes."""
    states = account(ffn(), recipe("zero-16")).of("weights", "gradients", "optimizer")
    held = Fraction(states.placed(plan(name).shares).at(VALUES))
    shares = {"dp": 16, "zero-1": 4 + Fraction(12, 64), "zero-2": 2 + Fraction(14, 64), "zero-3": Fraction(16, 64)}
    assert held == shares[name] * PARAMETERS
    digits = len(printed.partition(".")[2])
    assert round(float(held / 10**9), digits) == float(printed)


def test_every_plan_sends_by_a_scheme_that_there_is():
    assert {one.sends for one in plans().values() if one.sends} <= set(SCHEMES)
    assert all(one.source and one.title for one in plans().values())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"preset": "fsdp"}, "unknown plan 'fsdp'"),
        ({}, "names no plan"),
        ({"preset": "dp", "reshard": True}, "gathers no weights"),
        ({"preset": "fsdp2", "reshard": 1}, "a number of devices of at least 2"),
        ({"preset": "fsdp2", "reshard": "no"}, "give true, false"),
        ({"preset": "fsdp2", "shard": 2}, "unknown key 'shard'"),
    ],
)
def test_what_is_no_plan_is_one_line(given, said):
    with pytest.raises(BadInput, match=said) as refused:
        read_plan(given, "my.toml [plan]")
    assert str(refused.value).startswith("my.toml [plan]") or "plan" in str(refused.value)


def test_a_reshard_that_does_not_divide_is_refused():
    with pytest.raises(BadInput, match="does not divide n_fsdp = 6"):
        read_plan({"preset": "fsdp2", "reshard": 4}, "here").check({n_fsdp: sp.Integer(6)}, Built(ffn(), {}))


def test_a_reshard_over_data_and_context_ranks_counts_both():
    """The weights of fsdp2-cp are divided over n_fsdp n_cp devices, and a reshard over 8 takes half of them from each."""
    tables = {"preset": "fsdp2-cp", "reshard": 8}
    plan, context = read_plan(tables, "here"), {n_cp: sp.Integer(2)}
    assert plan.multiple(context, Built(ffn(), {})) == 4
    assert [plan.kept({**context, n_fsdp: sp.Integer(n)}) for n in (4, 8)] == [0, sp.Rational(1, 8)]
    assert mixed(tables, n_cp=2, n_fsdp=12).plan == plan
    with pytest.raises(BadInput, match="does not divide n_fsdp = 6"):
        mixed(tables, n_cp=2, n_fsdp=6)


def test_a_caller_names_a_plan():
    study = load_study("llama-3.1-8b").change(plan="zero-1")
    assert set(study.placement) == {"optimizer"}
    assert load_study("llama-3.1-8b").change(plan="fsdp2").placement.keys() == {"weights", "gradients", "optimizer"}


SIZES = {"L": 4, "d_model": 64, "n_heads": 6, "n_kv": 2, "d_head": 16, "V": 100, "d_ff": 128, "B": 2, "S": 16}
MIXED = {"E": 8, "k": 2, "d_expert": 32, "L_dense": 1}


def mixed(plan: dict, **degrees: int) -> Study:
    tables = {"title": "x", "model": {"kind": "transformer", "experts": True}, "recipe": {"preset": "fsdp2"}}
    return read_study(tables | {"values": SIZES | MIXED | degrees, "plan": plan}, "x", "x", None)


def test_each_dimension_that_a_plan_divides_has_the_size_that_studies_call_so():
    told = {dimension: (size.name, str(size.size)) for dimension, size in sizes(mixed({"preset": "fsdp2"}).built)}
    assert {dimension for dimension, (name, size) in told.items() if name != size} == set()
    assert {dimension: name for dimension, (name, _) in told.items()} == {
        "heads": "n_heads",
        "keys": "n_kv",
        "vocabulary": "V",
        **dict.fromkeys(("tokens", "stream", "inputs"), "S"),
        "experts": "E",
        "expert inner": "d_expert",
        "layers": "L",
    }


@pytest.mark.parametrize(
    ("given", "degrees", "said"),
    [
        (
            {"preset": "torch-tp"},
            {"n_tp": 4},
            ("plan 'torch-tp' divides n_heads = 6 (query heads) over n_tp = 4, which does not come out, and its engine refuses it; "
            "give a divisor of 6"),
        ),
        (
            {"preset": "fsdp2", "reshard": 4},
            {"n_fsdp": 6},
            "plan 'fsdp2' reshards over 4 devices, which does not divide n_fsdp = 6; give a divisor of it",
        ),
        ({"preset": "torch-tp", "instances": "two"}, {}, "x [plan]: instances must be a whole number, not text"),
        ({"divided": ["weights"], "title": "x", "source": "x", "rests": 1}, {}, "x [plan]: rests must be a table, not a whole number"),
    ],
)  # fmt: skip
def test_a_refusal_says_which_plan_what_was_given_and_where(given, degrees, said):
    with pytest.raises(BadInput) as refused:
        mixed(given, **degrees)
    assert str(refused.value) == said
