"""Every documented key of every question acts, or is refused: turned to another value, the document is another one."""

from __future__ import annotations

import pytest
from sampled import sampled

import symbolic_mem as sm
from symbolic_mem.questions.registry import ASKS, question_type

STUDY = """
title = "A small stack"
[editions]
first = "the book at commit 0a1b2c3, 1 February 2025"
second = "the book at commit 4d5e6f7, 2 August 2025"
[model]
{model}
[values]
{values}
B = 16
S = 256
X = 4
Y = 2
M_X = 1
M_Y = 1
[recipe]
preset = "{recipe}"
{divided}
[network]
flops = "100 TFLOP/s"
bandwidth = "10 GB/s"
direction = "both-ways"
[[question]]
label = "q"
ask = "{ask}"
"""
PLACED = """
[placement]
weights = { over = "n_fsdp" }
gradients = { over = "n_fsdp" }
optimizer = { over = "n_fsdp" }
activations = { over = "n_fsdp", fraction = "1/2", rest = "kept" }
"""
PLAIN = {"recipe": "cs336", "divided": PLACED}
FFN = {**PLAIN, "model": 'kind = "ffn"', "values": "L = 4\nd_model = 512\nd_ff = 2048"}
CUT = {
    "model": 'kind = "transformer"\nprofile = "te-cuda-bf16"\nloss = "vocab-parallel-te"',
    "values": "L = 4\nd_model = 512\nd_ff = 2048\nn_heads = 16\nn_kv = 8\nd_head = 32\nV = 32000",
    "recipe": "megatron-18",
    "divided": '[plan]\npreset = "megatron"',
}
COMPARED = {**FFN, "values": f"{FFN['values']}\nn_fsdp = 8"}
PSI = {**PLAIN, "model": 'kind = "parameters"', "values": "Psi = 7500000000"}
FIRST = '{ figure = "%s", edition = "first" }'
WEIGHS = {
    "device": '"a100-40gb"',
    "reading": '"marketed"',  # of the device that the base then names
    "capacity": '"90 MiB"',
    "reserved": '"20 MiB"',
    "usable": '"1/2"',
    "strict": "true",
}
OF_KINDS = {**WEIGHS, "kinds": '["weights", "gradients"]', "rest": '"dropped"'}
SOFTWARE = {"software": '["allocator=1.5"]'}
RULES = {
    "multiple_of": "7",
    "power_of_two": "true",
    "divides": "49",
    "at_most": "1",
    "whole_samples": "true",
    "padded_rows": "true",
}
PRINTED = {"printed": '[{ figure = "9", edition = "first" }]'}
HOST = {"host": '"1 MiB"', "per_host": "8"}  # refused alone, and without offload: test_hosts.py turns them
CAPACITY = {"capacity": '"100 MiB"'}
STEPS = '[{ name = "a", formula = "2 * d_model", unit = "elements", statement = "Two widths" }%s]'
MORE = ', { name = "b", formula = "3 * d_ff", unit = "elements", statement = "Three widths" }'
# Of each ask: the keys of a question that can be answered, and for each other key a value that is not what it is without.
TURNED = {
    "device_count": (CAPACITY, {**WEIGHS, **SOFTWARE, **PRINTED, "kinds": '["weights"]', "values": "{ B = 3 }"}),
    "min_degree": (
        CAPACITY,
        {**OF_KINDS, **RULES, **SOFTWARE, **PRINTED, **HOST, "for": '"n_tp"', "values": "{ B = 3 }"},
    ),
    "largest": (
        {**CAPACITY, "for": '"B"', "values": "{ n_fsdp = 8 }"},
        {
            **OF_KINDS,
            "kinds": '["activations"]',
            **SOFTWARE,
            **PRINTED,
            **HOST,
            "padded_rows": "true",
            "for": '"S"',
            "values": "{ n_fsdp = 4 }",
        },
    ),
    "insight": (
        {**CAPACITY, "rows": "{ B = [5, 13] }", "columns": "{ S = [64, 256] }", "devices": "[2, 3]"},
        {
            **OF_KINDS,
            **RULES,
            "for": '"n_tp"',
            "values": "{ L = 5 }",
            "about": '["region"]',
            "rows": "{ B = [5, 14] }",
            "columns": "{ S = [64, 100] }",
            "devices": "[2, 5]",
        },
    ),
    "headroom": ({**CAPACITY, "devices": "8"}, {**OF_KINDS, "for": '"n_tp"', "devices": "9"}),
    "stages": (
        {"stages": "[0, 1]", "rows": "{ n_fsdp = [4, 64] }"},
        {
            **WEIGHS,
            "for": '"Psi"',
            "stages": "[0, 1, 2]",
            "rows": "{ n_fsdp = [4, 8] }",
            "unit": '"GiB"',
            "values": "{ Psi = 9000000000 }",
            "printed": '[["120", "1"], ["120", "2"]]',
        },
    ),
    "compute_bound": (
        {},
        {"overlap": '"sum"', "axes": '"optimal"', "pass": '"step"', "scheme": '"fsdp"', "chips": "16"},
    ),
    "smaller_batch": ({}, {"chips": "16"}),
    "largest_mesh": ({}, {"scheme": '"fsdp"'}),
    "fits_and_computes": (
        CAPACITY,
        {**OF_KINDS, "for": '"n_tp"', "place": '{ activations = "1" }', "tokens": '"device"'},
    ),
    "recompute": (
        {**CAPACITY, "recompute": '"full"'},
        {**WEIGHS, **SOFTWARE, "for": '"n_tp"', "recompute": '"half"', "place": '{ activations = "1" }'},
    ),
    "compare": (
        {"recipe": '"fp32"'},
        {
            "recipe": '"pure-bf16"',
            "optimizer": '"lion"',
            "recompute": '"full"',
            "profile": '"hf-cuda-bf16"',
            "kernel": '"eager"',
            "loss": '"fused"',
            "plan": '"zero-1"',
            "place": '{ weights = "1/2" }',
            "rest": '"dropped"',
        },
    ),
    "evaluate": (
        {"steps": STEPS % MORE},
        {
            "steps": STEPS % "",
            "answer": '["a"]',
            "values": "{ d_model = 7 }",
            "edition": '"first"',
            "cases": '[{ name = "wide", values = { d_model = 9 } }, { name = "wider", values = { d_model = 11 } }]',
        },
    ),
    "layouts": (
        {**CAPACITY, "devices": "8", "sequences": "16"},
        {
            **WEIGHS,
            **SOFTWARE,
            "for": '"n_tp"',  # refused beside the number of devices; alone in test_layouts.py
            "devices": "4",
            "sequences": "32",
            "plan": '"megatron-no-sp"',
            "values": "{ S = 512 }",
        },
    ),
    "account": ({}, {"kinds": '["weights"]', "values": "{ B = 3 }", "written": '{ d_ff = "4*d_model" }'}),
    "flops": (
        {},
        {
            "about": '"shares"',
            "values": "{ B = 3 }",
            "cases": '[{ name = "a", values = { d_model = 9 } }, { name = "b", values = { d_model = 11 } }]',
        },
    ),
    "buckets": (
        {"size": '"1 GB"', "bandwidth": '"10 GB/s"', "overhead": '"1e-4"'},
        {"size": '"2 GB"', "bandwidth": '"20 GB/s"', "overhead": '"2e-4"'},
    ),
}
ALL = {"title": '"A heading of our own"', "text": '"A wording of our own."'}
# These say something of a figure, of what is drawn, or of an answer that there is not, and stand below; a strict bound of
# meshes acts on a peak that is just the capacity, which test_layouts.py finds.
ALONE = {"printed_note", "edition", "figures", "tokens of min_degree", "strict of layouts"}


def cases():
    """Each key of each type of question, with a value of it."""
    for ask in ASKS:
        turned = TURNED[ask][1]
        for key in question_type(ask).keys():  # noqa: SIM118 (no dict)
            if not ALONE & {key, f"{key} of {ask}"}:
                yield pytest.param(ask, key, {**ALL, **turned}[key], id=f"{ask} {key}")


@pytest.fixture
def told(tmp_path):
    """Give all that a worked solution with one question says, in words."""
    path = tmp_path / "study.toml"

    def tell(ask, keys):
        settings = {"stages": PSI, "compare": COMPARED, "layouts": CUT}.get(ask, FFN)
        lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
        path.write_text(STUDY.format(ask=ask, **settings) + lines, encoding="utf-8")
        return sm.render_document(sm.homework(sm.load_study(str(path))), "homework", "md").decode()

    return tell


@pytest.mark.parametrize(("ask", "key", "value"), sampled(cases(), 6))
def test_a_key_acts_or_is_refused(told, ask, key, value):
    base = dict(TURNED[ask][0])
    if key == "reading" and ask != "stages":
        base = {name: given for name, given in base.items() if name != "capacity"} | {"device": '"h100-80gb"'}
    before = told(ask, base)
    changed = {**base, key: value}
    if key == "device":
        changed.pop("capacity", None)
    if (ask, key) == ("stages", "for"):
        changed |= CAPACITY
    if key == "printed":
        changed = {**changed, "edition": '"first"'}
    try:
        after = told(ask, changed)
    except sm.MissingValue as absent:
        assert key == "for" and "n_fsdp" in absent.symbols  # another degree divides nothing here
    except sm.BadInput as refusal:
        assert str(refusal)
    else:
        assert after != before


def test_what_says_something_of_a_figure_is_printed_with_it(told):
    base = {**CAPACITY, **PRINTED}
    for ask in ("device_count", "min_degree", "largest"):
        keys = {**TURNED[ask][0], **base}
        assert "The note." in told(ask, {**keys, "printed_note": '"The note."'})
        other = {**keys, "printed": '"9"', "edition": '"second"'}
        assert told(ask, other) != told(ask, {**other, "edition": '"first"'})


@pytest.mark.parametrize("ask", ["min_degree", "largest"])
def test_figures_are_drawn_where_they_are_asked_for(told, ask):
    base = TURNED[ask][0]
    assert told(ask, {**base, "figures": '["bound"]'}) != told(ask, base)


def test_tokens_are_tabulated_where_no_degree_is_enough(told):
    base = {"capacity": '"20 MiB"'}
    assert "| $77$ |" in told("min_degree", {**base, "tokens": "[77, 99]"})
