"""What the account says of the memory of a host."""

from __future__ import annotations

import json


def test_the_account_says_how_many_devices_share_a_host(run):
    call = ("account", "llama-3.1-8b", "--recipe", "pure-bf16", "--plan", "one-device", "--offload", "optimizer")
    told = json.loads(run(*call, "--host", "100 GiB", "--json").out)["host"]
    held = told["bytes_per_device"]
    assert held == 4 * 8030261248 and told["devices"] == 100 * 2**30 // held
    assert "holds that of 3 devices" in run(*call, "--host", "100 GiB").out
    assert "nothing is offloaded" in run("account", "llama-3.1-8b", "--host", "1 GiB").err
