"""Parameter counts, to the unit, against what the engine's modules hold: `tests/data/params.json` says how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy as sp

from symbolic_mem.base.symbols import L, V, d_ff, d_model, n_heads
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.counts import active_parameters, parameters_by_group
from symbolic_mem.models.families import families
from symbolic_mem.models.huggingface import parse_config, read_config
from symbolic_mem.models.tensors import GROUPS
from symbolic_mem.models.transformer import transformer

DATA = Path(__file__).parents[1] / "data"
GOLDEN = json.loads((DATA / "params.json").read_text())
FAMILIES = json.loads((DATA / "params_families.json").read_text())["variants"]


def numbers(architecture: Architecture) -> tuple[dict[str, int], int]:
    model, values = transformer(architecture), architecture.values()
    groups = {group: int(count.xreplace(values)) for group, count in parameters_by_group(model).items()}
    assert sum(groups.values()) == model.parameters.xreplace(values)
    return groups, int(active_parameters(model, architecture).xreplace(values))


@pytest.mark.parametrize("case", GOLDEN["models"], ids=lambda case: case["config"].removesuffix(".json"))
def test_published_models_count_to_the_unit(case: dict) -> None:
    groups, active = numbers(read_config(DATA / "hf_configs" / case["config"]))
    assert groups == case["groups"]
    assert (sum(groups.values()), active) == (case["parameters"], case["active"])


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{i}-{case['config']['model_type']}")
        for i, case in enumerate([*GOLDEN["variants"], *FAMILIES])
    ],
)
def test_defaults_and_options_of_every_family_count_to_the_unit(case: dict) -> None:
    groups, _ = numbers(parse_config(json.dumps(case["config"]).encode(), "c.json"))
    assert groups == case["groups"]
    assert sum(groups.values()) == case["parameters"]


def test_every_family_is_counted_small_and_with_every_choice_the_other_way() -> None:
    elsewhere = {name for name, family in families().known.items() if family.published or name.endswith("_vl_text")}
    elsewhere |= {"kimi_k2", "qwen3_vl_moe_text"}  # a file of deepseek_v3; inside the models of several modalities
    assert {case["config"]["model_type"] for case in [*GOLDEN["variants"], *FAMILIES]} == set(
        families().known
    ) - elsewhere


@pytest.mark.parametrize(
    ("config", "parameters"),
    [  # the numbers of parameters that the publishers' own files of weights hold
        ({"model_type": "internlm2", "vocab_size": 92544}, 7_737_708_544),
        ({"model_type": "minicpm"}, 2_724_880_896),
        ({"model_type": "qwen"}, 7_721_324_544),
    ],
)
def test_a_family_with_code_of_its_own_counts_what_is_published(config: dict, parameters: int) -> None:
    groups, _ = numbers(parse_config(json.dumps(config).encode(), "c.json"))
    assert sum(groups.values()) == parameters


def test_the_groups_come_in_one_order() -> None:
    groups, _ = numbers(read_config(DATA / "hf_configs" / "deepseek-v3.json"))
    assert list(groups) == [group for group in GROUPS if group in groups]


def test_a_count_stays_a_formula() -> None:
    """Narayanan et al. (2021), arXiv:2104.04473, equation 2, without its V + s term: 12 L d^2 (1 + 13 / (12 d))."""
    groups = parameters_by_group(transformer(read_config(DATA / "hf_configs" / "gpt2-xl.json")))
    blocks = groups["attention"] + groups["mlp"] + groups["norm"]
    assert blocks.free_symbols == {L, d_model}
    assert sp.expand(blocks - (12 * L * d_model**2 + 13 * L * d_model + 2 * d_model)) == 0
    assert groups["token embedding"] == V * d_model
    assert not blocks.has(d_ff, n_heads)
