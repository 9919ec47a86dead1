"""Measure what a pass of inference holds beside weights, on the CPU: it prints passes.json.

Run it with torch and transformers 5.24.0, and this package on the path. Each model reads two prompts without a cache and
makes the logits of the last position, or of all; the most bytes that were alive in the pass are counted, without weights.
"""

from __future__ import annotations

import json

import torch
import transformers
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

from symbolic_mem.verify.storages import Storages

BATCH = 2
SIZES = {
    "hidden_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "intermediate_size": 1536,
    "vocab_size": 3000,
}
SMALL = {**SIZES, "intermediate_size": 256}
GPT2 = {"n_embd": 512, "n_layer": 2, "n_head": 8, "n_positions": 512, "vocab_size": 3000}
MODELS = {
    "Llama": ("llama", SIZES, 128, True, "sdpa"),
    "Llama, a wide MLP": ("llama", {**SIZES, "intermediate_size": 3001}, 77, True, "sdpa"),
    "Mistral": ("mistral", {**SIZES, "sliding_window": None}, 128, True, "sdpa"),
    "Qwen2": ("qwen2", SIZES, 128, True, "sdpa"),
    "Qwen3": ("qwen3", SIZES, 128, True, "sdpa"),
    "many words": ("llama", {**SMALL, "vocab_size": 300_000}, 16, True, "sdpa"),
    "all positions": ("llama", {**SMALL, "vocab_size": 30_000}, 64, False, "sdpa"),
    "GPT-2": ("gpt2", GPT2, 128, True, "sdpa"),
    "GPT-2, long and by parts": ("gpt2", GPT2, 512, True, "eager"),
    "Llama, by parts": ("llama", SIZES, 512, True, "eager"),
}


def held(kind: str, sizes: dict, tokens: int, last: bool, attention: str) -> int:
    """The most bytes of a pass, without the weights and without the tokens that it reads."""
    config = CONFIG_MAPPING[kind](**sizes)
    model = AutoModelForCausalLM.from_config(config, attn_implementation=attention, dtype=torch.bfloat16).eval()
    given = torch.zeros((BATCH, tokens), dtype=torch.long)
    storages = Storages()
    for tensor in (*model.parameters(), *model.buffers(), given):
        storages.ignore(tensor)
    with torch.no_grad(), storages:
        storages.mark()
        model(given, use_cache=False, logits_to_keep=1 if last else 0)
        return storages.mark()


def main() -> None:
    """Print the cases."""
    cases = []
    for name, (kind, sizes, tokens, last, attention) in MODELS.items():
        case = {"name": name, "config": {"model_type": kind, **sizes}, "S": tokens, "last": last}
        size = held(kind, sizes, tokens, last, attention)
        cases.append({**case, "attention": attention, "bytes": size})
    source = f"transformers {transformers.__version__}, torch {torch.__version__.partition('+')[0]}, CPU, BF16"
    print(json.dumps({"source": source, "B": BATCH, "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
