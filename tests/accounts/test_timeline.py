"""The instants of a step: PyTorch's own bytes, and a walk over every block and every operation in plain Python."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import sympy as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symbolic_mem.base import symbols as s
from symbolic_mem.library.read import read_study
from symbolic_mem.models.built import Built
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.gated_ffn import gated_ffn
from symbolic_mem.plans.read import plan
from symbolic_mem.recipes.read import read_recipe
from symbolic_mem.recipes.recompute import Recompute, recompute, recomputed_at
from symbolic_mem.study.setting import Setting
from symbolic_mem.verify.cases import read_cases
from symbolic_mem.verify.families import compare_case
from symbolic_mem.verify.held import held

HERE = Path(__file__).parent
CASES = read_cases(HERE.parent / "data" / "peaks.json")


def _walk():
    spec = importlib.util.spec_from_file_location("walk", HERE / "walk.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["walk"] = module
    spec.loader.exec_module(module)
    return module


WALK = _walk()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_step_holds_what_pytorch_holds_to_the_byte(case):
    assert compare_case(case).ours == case.theirs


def test_blocks_of_products_keep_what_enters_the_next_once():
    kept = recompute(ffn(), Recompute("products")).layers
    per_block = [one.name for layer in kept if layer.repeat == s.L for one in layer.saved]
    assert per_block == ["x", "h"] and [one.name for one in kept[-1].saved] == ["y"] and kept[-1].repeat == 1


MODELS = {"ffn": ffn(), "gated": gated_ffn(), "residual": gated_ffn(residual=True)}
RULES = [
    Recompute(),
    Recompute("full"),
    Recompute("every", 2),
    Recompute("every", 2, "last"),
    Recompute("every", 3),
    Recompute("half"),
]


@st.composite
def runs(draw):
    blocks = draw(st.integers(1, 9))
    rule = draw(st.sampled_from(RULES))
    devices = draw(st.sampled_from([None, *(() if rule.rule == "half" else (1, 2, 3, 4, 6, 12))]))
    precision = draw(st.sampled_from([(2, 2), (4, 4)] if devices is None else [(4, 4), (4, 2)]))
    parts = [k for k in range(2, devices) if devices % k == 0] if devices else []
    stays = draw(st.sampled_from([Fraction(0), *([Fraction(1), *(Fraction(1, k) for k in parts)] if devices else [])]))
    return rule, WALK.Run(
        kind=draw(st.sampled_from(sorted(MODELS))),
        blocks=blocks,
        d=draw(st.integers(1, 40)),
        f=draw(st.integers(1, 60)),
        tokens=draw(st.integers(1, 60)),
        again=tuple(recomputed_at(rule, block) for block in range(blocks)),
        kept=draw(st.booleans()),
        foreach=draw(st.booleans()),
        adamw=draw(st.booleans()),
        parameter=precision[0],
        compute=precision[1],
        devices=devices,
        stays=stays,
        half=rule.rule == "half",
    )


def setting_of(rule, run):
    preset = {(4, 4): "fp32", (2, 2): "pure-bf16", (4, 2): "fsdp2"}[run.parameter, run.compute]
    table = {"preset": preset, "optimizer": "adamw" if run.adamw else "sgd", "step_counters": True}
    recipe = read_recipe(table | {"foreach": run.foreach, "gradients_persist": run.kept}, "here")
    sharded = None if run.devices is None else plan("fsdp2")
    values = {s.L: run.blocks, s.d_model: run.d, s.d_ff: run.f, s.B: 1, s.S: run.tokens}
    values |= {} if run.devices is None else {s.n_fsdp: run.devices}
    return Setting(
        name="here",
        built=Built(MODELS[run.kind], {}),
        recipe=recipe.with_recompute(rule),
        values={symbol: sp.Integer(value) for symbol, value in values.items()},
        plan=None if sharded is None else replace(sharded, keep=sp.Rational(str(run.stays))),
        placement={} if sharded is None else sharded.shares,
    )


def run_of(kind, blocks, d, f, tokens, devices, stays=0, kept=False, parameter=4, compute=4):
    again = (False,) * blocks
    return Recompute(), WALK.Run(
        kind, blocks, d, f, tokens, again, kept, False, True, parameter, compute, devices, Fraction(stays)
    )


@given(one=runs())
@example(one=run_of("residual", 1, 35, 11, 6, 3))  # one block: it is gathered twice at once before anything is made
@example(one=run_of("residual", 2, 7, 138, 34, 3, stays=1, compute=2))  # no gradient of the batch is made
@example(one=run_of("residual", 3, 74, 48, 6, None, kept=True))  # sums come before a gradient is added
@example(one=run_of("gated", 2, 46, 55, 3, 12, stays=Fraction(1, 3), kept=True, compute=2))  # few tokens
@example(one=run_of("ffn", 7, 66, 9, 6, 2, stays=1, kept=True, compute=2))  # the last gradient outlives the sending
@example(one=run_of("gated", 9, 77, 107, 34, 1, compute=2))  # one device under FSDP2 gathers nothing
@settings(deadline=None, max_examples=80)
def test_the_largest_instants_are_those_of_a_walk_over_every_block_and_operation(one):
    rule, run = one
    ours = held(setting_of(rule, run))
    assert {mark: at.bytes for mark, at in ours.items()} == WALK.walk(run)


def test_zero_2_holds_whole_weights_shares_of_gradients_and_the_gradients_of_one_block():
    sizes = {s.L: 5, s.d_model: 64, s.d_ff: 256, s.B: 2, s.S: 32, s.n_fsdp: 4}
    study = read_study(
        {
            "title": "x",
            "model": {"kind": "ffn"},
            "recipe": {"preset": "fp32", "gradients_persist": False},
            "plan": {"preset": "zero-2"},
            "values": {str(symbol): value for symbol, value in sizes.items()},
        },
        "x",
        "x",
        Path(),
    )
    (block, tokens), weights = (2 * 64 * 256, 2 * 32), 5 * 2 * 64 * 256
    at = {one.words: one.memory.placed(study.placement).at(study.values) for one in study.timeline}
    moments, activations = 8 * weights // 4, 4 * tokens * (64 + 256)
    assert at["the reduction of the gradients of the last block but one"] == (
        4 * weights + moments + 3 * activations + 4 * block // 4 + 4 * block + 4 * block + 4 * tokens * 64
    )
    assert at["the optimizer step"] == 4 * weights + moments + 4 * weights // 4 * 2 + 4 * tokens * 64
    kept = read_study(
        {"title": "x", "model": {"kind": "ffn"}, "recipe": {"preset": "fsdp2"}, "plan": {"preset": "zero-2"}},
        "x",
        "x",
        Path(),
    )
    assert not kept.timeline  # its weights are kept in another dtype than they are computed in
