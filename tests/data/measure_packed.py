"""Count the numbers that bitsandbytes packs of a model: those of its linear layers that transformers replaces, on the meta device.

transformers 5.24, bitsandbytes 0.50: ``python measure_packed.py > packed.json``. The head stays as it is, as `get_keys_to_not_convert` says.
"""

import json
import math
from pathlib import Path

import torch
from bitsandbytes.nn import Linear4bit
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, BitsAndBytesConfig
from transformers.integrations.bitsandbytes import replace_with_bnb_linear

FAMILIES = Path(__file__).with_name("params_families.json")


def packed(config: dict) -> int:
    """How many numbers of a model of that ``config.json`` are packed."""
    own = {key: value for key, value in config.items() if key != "model_type"}
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(CONFIG_MAPPING[config["model_type"]](**own))
    replace_with_bnb_linear(model, ["lm_head", "embed_out"], BitsAndBytesConfig(load_in_4bit=True))
    layers = (one for one in model.modules() if isinstance(one, Linear4bit))
    return sum(math.prod(one.weight.shape) for one in layers)


if __name__ == "__main__":
    found = {}
    for case in json.loads(FAMILIES.read_text())["variants"]:
        config = case["config"]
        if config["model_type"] not in found:
            found[config["model_type"]] = {"config": config, "packed": packed(config)}
    print(
        json.dumps(
            {"by": "transformers 5.24.0, bitsandbytes 0.50.2, PyTorch 2.13", "cases": list(found.values())}, indent=1
        )
    )
