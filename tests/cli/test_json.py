"""The JSON of `account` and `solve`: the fields and types that scripts rely on, and the exact numbers of Model XXL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import table
from symbolic_mem.cli.main import main

STUDY = "cs336-a2-xxl"
CASES = {
    case["id"].removeprefix("cs336-a2-comm-"): case["value"]
    for case in json.loads((Path(__file__).parents[1] / "data" / "cs336.json").read_text(encoding="utf-8"))["cases"]
}
STATES = ("--kind", "weights", "--kind", "gradients", "--kind", "optimizer")
TEXT, WHOLE, LIST = str, int, list
ACCOUNT = {
    "study": TEXT,
    "values": dict,
    "recipe": TEXT,
    "terms": LIST,
    "parameters": WHOLE,
    "static_bytes": WHOLE,
    "activation_bytes": WHOLE,
    "total_bytes": WHOLE,
    "assumptions": LIST,
}
TERM = {"name": TEXT, "kind": TEXT, "elements": TEXT, "formula": TEXT, "latex": TEXT, "bytes": WHOLE, "reason": TEXT}
TERM |= {"source": TEXT, "per_device_formula": TEXT}
SOLVE = {
    "study": TEXT,
    "for": TEXT,
    "feasible": bool,
    "value": WHOLE,
    "formula": TEXT,
    "latex": TEXT,
    "condition": TEXT,
    "strict": bool,
    "capacity_bytes": WHOLE,
    "reading": TEXT,
    "device": TEXT,
    "per_device_bytes": WHOLE,
    "at_value_minus_one_bytes": WHOLE,
    "assumptions": LIST,
}


@pytest.fixture
def answer(run):
    def call(*arguments):
        done = run(*arguments, "--json")
        assert (done.status, done.err) == (0, ""), done.err
        return json.loads(done.out)

    return call


def fields(found, expected):
    return {key: type(found[key]) for key in expected}


def test_account_has_its_fields_and_the_exact_bytes(answer):
    found = answer("account", STUDY)
    assert fields(found, ACCOUNT) == ACCOUNT
    assert all(fields(term, TERM) == TERM for term in found["terms"])
    assert [term["kind"] for term in found["terms"]] == ["weights", "gradients", "optimizer", "activations"]
    assert found["parameters"] == CASES["a-params"]
    assert found["terms"][0]["bytes"] == CASES["a-weights"]
    assert found["static_bytes"] == CASES["a-states"]
    assert found["activation_bytes"] == CASES["a-act-128x1024"]
    assert found["total_bytes"] == CASES["a-states"] + CASES["a-act-128x1024"]
    assert found["missing"] == []
    assert found["values"]["d_model"] == 16384


def test_activations_of_one_token(answer):
    found = answer("account", STUDY, "--set", "B=1", "--set", "S=1")
    assert found["activation_bytes"] == CASES["a-act-per-token"]


def test_solve_has_its_fields_and_the_exact_answer(answer):
    found = answer("solve", STUDY)
    assert fields(found, SOLVE) == SOLVE
    assert found["reason"] is None
    assert found["value"] == CASES["b-n-128x1024-drophalf"]
    assert (found["for"], found["feasible"], found["strict"]) == ("n_fsdp", True, True)
    assert (found["capacity_bytes"], found["reading"], found["device"]) == (95 * 2**30, "binary", "tpu-v5p")
    divided = CASES["a-states"] + CASES["a-act-128x1024"] // 2
    assert found["per_device_bytes"] == -(-divided // 46) == 101468602368
    assert found["at_value_minus_one_bytes"] == -(-divided // 45) == 103723460199


def test_formulas_are_read_back_by_the_project_itself(answer):
    names = {str(name.symbol): name.symbol for name in table()}
    for term in answer("account", STUDY)["terms"]:
        for key in ("elements", "formula", "per_device_formula"):
            read_formula(term[key], names)
    assert read_formula(answer("solve", STUDY)["formula"], names).free_symbols


def test_infeasible_is_an_answer(answer):
    found = answer("solve", STUDY, "--rest", "kept")
    assert (found["feasible"], found["value"]) == (False, None)
    assert found["per_device_bytes"] is None and found["at_value_minus_one_bytes"] is None
    assert "1071 GiB" in found["reason"] and "95 GiB" in found["reason"] and "11,626 tokens" in found["reason"]


@pytest.mark.parametrize(("reading", "case"), [("marketed", "dec"), ("binary", "bin"), ("reported", "smi")])
def test_h100s_for_the_states_alone(answer, reading, case):
    call = ("solve", STUDY, "--at-most", "--device", "h100-80gb", "--reading", reading, *STATES)
    assert answer(*call)["value"] == CASES[f"a-h100-{case}"]


@pytest.mark.parametrize(("reading", "case"), [("marketed", "dec"), ("binary", "bin")])
def test_v5ps_for_the_states_alone(answer, reading, case):
    assert answer("solve", STUDY, "--reading", reading, *STATES)["value"] == CASES[f"b-n-A0-{case}"]


@pytest.mark.parametrize(
    ("amount", "case"), [("80e9 B", "dec"), ("80 GB", "dec"), ("80 GiB", "bin"), ("81559 MiB", "smi")]
)
def test_a_capacity_in_its_own_unit(answer, amount, case):
    found = answer("solve", STUDY, "--at-most", "--capacity", amount, *STATES)
    assert found["value"] == CASES[f"a-h100-{case}"]
    assert found["device"] is None and found["reading"] is None


def test_all_on_h100s_with_the_activations(answer):
    call = ("solve", STUDY, "--at-most", "--device", "h100-80gb", "--place", "activations=1")
    assert answer(*call)["value"] == CASES["a-h100-128x1024-bin"]


def test_a_recipe_changes_every_number(answer):
    found = answer("account", STUDY, "--recipe", "megatron-18")
    assert found["static_bytes"] == 18 * CASES["a-params"]
    assert found["recipe"] == "megatron-18"


def test_what_lacks_a_value_is_null_and_named(answer, tmp_path):
    (tmp_path / "my.toml").write_text('title = "x"\n[model]\nkind = "ffn"\n[values]\nd_model = 8\nd_ff = 32\nL = 2\n')
    found = answer("account", "my.toml")
    assert found["missing"] == ["B", "S"]
    assert (found["activation_bytes"], found["total_bytes"]) == (None, None)
    assert found["parameters"] == 2 * 2 * 8 * 32


def test_one_of_the_two_dimensions_of_a_batch_is_a_whole_number_of_sequences(answer):
    assert answer("solve", STUDY, "--set", "B=64", "--set", "S=2048")["value"] == CASES["b-n-128x1024-drophalf"]


def test_lists_name_their_sources(answer):
    found = answer("list")
    assert set(found) == {"studies", "devices", "recipes", "optimizers", "profiles", "plans", "caches", "symbols"}
    for row in (*found["devices"], *found["recipes"], *found["plans"], *found["caches"]):
        assert row["source"] and row["title"]
    assert {"n_fsdp", "d_model", "M_total"} <= {row["name"] for row in found["symbols"] if row["meaning"]}
    v5p = next(row for row in found["devices"] if row["name"] == "tpu-v5p")
    assert (v5p["marketed_bytes"], v5p["binary_bytes"]) == (95 * 10**9, 95 * 2**30)


def test_rounded_numbers_in_the_rows_of_a_figure_are_named(capsys, tmp_path):
    """A cell that is named is a float: 99309695934.63829 bytes stand for a fraction."""
    path = tmp_path / "a.json"
    assert main(["homework", "cs336-a2-xxl", "-o", str(path)]) == 0
    capsys.readouterr()
    named = set()
    for section in json.loads(path.read_text(encoding="utf-8"))["sections"]:
        for block in section["blocks"]:
            if block["kind"] != "figure":
                assert "approximate" not in block
                continue
            cells = {f"rows/{y}/{x}": cell for y, row in enumerate(block["rows"]) for x, cell in enumerate(row)}
            assert set(block.get("approximate", ())) <= {
                where for where, cell in cells.items() if isinstance(cell, float)
            }
            named |= {cells[where] for where in block.get("approximate", ())}
    assert 99309695934.63829 in named


def test_whole_bytes_in_a_list_are_whole_numbers(capsys):
    assert main(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    recipes, caches = ({one["name"]: one for one in found[what]} for what in ("recipes", "caches"))
    each = [
        recipes["cs336"]["bytes_per_parameter"],
        recipes["cs336"]["activation_bytes"],
        caches["bf16"]["scale_bytes"],
    ]
    assert [(type(one), one) for one in each] == [(int, 16), (int, 2), (int, 0)]
