"""For how many positions a model is made."""

from __future__ import annotations

import pytest

from symbolic_mem.models.positions import reach

YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
DEEPSEEK = {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096}


@pytest.mark.parametrize(
    ("table", "right"),
    [
        ({"max_position_embeddings": 8192}, 8192),
        ({"max_position_embeddings": 131072, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 131072),
        ({"max_position_embeddings": 40960, "rope_scaling": YARN}, 131072),
        ({"max_position_embeddings": 163840, "rope_scaling": DEEPSEEK}, 163840),
        ({"max_position_embeddings": 2048, "rope_scaling": {"type": "dynamic", "factor": 2.0}}, 4096),
        ({"max_position_embeddings": 131072, "rope_scaling": {"type": "longrope", "factor": 32.0}}, 131072),
        ({"max_position_embeddings": 32768, "rope_parameters": {"full": YARN, "sliding": {"rope_type": "default"}}}, 131072),
        ({"model_type": "gemma3_text", "max_position_embeddings": 131072, "rope_scaling": {"type": "linear", "factor": 8.0}}, 131072),
        ({"max_position_embeddings": 4096, "rope_scaling": None}, 4096),
        ({"max_position_embeddings": "many"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_positions_are_those_that_vllm_derives(table, right):
    assert reach(table) == right
