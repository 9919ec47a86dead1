import json
import re
import subprocess
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_mem.base.errors import BadInput
from symbolic_mem.hardware.catalogue import device, load_devices, parse_flops, parse_rate
from symbolic_mem.hardware.devices import CONFIDENCES, DIRECTIONS, SCOPES

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "hardware.json").read_text(encoding="utf-8"))
DEVICES = load_devices()


def refused(path, text=None, *parts):
    """Load a user's file that must be refused in one line that names it, and return that line."""
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput) as caught:
        load_devices(path)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    for part in parts:
        assert part in message
    return message


@pytest.fixture
def mine(tmp_path):
    return tmp_path / "mine.toml"


@pytest.mark.parametrize("case", GOLDEN["capacities"], ids=lambda case: case["id"])
def test_capacity_is_the_published_number_of_bytes(case):
    amount = device(case["device"]).capacity(case["reading"])
    assert type(amount) is int
    # 95.74 GiB is not a whole number of bytes; every other case is exact.
    assert amount == case["bytes"] or (case["id"] == "hw-v5p-xla" and 0 < case["bytes"] - amount < 1)


@pytest.mark.parametrize(
    ("name", "amount"),
    # HIP and hl-smi totals beyond the golden cases: 288 GiB - 16 MiB, 96 GiB, 128 GiB, 15.75 GiB, 31.25 GiB, 94.75 GiB.
    [
        ("mi350x", 288 * 2**30 - 16 * 2**20),
        ("gaudi2", 96 * 2**30),
        ("gaudi3", 128 * 2**30),
        ("tpu-v5e", 63 * 2**28),
        ("tpu-v6e", 125 * 2**28),
        ("tpu7x-core", 379 * 2**28),
        ("h100-pcie-80gb", 81559 * 2**20),
        ("a100-pcie-80gb", 81920 * 2**20),
        ("rtx-3090", 24576 * 2**20),
        ("rtx-a6000", 49140 * 2**20),
        ("t4", 15360 * 2**20),
        ("l4", 23034 * 2**20),
        ("a10g", 23028 * 2**20),
    ],
)
def test_reported_capacity_is_what_the_logs_show(name, amount):
    assert device(name).capacity("reported") == amount


@pytest.mark.parametrize(
    ("reading", "count"), [("marketed", 44), ("binary", 41), ("reported", 42)], ids=lambda value: str(value)
)
def test_three_readings_of_80_gb_give_the_three_answers_of_cs336(reading, count):
    states = 3_517_578_215_424  # CS336 assignment 2, communication accounting (a)
    assert -(-states // device("h100-80gb").capacity(reading)) == count


@pytest.mark.parametrize("case", GOLDEN["ratios"], ids=lambda case: f"{case['device']}-{case['printed']}")
def test_ratio_of_computing_to_bandwidth_is_the_printed_one(case):
    chip = device(case["device"])
    if case["over"] == "memory":
        rate = chip.figure("memory_bandwidth")
    else:
        name, direction, scope = case["over"]
        rate = chip.link(name, direction=direction, scope=scope).bytes_per_second
    ratio = Fraction(chip.figure("flops_bf16"), rate)
    assert abs(ratio / case["printed"] - 1) < Fraction(1, 200)


def test_bandwidths_of_tpu_v5p_are_those_of_cs336_and_the_scaling_book():
    v5p = device("tpu-v5p")
    both = v5p.link("ICI", direction="both-ways", scope="per link").bytes_per_second
    assert both == 2 * 9 * 10**10  # W_ici of CS336 assignment 2, with C = 4.6e14
    assert Fraction(46 * 10**13, both) == Fraction(23000, 9)  # 2555.6
    assert Fraction(v5p.figure("flops_bf16"), both) == 2550
    dcn = v5p.link("DCN", direction="one-way").bytes_per_second
    assert Fraction(446 * 10**12, dcn) == 71_360
    assert v5p.link("ICI", direction="one-way", scope="per chip").bytes_per_second == 4_800 * 10**9 // 8


@pytest.mark.parametrize("chip", DEVICES.values(), ids=DEVICES)
def test_every_fact_has_source_date_and_confidence(chip):
    groups = {
        "capacity": chip.marketed,
        "reported": chip.reported,
        "bandwidth": chip.memory_bandwidth,
        "flops": chip.flops_bf16,
    }
    assert {each.about for each in chip.evidence} == {name for name, fact in groups.items() if fact is not None}
    every = chip.origins
    assert len(every) == len(chip.evidence) + len(chip.bandwidths) + (chip.process is not None)
    for link in chip.bandwidths:
        assert link.evidence.about == link.name
    for each in every:
        assert each.source.strip()
        assert date(2020, 1, 1) <= date.fromisoformat(each.date) <= date(2026, 12, 31)
        assert each.confidence in CONFIDENCES
    assert chip.confidence == max((each.confidence for each in every), key=CONFIDENCES.index)
    assert chip.date == min(each.date for each in every)
    assert all(each.source in chip.source for each in every)
    assert chip.title.startswith(chip.vendor)
    for each in every:
        cited = chip.cited(each.about)
        assert f": {each.source}, {each.date}, {each.confidence}" in cited
        assert each.called in cited


def test_every_figure_is_the_vendor_s_or_a_machine_s_and_says_what_it_is_called_there():
    first = [(name, each) for name, chip in DEVICES.items() for each in chip.origins]
    assert len(first) > 150
    assert not [(name, each.about) for name, each in first if each.confidence in ("third-party", "memory")]
    # What is reported, and what a process finds free, are numbers alone.
    named = [(name, each) for name, each in first if each.about not in ("reported", "process")]
    assert not [(name, each.about) for name, each in named if not each.called]


def test_a_rate_is_the_dense_one_of_the_two_that_nvidia_prints_together():
    pairs = re.compile(r"dense and sparse: ([0-9.]+)/([0-9.]+)")
    said = {name: chip.evidence_for("flops").called for name, chip in DEVICES.items() if chip.flops_bf16}
    printed = {name: pairs.search(called) for name, called in said.items() if pairs.search(called)}
    assert len(printed) >= 10
    for name, found in printed.items():
        dense, sparse = (Fraction(number) for number in found.groups())
        assert abs(sparse - 2 * dense) <= 1, name
        unit = Fraction(10**15, 72) if "of 72 GPUs" in said[name] else 10**12
        assert DEVICES[name].flops_bf16 == dense * unit, name
    assert DEVICES["h100-nvl"].flops_bf16 == 1671 * 10**12 // 2
    assert DEVICES["h200"].flops_bf16 == DEVICES["h100-80gb"].flops_bf16


def test_pcie_is_what_the_lanes_carry_without_the_coding():
    lanes, transfers, data = 16, 32 * 10**9, Fraction(128, 130)
    link = DEVICES["rtx-5090"].link("PCIe 5.0 x16", direction="one-way").bytes_per_second
    assert link == round(lanes * transfers * data / 8, -6)


@pytest.mark.parametrize("chip", DEVICES.values(), ids=DEVICES)
def test_what_another_source_says_differs_from_what_is_counted(chip):
    counted = {"capacity": {chip.label}, "memory bandwidth": {chip.memory_bandwidth}, "BF16 FLOP/s": {chip.flops_bf16}}
    for link in chip.bandwidths:
        counted.setdefault(link.name, set()).add(link.bytes_per_second)
    for second in chip.seconds:
        assert {second.value, second.says}.isdisjoint(counted[second.of])
        assert second.why
        assert second.evidence.confidence != "memory"


@pytest.mark.parametrize("chip", DEVICES.values(), ids=DEVICES)
def test_readings_of_one_device_agree_with_each_other(chip):
    assert chip.marketed
    assert hash(chip)
    if chip.binary is not None:
        assert Fraction(chip.binary, chip.marketed) == Fraction(2**30, 10**9)
        if chip.reported is not None:
            # XLA keeps up to 2.4 % of a TPU; a driver hides less.
            assert 0.975 < chip.reported / chip.binary < 1.01
    if chip.reported is not None:
        assert chip.reported > chip.marketed
        assert chip.reported_by
    for link in chip.bandwidths:
        assert type(link.bytes_per_second) is int
        assert link.direction in DIRECTIONS
        assert link.scope in SCOPES
    pairs = {(link.name, link.scope, link.direction): link.bytes_per_second for link in chip.bandwidths}
    assert len(pairs) == len(chip.bandwidths)
    for (name, scope, direction), rate in pairs.items():
        if direction == "both-ways":
            assert pairs.get((name, scope, "one-way"), rate / 2) == rate / 2


def test_the_catalogue_spans_the_five_vendors():
    assert {chip.vendor for chip in DEVICES.values()} == {"NVIDIA", "AMD", "Google", "AWS", "Intel"}
    expected = (
        "v100-32gb a100-40gb a100-80gb a100-pcie-80gb h100-80gb h100-pcie-80gb h100-nvl h200 b200 gb200 b300 gb300 l40s"
        " rtx-4090 rtx-5090 mi250x mi300x mi325x mi350x mi355x tpu-v3 tpu-v4 tpu-v5e tpu-v5p tpu-v6e tpu7x tpu7x-core"
        " trainium1 trainium2 trainium3 gaudi2 gaudi3 v100-16gb t4 l4 a10g rtx-3060 rtx-3090 rtx-a6000 rtx-6000-ada rtx-pro-6000"
    )
    assert list(DEVICES) and set(DEVICES) == set(expected.split())


def test_an_unknown_device_is_answered_with_the_nearest_name():
    with pytest.raises(
        BadInput,
        match=r"unknown device 'tpu-v5q'; did you mean 'tpu-v5p'\? known: tpu-v5p, .*; \d+ more: symbolic-mem list devices",
    ):
        device("tpu-v5q")
    with pytest.raises(BadInput) as caught:
        device("x" * 100_000)
    assert len(str(caught.value)) < 1000


def test_a_user_adds_a_device_and_replaces_one(mine):
    mine.write_text(
        """
        [sources.sheet]
        text = "our data sheet"
        date = "2026-01-31"
        confidence = "vendor"

        [devices.ours]
        capacity = { label = "1.5 TB", source = "sheet" }
        links = [{ name = "bus", scope = "per chip", unstated = "1 GB/s", source = "pages" }]

        [devices.h100-80gb]
        reported = { bytes = "80000 MiB", by = "nvidia-smi under MIG" }
        """,
        encoding="utf-8",
    )
    devices = load_devices(mine)
    assert set(devices) == {*DEVICES, "ours"}
    assert devices["ours"].marketed == 1_500_000_000_000
    assert devices["ours"].binary == 3 * 2**39
    assert devices["ours"].evidence_for("capacity").date == "2026-01-31"
    assert devices["ours"].bandwidths[0].evidence.confidence == "third-party"
    assert devices["ours"].date == "2026-01-31"
    replaced = device("h100-80gb", extra=mine)
    assert replaced.capacity("reported") == 80_000 * 2**20
    assert replaced.marketed is None
    assert replaced.confidence == "memory"
    assert "mine.toml" in replaced.source
    assert device("h100-80gb").capacity("reported") == 81_559 * 2**20
    assert devices["tpu-v5p"] == DEVICES["tpu-v5p"]


def test_a_changed_dictionary_does_not_change_the_catalogue():
    load_devices().clear()
    assert set(load_devices()) == set(DEVICES)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[device.x]", ["unknown key 'device'", "did you mean 'devices'?"]),
        ("devices = 3", ["devices must be a table, not a whole number"]),
        ("[devices]\nx = 3", ["[devices]: x must be a table"]),
        ("[devices.x]\ncapacit = { label = '8 GB' }", ["[devices.x]: unknown key 'capacit'", "'capacity'"]),
        ("[devices.x]\ncapacity = '8 GB'", ["[devices.x]: capacity must be a table, not text"]),
        ("[devices.x]\ncapacity = { lable = '8 GB' }", ["[devices.x] capacity: unknown key 'lable'", "'label'"]),
        ("[devices.x]\ncapacity = {}", ["label is missing"]),
        ("[devices.x]\ncapacity = { label = '80G' }", ["'80G'", "'80 GB'"]),
        ("[devices.x]\ncapacity = { label = '8.. GB' }", ["[devices.x] capacity: '8.. GB'"]),
        ("[devices.x]\ncapacity = { label = '-8 GB' }", ["'-8 GB'"]),
        ("[devices.x]\ncapacity = { label = '0 GB' }", ["more than zero"]),
        ("[devices.x]\ncapacity = { label = 80 }", ["label must be text, not a whole number"]),
        ("[devices.x]\ncapacity = { label = '8 GB', readings = ['reported'] }", ["unknown reading 'reported'"]),
        ("[devices.x]\ncapacity = { label = '8 GB', readings = [1] }", ["unknown reading 1"]),
        ("[devices.x]\ncapacity = { label = '8 GB', source = 'page' }", ["unknown source 'page'", "'pages'"]),
        ("[devices.x]\nreported = { bytes = '80G', by = 'a' }", ["[devices.x] reported: '80G'", "80 GiB"]),
        ("[devices.x]\nreported = { bytes = '8 GB' }", ["by is missing"]),
        ("[devices.x]\nbandwidth = { memory = '3 TB' }", ["[devices.x] bandwidth: '3 TB' is not a bandwidth"]),
        ("[devices.x]\nbandwidth = { memory = '3 T/s' }", ["[devices.x] bandwidth"]),
        ("[devices.x]\nflops = { bf16 = '3 TB/s' }", ["[devices.x] flops: '3 TB/s' is not a rate of computing"]),
        ("[devices.x]\nflops = { bf16 = 3 }", ["bf16 must be text"]),
        ("[devices.x]\nlinks = [3]", ["links, number 1: a link is a table"]),
        ("[devices.x]\nlinks = [{ name = 'a', scope = 'per chip' }]", ["no bandwidth; give one of one-way"]),
        ("[devices.x]\nlinks = [{ name = 'a', scope = 'per chips', one-way = '1 GB/s' }]", ["'per chip'"]),
        ("[devices.x]\nlinks = [{ name = 'a', scope = 'per chip', oneway = '1 GB/s' }]", ["'one-way'"]),
        ("[devices.x]\nnotes = [1]", ["notes must be a list of texts"]),
        ("[devices.x]\nnotes = 'a'", ["notes must be a list"]),
        ("[devices.X]", ["[devices]: 'X' is not a name", "lower-case"]),
        ('[devices."a\\nb"]', ["lower-case"]),
        ('[devices]\n"a\\nb" = 3', ["lower-case"]),
        ('[sources."a\\nb"]', ["[sources]", "lower-case"]),
        ('[devices.x]\ncapacity = { label = \'8 GB\', source = """a\nb""" }', ["unknown source"]),
        ("[sources.a]\ntext = 'a'\ndate = 'b'\nconfidence = 'sure'", ["[sources.a]: unknown confidence 'sure'"]),
    ],
)
def test_a_fault_in_a_users_file_is_one_line_with_the_place(mine, text, parts):
    refused(mine, text, *parts)


def test_a_missing_file_is_named(mine):
    refused(mine, None, "no such file")


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 10**6), st.integers(0, 999))
def test_rates_are_exact(whole, thousandths):
    text = f"{whole}.{thousandths:03}"
    expected = Fraction(text) * 10**12
    assert parse_rate(f"{text} TB/s") == expected
    assert parse_flops(f"{text} TFLOP/s") == expected


@pytest.mark.parametrize("text", ["", "3", "TFLOP/s", "0 TFLOP/s", "-1 TFLOP/s", "0.5 FLOP/s", "3 TFLOPS", "٣ TFLOP/s"])
def test_what_is_no_rate_of_computing_is_refused(text):
    with pytest.raises(BadInput, match="459 TFLOP/s"):
        parse_flops(text)


def test_the_catalogue_does_not_import_sympy():
    code = "import sys, symbolic_mem.hardware.catalogue as h; h.load_devices(); sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
