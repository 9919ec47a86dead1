"""A value that a study file gives and nothing in it reads is refused where the file is read, so by every face alike."""

from __future__ import annotations

import pytest

import symbolic_mem as sm
from symbolic_mem.base.errors import BadInput

STUDY = """
title = "Two linear layers"
[model]
kind = "ffn"
[values]
d_model = 8
d_ff = 32
L = 2
B = 1
S = 64
{values}
[given]
{own}
[recipe]
preset = "cs336"
[placement]
weights = {{ over = "n_fsdp" }}
{more}
"""
FITS = '[[question]]\nlabel = "fit"\nask = "min_degree"\ncapacity = "1 GiB"\n'
SPEED = 'speed = { value = "2.5", unit = "m/s", meaning = "how fast" }'
WORKED = '[[question]]\nlabel = "w"\nask = "evaluate"\nsteps = [{{ name = "a", formula = "{formula}" }}]\n'


@pytest.fixture
def load(tmp_path):
    def loaded(values="", own="", more=FITS):
        path = tmp_path / "my.toml"
        path.write_text(STUDY.format(values=values, own=own, more=more))
        return sm.load_study(path)

    return loaded


@pytest.mark.parametrize(
    ("given", "name", "table"),
    [
        ({"values": "E = 4"}, "E", "values"),
        ({"values": "n_tp = 8"}, "n_tp", "values"),
        ({"values": "n_tp = 1"}, "n_tp", "values"),
        ({"values": "n_micro = 8", "more": ""}, "n_micro", "values"),
        ({"values": 'V = "4*d_ff"'}, "V", "values"),
        ({"own": SPEED}, "speed", "given"),
        ({"own": SPEED, "more": WORKED.format(formula="2*B")}, "speed", "given"),
        ({"values": "n_micro = 8", "more": '[plan]\npreset = "zero-3"\n' + FITS}, "n_micro", "values"),
    ],
)
def test_a_value_that_nothing_reads_is_refused(load, given, name, table):
    with pytest.raises(BadInput) as caught:
        load(**given)
    said = str(caught.value)
    assert f"my.toml [{table}]: nothing in this study reads {name}; it reads " in said
    assert said.endswith(f"take {name} out, or add what reads it")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"values": "n_fsdp = 4"},  # what memory is divided over
        {"values": 'n_fsdp = "2*n_heads"\nn_heads = 4'},  # another value
        {"values": "n_tp = 2", "more": WORKED.format(formula="n_tp*B")},  # one question of several
        {"own": SPEED, "more": FITS + WORKED.format(formula="2*speed")},
        {"values": "n_replica = 2", "more": '[plan]\npreset = "hsdp"\n' + FITS},
        {"values": "n_tp = 2", "more": FITS + '[variants]\nlist = [{ B = 2 }, { plan = "megatron-tp" }]\n'},
    ],
)
def test_a_value_that_something_reads_is_taken(load, given):
    assert load(**given).name == "my"
