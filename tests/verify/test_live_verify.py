"""The installed PyTorch asked for a whole step: it agrees with our instants to the byte."""

from __future__ import annotations

import importlib
import os

import pytest

from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.study.study import Study
from symbolic_mem.verify.measure import measure
from symbolic_mem.verify.run import run_of
from symbolic_mem.verify.verify import verify


@pytest.fixture(autouse=True)
def engine():
    for name in ("torch", "transformers"):
        try:
            importlib.import_module(name)
        except ImportError:
            if os.environ.get("SYMBOLIC_MEM_NO_SKIP") == "1":
                pytest.fail(f"needs {name}, and SYMBOLIC_MEM_NO_SKIP=1 forbids skipping")
            pytest.skip(f"needs {name}")


SHARDED = {"preset": "fsdp2"}
SIZES = {"L": 3, "d_model": 46, "d_ff": 55, "B": 2, "S": 17}
STEPS = {
    "one device": ({"kind": "ffn"}, {"preset": "fp32"}, {}, {}),
    "one device, gradients freed, one block": ({"kind": "ffn"}, {"gradients_persist": False}, {}, {"L": 1}),
    "one device in BF16, every second block": ({"kind": "gated-ffn"}, {"recompute": {"every": 2}}, {}, {}),
    "one device, half of the blocks": ({"kind": "gated-ffn", "residual": True}, {"recompute": "half"}, {}, {"L": 5}),
    "one device in FP32, half of the blocks": ({"kind": "ffn"}, {"preset": "fp32", "recompute": "half"}, {}, {"L": 4}),
    "more width than inside": ({"kind": "gated-ffn", "residual": True}, {}, {}, {"d_ff": 12}),
    "FSDP2": ({"kind": "ffn"}, {"preset": "fsdp2"}, SHARDED, {"n_fsdp": 12}),
    "FSDP2 in FP32, one block": ({"kind": "gated-ffn"}, {"preset": "fp32"}, SHARDED, {"n_fsdp": 3, "L": 1}),
    "one device, products kept": ({"kind": "ffn"}, {"preset": "fp32", "recompute": "products"}, {}, {}),
    "FSDP2, products kept": (
        {"kind": "ffn"},
        {"preset": "fsdp2", "recompute": "products", "gradients_persist": False},
        {"preset": "fsdp2"},
        {"n_fsdp": 4},
    ),
    "FSDP2, recomputed": (
        {"kind": "gated-ffn", "residual": True},
        {"preset": "fsdp2", "recompute": "full", "gradients_persist": False},
        SHARDED,
        {"n_fsdp": 4},
    ),
    "FSDP2, all stays gathered": ({"kind": "ffn"}, {"preset": "fsdp2"}, SHARDED | {"reshard": False}, {"n_fsdp": 12}),
    "FSDP2, a share stays": ({"kind": "gated-ffn"}, {"preset": "fsdp2"}, SHARDED | {"reshard": 3}, {"n_fsdp": 12}),
    "HSDP": ({"kind": "gated-ffn"}, {"preset": "fsdp2"}, {"preset": "hsdp"}, {"n_fsdp": 4, "n_replica": 2}),
    "FSDP2 on one device": ({"kind": "gated-ffn"}, {"preset": "fsdp2"}, SHARDED, {"n_fsdp": 1}),
    "tensor by tensor": ({"kind": "ffn"}, {"preset": "fsdp2", "foreach": False}, SHARDED, {"n_fsdp": 12}),
    "SGD": ({"kind": "ffn"}, {"preset": "fp32", "optimizer": "sgd"}, {}, {}),
}


def study_of(tmp_path, name: str) -> Study:
    model, recipe, plan, values = STEPS[name]
    precision = {"preset": "pure-bf16"} | recipe
    tables = {"model": model, "recipe": precision, **({"plan": plan} if plan else {}), "values": SIZES | values}
    return read_study({"title": name, **tables}, name, name, tmp_path)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_a_stack_agrees_to_the_byte(tmp_path, name):
    found = verify(study_of(tmp_path, name))
    assert {row.mark: row.miss for row in found.rows if row.miss} == {}
    assert found.changed == () and found.sentence == "All 6 agree to the byte."


def test_the_answer_does_not_depend_on_the_number_of_blocks_that_are_left_out():
    study = load_study("cs336-a2-xxl").change(
        values={"n_fsdp": 8, "S": 64}, recipe="fsdp2", place={"activations": "1"}, recompute="every=3"
    )
    found = verify(study)
    assert found.changed == ("L = 9 in place of 126",)
    assert [row.miss for row in found.rows] == [0] * 6


def test_a_llama_holds_what_transformers_holds_at_the_largest_instant():
    study = load_study("llama-3.1-8b").change(values={"n_fsdp": 8, "B": 1, "S": 2048, "L": 4})
    found = {row.mark: row for row in verify(study).rows}
    assert found["the start of the step"].miss == found["the most in the optimizer step"].miss == 0
    assert abs(found["the end of the forward pass"].miss) <= 16  # the loss, and the label that it adds
    peak = found["the most in the backward pass"]
    assert peak.theirs == max(row.theirs for row in found.values())
    assert abs(peak.miss) <= 8 * 2048 + 16  # the labels, which the loss no longer needs


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("gpt2-xl", {"recompute": "full"}),
        ("gpt2-xl", {"kernel": "flash"}),
        ("llama-3.1-8b", {"kernel": "eager"}),
        ("llama-3.1-8b", {"kernel": "efficient", "recompute": "every=2"}),
        ("llama-3.1-8b", {"kernel": "flash_gqa"}),
        ("llama-3.1-8b", {"recompute": "products=2"}),
    ],
)
def test_other_blocks_and_kernels_agree_to_the_byte(name, changes):
    values = {"n_fsdp": 7, "B": 2, "S": 320, "L": 3, "V": 160}
    found = verify(load_study(name).change(values=values, **changes))
    assert {row.mark: row.miss for row in found.rows if row.miss} == {}


@pytest.mark.parametrize(
    ("number", "changes"), [(3, {}), (4, {"kernel": "eager"}), (6, {"kernel": "flash_gqa", "loss": "fp32"})]
)
def test_half_of_the_blocks_of_a_llama_agree_to_the_byte(number, changes):
    """Its norms keep copies in FP32, so that the residual stream of each pair is kept beside what its first block saves."""
    values = {"B": 2, "S": 96, "L": number, "V": 160}
    study = load_study("llama-3.1-8b").change(
        values=values, recipe="pure-bf16", recompute="half", plan="one-device", **changes
    )
    assert {row.mark: row.miss for row in verify(study).rows if row.miss} == {}


@pytest.mark.parametrize("name", ["bf16", "fp32", "fp32-held", "chunked:4"])
def test_a_named_loss_agrees_to_the_byte_but_for_the_numbers_of_its_parts(name):
    values = {"n_fsdp": 4, "B": 8, "S": 256, "L": 3, "V": 5000}
    found = verify(load_study("llama-3.1-8b").change(values=values, loss=name))
    parts = int(name.partition(":")[2] or 0)
    assert all(-4 * parts <= row.miss <= 0 for row in found.rows)
    assert next(row.miss for row in found.rows if row.mark == "the end of the forward pass") == 0


def test_each_changed_setting_changes_what_the_engine_holds(tmp_path):
    study = study_of(tmp_path, "FSDP2, recomputed")
    whole = measure(run_of(study.change(recompute="none")))
    assert measure(run_of(study))["forward end"] < whole["forward end"]
