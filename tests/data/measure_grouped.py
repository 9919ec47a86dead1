"""Measure what one block of transformers keeps on a processor where heads are grouped, with a mask and without.

Run it with transformers 5.24 and PyTorch 2.13: ``python tests/data/measure_grouped.py > tests/data/grouped.json``. Tensors
are real, so that transformers sees that nothing is padded or packed and makes no mask. The bytes of a block are those that
three blocks keep for the backward pass less those of two: each storage once, weights apart.
"""

from __future__ import annotations

import json

import torch
import transformers
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

SIZES = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 512,
    "max_position_embeddings": 256,
}
MODELS = {
    "llama": {**SIZES},
    "qwen2": {**SIZES},
    "qwen3": {**SIZES, "head_dim": 32},
    "olmo2": {**SIZES},
    "phi3": {**SIZES, "pad_token_id": None},
    "llama, one key": {**SIZES, "num_key_value_heads": 1},
    "llama, keys of all": {**SIZES, "num_key_value_heads": 8},
}
B, S, PADDED = 2, 64, 8


def kept(family: str, fields: dict[str, object], layers: int, mask: torch.Tensor | None) -> int:
    torch.manual_seed(0)
    config = CONFIG_MAPPING[family](**fields, num_hidden_layers=layers, use_cache=False)
    config._attn_implementation = "sdpa"
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).train()
    own = {one.untyped_storage().data_ptr() for one in model.parameters()}
    seen: dict[int, torch.UntypedStorage] = {}

    def pack(one: torch.Tensor) -> torch.Tensor:
        storage = one.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage
        return one

    tokens = torch.randint(0, SIZES["vocab_size"], (B, S))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one):
        loss = model(input_ids=tokens, attention_mask=mask, labels=tokens).loss
    found = sum(one.nbytes() for one in seen.values())
    loss.backward()
    return found


def block(family: str, fields: dict[str, object], mask: torch.Tensor | None) -> int:
    return kept(family, fields, 3, mask) - kept(family, fields, 2, mask)


if __name__ == "__main__":
    padding = torch.ones(B, S, dtype=torch.long)
    padding[0, :PADDED] = 0
    rows = {}
    for name, fields in MODELS.items():
        family = name.split(",")[0]
        rows[name] = {
            "config": {"model_type": family, **{key: one for key, one in fields.items() if one is not None}},
            "unmasked_bytes": block(family, fields, None),
            "ones_bytes": block(family, fields, torch.ones(B, S, dtype=torch.long)),
            "padded_bytes": block(family, fields, padding),
        }
    about = f"transformers {transformers.__version__}, PyTorch {torch.__version__}, CPU, BF16, sdpa"
    print(json.dumps({"measured": about, "B": B, "S": S, "rows": rows}, indent=1))
