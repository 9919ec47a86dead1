"""What the account and `solve` say of the memory of a host."""

from __future__ import annotations

import json

import pytest


def test_the_account_says_how_many_devices_share_a_host(run):
    call = ("account", "llama-3.1-8b", "--recipe", "pure-bf16", "--plan", "one-device", "--offload", "optimizer")
    told = json.loads(run(*call, "--host", "100 GiB", "--json").out)["host"]
    held = told["bytes_per_device"]
    assert held == 4 * 8030261248 and told["devices"] == 100 * 2**30 // held
    assert "holds that of 3 devices" in run(*call, "--host", "100 GiB").out
    assert "nothing is offloaded" in run("account", "llama-3.1-8b", "--host", "1 GiB").err


def test_a_host_that_never_holds_the_parts_is_an_explained_answer(run):
    call = ("solve", "llama-3.1-8b", "--plan", "dp", "--recipe", "pure-bf16", "--offload", "optimizer", "--json")
    told = json.loads(run(*call, "--host", "20 GiB", "--per-host", "8").out)
    assert (told["feasible"], told["value"], told["value_without_rules"]) == (False, None, 1)
    assert told["reason"] == "no degree is such that a host of 20 GiB holds the parts of its 8 devices"
    assert json.loads(run(*call, "--host", "40 GiB", "--per-host", "8").out)["value"] == 1  # alone on its host


def test_the_options_are_the_keys(run):
    call = ("solve", "llama-3.1-8b", "--plan", "fsdp2", "--offload", "optimizer", "--host", "40 GiB", "--per-host", "8")
    told = json.loads(run(*call, "--json").out)
    assert told["host"]["decides"] == "host" and told["value"] > told["value_without_rules"]
    assert "The host decides" in run(*call).out
    given = run(*call, "--set", "n_fsdp=4").out
    assert "n_fsdp = 4 does not obey the rules (such that a host of 40 GiB holds the parts of its 8 devices)" in given


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("solve", "llama-3.1-8b", "--host", "8 GiB", "--per-host", "8"), "nothing is offloaded to it"),
        (("solve", "llama-3.1-8b", "--offload", "optimizer", "--host", "8 GiB"), "--per-host 8"),
        (
            ("solve", "llama-3.1-8b", "--for", "B", "--set", "n_fsdp=8", "--host", "8 GiB", "--per-host", "8"),
            "nothing is offloaded to it",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(run, call, said):
    done = run(*call)
    assert (done.status, done.out) == (2, "") and said in done.err
