"""Gradients that do not persist: the backward pass and the optimizer step must both fit, counted here by hand."""

from __future__ import annotations

from math import ceil

import pytest

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.check import check
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

D_MODEL, D_FF, LAYERS, TOKENS = 512, 2048, 4, 16  # FP32: 4 bytes each of weights and gradients, 8 of moments
PARAMETERS = 2 * LAYERS * D_MODEL * D_FF
ACTIVATIONS = 4 * TOKENS * LAYERS * (D_MODEL + D_FF)  # bytes for one sequence
STUDY = """
title = "Small"
[model]
kind = "ffn"
[values]
d_model = 512
d_ff = 2048
L = 4
B = {batch}
S = 16
n_fsdp = {devices}
[recipe]
preset = "{preset}"
gradients_persist = false
schedule = "sum"
[placement]
weights = {{}}
gradients = {{}}
optimizer = {{}}
[[question]]
label = "a"
ask = "{ask}"
capacity = "60 MiB"
"""
ROOM = 60 * 2**20


@pytest.fixture
def study(tmp_path):
    def load(ask="min_degree", batch=1, devices=2, preset="fp32", more=""):
        path = tmp_path / "small.toml"
        path.write_text(STUDY.format(ask=ask, batch=batch, devices=devices, preset=preset) + more, encoding="utf-8")
        return load_study(str(path))

    return load


@pytest.mark.parametrize("batch", [1, 30, 60, 90])
def test_the_degree_is_the_larger_of_both_moments(study, batch):
    found = homework(study(batch=batch)).found[0]
    backward = ceil(12 * PARAMETERS / (ROOM - batch * ACTIVATIONS))
    step = ceil(16 * PARAMETERS / ROOM)
    assert found.value == max(backward, step)


@pytest.mark.parametrize("batch", [1, 60])
def test_the_count_of_devices_is_the_larger_of_both_moments(study, batch):
    found = homework(study("device_count", batch)).found[0]
    assert found.value == ceil(max(12 * PARAMETERS + batch * ACTIVATIONS, 16 * PARAMETERS) / ROOM)


def test_the_moment_that_decides_is_said(study):
    answered = homework(study())
    opening = plain_prose(answered.sections[1].blocks[0].prose)
    assert "is counted: the optimizer step" in opening and opening.endswith("gives 2.")
    assert plain_prose(answered.found[0].assumptions[-1]).startswith("What is counted is the optimizer step")


def test_the_largest_batch_needs_room_for_the_step(study):
    answered = homework(study("largest"))
    found = answered.found[0]
    assert (found.value, found.feasible) == (None, False)
    assert plain_prose(answered.answers[0]) == (
        "There is no such B: at the optimizer step, with all gradients and no activations, one device keeps 64 MiB "
        "whatever B is, and has 60 MiB; take a larger device, divide the memory over more devices, or choose a smaller "
        "model."
    )
    assert found.question.claims(found.study)["B"].value is None
    found = homework(study("largest", devices=4)).found[0]
    assert found.value == (ROOM - 12 * PARAMETERS // 4) // ACTIVATIONS


def test_recomputation_does_not_make_the_step_smaller(study):
    assert homework(study("recompute")).found[0].value == ceil(16 * PARAMETERS / ROOM)


def test_what_persists_no_longer_is_not_said_to_persist(study):
    said = [plain_prose(one) for one in homework(study(preset="cs336")).found[0].assumptions]
    assert not any("persist between micro-batches, so they coexist" in one for one in said)


def test_every_document_of_such_a_study_is_derived(study):
    assert report(study("insight")).sections and report(study("recompute")).sections


FREED = """
title = "Freed"
[model]
kind = "ffn"
[values]
{values}
[recipe]
preset = "{preset}"
gradients_persist = false
schedule = "sum"
[placement]
{placed}
{network}
[[question]]
label = "a"
{question}
"""
WIDE = {"d_model": 512, "d_ff": 2048, "L": 4, "B": 64, "S": 256}  # 8,388,608 parameters, 335,544,320 bytes saved
SMALL = {"d_model": 64, "d_ff": 64, "L": 1, "B": 1, "S": 200}  # 8,192 parameters
MIB = 2**20


def of(**values):
    return "\n".join(f"{name} = {value}" for name, value in values.items())


@pytest.fixture
def freed(tmp_path):
    def load(question, values=WIDE, over=("activations",), preset="cs336", network=""):
        path = tmp_path / "freed.toml"
        placed = "\n".join(f'{kind} = {{ over = "n_fsdp" }}' for kind in over)
        given = {"values": of(**values), "preset": preset, "placed": placed, "network": network, "question": question}
        path.write_text(FREED.format(**given), encoding="utf-8")
        return load_study(str(path))

    return load


def answered(study):
    """The answer, and its sentence; every document is derived, so that every line of it is checked."""
    assert report(study).sections
    found = homework(study)
    return found.found[0], plain_prose(found.answers[0])


ONLY_ACTIVATIONS = [
    # start of the backward pass 96 + 320/n MiB, of which nothing is divided at the step: 128 MiB
    ('ask = "min_degree"\ncapacity = "256 MiB"', 2),
    ('ask = "min_degree"\ncapacity = "512 MiB"', 1),
    ('ask = "min_degree"\ncapacity = "128 MiB"', 10),
    ('ask = "min_degree"\ncapacity = "128 MiB"\nstrict = true', None),
    ('ask = "min_degree"\ncapacity = "127 MiB"', None),
    ('ask = "recompute"\ncapacity = "256 MiB"\nrecompute = "none"', 2),
    ('ask = "recompute"\ncapacity = "256 MiB"\nrecompute = "full"', 1),
    ('ask = "recompute"\ncapacity = "127 MiB"\nrecompute = "full"', None),
    ('ask = "headroom"\ncapacity = "256 MiB"\ndevices = 4', 80 * MIB),
    ('ask = "headroom"\ncapacity = "256 MiB"\ndevices = 40', 128 * MIB),
    ('ask = "headroom"\ncapacity = "127 MiB"\ndevices = 40', None),
]


@pytest.mark.parametrize(("question", "value"), ONLY_ACTIVATIONS)
def test_an_instant_of_which_nothing_is_divided_fits_or_does_not(question, value, freed):
    assert answered(freed(question))[0].value == value


MIRROR = [
    # backward pass 96 + 320 MiB, of which nothing is divided; step 96 + 32/n MiB
    ('ask = "min_degree"\ncapacity = "416 MiB"', 1),
    ('ask = "min_degree"\ncapacity = "415 MiB"', None),
    ('ask = "min_degree"\nkinds = ["gradients"]\ncapacity = "10 MiB"', 4),
    ('ask = "headroom"\ncapacity = "420 MiB"\ndevices = 3', 4 * MIB),
    # full recomputation keeps 64 MiB
    ('ask = "recompute"\nrecompute = "full"\ncapacity = "160 MiB"', 1),
    ('ask = "recompute"\nrecompute = "full"\ncapacity = "159 MiB"', None),
]


@pytest.mark.parametrize(("question", "value"), MIRROR)
def test_so_it_is_where_gradients_alone_are_divided(question, value, freed):
    assert answered(freed(question, over=("gradients",)))[0].value == value


def test_the_devices_that_hold_gradients_alone_are_those_of_the_step(freed):
    assert answered(freed('ask = "device_count"\nkinds = ["gradients"]\ncapacity = "10 MiB"'))[0].value == 4


def test_the_reason_is_that_of_the_instant_which_never_fits(freed):
    found, said = answered(freed('ask = "min_degree"\ncapacity = "127 MiB"'))
    assert found.study.instant == "step" and said.endswith(
        "each holds 128 MiB in full and has 127 MiB; divide more of the memory, take a larger device, or choose a "
        "smaller model."
    )
    found, said = answered(freed('ask = "headroom"\ncapacity = "127 MiB"\ndevices = 40'))
    assert "1 MiB too much; divide more of the memory, or make the model smaller." in said


@pytest.mark.parametrize("ask", ['ask = "min_degree"\nfor = "n_tp"', 'ask = "headroom"\ndevices = 4'])
def test_a_degree_that_divides_nothing_at_any_instant_is_refused(ask, freed):
    with pytest.raises(
        BadInput,
        match=r"no term of the memory is divided by n_(fsdp|tp); place a kind over it, or ask what fits one device",
    ):
        homework(freed(f'{ask}\ncapacity = "1 GiB"', over=()))


def test_whether_recomputing_helps_is_asked_of_one_device_where_nothing_is_divided(freed):
    found, said = answered(freed('ask = "recompute"\ncapacity = "1 GiB"', over=()))
    assert found.value == 1 and "the smallest n_fsdp is 1: what the device then keeps, 160 MiB, fits its 1 GiB." in said


def test_tables_count_the_instant_of_which_nothing_is_divided(freed):
    axes = "rows = { B = [1, 64] }\ncolumns = { S = [256] }\ndevices = [2, 4]"
    found, _ = answered(freed(f'ask = "insight"\ncapacity = "256 MiB"\n{axes}'))
    assert found.facts["region"]["entries"] == ((1,), (2,))
    assert [row["used_bytes"] for row in found.facts["left_over"]] == [256 * MIB, 176 * MIB]
    assert found.facts["floor_bytes"] == 128 * MIB
    found, _ = answered(freed(f'ask = "insight"\ncapacity = "127 MiB"\n{axes}'))
    assert found.facts["region"]["entries"] == ((None,), (None,))


NETWORK = """[network]
direction = "both-ways"
flops = "459 TFLOP/s"
bandwidth = "9000 GB/s"
"""


@pytest.mark.parametrize(
    ("over", "capacity", "least"),
    [
        (("activations",), "256 MiB", 2),
        (("activations",), "128 MiB", 10),
        (("activations",), "512 MiB", 1),
        (("activations",), "127 MiB", None),
        (("gradients",), "416 MiB", 1),
        (("gradients",), "415 MiB", None),
    ],
)
def test_both_bounds_count_the_instant_of_which_nothing_is_divided(over, capacity, least, freed):
    study = freed(f'ask = "fits_and_computes"\ncapacity = "{capacity}"', over=over, network=NETWORK)
    assert answered(study)[0].facts["smallest_that_fits"] == least


DEEP = {"d_model": 453, "d_ff": 753, "L": 21, "B": 52, "S": 8, "n_fsdp": 2}


def test_a_report_of_kinds_of_which_one_instant_divides_nothing_is_derived(freed):
    kinds = 'kinds = ["gradients", "activations"]\ncapacity = "98 MiB"'
    largest = freed(f'ask = "largest"\nfor = "L"\n{kinds}', DEEP, preset="megatron-18")
    found, _ = answered(largest)
    gradients = 4 * 2 * 453 * 753  # FP32, for each layer: more than the activations
    assert found.value == 98 * MIB // gradients == 37
    left = freed(f'ask = "headroom"\ndevices = 2\n{kinds}', DEEP, preset="megatron-18")
    found, _ = answered(left)
    assert found.value == 98 * MIB - 21 * gradients


STATES = ("weights", "gradients", "optimizer", "activations")
ALL_BUT_GRADIENTS = ("weights", "optimizer", "activations")


def test_a_step_that_does_not_fit_whatever_the_batch_is_is_an_answer(freed):
    study = freed('ask = "largest"\nfor = "B"\ncapacity = "30 MiB"', WIDE | {"n_fsdp": 4}, STATES)
    found, said = answered(study)
    assert (found.value, found.facts["value"], found.feasible, found.facts["feasible"]) == (None, None, False, False)
    assert "at the optimizer step, with all gradients and no activations, one device keeps 32 MiB whatever B is" in said
    assert check(study, "B=none").right and not check(study, "B=1").right


@pytest.mark.parametrize("ask", ['ask = "min_degree"', 'ask = "recompute"\nrecompute = "none"'])
def test_of_two_instants_that_ask_for_as_many_the_fuller_is_counted(ask, freed):
    # 12 bytes for each parameter and the activations over 2 are 74,752; the step keeps 49,152 and 4 bytes for each
    study = freed(f'{ask}\ncapacity = "100000 B"', SMALL, ALL_BUT_GRADIENTS)
    found, said = answered(study)
    assert found.value == 2 and found.study.instant == "step"
    assert found.facts["per_device_bytes"] == found["M_device"].value == 81_920
    assert found.facts["at_value_minus_one_bytes"] == 98_304 + 256 * 200  # of both instants
    assert "81,920 bytes, fits its 100,000 bytes" in said
    (beside,) = [plain_prose(one) for one in found.question.beside(found)]
    assert "Both give 2; the one at which each device then keeps most is counted: the optimizer step" in beside


def test_of_two_counts_of_devices_that_are_equal_the_fuller_is_counted(freed):
    # 98,304 bytes and 512 for each of 60 tokens: less than the 131,072 of the step, and as many devices
    study = freed('ask = "device_count"\ncapacity = "100000 B"', SMALL | {"S": 60}, ())
    found, _ = answered(study)
    assert found.value == 2 and found.study.instant == "step" and found.facts["per_device_bytes"] == 65_536


def test_what_a_device_keeps_is_what_it_keeps_at_the_fuller_instant(freed):
    # The backward pass decides: 49,152 bytes and 128 for each of 190 tokens are 73,472; the step keeps 81,920
    study = freed(
        'ask = "largest"\nfor = "B"\nvalues = { n_fsdp = 2 }\ncapacity = "82000 B"',
        SMALL | {"S": 190},
        ALL_BUT_GRADIENTS,
    )
    found, said = answered(study)
    assert found.value == 1 and found.study.instant == "backward"
    assert found.facts["per_device_bytes"] == found["M_device"].value == 81_920
    assert "what one device then keeps, 81,920 bytes, fits its 82,000 bytes" in said
    assert [plain_prose(one) for one in found.fuller] == [
        "One device then keeps most, 81,920 bytes, at the optimizer step, with all gradients and no activations."
    ]


def test_the_devices_that_the_backward_pass_asks_for_may_keep_more_at_the_step(freed):
    # On 2 devices the pass keeps 103,424 bytes of 90,000 and the step 81,920; on 3 they keep 68,950 and 65,536
    study = freed('ask = "min_degree"\ncapacity = "90000 B"', SMALL | {"S": 424}, ALL_BUT_GRADIENTS)
    found, _ = answered(study)
    assert (found.value, found.facts["per_device_bytes"]) == (3, 68_950)
    # On 2 devices a shorter pass keeps 82,432 bytes of 82,000 and the step 81,920; on 3 they keep 54,955 and 65,536
    study = freed('ask = "min_degree"\ncapacity = "82000 B"', SMALL | {"S": 260}, ALL_BUT_GRADIENTS)
    found, _ = answered(study)
    assert (found.value, found.study.instant, found.facts["per_device_bytes"]) == (3, "backward", 65_536)
    assert found["M_device"].value == 65_536
