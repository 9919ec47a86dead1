"""Sentences and cells of accounts, fits and reports that say what something is: each true of what stands beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from symbolic_mem import library


@pytest.fixture
def said(run):
    """Give `said("account", study)`: what such a call prints."""
    return lambda *words: run(*words).out


def test_what_a_stage_keeps_is_what_one_of_its_devices_keeps(said):
    found = said("account", "cluster-llama-3.1-70b-64-h100")
    one = re.search(r"one device +([\d,]+) bytes", found)[1]
    stages = re.findall(r"what is kept on the (?:first|last) stage: ([\d,]+) bytes", found)
    assert max(int(size.replace(",", "")) for size in stages) == int(one.replace(",", ""))


@pytest.mark.parametrize(
    "study, symbol, value",
    [("cs336-a1-2026-adamw", "C", "4.95"), ("scaling-book-training", "n_{\\mathrm{chips}}", "4096$ in (3)")],
)
def test_what_a_question_gives_alone_stands_in_the_notation(said, study, symbol, value):
    notation = said("report", study).partition("## Notation")[2].partition("*What is given.*")[0]
    assert any(value in row for row in notation.splitlines() if row.startswith(f"| ${symbol}$ |"))


def test_a_block_is_not_compared_with_one_of_its_layers(said):
    found = json.loads(said("compare", "mixtral-8x7b", "--recompute", "none", "--json"))
    names = {gap["term"] for gap in found["gaps"]}
    assert "activations of the recomputed expert block" in names
    assert not any("/" in name for name in names)


def test_a_batch_that_is_divided_is_not_one_of_each_device(said):
    of_each, of_all = "on each device of training", "of the whole batch in training"
    assert of_all in said("fit", "cs336-a2-xxl", "--on", "8x h100-80gb")
    assert of_each in said("fit", "llama-3.1-8b", "--on", "8x h100-80gb")


def test_a_number_of_four_digits_is_not_grouped(said):
    fits = said("fit", "llama-3.1-8b", "--on", "8x h100-80gb")
    assert re.search(r": \d{4} tokens more", fits)
    assert not re.search(r"(?<![\d,])\d,\d{3}(?![\d,])", fits)


def test_a_recipe_that_nobody_gave_is_said_to_be_taken_without(said):
    taken = "no recipe is given, so this one is taken"
    assert taken in said("account", "kv-cache")
    assert taken not in said("account", "kv-cache", "--recipe", "fsdp2")
    assert taken not in said("account", "llama-3.1-8b")


def test_a_field_without_a_part_in_the_model_is_named_by_the_account(said, tmp_path):
    bundled = Path(library.__file__).parent / "studies" / "configs" / "llama-3.1-8b.json"
    given = tmp_path / "config.json"
    given.write_text(json.dumps(json.loads(bundled.read_text()) | {"num_local_experts": 8}))
    line = "In the file, but without a part in a model of this family: num_local_experts."
    assert line in said("account", str(given))
    assert "without a part" not in said("account", str(bundled))
