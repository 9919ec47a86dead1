"""Every time is in seconds and every volume in bytes: symbols are replaced by their units."""

from dataclasses import replace

import pytest
import sympy as sp

from symbolic_mem.base.symbols import C, T, W, W_dcn
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.gated_ffn import gated_ffn
from symbolic_mem.plans.collectives import COLLECTIVES, Collective
from symbolic_mem.plans.load import load
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import scheme
from symbolic_mem.plans.words import PASSES, SCHEMES

second, byte, flop, token = sp.symbols("second byte flop token", positive=True)
UNITS = {C: flop / second, W: byte / second, W_dcn: byte / second, T: token}


def powers(expr):
    """The units of every term of an expression; plain numbers, widths and degrees have none."""
    with_units = sp.expand(expr.xreplace(UNITS))
    found = set()
    for term in sp.Add.make_args(with_units):
        found.add(tuple(sp.sympify(term.as_powers_dict().get(unit, 0)) for unit in (second, byte, flop, token)))
    return found


def of_units(load_of_model):
    """The load with a unit on each of its four numbers."""
    return replace(
        load_of_model,
        flops=load_of_model.flops / T * flop,
        weights=load_of_model.weights,
        inputs=load_of_model.inputs / T,
        outputs=load_of_model.outputs / T,
    )


@pytest.mark.parametrize("ring", ["limit", "exact"])
@pytest.mark.parametrize("direction", ["both-ways", "one-way"])
@pytest.mark.parametrize("model", [ffn(), gated_ffn()], ids=["two matrices", "gated"])
@pytest.mark.parametrize("name", SCHEMES)
def test_times_are_seconds_and_volumes_bytes(name, model, direction, ring):
    network = Network(direction, ring)
    plan = scheme(name, of_units(load(model)), weight_bytes=2 * byte, activation_bytes=2 * byte)
    for of in PASSES:
        roofline = Roofline(plan.of(of), network)
        assert powers(roofline.math) == {(1, 0, 0, 0)}
        for collective, time in roofline.each:
            assert powers(collective.volume(network)) == {(0, 1, 0, 0)}, collective
            assert powers(time) == {(1, 0, 0, 0)}, collective


@pytest.mark.parametrize("kind", COLLECTIVES)
def test_every_collective_takes_seconds(kind):
    n = sp.Symbol("n", positive=True)
    for network in (Network("both-ways"), Network("one-way", "exact"), Network("both-ways", "exact")):
        for fabric in ("mesh", "pods"):
            collective = Collective(kind, "x", 2 * byte, n, "X", fabric=fabric)
            assert powers(collective.time(network)) == {(1, 0, 0, 0)}
            assert powers(collective.volume(network)) == {(0, 1, 0, 0)}


def test_a_wrong_formula_would_be_seen():
    assert powers(2 * byte / W + sp.S.One) == {(1, 0, 0, 0), (0, 0, 0, 0)}
    assert powers(2 * byte * W) != {(1, 0, 0, 0)}
