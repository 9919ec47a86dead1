"""Bytes for each logit at the peak of the loss, and what is refused."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, S, V, d_model, n_fsdp
from symbolic_mem.library.read import load_study
from symbolic_mem.models.autograd import linear, linear_in_parts
from symbolic_mem.models.losses import known_losses, loss
from symbolic_mem.models.tape import Tape
from symbolic_mem.models.tensors import Tensor

HEADS = json.loads((Path(__file__).parents[1] / "data" / "head.json").read_text(encoding="utf-8"))
LOGITS = 2 * 4096 * 128256


def at_the_loss(name):
    """Bytes of all activations of Llama 3.1 8B when the backward pass begins."""
    study = load_study("llama-3.1-8b").change(loss=name)
    numbers = {**study.values, n_fsdp: 8}
    step = [one for one in study.timeline if one.name in ("loss", "forward end")]
    return max(one.memory.of("activations").at(numbers) for one in step)


@pytest.mark.parametrize(
    ("name", "bytes_each"),
    [("bf16", 6), ("fp32", 12), ("fp32-held", 14), ("chunked:8", 7), ("chunked:16", Fraction(13, 2))],
)
def test_bytes_of_a_logit_at_the_peak(name, bytes_each):
    """Live storages of PyTorch 2.13 through the loss: 6, 12 and 14; the chunked loss is that of torchtitan 996."""
    rows = 4 * 2 * 4096  # the fused loss keeps one FP32 sum for each token; the total of the others is used by then
    assert at_the_loss(name) - (at_the_loss("fused") - rows) == bytes_each * LOGITS


@pytest.mark.parametrize(
    ("name", "bytes_each"),
    [
        ("vocab-parallel", 6),
        ("vocab-parallel-held", 8),
        ("vocab-parallel-te", 2),
        ("vocab-parallel-fused", 10),
        ("vocab-parallel-fused-held", 14),
    ],
)
def test_bytes_of_a_logit_of_losses_over_a_divided_vocabulary(name, bytes_each):
    """As runs of Megatron-LM on H100, A100 and B200 show them; the words of a loss say the same number."""
    assert at_the_loss(name) - (at_the_loss("fused") - 4 * 2 * 4096) == bytes_each * LOGITS
    assert name == "vocab-parallel-te" or f"{bytes_each} bytes for each logit" in loss(name).words


def test_every_loss_is_a_choice_and_is_said():
    assert known_losses()[:6] == ("bf16", "fp32", "fp32-held", "chunked:N", "chunked-compiled:N", "fused")
    study = load_study("llama-3.1-8b")
    assert any(said.startswith("Loss bf16: ") for said in study.model.said)
    assert any(said.startswith("Loss chunked:8: ") for said in study.change(loss="chunked:8").model.said)


@pytest.mark.parametrize("name", ["", "fp16", "chunked", "chunked:", "chunked:1", "chunked:x", "bf16:2", "chunked:1e3"])
def test_what_is_no_loss_is_one_line(name):
    with pytest.raises(BadInput, match=r"loss|chunks"):
        loss(name)


def test_chunks_that_do_not_divide_the_tokens_are_refused():
    with pytest.raises(BadInput, match="cuts 8192 tokens into 7 parts"):
        load_study("llama-3.1-8b").change(loss="chunked:7")


@pytest.mark.parametrize("case", HEADS["cases"], ids=lambda case: f"{case['parts']}-parts")
def test_a_head_in_parts_holds_what_was_measured(case):
    """Beside the logits, which the caller holds there, and two numbers; the parts of the input are copies."""
    values = {symbol: case[str(symbol)] for symbol in (B, S, d_model, V)}
    tape, parts = Tape(), case["parts"]
    x = tape.enter(Tensor("x", (B, S, d_model), bytes_per_element=sp.Integer(2)))
    tape.leaving = (
        linear(tape, x, "W", (V, d_model)) if parts == 1 else linear_in_parts(tape, x, "W", (V, d_model), parts)
    )

    def size(moment):
        shapes = [one.shape for one in (*moment.kept, *moment.gradients, *moment.made)]
        return 2 * sum(sp.Mul(*shape).subs(values) for shape in shapes)

    logits, inputs = 2 * sp.Mul(B, S, V).subs(values), 2 * sp.Mul(B, S, d_model).subs(values)
    held = max(map(size, tape.backward())) - (inputs if parts == 1 else 0)
    assert held + logits + 8 == case["backward"]


def test_the_loss_of_torchtune_takes_the_head_in_parts():
    built = load_study("llama-3.1-8b").change(loss="chunked-compiled:8").built
    assert (
        built.model.work.parts == 8 and load_study("llama-3.1-8b").change(loss="chunked:8").built.model.work.parts == 1
    )
