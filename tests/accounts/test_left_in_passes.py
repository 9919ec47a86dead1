"""What inference leaves out: each size beside a count of what vLLM's sources make."""

import json
from pathlib import Path

import pytest

from symbolic_mem.accounts.left_in_passes import left_in_passes
from symbolic_mem.accounts.left_out import ROTATIONS, WINDOWS
from symbolic_mem.library.read import load_study

CONFIGS = Path(__file__).parents[1] / "data" / "hf_configs"
LLAMA = json.loads((CONFIGS / "llama-3.1-8b.json").read_text())
GEMMA = json.loads((CONFIGS / "gemma-3-1b.json").read_text())


def of(name, study):
    (found,) = (one for one in left_in_passes(study.rank, study.recipe, study.placement) if one.name == name)
    return found.at(study.values)


@pytest.mark.parametrize(
    ("config", "rows", "width"),
    [
        (LLAMA, 131072, 128),
        ({**LLAMA, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 131072, 128),
        ({**LLAMA, "rope_scaling": {"type": "linear", "factor": 2.0}}, 262144, 128),
        (
            {**LLAMA, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}},
            131072,
            128,
        ),
        ({**GEMMA, "max_position_embeddings": 32768}, 2 * 32768, 256),
        ({**json.loads((CONFIGS / "phi-4-mini.json").read_text()), "max_position_embeddings": 131072}, 131072, 96),
    ],
)
def test_a_table_of_rotations_has_a_row_for_each_position(tmp_path, config, rows, width):
    """Half of a row are cosines and half are sines, in BF16."""
    (tmp_path / "c.json").write_text(json.dumps(config))
    assert of(ROTATIONS, load_study(str(tmp_path / "c.json")).change(recipe="vllm")) == 2 * rows * width


@pytest.mark.parametrize(("batch", "tokens"), [(1, 3000), (1, 8192), (1, 30000), (4, 5000), (4, 30000)])
def test_layers_with_windows_keep_the_tokens_of_a_pass_beside_those_of_the_window(batch, tokens):
    """Over one sequence of a pass vLLM keeps `min(window - 1 + 8192, S)` tokens; of several no more than a pass reads."""
    study = load_study(str(CONFIGS / "gemma-2-9b.json")).change(recipe="vllm", values={"B": batch, "S": tokens})
    each = 21 * 2 * 8 * 256 * 2
    assert of(WINDOWS, study) == each * min(8192, batch * max(0, tokens - 4096))
    if batch == 1:
        held = min(4096 - 1 + 8192, tokens)
        assert 0 <= of(WINDOWS, study) - each * (held - min(4096, tokens)) <= each
