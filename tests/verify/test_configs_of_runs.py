"""What `verify` gives to transformers: the fields of a config.json that describes the same architecture."""

from __future__ import annotations

import json

import pytest

from symbolic_mem.library.read import load_study
from symbolic_mem.verify.language_models import config_of
from symbolic_mem.verify.verify import _as_run

SIZES = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
}
MIXTURE = {"num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 48, "decoder_sparse_step": 1}
CONFIGS = {
    "llama": {"intermediate_size": 96, "head_dim": 24, "attention_bias": True},
    "qwen3_moe": {**MIXTURE, "intermediate_size": 96, "mlp_only_layers": []},
    "qwen2_moe": {**MIXTURE, "intermediate_size": 96, "mlp_only_layers": [], "shared_expert_intermediate_size": 128},
    "mixtral": {"intermediate_size": 96, "num_local_experts": 5, "num_experts_per_tok": 1},
    "gpt_neox": {"intermediate_size": 96, "rotary_pct": 0.5},
}


@pytest.mark.parametrize("family", CONFIGS)
def test_the_config_that_is_run_has_the_parameters_of_the_one_that_is_given(family, tmp_path):
    given, again = tmp_path / "given.json", tmp_path / "again.json"
    given.write_text(json.dumps({"model_type": family, **SIZES, **CONFIGS[family]}), encoding="utf-8")
    study = load_study(str(given)).change(recipe="pure-bf16", plan="one-device", values={"B": 1, "S": 16})
    _, _, run = _as_run(study)
    fields = config_of(run.architecture, run)
    again.write_text(json.dumps({"model_type": family, **fields}), encoding="utf-8")
    parameters = [one.built.model.parameters.xreplace(one.values) for one in (study, load_study(str(again)))]
    assert parameters[0] == parameters[1]
