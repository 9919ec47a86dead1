"""A file of one's own devices acts where one of them is asked about, and is refused where none is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pages import carried
from small import STACK

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.runs import fit
from symbolic_mem.library.read import load_study

OURS = """
[sources.sheet]
text = "the vendor's data sheet"
date = "2026-11-23"
confidence = "vendor"

[devices.ours]
title = "Our accelerator, 48 GB"
capacity = { label = "48 GB", source = "sheet" }
flops = { bf16 = "100 TFLOP/s", source = "sheet" }
"""
ASKED = 'title = "Ours"' + STACK
QUESTION = """
[[question]]
label = "a"
ask = "device_count"
device = "ours"
"""
VARIANT = """
[variants]
list = [{ device = "h100-80gb" }]
[[question]]
label = "a"
ask = "device_count"
capacity = "1 GiB"
"""
MODEL = ("llama-3.1-8b", "--set", "B=1", "--set", "S=512")
FILE = ("--devices", "ours.toml")


@pytest.fixture
def files(tmp_path):
    """The file of devices beside studies that name one, and one that names none; `run` works in that folder."""
    texts = {"ours": OURS, "asks": ASKED + QUESTION, "varies": ASKED + VARIANT, "silent": ASKED}
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "call",
    [
        ("account", "silent.toml"),
        ("solve", "silent.toml"),
        ("compare", "silent.toml", "--recipe", "fp32"),
        ("comms", "silent.toml", "--set", "X=8", "--set", "Y=8"),
        ("homework", "silent.toml"),
        ("report", "silent.toml"),
        ("fragment", "silent.toml", "--part", "account"),
        ("check", "silent.toml", "--claim", "P=3"),
        ("sweep", "silent.toml", "--vary", "n_fsdp=8"),
    ],
    ids=lambda call: call[0],
)
def test_a_file_of_which_nothing_is_asked_is_refused(refused, call):
    assert "--devices 'ours.toml' holds devices, and none of them is asked for; add --device NAME" in refused(
        *call, *FILE
    )


@pytest.mark.usefixtures("files")
def test_a_file_is_read_for_what_a_study_names(run):
    assert "48 GB" in run("solve", "asks.toml", *FILE).out
    assert run("compare", "asks.toml", "--recipe", "fp32", *FILE).status == 0
    assert run("solve", "varies.toml", *FILE).status == 0


@pytest.mark.usefixtures("files")
def test_verbs_that_read_devices_themselves_take_ours(run):
    rows = json.loads(run("fit", *MODEL, "--on", "8x ours", *FILE, "--json").out)
    assert rows["device"] == "ours" and all("--devices ours.toml" in row["command"] for row in rows["rows"])
    swept = json.loads(
        run("sweep", *MODEL, "--vary", "device=ours,h100-80gb", "--reading", "binary", *FILE, "--json").out
    )["rows"]
    assert [row["device"] for row in swept] == ["ours", "h100-80gb"] and swept[0]["n_fsdp"] > swept[1]["n_fsdp"]
    assert run("explore", "cs336-a2-xxl", "-o", "page.html", *FILE).status == 0
    assert '"ours"' in json.dumps(carried(Path("page.html").read_text(encoding="utf-8"))[0])


@pytest.mark.usefixtures("files")
def test_python_refuses_and_reads_the_same(tmp_path):
    path = str(tmp_path / "ours.toml")
    with pytest.raises(BadInput, match=r"^devices .* holds devices, and none of them is asked for; add device NAME"):
        load_study("llama-3.1-8b").change(devices=path)
    study = load_study("llama-3.1-8b").change(devices=path, device="ours")
    assert study.device.name == "ours"
    assert fit(load_study("llama-3.1-8b", path), "8x ours").nodes.device.name == "ours"
