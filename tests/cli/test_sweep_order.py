"""The rows of a sweep stand in the order of its grid."""

import json
from itertools import product

import pytest

from symbolic_mem.documents.account import Account
from symbolic_mem.library.read import load_study

pytest.importorskip("numpy")


@pytest.mark.parametrize("given", ["half", "every=3"])
def test_rows_stand_in_the_order_of_the_grid(run, given):
    """Which instants a step has depends on what is left of L, which therefore makes groups; every row is one of `account`."""
    numbers = {"B": (2, 1), "L": (9, 5, 6, 8, 7), "S": (512, 256)}
    varied = [word for name, values in numbers.items() for word in ("--vary", f"{name}={','.join(map(str, values))}")]
    rows = json.loads(run("sweep", "llama-3.1-8b", *varied, "--vary", f"recompute={given},none", "--json").out)["rows"]
    grid = [(rule, *at) for rule in (given, "none") for at in product(*numbers.values())]
    assert [(row["recompute"], row["B"], row["L"], row["S"]) for row in rows] == grid
    for row in rows[1:20:6]:
        values = {name: row[name] for name in ("B", "L", "S", "n_fsdp")}
        account = Account(load_study("llama-3.1-8b").change(recompute=given, values=values))
        assert account.record["per_device"]["peak_bytes"] == row["peak"]


def test_rows_of_a_larger_grid_come_as_they_are_answered(run, monkeypatch):
    asked = ("sweep", "llama-3.1-8b", "--vary", "L=5,6,7,8", "--recompute", "half", "--json")
    ordered = json.loads(run(*asked).out)["rows"]
    monkeypatch.setattr("symbolic_mem.sweeps.rows.MOST_ORDERED", 3)
    grouped = json.loads(run(*asked).out)["rows"]
    assert [row["L"] for row in grouped] == [5, 6, 8, 7]
    assert [row["L"] for row in ordered] == [5, 6, 7, 8]
    assert sorted(grouped, key=lambda row: row["L"]) == ordered
