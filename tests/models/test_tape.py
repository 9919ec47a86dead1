"""Operations of a block: what they keep is what the layers keep, and what is alive is more than that by what they make."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.accounts.units import units
from symbolic_mem.base.symbols import B, S, V, d_ff, d_head, d_model, n_heads, n_kv
from symbolic_mem.library.read import load_study
from symbolic_mem.models import autograd as do
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.profile import profile
from symbolic_mem.models.programs import Programs
from symbolic_mem.models.tape import Tape
from symbolic_mem.models.tensors import END, Tensor
from symbolic_mem.models.transformer import transformer
from symbolic_mem.study.changed_recipe import use_profile

CONFIGS = Path(__file__).parents[1] / "data" / "hf_configs"
SIZES = {B: 2, S: 64, d_model: 512, d_ff: 1408, n_heads: 8, n_kv: 2, d_head: 64}


def bytes_of(tensors, sizes=SIZES):
    return sum(int(one.elements.subs(sizes)) * int(one.bytes_per_element or 2) for one in tensors)


@pytest.mark.parametrize("name", ["torch-cuda-bf16", "hf-cuda-bf16"])
@pytest.mark.parametrize(
    "architecture",
    [
        Architecture(),
        Architecture(qk_norm="head"),
        Architecture(qkv_bias=True, gated=False, activation="gelu", norm="layer", norm_bias=True, mlp_bias=True),
        Architecture(n_kv=n_heads, activation="relu", gated=False),
    ],
    ids=["llama", "qwen3", "layer norm", "relu"],
)
def test_the_operations_keep_what_the_layers_keep(architecture, name):
    (unit,) = units(transformer(architecture, profile(name))).blocks
    assert unit.work is not None


@pytest.mark.parametrize("name", ["gemma-3-1b", "olmo-2-7b"])
def test_blocks_with_norms_after_their_parts_keep_what_the_layers_keep(name):
    study = load_study(str(CONFIGS / f"{name}.json")).change(profile="hf-cuda-bf16")
    (unit,) = units(study.model).blocks
    assert unit.work is not None and units(study.model).work is not None


LAYERS = {
    "norm": "layer",
    "norm_bias": True,
    "mlp_bias": True,
    "qkv_bias": True,
    "o_bias": True,
    "gated": False,
    "n_kv": n_heads,
}
MEASURED = json.loads((CONFIGS.parent / "plain_blocks.json").read_text())
TURNED = sp.Integer(MEASURED["turned"])
PLAIN = {
    "llama": Architecture(),
    "qwen3": Architecture(qk_norm="head"),
    "gemma2": Architecture(norm_place="around", activation="gelu_tanh"),
    "gemma3": Architecture(norm_place="around", activation="gelu_tanh", qk_norm="head"),
    "olmo2": Architecture(norm_place="after", qk_norm="width"),
    "phi3": Architecture(fused_qkv=True),
    "phi4-mini": Architecture(fused_qkv=True, d_rotary=TURNED),
    "gpt_neox": Architecture(
        family="gpt_neox", fused_qkv=True, d_rotary=TURNED, parallel_residual=True, activation="gelu", **LAYERS
    ),
    "parallel": Architecture(d_rotary=TURNED, parallel_residual=True, activation="gelu_tanh", **LAYERS),
    "gpt2": Architecture(fused_qkv=True, position="learned", activation="gelu_tanh", **LAYERS),
}


@pytest.mark.parametrize("row", MEASURED["rows"], ids=lambda row: f"{row['block']}, {row['sizes']}")
def test_plain_blocks_hold_what_they_hold_in_pytorch(row):
    """To the byte in both passes: see tests/data/measure_plain_blocks.py."""
    values = {sp.Symbol(name, positive=True): size for name, size in MEASURED["sizes"][row["sizes"]].items()}
    (unit,) = units(transformer(PLAIN[row["block"]], profile("torch-cuda-bf16"))).blocks
    assert unit.work is not None
    forward = max(bytes_of(one.kept, values) for one in unit.work.forward(unit.name, True))
    backward = max(
        bytes_of((*one.kept, *one.gradients), values)
        + sum(2 * int((part.copies * sp.Mul(*part.shape)).subs(values)) for part in one.made)
        for one in unit.work.backward(unit.name, False)
    )
    kept = bytes_of(unit.work.saved(unit.name), values)
    assert (kept, forward, backward) == (row["kept"], row["forward"], row["backward"])


@pytest.mark.parametrize("architecture", [Architecture(shared_norm=True), Architecture(sinks=True)])
def test_what_is_not_described_has_no_operations(architecture):
    (unit,) = units(transformer(architecture, profile("torch-cuda-bf16"))).blocks
    assert unit.work is None


@pytest.mark.parametrize("name", ["mixtral-8x7b", "qwen3-30b-a3b"])
@pytest.mark.parametrize("engine", ["torch-cuda-bf16", "hf-cuda-bf16"])
def test_the_operations_of_a_mixture_of_experts_keep_what_its_layers_keep(name, engine):
    assert all(unit.described for unit in units(load_study(name).changed([use_profile(engine)]).model).blocks)


def test_latent_attention_and_other_engines_have_no_operations():
    assert not any(unit.described for unit in units(load_study("deepseek-v3").model).blocks)
    assert not any(unit.described for unit in units(transformer(Architecture(), profile("jax-bf16"))).blocks)


def test_live_bytes_of_a_llama_block_are_those_of_the_engine():
    """PyTorch 2.13: a plain block of d 512, f 1408, 8 and 2 heads of 64, tokens 2 x 64: live bytes by hand."""
    rows = 2 * 64
    x, f, q, k = 2 * rows * 512, 2 * rows * 1408, 2 * rows * 512, 2 * rows * 128
    statistics, lse = 4 * rows, 4 * rows * 8 + 24
    kept = 2 * (2 * x + statistics) + 2 * q + 2 * k + lse + 4 * f
    work = Programs(Architecture(), profile("torch-cuda-bf16"))
    assert bytes_of(work.saved("block")) == kept
    first, second, *_ = work.backward("block", False)
    assert first.name == "the product with W_down"
    assert bytes_of((*first.kept, *first.gradients)) == kept + x + f  # what arrives, and the gradient of the input
    assert second.name == "the product of gate and up projection"
    assert bytes_of((*second.kept, *second.gradients)) == kept - f + x + 3 * f  # its input is gone, two are made


def test_the_input_is_held_where_a_block_is_computed_again():
    """Beside an RMSNorm in elementary operations, which keeps an FP32 copy of it."""
    work = Programs(Architecture(), profile("hf-cuda-bf16"))
    once, again = (work.backward("block", held)[0] for held in (False, True))
    assert bytes_of(again.kept) - bytes_of(once.kept) == 2 * 2 * 64 * 512
    plain = Programs(Architecture(), profile("torch-cuda-bf16"))
    assert plain.backward("block", True)[0].kept == plain.backward("block", False)[0].kept


def test_a_forward_pass_that_keeps_nothing_holds_less():
    work = Programs(Architecture(), profile("torch-cuda-bf16"))
    kept, passed = (max(bytes_of(one.kept) for one in work.forward("block", keeps)) for keeps in (True, False))
    assert passed < kept


def test_no_moment_holds_at_least_as_much_of_everything_as_another():
    moments = Programs(Architecture(), profile("hf-cuda-bf16")).backward("block", False)

    def sizes(one):
        held = Counter()
        for tensor in (*one.kept, *one.gradients):
            times, rest = tensor.elements.as_coeff_Mul()
            held[rest, tensor.bytes_per_element] += times
        held["made"], held["making"] = len(one.made), len(one.making)
        return held

    for one in moments:
        assert not any(sizes(one) <= sizes(other) for other in moments if other is not one), one.name


def test_a_product_of_a_wide_and_a_narrow_tensor_makes_both_gradients_before_one_is_summed_up():
    tape = Tape()
    x = tape.enter(Tensor("x", (B, S, d_model)))
    rows = tape.record(tape.new("rows", (B, S), None), (), ())
    tape.leaving = do.multiply(tape, x, rows, reduced=(B, S))
    (moment,) = [one for one in tape.backward() if one.name == ""][:1]
    wide, narrow = 2 * 2 * 64 * 512, 2 * 2 * 64
    assert bytes_of(moment.gradients) == 3 * wide + narrow  # what arrives, two products, and the sum
    assert bytes_of(moment.kept) == wide + narrow


def test_the_head_of_a_fused_loss_makes_no_logits():
    fused, plain = (Programs(Architecture(), profile("torch-cuda-bf16"), logits=one) for one in (False, True))
    assert any(V in one.shape for each in plain.backward(END, False) for one in each.gradients)
    assert not any(V in one.shape for each in fused.backward(END, False) for one in each.gradients)
