"""Recipes of adapters bring ranks of their own; a comparison has one on both sides."""

from __future__ import annotations

import json

import pytest

ASKED = ("llama-3.1-8b", "--set", "B=1", "--set", "S=2048", "--plan", "one-device")


@pytest.mark.parametrize(("given", "rank"), [((), 8), (("--set", "r_lora=16"), 16)])
def test_both_sides_have_the_rank_of_the_first(run, given, rank):
    found = json.loads(run("compare", *ASKED, "--recipe", "lora", "--recipe", "qlora", *given, "--json").out)
    of_each = [
        json.loads(run("account", *ASKED, "--recipe", recipe, "--set", f"r_lora={rank}", "--json").out)
        for recipe in ("lora", "qlora")
    ]
    assert [found[side]["bytes"] for side in ("first", "second")] == [one["total_bytes"] for one in of_each]
    assert found["difference_bytes"] == of_each[1]["total_bytes"] - of_each[0]["total_bytes"]
    peaks = [one["per_device"]["peak_bytes"] for one in of_each]
    assert [found[side]["peak_bytes"] for side in ("first", "second")] == peaks
    assert found["second"]["name"] == ("recipe qlora" if given else "recipe qlora with r_lora = 8")


def test_a_side_without_adapters_does_not_leave_the_gap_open(run):
    found = json.loads(run("compare", *ASKED, "--recipe", "fsdp2", "--recipe", "qlora", "--json").out)
    account = json.loads(run("account", *ASKED, "--recipe", "qlora", "--json").out)
    assert found["second"]["bytes"] == account["total_bytes"]
    assert found["difference_bytes"] == account["total_bytes"] - found["first"]["bytes"]
