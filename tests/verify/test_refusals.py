"""What the engine does not run is said in one line, and a defect of this package stays one."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import sys
from pathlib import Path

import pytest

from symbolic_mem.base.errors import BadInput, MissingProgram
from symbolic_mem.library.read import load_study
from symbolic_mem.study.study import Study
from symbolic_mem.verify.measure import measure
from symbolic_mem.verify.refusals import LOGGED, refusals
from symbolic_mem.verify.run import run_of
from symbolic_mem.verify.verify import verify

SIZES = {
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 64,
    "num_local_experts": 4,
    "num_experts_per_tok": 1,
}


def study_of(tmp_path: Path, family: str = "mixtral", width: int = 32, inner: int = 24, **fields: object) -> Study:
    path = tmp_path / "config.json"
    sizes = {"model_type": family, "hidden_size": width, "intermediate_size": inner, **SIZES, **fields}
    path.write_text(json.dumps(sizes), encoding="utf-8")
    return load_study(str(path)).change(recipe="pure-bf16", plan="one-device", values={"B": 1, "S": 16})


@pytest.mark.parametrize(
    ("width", "inner", "given", "then"),
    [
        (32, 12, "d_ff = 12", "--set d_ff=16"),
        (32, 4, "d_ff = 4", "--set d_ff=8"),
        (36, 24, "d_model = 36", "--set d_model=40"),
        (36, 12, "d_model = 36", "--set d_model=40"),
    ],
)
def test_a_width_of_experts_that_is_no_multiple_of_eight_is_refused_before_an_engine_is_asked(
    tmp_path, monkeypatch, width, inner, given, then
):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BadInput) as refused:
        verify(study_of(tmp_path, width=width, inner=inner))
    said = str(refused.value)
    assert said.startswith(f"{given}: PyTorch") and "16 bytes" in said and said.endswith(then)


def test_other_widths_reach_the_engine(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    batched = {"intermediate_size_mlp": 40, "interleave_moe_layer_step": 1}
    dense = {"num_local_experts": None, "num_experts_per_tok": None}
    for study in (
        study_of(tmp_path),
        study_of(tmp_path, inner=8),
        study_of(tmp_path, "llama4_text", inner=12, **batched),
        study_of(tmp_path, "llama", inner=12, **dense),
    ):
        with pytest.raises(MissingProgram):
            verify(study)


@pytest.mark.parametrize(("width", "inner"), [(32, 24), (32, 12), (32, 4), (40, 8), (36, 24)])
def test_the_engine_refuses_the_widths_that_are_refused_here(tmp_path, monkeypatch, width, inner):
    for name in ("torch", "transformers"):
        if importlib.util.find_spec(name) is None:
            if os.environ.get("SYMBOLIC_MEM_NO_SKIP") == "1":
                pytest.fail(f"needs {name}, and SYMBOLIC_MEM_NO_SKIP=1 forbids skipping")
            pytest.skip(f"needs {name}")
    study = study_of(tmp_path, width=width, inner=inner)
    monkeypatch.setattr("symbolic_mem.verify.run.EVEN", 1)
    run = run_of(study)
    if width % 8 == inner % 8 == 0:
        assert measure(run)["start"] > 0
        return
    with pytest.raises(
        BadInput, match=r"^PyTorch \S+ refuses this step: RuntimeError: Expected mat_a stride .* 16 bytes"
    ):
        measure(run)


def test_what_an_engine_raises_is_its_refusal_and_what_this_package_raises_is_not():
    logger = logging.getLogger(LOGGED)
    said = r"^PyTorch 9 refuses this step: JSONDecodeError: Expecting value"
    with pytest.raises(BadInput, match=said), refusals("PyTorch 9"):
        assert logger.disabled
        json.loads("")
    assert not logger.disabled
    with pytest.raises(BadInput, match=r"^no such recipe$"), refusals("PyTorch 9"):
        raise BadInput("no such recipe")
    with pytest.raises(AttributeError), refusals("PyTorch 9"):
        run_of(None)  # type: ignore[arg-type]
    with pytest.raises(MemoryError), refusals("PyTorch 9"):
        raise MemoryError


def test_values_narrower_than_queries_need_another_kernel():
    study = load_study("deepseek-v3").change(recipe="pure-bf16", plan="one-device", values={"B": 1, "S": 16, "L": 4})
    with pytest.raises(BadInput, match=r"queries of 192 and values of 128 numbers .* --kernel efficient, or eager"):
        run_of(study)
    assert run_of(study.change(kernel="efficient")).kernel == "efficient"
