"""Count the operations of the products of a step with adapters of PEFT's on a small Llama, with PyTorch's own counter.

Run with torch, transformers and peft; it writes `adapter_products.json` beside it. Attention is written out (`eager`), whose products
PyTorch counts one by one; the head is part of the step, the loss is a sum.
"""

from __future__ import annotations

import json
from pathlib import Path

import peft
import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
RANK, B, S, V = 3, 2, 8, 96
CASES = [
    {"target_modules": ["q_proj", "v_proj"]},
    {"target_modules": ["q_proj", "k_proj", "v_proj"]},
    {"target_modules": ["o_proj"]},
    {"target_modules": ["down_proj"]},
    {"target_modules": ["gate_proj", "down_proj"]},
    {"target_modules": "all-linear"},
    {"target_modules": ["q_proj", "v_proj"], "layers_to_transform": [2, 3]},
    {
        "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        "layers_to_transform": [1, 2],
    },
    {"target_modules": ["q_proj", "v_proj"], "modules_to_save": ["lm_head"]},
]


def step(case: dict, *, reached: bool) -> dict[str, int]:
    config = transformers.LlamaConfig(**SIZES, vocab_size=V, attn_implementation="eager", tie_word_embeddings=False)
    config.use_cache = False
    made = peft.get_peft_model(
        transformers.LlamaForCausalLM(config), peft.LoraConfig(r=RANK, task_type="CAUSAL_LM", **case)
    )
    if reached:
        made.enable_input_require_grads()
    words = torch.zeros((B, S), dtype=torch.long)
    with FlopCounterMode(display=False) as forward:
        loss = made(input_ids=words).logits.sum()
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    return {"forward": forward.get_total_flops(), "backward": backward.get_total_flops()}


def main() -> None:
    found = [{**case, "reached": way, **step(case, reached=way)} for case in CASES for way in (False, True)]
    said = (
        f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}, FlopCounterMode"
    )
    lines = ",\n  ".join(json.dumps(one) for one in found)
    text = f'{{"source": {json.dumps(said)},\n "sizes": {json.dumps({**SIZES, "r": RANK, "B": B, "S": S, "V": V})},\n "cases": [\n  {lines}\n ]}}\n'
    Path(__file__).with_name("adapter_products.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
