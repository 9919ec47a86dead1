"""What cannot be swept is refused in one line that says what was given, what is allowed and what to do."""

from __future__ import annotations

import sys

import pytest

from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.sweeps.sweep import sweep

WRONG = [
    ({"B": []}, "sweep: B takes no value: the axis is empty; give at least one, as in B = [1, 2]"),
    ({"B": range(8, 0)}, "sweep: B takes no value: the axis is empty"),
    ({"device": []}, "sweep: device takes no value"),
    ({}, "sweep: nothing is varied; give a symbol with its values, as in B = [1, 2, 4]"),
    ({"b": [1]}, "sweep: 'b' cannot be varied; did you mean 'B'? known: "),
    ({"B": [1, 2.5]}, "sweep: B = 2.5 is no whole number; give whole numbers, as in B = [1, 2]"),
    ({"B": ["many"]}, "sweep: B = 'many' is no whole number"),
    ({"B": [True]}, "sweep: B = true is no whole number"),
    ({"B": [1, 0]}, "sweep: B = 0 is not allowed; give positive whole numbers"),
    ({"B": range(3, -1, -1)}, "sweep: B = 0 is not allowed; give positive whole numbers"),
    (
        {"B": [10**31]},
        "sweep: B = 10000000000000000000000000000000 is not allowed; give whole numbers of at most 10^30",
    ),
    ({"E": [1, 2]}, "sweep: nothing that is asked reads E; it reads B, L, S, V, d_ff"),
    ({"device": [3]}, "sweep: device takes names, not 3"),
    ({"device": ["h100-80gb", "h100-80gb"]}, "sweep: device 'h100-80gb' is given twice; give it once"),
    ({"device": ["h200-80gb"]}, "device: unknown device 'h200-80gb'"),
    ({"plan": ["zero-9"]}, "plan: unknown plan 'zero-9'"),
    ({"n_heads": [32, 5]}, "sweep n_heads = 5: n_kv = 8 does not divide n_heads = 5; give a divisor of it"),
    (
        {"L": range(1, 200), "n_fsdp": range(1, 200)},
        "sweep: which formulas answer depends on L, n_fsdp here, which take 39,601 combinations; at most 20,000",
    ),
    ({"rows": {"B": [1, 2], "S": [1]}}, "sweep: the columns of the rows have different lengths (B 2, S 1)"),
    ({"rows": {}}, "sweep: rows hold no column"),
    ({"rows": {"B": [1]}, "B": [1]}, "sweep: B is varied twice; name it once"),
    ({"B": [1], "columns": ["peek"]}, "sweep: there is no column 'peek' here; did you mean 'peak'?"),
    ({"B": [1], "question": "z"}, "study 'llama-3.1-8b' has no question 'z'"),
    ({"B": [1], "asks": {"padded_rows": True}}, "a sweep does not cut into whole pieces (every tensor is cut"),
    ({"B": range(1, 10**6), "S": range(1, 10**9)}, "sweep: 999,998,999,000,001 configurations take about 39,"),
    (
        {"B": range(1, 10**9)},
        "sweep: B takes 999,999,999 values, and an axis is held whole: at most 10,000,000 are read",
    ),
]


@pytest.mark.parametrize(("given", "says"), WRONG, ids=lambda one: str(one)[:40])
def test_one_line_says_what_is_wrong(given, says):
    with pytest.raises(BadInput) as refused:
        sweep("llama-3.1-8b", **given)
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)


def test_a_device_is_asked_for_where_none_is_known(tmp_path):
    study = tmp_path / "bare.toml"
    study.write_text(
        'title = "Bare"\n[model]\nkind = "ffn"\n[values]\nd_model = 8\nd_ff = 8\nL = 2\nS = 4\n'
        '[recipe]\npreset = "cs336"\n[placement.weights]\n',
        encoding="utf-8",
    )
    with pytest.raises(BadInput, match="the memory of one device is not given; add --device NAME"):
        sweep(str(study), B=[1])
    assert list(sweep(str(study), B=[1], n_fsdp=[1, 2]).columns) == ["peak", "instant"]
    assert sweep(str(study), B=[1], capacity="1 MB")["n_fsdp"].tolist() == [[1]]


def test_without_numpy_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(
        MissingProgram, match=r"needs NumPy, which is not installed; `pip install 'symbolic-mem\[sweep\]'"
    ):
        sweep("llama-3.1-8b", B=[1])


def test_a_dataset_needs_xarray(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(MissingProgram, match="needs xarray, which is not installed; `pip install xarray`"):
        sweep("llama-3.1-8b", B=[1]).dataset()


def test_a_dataset_has_the_axes_by_name():
    pytest.importorskip("xarray", reason="xarray is optional")
    found = sweep("llama-3.1-8b", B=[1, 2], device=["h100-80gb", "b200"], S=[1024])
    data = found.dataset()
    assert dict(data.sizes) == {"B": 2, "device": 2, "S": 1}
    assert data["n_fsdp"].sel(B=2, device="b200", S=1024).item() == found.at(B=2, device="b200", S=1024)["n_fsdp"]
    rows = sweep("llama-3.1-8b", rows={"B": [1, 2], "S": [1024, 2048]}).dataset()
    assert rows.coords["S"].values.tolist() == [1024, 2048]
