"""`verify` on the command line: rows of cases as JSON, and one line where no engine is there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

CASES = str(Path(__file__).parent.parent / "data" / "peaks.json")


@pytest.fixture
def some(tmp_path):
    """Give a file of two cases, one of which no study says."""
    rows = json.loads(Path(CASES).read_text(encoding="utf-8"))
    chosen = [rows[0], {"id": "titan-x", "settings": {"t": 2}, "quantity": "parameters", "value": 7}]
    path = tmp_path / "some.json"
    path.write_text(json.dumps(chosen), encoding="utf-8")
    return path


def test_the_rows_of_cases_are_json_and_say_what_cannot_be_said(run, some):
    done = run("verify", "--cases", str(some))
    assert (done.status, done.err) == (0, "")
    first, second = json.loads(done.out)
    assert first["miss"] == 0 and first["ours"] == first["theirs"] and "model" in first["study"]
    assert second["ours"] is None and second["theirs"] == 7 and "is not printed" in second["reason"]


def test_the_rows_go_into_a_file_that_ends_in_json(run, refused, some):
    done = run("verify", "--cases", str(some), "-o", "rows.json")
    assert done.out == "rows.json: 2 cases, of which a study says 1; 1 of them agree to the byte.\n"
    assert [row["miss"] for row in json.loads(Path("rows.json").read_text(encoding="utf-8"))] == [0, None]
    assert "ends in .json" in refused("verify", "--cases", str(some), "-o", "rows.md")


def test_one_of_a_study_and_cases_is_wanted(refused, some):
    assert refused("verify").startswith("give one of a STUDY")
    assert refused("verify", "cs336-a2-xxl", "--cases", str(some)).startswith("give one of a STUDY")
    assert "--recipe changes a study" in refused("verify", "--cases", str(some), "--recipe", "fp32")
    assert "only the rows of --cases" in refused("verify", "cs336-a2-xxl", "-o", "x.json")
    assert "nothing" in refused("verify", "--cases", "nothing.json")


def test_without_an_engine_one_line_says_what_to_install(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    said = refused("verify", "cs336-a2-xxl", "--recipe", "fsdp2", "--place", "activations=1", status=3)
    assert said == "verify measures in PyTorch, which is not installed; pip install 'symbolic-mem[verify]'"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "recipe 'cs336' states a sum"),
        (("--recipe", "fsdp2"), "a part of the activations is divided"),
        (("--recipe", "fsdp2", "--place", "activations=1", "--set", "B=7"), "7 sequences do not come out evenly"),
        (("--recipe", "fsdp2", "--place", "activations=1", "--optimizer", "lion"), "optimizer 'lion' is not one"),
        (("--recipe", "fsdp2", "--place", "activations=1", "--recompute", "groups=9"), "recomputation 'groups'"),
        (("--recipe", "fsdp2", "--place", "activations=1", "--place", "weights=0"), "only one device and FSDP2"),
    ],
)
def test_what_is_not_run_is_refused_before_an_engine_is_asked(refused, monkeypatch, options, said):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert said in refused("verify", "cs336-a2-xxl", *options)
