"""Refusals: each is one line that says what was given, what is allowed and what to do."""

import pytest
import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import W, X, Y
from symbolic_mem.library.read import load_study
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.tensors import Layer, Model
from symbolic_mem.plans.collectives import Collective
from symbolic_mem.plans.load import load
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.network_table import read_network
from symbolic_mem.plans.roofline import Roofline
from symbolic_mem.plans.schemes import Mesh, scheme
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.solvers.critical import critical
from symbolic_mem.solvers.optimum import best_mesh, mesh_size
from symbolic_mem.study.changed_values import set_value

MIXED = Roofline(scheme("fsdp+tp", load(ffn())).forward, Network("both-ways"))
RATES = {"flops": "460 TFLOP/s", "bandwidth": "180 GB/s", "direction": "both-ways"}
HEAD = 'title = "t"\n[model]\nkind = "ffn"\n[values]\nd_model = 64\nd_ff = 256\nL = 2\nX = 4\nY = 2\nM_X = 1\nM_Y = 1\n'

CASES = {
    "no direction": (lambda: Network(""), "no direction"),
    "a direction that nobody states": (lambda: Network("unstated"), "unknown direction 'unstated'"),
    "an unknown ring": (lambda: Network("one-way", "short"), "unknown ring 'short'"),
    "no mesh axes": (lambda: Mesh(axes_x=sp.S.Zero), "M_X = 0 is not allowed"),
    "a collective over no axis": (lambda: Collective("all-gather", "x", W, X, "X", sp.S.Zero), "over 0 mesh axes"),
    "an unknown collective": (lambda: Collective("broadcast", "x", W, X, "X"), "unknown collective 'broadcast'"),
    "an unknown scheme": (lambda: scheme("zero", load(ffn())), "unknown scheme 'zero'"),
    "an unknown pass": (lambda: scheme("dp", load(ffn())).of("sideways"), "unknown pass 'sideways'"),
    "an unknown overlap": (lambda: critical(MIXED, "mean"), "unknown overlap 'mean'"),
    "a best X with one axis": (
        lambda: best_mesh(Roofline(scheme("fsdp", load(ffn())).forward, Network("both-ways"))),
        "along X and along Y",
    ),
    "a mesh that is not the chips": (
        lambda: mesh_size({X: sp.Integer(16), Y: sp.Integer(4)}, 60),
        "X = 16 times Y = 4 is 64 chips, not 60",
    ),
    "a model without matrix products": (lambda: load(Model("m", (Layer("norm"),))), "no matrix product"),
    "a table without direction": (
        lambda: read_network({key: RATES[key] for key in ("flops", "bandwidth")}, {}, "my.toml [network]"),
        r"my.toml \[network\]: the bandwidth has no direction",
    ),
    "a misspelt key": (
        lambda: read_network({**RATES, "bandwith": "1 GB/s"}, {}, "my.toml [network]"),
        "unknown key 'bandwith'; did you mean 'bandwidth'",
    ),
    "a device without FLOP/s": (
        lambda: read_network({"device": "v100-32gb", "direction": "one-way"}, {}, "my.toml [network]"),
        "has no dense BF16 FLOP/s",
    ),
    "a direction that the device lacks": (
        lambda: read_network({"device": "mi350x", "direction": "both-ways"}, {}, "my.toml [network]"),
        "has no bandwidth 'both-ways'",
    ),
    "a rate given twice": (
        lambda: read_network(RATES, {W: sp.S.One}, "my.toml [network]"),
        r"W is given under \[values\] too",
    ),
    "a link of no device": (
        lambda: read_network({**RATES, "link": "ICI"}, {}, "my.toml [network]"),
        "link 'ICI' belongs to no device",
    ),
    "a unit that is no rate": (
        lambda: read_network({**RATES, "bandwidth": "180 GB"}, {}, "my.toml [network]"),
        "is not a bandwidth",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_in_one_line(name):
    call, said = CASES[name]
    with pytest.raises(BadInput, match=said) as refused:
        call()
    assert "\n" not in str(refused.value)


def written(tmp_path, text):
    path = tmp_path / "my.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(str(path))


def batch(study, **keys):
    return ComputeBound.read(keys, "comms", "comms").answer(study)


def test_a_study_without_network_is_told_what_to_add(tmp_path):
    with pytest.raises(BadInput, match=r"add \[network\]"):
        batch(written(tmp_path, HEAD))


def test_a_missing_rate_is_named(tmp_path):
    study = written(tmp_path, HEAD + '[network]\ndirection = "one-way"\n')
    with pytest.raises(MissingValue, match="C, W"):
        batch(study)


@pytest.mark.parametrize("axes", ["best", ""])
def test_axes_are_given_or_optimal(axes):
    with pytest.raises(BadInput, match="known: given, optimal"):
        batch(load_study("cs336-a2-xxl"), axes=axes)


@pytest.mark.parametrize("written_as", ["4.6e14", "460000000000000", "920000000000000/2"])
def test_a_rate_need_not_be_a_whole_number_and_is_exact(written_as):
    study = load_study("cs336-a2-xxl").called([set_value("C", written_as)])
    assert batch(study).facts["critical_batch_tokens"] == sp.Rational(184000, 9)


@pytest.mark.parametrize(("name", "value"), [("X", "2.5"), ("C", "-1"), ("C", "nan"), ("W", "inf"), ("M_X", "0")])
def test_a_value_that_cannot_be_is_refused(name, value):
    with pytest.raises(BadInput, match=name):
        load_study("cs336-a2-xxl").called([set_value(name, value)])


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ('ask = "compute_bound"\noverlap = "mean"', "unknown overlap 'mean'"),
        ('ask = "compute_bound"\nchips = 60', "8 chips, not 60"),
        ('ask = "compute_bound"\nchips = 0', "at least 1"),
        ('ask = "compute_bound"\npass = "sideways"', "unknown pass 'sideways'"),
        ('ask = "compute_bound"\nscheme = "zero"', "unknown scheme 'zero'"),
        ('ask = "compute_bound"\none_pass = "step"', "unknown key 'one_pass'"),
        ('ask = "compute_bound"\nscheme = "fsdp"\naxes = "optimal"', "scheme 'fsdp' is not X times Y"),
        ('ask = "compute_bound"\nchips = "8"', "wrong type"),
        ('ask = "evaluate"\nsteps = []', "nothing to work through"),
        ('ask = "evaluate"\nsteps = [{ name = "a", formula = "b" }]', "unknown name 'b'"),
        ('ask = "evaluate"\nsteps = [{ name = "d_ff", formula = "1" }]', "already the name of something"),
        ('ask = "evaluate"\nsteps = [{ name = "a b", formula = "1" }]', "'a b' is not a name"),
        ('ask = "evaluate"\nsteps = [{ name = "a", formula = "1", printed = "x" }]', "'x' is not a figure"),
        ('ask = "evaluate"\nsteps = [{ name = "a", formula = "1", print = "1" }]', "unknown key 'print'"),
        ('ask = "evaluate"\nanswer = "z"\nsteps = [{ name = "a", formula = "1" }]', "answer 'z' is no step"),
        ('ask = "evaluate"\nsteps = [{ name = "a", formula = "S" }]', "needs a value for S"),
    ],
)
def test_a_bad_question_is_refused_with_its_place(tmp_path, question, said):
    rates = '[network]\nflops = "1 TFLOP/s"\nbandwidth = "1 GB/s"\ndirection = "one-way"\n'
    with pytest.raises(BadInput, match=said) as refused:
        study = written(tmp_path, f"{HEAD}{rates}[[question]]\n{question}\n")
        study.questions[0].answer(study.under(study.questions[0]))
    assert "\n" not in str(refused.value)
