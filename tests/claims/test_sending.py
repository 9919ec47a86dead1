"""Bytes that `comms` prints are right as they are printed, and others by their names are not."""

import json

import pytest

from symbolic_mem.claims.check import check
from symbolic_mem.claims.verdicts import verdict_words
from symbolic_mem.cli.main import main
from symbolic_mem.library.read import load_study
from symbolic_mem.render.text import plain_prose

ALONG_AXES = ["cluster-gpt-3-175b", "cluster-llama-3.1-70b-64-h100", "cluster-llama-3-405b"]


def _comms(name, capsys):
    assert main(["comms", name, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ALONG_AXES)
def test_what_a_rank_sends_along_each_axis(name, capsys):
    study, sent = load_study(name), _comms(name, capsys)["sent_in_a_step"]
    assert len(sent) > 1
    for axis, row in sent.items():
        right, wrong = (check(study, f"{axis} = {size} bytes") for size in (row["bytes"], row["bytes"] * 11 // 10))
        assert right.right and not wrong.right and wrong.expected == right.expected
        assert f"That is what one rank sends in a step along {axis}." in plain_prose(verdict_words(wrong))
        assert check(study, f"{row['bytes']:,} bytes").right


@pytest.mark.parametrize("name", ["cs336-a2-xxl", "set-communication"])
def test_what_is_sent_in_a_pass_of_a_block(name, capsys):
    study = load_study(name)
    rows = [row for row in _comms(name, capsys)["times"] if row.get("bytes") is not None]
    assert rows
    for row in rows:
        assert check(study, f"{row['name']} = {row['bytes']} bytes").right
        assert not check(study, f"{row['name']} = {row['bytes'] * 2} bytes").right


def test_a_number_of_devices_stays_one():
    study = load_study("cluster-gpt-3-175b")
    assert check(study, "devices = 64").claimed.measures == "devices"
    assert check(study, "n_tp = 8").claimed.measures != "bytes"
