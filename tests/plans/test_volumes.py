"""What a rank of a cluster sends in a step, against counts of its collectives one by one."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from symbolic_mem.base.symbols import n_chunks, n_cp, n_ep, n_fsdp, n_micro, n_pp, n_tp
from symbolic_mem.library.read import read_study
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.questions.parts.meshes import volumes

SIZES = {"L": 8, "d_model": 512, "d_ff": 2048, "n_heads": 16, "n_kv": 8, "d_head": 32, "V": 32768, "B": 2, "S": 1024}
AXES = {"n_tp": 4, "n_pp": 2, "n_cp": 2, "n_fsdp": 8, "n_micro": 16}


def study(plan: str, model: dict | None = None, **values: int):
    tables = {
        "title": "x",
        "model": {"kind": "transformer", "profile": "te-cuda-bf16"} | (model or {}),
        "values": SIZES | AXES | values,
        "recipe": {"preset": "megatron-18"},
        "plan": {"preset": plan},
    }
    return read_study(tables, "x", "x", None)


def walked(*, divided: bool) -> dict[str, Fraction]:
    """Every ring collective of every block and micro-batch, added up."""
    v = SIZES | AXES
    stream = 2 * v["B"] * (v["S"] // v["n_cp"]) * v["d_model"]  # bytes of the residual stream, whole, in BF16
    ring = Fraction(v["n_tp"] - 1, v["n_tp"])
    sent: dict[str, Fraction] = {"n_tp": Fraction(0), "n_cp": Fraction(0), "n_pp": Fraction(0)}
    for _ in range(v["n_micro"]):
        for _ in range(v["L"] // v["n_pp"]):
            for _part in ("attention", "MLP"):
                for _way in ("forward", "backward"):
                    sent["n_tp"] += 2 * ring * stream  # gathered and summed, an all-reduce in two halves
                if divided:
                    sent["n_tp"] += ring * stream  # the input is gathered again for the gradient of the weight
            keys = 2 * 2 * v["B"] * (v["S"] // v["n_cp"]) * (v["n_kv"] // v["n_tp"]) * v["d_head"]
            sent["n_cp"] += 3 * (v["n_cp"] - 1) * keys  # forward, again backward, and the gradients
        sent["n_pp"] += 2 * Fraction(stream, v["n_tp"] if divided else 1)  # to the next stage, and the gradient back
    return sent


@pytest.mark.parametrize(("plan", "divided"), [("megatron", True), ("megatron-no-sp", False)])
def test_what_is_sent_is_the_sum_of_all_collectives(plan, divided):
    found = {str(axis): size for axis, (_, size) in volumes(study(plan)).items()}
    right = walked(divided=divided)
    assert {axis: found[axis] for axis in right} == right


def test_gradients_and_weights_are_sent_once_in_a_step():
    one = study("megatron", n_cp=1, n_tp=1, n_pp=1)
    parameters = one.numbers[one.model.parameters]
    assert volumes(one)[n_fsdp][1] == Fraction(7, 8) * 6 * parameters


def test_experts_are_sent_their_tokens_and_send_them_back():
    one = study("megatron", {"experts": True}, E=8, k=2, d_expert=256, n_ep=4)
    tokens = SIZES["B"] * SIZES["S"] // (AXES["n_cp"] * AXES["n_tp"])
    each = 2 * tokens * SIZES["d_model"] * 2  # two choices of every token, in BF16
    assert volumes(one)[n_ep][1] == AXES["n_micro"] * (SIZES["L"] // AXES["n_pp"]) * 4 * each * Fraction(3, 4)


def test_an_axis_of_one_device_sends_nothing():
    assert set(volumes(study("megatron", n_cp=1, n_pp=1))) == {n_tp, n_fsdp}
    assert n_cp in volumes(study("megatron"))


def test_the_bubble_is_that_of_ptd_p():
    """Narayanan et al. (2021), section 2.2: (p - 1)/m, and with v chunks (p - 1)/(v m)."""
    given = {n_pp: sp.Integer(8), n_micro: sp.Integer(64), n_chunks: sp.Integer(3)}
    found = [pipeline(name).bubble.xreplace(given) for name in ("gpipe", "1f1b", "interleaved")]
    assert found == [sp.Rational(7, 64), sp.Rational(7, 64), sp.Rational(7, 192)]
