"""`solve` with rules, reserves and other unknowns: the JSON contract, the terminal, refusals."""

from __future__ import annotations

import json

import pytest

STUDY = "cs336-a2-xxl"
FIELDS = {"study", "for", "feasible", "value", "formula", "latex", "condition", "strict", "capacity_bytes", "reading"}
FIELDS |= {"device", "per_device_bytes", "assumptions", "reason"}


@pytest.fixture
def solve(run):
    def call(*options):
        done = run("solve", STUDY, *options, "--json")
        assert (done.status, done.err) == (0, ""), done.err
        return json.loads(done.out)

    return call


def test_rules_are_options(solve):
    found = solve("--multiple-of", "8", "--power-of-two", "--divides", "B", "--whole-samples", "--padded-rows")
    assert found["value"] == 64 and len(found["rules"]) == 5 and set(found) >= FIELDS


def test_no_more_devices_than_there_are(solve):
    found = solve("--at-most-devices", "40")
    assert (found["feasible"], found["value"]) == (False, None) and "at most 40" in found["reason"]


def test_reserve_and_usable(solve):
    found = solve("--reserve", "2 GiB", "--usable", "0.95")
    assert found["capacity_bytes"] == 93 * 2**30 * 19 // 20


@pytest.mark.parametrize("symbol", ["B", "S", "L", "d_model", "d_ff", "tokens", "parameters"])
def test_the_largest_of_each(solve, symbol):
    found = solve("--for", symbol, "--set", "n_fsdp=64")
    assert FIELDS | {"at_value_plus_one_bytes"} <= set(found)
    assert found["per_device_bytes"] <= found["capacity_bytes"] <= found["at_value_plus_one_bytes"]


def test_the_terminal_shows_the_neighbours(run):
    done = run("solve", STUDY, "--for", "B", "--set", "n_fsdp=64")
    assert "at 335 " in done.out and "fits" in done.out and "at 336 " in done.out and "too much" in done.out
    done = run("solve", STUDY, "--whole-samples")
    assert "no rule     46" in done.out and ": 46 → 47" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--for", "B"), "needs a value for n_fsdp"),
        (("--for", "n_kv", "--set", "n_fsdp=64"), "is not in the memory; "),
        (
            ("--for", "B", "--set", "n_fsdp=64", "--multiple-of", "8"),
            "--multiple-of is no option where the question asks for largest; leave it out",
        ),
        (("--multiple-of", "half"), "unknown name 'half'"),
        (("--multiple-of", "0"), "not a whole number of at least 1"),
        (("--usable", "1.5"), "at most 1"),
        (("--reserve", "200 GiB"), "reserve less"),
        (("--reserve", "2"), "has no unit"),
    ],
)
def test_refusals(refused, options, said):
    assert said in refused("solve", STUDY, *options)
