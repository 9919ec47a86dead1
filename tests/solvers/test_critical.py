"""Long rings give the book's bounds; the best mesh is a minimum; whole meshes agree with a plain recount."""

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sampled import sampled

from symbolic_mem.base.symbols import M_X, M_Y, C, N_devices, T, W, X, Y, d_ff, d_model, n_pod
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.gated_ffn import gated_ffn
from symbolic_mem.plans.load import load
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, scheme
from symbolic_mem.solvers.chips import largest, largest_mesh, only_axis
from symbolic_mem.solvers.critical import critical, tidy
from symbolic_mem.solvers.optimum import best_mesh, whole_meshes

LIMIT, EXACT = Network("both-ways"), Network("both-ways", "exact")
NUMBERS = st.integers(1, 10**6)


def forward(network, name="fsdp+tp", model=None):
    return Roofline(scheme(name, load(model or ffn())).forward, network)


@pytest.mark.parametrize("name", ["dp", "fsdp"])
def test_the_exact_ring_tends_to_the_books_bound(name):
    of = "backward" if name == "dp" else "forward"
    passes = [Roofline(scheme(name, load(ffn())).of(of), network) for network in (EXACT, LIMIT)]
    bounds = [tidy(critical(one, "max").tokens / one.work.chips) for one in passes]
    assert bounds[0] != bounds[1]
    assert sp.limit(bounds[0], X, sp.oo) == bounds[1] == C / (M_X * W)


def test_every_time_of_an_exact_ring_tends_to_that_of_a_long_one():
    for name in ("fsdp+tp", "tp"):
        for of in ("forward", "backward", "step"):
            plan = scheme(name, load(gated_ffn())).of(of)
            exact, long = Roofline(plan, EXACT).by_axis, Roofline(plan, LIMIT).by_axis
            for axis, degree in (("X", X), ("Y", Y)):
                if axis in exact:
                    assert sp.limit(exact[axis] / long[axis], degree, sp.oo) == 1
                    assert exact[axis].xreplace({degree: sp.S.One}) == 0


@given(n=NUMBERS, f=NUMBERS, c=NUMBERS, w=NUMBERS, mx=st.integers(1, 3), my=st.integers(1, 3), t=NUMBERS)
@settings(deadline=None, max_examples=25)
def test_no_mesh_has_a_smaller_sum_than_the_best_one(n, f, c, w, mx, my, t):
    best = best_mesh(forward(LIMIT))
    values = {N_devices: n, d_ff: f, C: c, W: w, M_X: mx, M_Y: my, T: t, d_model: 1}
    values = {symbol: sp.Integer(value) for symbol, value in values.items()}
    total = (best.fsdp + best.tensor).xreplace(values)
    x = best.x.xreplace(values)
    least = total.xreplace({X: x})
    for other in (x / 2, x * sp.Rational(101, 100), x * 3):
        assert total.xreplace({X: other}) > least
    assert sp.expand(best.fsdp.xreplace({X: best.x}) - best.tensor.xreplace({X: best.x})) == 0


@pytest.mark.parametrize("model", [ffn(), gated_ffn()], ids=["two matrices", "gated"])
def test_adding_the_times_asks_for_four_times_the_batch_at_the_best_mesh(model):
    best = best_mesh(forward(LIMIT, model=model))
    assert sp.cancel(best.tokens("sum") / best.tokens("max")) == 4
    assert sp.cancel(best.x_at("sum") / best.x_at("max")) == 2


def test_the_sum_rule_tends_to_the_max_rule_for_a_wide_layer():
    one, other = (critical(forward(LIMIT), rule).tokens for rule in ("sum", "max"))
    assert sp.limit(one, d_ff, sp.oo) == other


@pytest.mark.parametrize("rule", ["max", "sum"])
def test_the_best_exact_ring_is_where_math_and_sending_balance(rule):
    numbers = {N_devices: 64, d_ff: 53248, C: 2556, W: 1, M_X: 1, M_Y: 1, d_model: 1}
    numbers = {symbol: sp.Integer(value) for symbol, value in numbers.items()}
    best = best_mesh(forward(EXACT))
    tokens = best.tokens(rule).xreplace(numbers)
    x = best.x_at(rule).xreplace(numbers)
    at = {**numbers, T: tokens, X: x}
    math, fsdp, tensor = (part.xreplace(at) for part in (best.math, best.fsdp, best.tensor))
    for sent in (fsdp, tensor) if rule == "max" else (fsdp + tensor,):
        assert float(sent / math) == pytest.approx(1, rel=1e-12)


@given(chips=st.sampled_from([8, 12, 64, 96]), alpha=st.integers(100, 4000), f=st.integers(1000, 60000))
@settings(deadline=None, max_examples=15)
def test_whole_meshes_agree_with_a_plain_recount(chips, alpha, f):
    values = {d_ff: f, d_model: 1, C: alpha, W: 1, M_X: 2, M_Y: 1}
    values = {symbol: sp.Integer(value) for symbol, value in values.items()}
    for rule in ("max", "sum"):
        meshes = whole_meshes(forward(LIMIT), chips, values, rule)
        assert [mesh.x * mesh.y for mesh in meshes] == [chips] * len(meshes)
        assert [mesh.x for mesh in meshes] == [x for x in range(1, chips + 1) if chips % x == 0]
        for mesh in meshes:
            gather = Fraction(1, 2 * mesh.y) if mesh.x > 1 else Fraction(0)  # in units of 4 d_model d_ff
            move = Fraction(1, f * mesh.x) if mesh.y > 1 else Fraction(0)  # of each token
            compute = Fraction(1, chips * alpha)
            room = compute - move if rule == "sum" else compute
            enough = compute > move
            expected = gather / room if enough else None
            assert (mesh.tokens is None) == (expected is None)
            if expected is not None:
                assert Fraction(int(mesh.tokens.p), int(mesh.tokens.q)) == expected


def test_the_largest_mesh_without_overlap_is_found_by_trying_them():
    one = Mesh(axes_x=sp.S.One, axes_y=sp.S.One)
    network = Network("one-way", "exact")
    alone = [
        largest(Roofline(scheme(name, load(gated_ffn()), one).forward, network), degree)
        for name, degree in (("fsdp", X), ("tp", Y))
    ]
    values = {T: 3000, d_ff: 4000, C: 100, W: 1}
    values = {symbol: sp.Integer(value) for symbol, value in values.items()}
    both = float(largest_mesh(*alone, "sum").xreplace(values))
    work = scheme("fsdp+tp", load(gated_ffn()), one).forward
    slack = Roofline(work, network).math - Roofline(work, network).communication("sum")
    slack = sp.lambdify((X, Y), slack.xreplace({**values, d_model: sp.S.One}))
    tried = 0.0
    for step in range(100, 6000):
        x = step / 100
        low, high = 1.0, 200.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if slack(x, middle) >= 0 else (low, middle)
        if low > 1.001:
            tried = max(tried, x * low)
    assert tried == pytest.approx(both, rel=1e-6)
    assert float(largest_mesh(*alone, "max").xreplace(values)) > both


BOUNDS = [(30, 20), (1.5, 20), (20, 1.5), (1.5, 1.2), (3, 20), (3.2, 3.1), (9, 4), (2.5, 2)]


@pytest.mark.parametrize(("f", "g", "silent"), sampled([(*one, silent) for one in BOUNDS for silent in (0, 1)], 5))
def test_no_mesh_without_overlap_has_more_chips_than_the_bound(f, g, silent):
    """Every X of one chip or more with the longest Y beside it, and either axis alone."""
    f, g = Fraction(str(f)), Fraction(str(g))
    axes = [sp.Rational(number.numerator, number.denominator) for number in (f, g)]
    only = only_axis(*axes, silent)
    bound = Fraction(str(largest_mesh(*axes, "sum", silent))) if only is None else (f, g)[only]
    tried = [max(f, g)]
    for step in range(20_001):
        x = 1 + (f - 1) * Fraction(step, 20_000)
        y = silent + (g - silent) * (1 - (x - silent) / (f - silent))
        tried += [x * y] if y >= 1 else []
    assert max(tried) <= bound
    assert max(tried) >= bound * Fraction(9999, 10000)


def test_pods_add_one_all_reduce_of_the_shard_and_nothing_forward():
    plan = scheme("hsdp", load(ffn()))
    assert "pods" not in plan.forward.axes
    last = plan.backward.collectives[-1]
    assert (last.kind, last.fabric) == ("all-reduce", "pods")
    assert last.bytes == 4 * d_ff * d_model / (X * Y)
    assert plan.mesh.chips == X * Y * n_pod
