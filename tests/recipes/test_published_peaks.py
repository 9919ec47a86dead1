"""Peaks that torchtune publishes, beside those of its recipes here: within 12 percent, or missed for a reason that is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbolic_mem.library.read import load_study
from symbolic_mem.recipes.read import read_recipe

DATA = json.loads((Path(__file__).parents[1] / "data" / "torchtune.json").read_text(encoding="utf-8"))


def peak(row, folder):
    name = row["study"]
    if name in DATA["configs"]:
        (folder / f"{name}.json").write_text(json.dumps(DATA["configs"][name]), encoding="utf-8")
        name = str(folder / f"{name}.json")
    change = dict(row["change"])
    recipe = change["recipe"]
    change["recipe"] = recipe if isinstance(recipe, str) else read_recipe(recipe, row["id"])
    study = load_study(name).change(values=row["values"], **change)
    return max(one.memory.placed(study.placement).at(study.numbers) for one in study.timeline) / 2**30


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in DATA["rows"]])
def test_a_published_peak_is_near(row, tmp_path):
    ratio = peak(row, tmp_path) / row["peak_gib"]
    assert (0.88 <= ratio <= 1.12) != bool(row["missed"]), float(ratio)
