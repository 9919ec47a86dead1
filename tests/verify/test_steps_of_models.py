"""Whole steps of published models, measured once: what one device holds at each of six marks, to the byte: see tests/data/measure_steps.py."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from sampled import sampled

from symbolic_mem.library.read import load_study
from symbolic_mem.study.changed_recipe import use_kernel, use_profile
from symbolic_mem.verify.verify import MODELS, expected

DATA = Path(__file__).parent.parent / "data"
CASES = json.loads((DATA / "steps_models.json").read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """Give `held(case)`: what is held at each mark; a case that several tests ask for is computed once."""
    return cache(lambda position: held_at_marks(CASES[position], tmp_path_factory.mktemp("case")))


def held_at_marks(case, folder):
    path, config = folder / "config.json", case["config"]
    if isinstance(config, str):
        path = DATA / "hf_configs" / f"{config}.json"
    else:
        path.write_text(json.dumps(config), encoding="utf-8")
    kernel = [use_kernel(case["kernel"])] if "kernel" in case else []
    study = load_study(str(path)).change(**case["change"]).changed([use_profile(MODELS), *kernel])
    return expected(study, case["change"]["values"]["B"])


@pytest.mark.parametrize("position", sampled([pytest.param(each, id=case["id"]) for each, case in enumerate(CASES)], 5))
def test_a_step_agrees_to_the_byte_at_every_mark(position, held):
    case, found = CASES[position], held(position)
    counters = 4 * case.get("fewer_counters", 0)  # transformers has W_gate and W_up of the experts in one tensor
    assert {mark: one.bytes - counters for mark, one in found.items()} == case["marks"]


@pytest.mark.slow
def test_the_cases_decide_at_many_places_of_a_step(held):
    """Each kind of instant that is described is the fullest of a phase in some case."""
    named = set()
    for position in range(len(CASES)):
        named |= {one.instant for one in held(position).values()}
    for words in (
        "final norm",
        "the product with W_down",
        "the sum after the MLP",
        "the softmax",
        "the activation function",
        "the loss in the forward pass",
        "gather",
    ):
        assert any(words in instant for instant in named), words


@pytest.mark.parametrize("recompute", ["none", "full"])
def test_the_first_gather_decides_where_the_root_is_large(recompute):
    """What FSDP2 gathered outside the blocks is still there beside its copies when the first block is copied out.

    PyTorch 2.13, FSDPParamGroup.wait_for_unshard: in the forward pass the result of a gather is let go in the next one. The
    number is that of the step on fake tensors, and the sum is written out: twice the root, twice a block in 16 bits, the
    embedded tokens, their positions as angles, and the token ids.
    """
    values = {"S": 256, "B": 1, "L": 8, "n_fsdp": 8}
    study = load_study("llama-3.1-8b").change(recipe="fsdp2", recompute=recompute, values=values)
    marks = expected(study.changed([use_profile(MODELS)]), 1)
    found = marks["forward"]
    assert (found.bytes, found.instant) == (10_668_534_060, "the gather of the first block in the forward pass")
    d, f, words = 4096, 14336, 128256
    root, block = 2 * words * d + d, 2 * d * d + 2 * d * 1024 + 3 * d * f + 2 * d
    inside = 2 * 256 * d + 2 * 2 * 256 * 128 + 8 * 256
    assert found.bytes - marks["start"].bytes == 2 * 2 * (root + block) + inside
