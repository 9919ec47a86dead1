"""What collectives send, by moving the pieces round a ring one by one; and how layers are read."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import B, C, L, S, T, W, W_dcn, X, d_ff, d_model
from symbolic_mem.library.read import load_study
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.gated_ffn import gated_ffn
from symbolic_mem.models.tensors import Layer, Matmul, Model
from symbolic_mem.plans.collectives import Collective
from symbolic_mem.plans.load import load
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.network_table import read_network
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, scheme
from symbolic_mem.solvers.critical import next_whole

CHIPS = [2, 4, 6, 8, 16]
OWN_DEVICE = """
[sources.sheet]
text = "the vendor's data sheet"
date = "2026-11-23"
confidence = "vendor"
[devices.mine]
title = "Our accelerator, 48 GB"
capacity = { label = "48 GB", source = "sheet" }
flops = { bf16 = "5 TFLOP/s", source = "sheet" }
"""


def numbers(kind, chips, network, size=5040):
    collective = Collective(kind, "x", sp.Integer(size), sp.Integer(chips), "X")
    values = {W: sp.S.One}
    return [Fraction(str(part.xreplace(values))) for part in (collective.volume(network), collective.time(network))]


@pytest.mark.parametrize("chips", CHIPS)
def test_an_all_gather_round_a_ring_passes_all_but_ones_own_piece(chips):
    held = [{chip} for chip in range(chips)]
    newest, sent = [{chip} for chip in range(chips)], 0
    while any(len(pieces) < chips for pieces in held):
        newest = [newest[chip - 1] for chip in range(chips)]
        held = [pieces | new for pieces, new in zip(held, newest, strict=True)]
        sent += 1
    expected = Fraction(5040, chips) * sent
    for kind, factor in (("all-gather", 1), ("reduce-scatter", 1), ("all-reduce", 2)):
        assert numbers(kind, chips, Network("one-way", "exact"))[0] == factor * expected


@pytest.mark.parametrize("chips", CHIPS)
def test_an_all_to_all_on_a_ring_loads_its_links_by_the_shorter_way(chips):
    """Each chip sends one N²-th of the array to each other chip; a link both ways carries 1 byte per second."""
    piece, links = Fraction(5040, chips**2), [Fraction(0)] * (2 * chips)
    for source in range(chips):
        for target in range(chips):
            there = (target - source) % chips
            back = chips - there
            ways = [(+1, there)] if there < back else [(-1, back)] if there > back else [(+1, there), (-1, back)]
            for direction, hops in ways if there else []:
                for hop in range(hops):
                    link = 2 * ((source + direction * hop) % chips) + (direction < 0)
                    links[link] += piece / len(ways)
    assert numbers("all-to-all", chips, Network("both-ways"))[1] == max(links) / Fraction(1, 2)


@pytest.mark.parametrize("chips", CHIPS)
def test_an_all_to_all_over_a_switch_sends_what_is_for_others(chips):
    assert numbers("all-to-all", chips, Network("one-way", "exact"))[0] == Fraction(5040, chips**2) * (chips - 1)


def test_a_pair_of_products_gathers_once_and_scatters_once_each():
    two, three = load(ffn()), load(gated_ffn())
    assert (two.inputs, two.outputs) == (three.inputs, three.outputs) == (T * d_model, T * d_model)
    assert (two.weights, three.weights) == (2 * d_ff * d_model, 3 * d_ff * d_model)
    pair = (Matmul("in", B * S, d_model, d_ff, enters=True), Matmul("out", B * S, d_ff, d_model, leaves=True))
    square = (
        Matmul("q", B * S, d_model, d_model, enters=True),
        Matmul("scores", B * S, d_ff, S),
        Matmul("o", B * S, d_model, d_model, leaves=True),
    )
    for matmuls, pairs in ((pair, 1), (pair + pair, 2), (square, 1), (square[:1] + pair, 1), (pair[:1], 1)):
        found = load(Model("m", (Layer("l", matmuls=matmuls),)))
        assert found.inputs == pairs * T * d_model
        assert found.outputs == (0 if matmuls == pair[:1] else pairs * T * d_model)


def test_an_adapter_as_wide_as_the_stream_is_no_end_of_a_layer():
    """B of W_q gives n_heads d_head = d_model numbers, which no rank sums; that of W_o is added before the ranks sum once."""
    for name in ("llama-3.1-8b", "gpt2-xl"):
        plain = load_study(name)
        tuned = plain.change(recipe="lora", adapters="all-linear")
        whole, more = load(plain.model), load(tuned.model)
        assert sp.expand(more.inputs - whole.inputs) == sp.expand(more.outputs - whole.outputs) == 0
    width = plain.built.architecture.d_model
    assert sp.expand(whole.outputs - 2 * L * T * width) == 0


def test_tensor_parallelism_of_products_that_say_nothing_of_the_stream_is_refused():
    silent = load(Model("m", (Layer("l", matmuls=(Matmul("q", B * S, d_model, d_model),)),)))
    assert scheme("fsdp", silent).forward.collectives
    with pytest.raises(BadInput, match=r"give Matmul\(\.\.\., enters=True\)"):
        scheme("tp", silent)


def test_layers_of_several_kinds_are_counted_with_their_repeats():
    (block,) = ffn().layers
    twice = Model("m", (replace(block, repeat=sp.Integer(3)), replace(block, repeat=sp.Integer(4))))
    one, whole = load(ffn()), load(twice)
    assert (whole.flops, whole.weights, whole.inputs) == (7 * one.flops, 7 * one.weights, 7 * one.inputs)
    short, names = whole.named()
    assert sp.expand(short.flops.xreplace(names) - whole.flops) == 0


def test_at_equal_times_the_products_decide_and_the_batch_must_be_larger():
    roofline = Roofline(scheme("fsdp", load(ffn()), Mesh(axes_x=sp.S.One)).forward, Network("both-ways"))
    values = {C: 8, W: 2, X: 3, d_model: 1, d_ff: 1}
    values = {symbol: sp.Integer(value) for symbol, value in values.items()}
    for overlap in ("max", "sum"):
        assert roofline.winner({**values, T: sp.Integer(12)}, overlap) == "math"
        assert roofline.winner({**values, T: sp.Integer(11)}, overlap) != "math"
    assert next_whole(sp.Integer(12)) == 13


def decode_step_with_compute(
    batch: sp.Expr,
    cache_bytes: sp.Expr,
    weight_bytes: sp.Expr,
    flops_per_token: sp.Expr,
    chips: sp.Expr,
    memory_bandwidth: sp.Expr,
    rate: sp.Expr,
) -> sp.Expr:
    """The same at any batch: reading the caches, and then the slower of reading the weights and multiplying by them.

    Attention is bound by its cache at every batch. Source: Scaling Book, chapter Inference.
    """
    caches = sp.sympify(batch * cache_bytes) / (chips * memory_bandwidth)
    weights = sp.sympify(weight_bytes) / (chips * memory_bandwidth)
    return caches + sp.Max(weights, sp.sympify(batch * flops_per_token) / (chips * rate))


def test_decoding_waits_for_weights_at_a_small_batch_and_for_products_at_a_large_one():
    """Scaling Book, Inference: at B = 240 FLOP/byte x 1 byte/2 FLOP the two are equal on a chip of intensity 240."""
    rates = {"chips": sp.Integer(8), "memory_bandwidth": sp.Integer(1), "rate": sp.Integer(240)}
    weights = {"cache_bytes": sp.Integer(7), "weight_bytes": sp.Integer(100), "flops_per_token": sp.Integer(200)}
    for batch in (1, 119, 120, 121, 500):
        found = decode_step_with_compute(sp.Integer(batch), **weights, **rates)
        products = Fraction(batch * 200, 8 * 240)
        assert found == Fraction(7 * batch, 8) + max(Fraction(100, 8), products)
        assert (products > Fraction(100, 8)) == (batch > 120)


@pytest.mark.parametrize(
    ("name", "forward", "backward"),
    [
        ("dp", [], [("all-reduce", "gradients", "X")]),
        (
            "fsdp",
            [("all-gather", "weights", "X")],
            [("all-gather", "weights", "X"), ("reduce-scatter", "gradients", "X")],
        ),
        (
            "tp",
            [("all-gather", "inputs", "Y"), ("reduce-scatter", "outputs", "Y")],
            [("all-gather", "gradients of the outputs", "Y"), ("reduce-scatter", "gradients of the inputs", "Y")],
        ),
    ],
)
def test_a_scheme_says_what_each_of_its_collectives_sends(name, forward, backward):
    found = scheme(name, load(ffn()))
    told = [[(one.kind, one.what, one.axis) for one in each.collectives] for each in (found.forward, found.backward)]
    assert told == [forward, backward]
    step = found.of("step")
    assert (step.name, step.collectives) == ("step", found.forward.collectives + found.backward.collectives)


def test_a_network_refuses_an_unknown_direction_and_ring_with_the_nearest():
    for given, said in ((("bothways",), "did you mean 'both-ways'?"), (("one-way", "exakt"), "did you mean 'exact'?")):
        with pytest.raises(BadInput, match=re.escape(said)):
            Network(*given)


def test_the_rates_of_a_network_are_those_of_its_table_and_device():
    rates = {"flops": "4 TFLOP/s", "bandwidth": "3 GB/s", "pods": "2 GB/s", "direction": "one-way"}
    assert read_network(rates, {}, "here")[1] == {C: 4 * 10**12, W: 3 * 10**9, W_dcn: 2 * 10**9}
    named, given = read_network(
        {"device": "tpu-v5p", "link": "ICI", "scope": "per link", "direction": "both-ways"}, {}, "here"
    )
    assert named.device == "tpu-v5p" and set(given) == {C, W}


def test_a_network_knows_a_device_of_the_caller(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(OWN_DEVICE, encoding="utf-8")
    found, rates = read_network({"device": "mine", "direction": "one-way"}, {W: sp.S.One}, "here", str(own))
    assert found.device == "mine" and rates == {C: 5 * 10**12}
