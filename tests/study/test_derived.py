"""Sizes that a study writes in others: whole numbers that follow when those are set otherwise."""

from __future__ import annotations

import pytest

import symbolic_mem as sm

STUDY = """
title = "Two thirds of four"
[model]
kind = "gated-ffn"
[values]
d_model = {d_model}
d_ff = {d_ff}
L = 2
B = 1
S = 64
[recipe]
preset = "cs336"
[placement]
weights = {{ over = "n_fsdp" }}
[[question]]
label = "q"
ask = "{ask}"
capacity = "1 GiB"
{keys}
"""


@pytest.fixture
def load(tmp_path):
    def study(d_ff='"multiple(8*d_model/3, 64)"', d_model=5120, ask="min_degree", keys=""):
        path = tmp_path / "s.toml"
        path.write_text(STUDY.format(d_ff=d_ff, d_model=d_model, ask=ask, keys=keys), encoding="utf-8")
        return sm.load_study(str(path))

    return study


def test_a_size_follows_the_other(load):
    study = load()
    assert study.values[sm.d_ff] == 13696  # 8/3 of 5120 is 13653.3, and 214 times 64 is the next multiple
    assert study.change(values={"d_model": 4096}).values[sm.d_ff] == 10944  # 10922.7, and 171 times 64
    assert study.change(values={"d_ff": 128, "d_model": 4096}).values[sm.d_ff] == 128
    assert study.change(values={"d_ff": 128}).change(values={"d_model": 4096}).values[sm.d_ff] == 128
    assert any("d_ff follows from other sizes" in note for note in study.notes)


def test_one_formula_may_need_another(tmp_path, load):
    study = load(d_ff='"4*d_model"\nn_fsdp = "d_ff*2"', d_model=8)
    assert (study.values[sm.d_ff], study.values[sm.n_fsdp]) == (32, 64)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"d_ff": '"8*d_model/3"'}, "d_ff = 8\\*d_model/3 is 40960/3 here, no positive whole number; round it"),
        ({"d_ff": '"d_ff + 1"'}, "d_ff are written in each other"),
        ({"d_ff": '"8*zork"'}, "unknown name 'zork'"),
        ({"d_ff": '"multiple(d_model)"'}, "multiple takes 2 in its brackets, and there are 1"),
        ({"d_ff": '"128"'}, "is not allowed; give a positive whole number"),
        ({"d_ff": '"1 - d_model"'}, "no positive whole number"),
    ],
)
def test_refusals(load, options, said):
    with pytest.raises(sm.BadInput, match=said):
        load(**options)


def test_what_is_solved_for_may_not_be_followed(load):
    study = load(ask="largest", keys='for = "d_model"')
    with pytest.raises(
        sm.BadInput, match=r"question q: d_model is asked for, and d_ff = .* follows it; give d_ff a number"
    ):
        sm.answer(study, "q")
    assert sm.answer(study.change(values={"d_ff": 13696, "n_fsdp": 1}), "q").feasible


def test_the_gated_stack_is_public():
    assert sm.gated_ffn().parameters == 3 * sm.L * sm.d_ff * sm.d_model


def test_a_sweep_does_not_step_through_what_is_followed(load):
    pytest.importorskip("numpy")
    with pytest.raises(sm.BadInput, match="d_model is asked for, and d_ff"):
        sm.sweep(load(), d_model=[4096, 5120])
    found = sm.sweep(load(), d_model=[4096, 5120], d_ff=[128])
    assert found["n_fsdp"].shape == (2, 1)
