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


def test_a_loss_of_pytorch_is_refused_beside_what_jax_keeps():
    with pytest.raises(
        BadInput, match="loss 'bf16' keeps what PyTorch does, and profile 'jax-bf16' has what JAX keeps"
    ):
        load_study("llama-3.1-8b").change(profile="jax-bf16", loss="bf16")


def test_chunks_that_do_not_divide_the_tokens_are_refused():
    with pytest.raises(BadInput, match="cuts 8192 tokens into 7 parts"):
        load_study("llama-3.1-8b").change(loss="chunked:7")


def test_chunks_that_do_not_come_out_are_said_of_the_option_that_gives_them():
    study = load_study("llama-3.1-8b")
    with pytest.raises(BadInput, match=r"^--loss: the loss 'chunked:7' cuts 8192 tokens into 7 parts"):
        study.change(loss="chunked:7")
    with pytest.raises(BadInput, match=r"^--set: the loss 'chunked:8' cuts 21 tokens"):
        study.change(loss="chunked:8").change(values={"B": 3, "S": 7})


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


COMPILED = json.loads((Path(__file__).parents[1] / "data" / "compiled_loss.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", COMPILED, ids=lambda case: f"{case['parts']} parts, trained {case['trained']}")
def test_head_and_compiled_loss_by_parts(case):
    """Every allocation of a step of PyTorch 2.13: see tests/data/measure_compiled_loss.py."""
    batch, tokens, width, words, parts = (sp.Integer(case[key]) for key in ("B", "S", "d_model", "V", "parts"))
    rows, labels = batch * tokens, 8 * batch * tokens  # the parts of the labels are copies, as those of the input are
    tape = Tape()
    x = tape.enter(Tensor("x", (batch, tokens, width), bytes_per_element=sp.Integer(2)))
    tape.leaving = linear_in_parts(tape, x, "W", (words, width), case["parts"])
    shapes = [[one.shape for one in (*it.kept, *it.gradients, *it.made)] for it in tape.backward()]
    of_head = max(2 * sum(sp.Mul(*shape) for shape in found) for found in shapes)
    chosen = loss(f"chunked-compiled:{parts}")
    statistics = rows * sum(chosen.keeps[name] for name in ("row_greatest", "log_sum"))
    of_loss = (chosen.keeps["logits"] + chosen.copies * chosen.gradients / parts) * rows * words + statistics
    of_loss += 4 * rows / parts + (
        2 * rows * width if case["trained"] else 0
    )  # sums of the rows of a part, in its kernel
    assert case["backward"] - 8 - labels == (of_head if case["trained"] else of_loss)
    assert not case["trained"] or of_head > of_loss


@pytest.mark.parametrize("name", ["bf16", "fp32-held", "chunked:8"])
def test_a_loss_of_16_bits_and_a_recipe_of_32_are_refused_with_both_named(name):
    study = load_study("llama-3.1-8b")
    with pytest.raises(BadInput, match=rf"recipe 'fp32' computes in FP32, and loss '{name}' has logits of 16 bits"):
        study.change(recipe="fp32", loss=name)
    assert study.change(recipe="fsdp2", loss=name).built.loss == name


def test_nothing_is_converted_to_fp32_where_all_is_computed_in_it():
    study = load_study("llama-3.1-8b")
    said = [" ".join(study.change(recipe=name, loss="fp32").model.assumptions) for name in ("fp32", "fsdp2")]
    assert ["converted to FP32" in words for words in said] == [False, True]
