"""Measure what the caches of small models hold: run it with torch and transformers 5.24.0, and it prints caches.json.

Each model is built on the CPU in BF16, reads a prompt and makes one token. With `static` its cache has room for so many tokens
from the start. Every tensor with elements that a layer of the cache holds is counted, whatever its name.
"""

from __future__ import annotations

import json

import torch
import transformers
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, DynamicCache, StaticCache

BATCH, PROMPT, ROOM = 2, 11, 12
SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "vocab_size": 50}
GROUPED = {**SMALL, "num_key_value_heads": 2}
HEADS = {**GROUPED, "head_dim": 8}
EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 16}
LATENT = {
    **SMALL,
    **EXPERTS,
    "num_key_value_heads": 4,
    "num_hidden_layers": 2,
    "kv_lora_rank": 8,
    "q_lora_rank": 12,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 8,
    "v_head_dim": 6,
    "n_routed_experts": 4,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
LINEAR = {
    **HEADS,
    "num_hidden_layers": 4,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 6,
}
MODELS = {
    "MHA": ("llama", {**SMALL, "num_hidden_layers": 2}),
    "GQA": ("llama", {**GROUPED, "num_hidden_layers": 3}),
    "GQA with wide heads": ("qwen3", {**GROUPED, "num_hidden_layers": 2, "head_dim": 16}),
    "MQA": ("gpt_bigcode", {"n_embd": 32, "n_head": 4, "n_layer": 2, "vocab_size": 50}),
    "MHA of GPT-2": ("gpt2", {"n_embd": 32, "n_head": 4, "n_layer": 2, "vocab_size": 50}),
    "GPT-NeoX": ("gpt_neox", {**SMALL, "num_hidden_layers": 2}),
    "MPT": ("mpt", {"d_model": 32, "n_heads": 4, "n_layers": 2, "vocab_size": 50}),
    "experts": ("mixtral", {**GROUPED, "num_hidden_layers": 2, "num_local_experts": 4}),
    "experts in windows": ("mixtral", {**GROUPED, "num_hidden_layers": 2, "num_local_experts": 4, "sliding_window": 5}),
    "MLA": ("deepseek_v3", LATENT),
    "MLA without a query vector": ("deepseek_v2", {**LATENT, "q_lora_rank": None, "norm_topk_prob": False}),
    "MLA with an indexer": (
        "deepseek_v32",
        {**LATENT, "v_head_dim": 8, "index_head_dim": 8, "index_n_heads": 2, "index_topk": 4},
    ),
    "all layers in windows": ("mistral", {**GROUPED, "num_hidden_layers": 3, "sliding_window": 5}),
    "a window that is not full": ("mistral", {**GROUPED, "num_hidden_layers": 3, "sliding_window": 40}),
    "no window": ("mistral", {**GROUPED, "num_hidden_layers": 3, "sliding_window": None}),
    "every second": ("gemma2", {**HEADS, "num_hidden_layers": 5, "sliding_window": 5}),
    "all but every sixth": ("gemma3_text", {**HEADS, "num_hidden_layers": 7, "sliding_window": 5}),
    "all but every third": (
        "gemma3_text",
        {**HEADS, "num_hidden_layers": 7, "sliding_window": 5, "sliding_window_pattern": 3},
    ),
    "sinks": ("gpt_oss", {**HEADS, "num_hidden_layers": 4, "sliding_window": 5, "num_local_experts": 4}),
    "all but every fourth": ("olmo3", {**GROUPED, "num_hidden_layers": 5, "sliding_window": 5}),
    "Cohere": ("cohere2", {**HEADS, "num_hidden_layers": 5, "sliding_window": 5}),
    "from the first on": ("cwm", {**HEADS, "num_hidden_layers": 6, "sliding_window": 5}),
    "listed": (
        "qwen2",
        {
            **GROUPED,
            "num_hidden_layers": 3,
            "sliding_window": 5,
            "use_sliding_window": True,
            "layer_types": ["full_attention", "sliding_attention", "full_attention"],
        },
    ),
    "after some layers": (
        "qwen2",
        {
            **GROUPED,
            "num_hidden_layers": 4,
            "sliding_window": 5,
            "use_sliding_window": True,
            "max_window_layers": 1,
        },
    ),
    "switched off": ("qwen3", {**HEADS, "num_hidden_layers": 4, "sliding_window": 5, "max_window_layers": 1}),
    "layers without rotation": (
        "smollm3",
        {**GROUPED, "num_hidden_layers": 8, "sliding_window": 5, "use_sliding_window": True, "pad_token_id": 0},
    ),
    "chunks": (
        "llama4_text",
        {
            **HEADS,
            "num_hidden_layers": 4,
            "attention_chunk_size": 5,
            "num_local_experts": 2,
            "intermediate_size_mlp": 48,
        },
    ),
    "layers that share": (
        "gemma3n_text",
        {
            **HEADS,
            "num_hidden_layers": 10,
            "sliding_window": 5,
            "num_kv_shared_layers": 5,
            "laurel_rank": 4,
            "vocab_size_per_layer_input": 50,
            "hidden_size_per_layer_input": 8,
            "activation_sparsity_pattern": [0.0] * 10,
        },
    ),
    "Mamba": ("mamba", {"hidden_size": 16, "num_hidden_layers": 2, "state_size": 4, "vocab_size": 50}),
    "Falcon Mamba": ("falcon_mamba", {"hidden_size": 16, "num_hidden_layers": 2, "state_size": 4, "vocab_size": 50}),
    "Mamba 2": (
        "mamba2",
        {
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "state_size": 4,
            "vocab_size": 50,
            "num_heads": 4,
            "head_dim": 8,
            "n_groups": 2,
        },
    ),
    "Jamba": (
        "jamba",
        {
            **GROUPED,
            "num_hidden_layers": 4,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "mamba_d_state": 4,
            "use_mamba_kernels": False,
            "num_experts": 2,
        },
    ),
    "linear attention": (
        "qwen3_next",
        {**LINEAR, **EXPERTS, "num_experts": 4, "shared_expert_intermediate_size": 16},
    ),
    "linear attention, dense": ("qwen3_5_text", LINEAR),
    "lightning attention": (
        "minimax",
        {**HEADS, "num_hidden_layers": 4, "num_local_experts": 2, "block_size": 4},
    ),
    "Nemotron-H": (
        "nemotron_h",
        {
            **HEADS,
            "num_hidden_layers": 4,
            "layers_block_type": ["mamba", "mlp", "attention", "mamba"],
            "ssm_state_size": 4,
            "mamba_num_heads": 4,
            "mamba_head_dim": 8,
            "n_groups": 2,
            "use_mamba_kernels": False,
        },
    ),
    "Granite hybrid": (
        "granitemoehybrid",
        {
            **GROUPED,
            "num_hidden_layers": 4,
            "layer_types": ["mamba", "attention", "mamba", "mamba"],
            "mamba_n_heads": 8,
            "mamba_d_head": 8,
            "mamba_n_groups": 1,
            "mamba_d_state": 4,
            "num_local_experts": 0,
            "shared_intermediate_size": 16,
        },
    ),
    "convolutions": (
        "lfm2",
        {**GROUPED, "num_hidden_layers": 4, "layer_types": ["conv", "full_attention", "conv", "conv"]},
    ),
}
STATES = ("mamba", "falcon_mamba", "mamba2", "jamba", "qwen3_next", "qwen3_5_text", "minimax", "nemotron_h", "lfm2")
DYNAMIC = (*STATES, "granitemoehybrid", "deepseek_v32")


def held(cache: object) -> int:
    """Bytes of all tensors of a cache that have more than two dimensions: the others count tokens."""
    found: dict[int, int] = {}

    def look(value: object) -> None:
        if isinstance(value, torch.Tensor):
            if value.dim() > 2 and value.numel():
                found[value.data_ptr()] = value.numel() * value.element_size()
        elif isinstance(value, list | tuple):
            for one in value:
                look(one)
        elif isinstance(value, dict):
            look(list(value.values()))

    for layer in cache.layers:
        look(vars(layer))
    look(getattr(cache, "linear_cache", None))
    return sum(found.values())


def measure(kind: str, sizes: dict) -> tuple[str, int]:
    """Return how a cache of the model is made, and its bytes."""
    config = CONFIG_MAPPING[kind](**sizes)
    model = AutoModelForCausalLM.from_config(config).to(torch.bfloat16).eval()
    cache = None if kind in DYNAMIC else StaticCache(config=model.config, max_cache_len=ROOM)
    with torch.no_grad():
        out = model(torch.randint(0, 50, (BATCH, PROMPT)), past_key_values=cache, use_cache=True)
        out = model(torch.randint(0, 50, (BATCH, ROOM - PROMPT)), past_key_values=out.past_key_values, use_cache=True)
    kept = out.past_key_values
    assert isinstance(kept, StaticCache if cache is not None else DynamicCache)
    return "dynamic" if cache is None else "static", held(kept)


def main() -> None:
    """Print the cases."""
    cases = []
    for name, (kind, sizes) in MODELS.items():
        made, found = measure(kind, dict(sizes))
        cases.append({"name": name, "config": {"model_type": kind, **sizes}, "cache": made, "bytes": found})
    source = f"transformers {transformers.__version__}, torch {torch.__version__.partition('+')[0]}, CPU, BF16"
    print(json.dumps({"source": source, "B": BATCH, "S": ROOM, "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
