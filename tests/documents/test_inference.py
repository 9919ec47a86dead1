"""A document about inference says nothing of a backward pass, whatever the model and the moment that counts."""

from pathlib import Path

import pytest
from sampled import sampled

from symbolic_mem.documents.documents import report
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render

CONFIGS = sorted((Path(__file__).parent.parent / "data" / "hf_configs").glob("*.json"))
CALLS = [(path, recipe, detail) for path in CONFIGS for recipe in ("vllm", "inference") for detail in ("short", "full")]


@pytest.mark.parametrize(
    ("path", "recipe", "detail"),
    sampled(CALLS, 8),
    ids=lambda given: given.stem if isinstance(given, Path) else given,
)
def test_a_report_on_inference_has_no_backward_pass(path, recipe, detail):
    study = load_study(path).change(recipe=recipe, values={"B": 2, "S": 512}, device="h200")
    page = render(report(study, detail), "report", "md").decode()
    assert "(fit) How many devices" in page
    assert "backward pass" not in page and "gradient of" not in page
