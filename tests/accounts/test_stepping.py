"""The peak of a step whose optimizer steps in the backward pass, where a plan divides the optimizer and leaves gradients whole."""

from __future__ import annotations

from itertools import product

import pytest
import sympy as sp
from sampled import sampled

from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.study.answered import found_for

DEGREES = (1, 2, 8, 64, 1024)
SAID = {"gradients": "one-by-one", "loss": "chunked:2"}


def held(study):
    """What one device holds at each moment of a step, all of them, and not those alone that are chosen of a block."""
    return {one.words: one.memory.placed(study.placement).at(study.values) for one in study.timeline}


def asked(name, plan, **values):
    return load_study(name).change(plan=plan, values={"B": 16, "S": 1024, **values}, **SAID)


NAMES, PLANS = ("mixtral-8x7b", "llama-3.1-8b", "qwen3-30b-a3b"), ("zero-1", "distributed-optimizer", "fsdp2")


@pytest.mark.parametrize(("name", "plan", "degree"), sampled(product(NAMES, PLANS, DEGREES), 4))
def test_the_peak_is_the_most_over_all_moments(name, plan, degree):
    study = asked(name, plan, n_fsdp=degree)
    there, told = held(study), Account(study).per_device_record
    assert told["peak_bytes"] == max(there.values()) == there[told["instant"]]


def test_a_degree_divides_the_copy_of_the_tensor_at_work_and_not_its_gradient():
    product = "the backward pass of the last block, at the product with W_down of the experts"
    stepped = f"{product}, the optimizer"
    most = {n: Account(asked("mixtral-8x7b", "zero-1", n_fsdp=n)).per_device_record["instant"] for n in DEGREES}
    assert most == {n: stepped if n == 1 else product for n in DEGREES}
    ahead = [
        there[product] - there[stepped] for there in (held(asked("mixtral-8x7b", "zero-1", n_fsdp=n)) for n in DEGREES)
    ]
    copy = 8 * 4096 * 14336 * 4  # of eight experts, in FP32
    assert [one - ahead[0] for one in ahead] == [copy - copy // n for n in DEGREES]


@pytest.mark.parametrize("name", ["mixtral-8x7b", "llama-3.1-8b"])
def test_the_smallest_degree_holds_every_moment_and_one_less_does_not(name):
    study = asked(name, "zero-1")
    room = max(held(asked(name, "zero-1", n_fsdp=7)).values())
    study = study.change(capacity=f"{sp.ceiling(room)} B")
    question = next(one for one in study.questions if isinstance(one, MinDegree))
    assert found_for(study, question).value == 7
