"""Measure what a pass of inference holds beside weights, on the CPU: it prints passes.json.

Run it with torch and transformers 5.24.0, and this package on the path. Each model reads two prompts without a cache and
makes the logits of the last position, or of all; the most bytes that were alive in the pass are counted, without weights.
In DECODED each has a cache with room for so many tokens, and reads the last of them: the cache is not counted, either.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import transformers
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import CONFIG_MAPPING, AttentionInterface, AutoModelForCausalLM, StaticCache

from symbolic_mem.verify.language_models import _efficient, _flash
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
PHI3 = {**SIZES, "pad_token_id": 0}
NEOX = {
    "hidden_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "intermediate_size": 1536,
    "vocab_size": 3000,
}
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
    "Mistral, a window, by parts": ("mistral", {**SIZES, "sliding_window": 64}, 512, True, "eager"),
    "Gemma 2, windows": ("gemma2", {**SIZES, "sliding_window": 64}, 512, True, "eager"),
    "Gemma 2, short": ("gemma2", {**SIZES, "sliding_window": 64}, 32, True, "eager"),
    "Gemma 2, many words": ("gemma2", {**SMALL, "vocab_size": 300_000}, 16, True, "eager"),
    "Gemma 2, all positions": ("gemma2", {**SMALL, "vocab_size": 30_000}, 64, False, "eager"),
    "Gemma 3": ("gemma3_text", {**SIZES, "num_hidden_layers": 6, "sliding_window": 4096}, 128, True, "sdpa"),
    "Gemma 3, windows, by parts": (
        "gemma3_text",
        {**SIZES, "num_hidden_layers": 6, "sliding_window": 64},
        512,
        True,
        "eager",
    ),
    "Gemma 3, all positions": (
        "gemma3_text",
        {**SMALL, "num_hidden_layers": 6, "vocab_size": 30_000},
        64,
        False,
        "sdpa",
    ),
    "OLMo 2, a small MLP": ("olmo2", {**SIZES, "intermediate_size": 128}, 128, True, "flash"),
    "Phi-3": ("phi3", PHI3, 128, True, "flash"),
    "Phi-3, a part turned, a small MLP": (
        "phi3",
        {**PHI3, "intermediate_size": 128, "partial_rotary_factor": 0.5},
        128,
        True,
        "efficient",
    ),
    "Phi-3, by parts": ("phi3", PHI3, 512, True, "eager"),
    "GPT-NeoX": ("gpt_neox", NEOX, 128, True, "flash"),
    "GPT-NeoX, a small MLP": ("gpt_neox", {**NEOX, "intermediate_size": 128}, 128, True, "flash"),
    "GPT-NeoX, by parts": ("gpt_neox", NEOX, 512, True, "eager"),
}
HEADS = {**SIZES, "num_key_value_heads": 8}
LATENT = {
    "hidden_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "intermediate_size": 1536,
    "moe_intermediate_size": 256,
    "vocab_size": 3000,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "first_k_dense_replace": 1,
    "n_group": 4,
    "topk_group": 2,
    "kv_lora_rank": 128,
    "q_lora_rank": 192,
    "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 32,
    "v_head_dim": 48,
}
DENSE = {**LATENT, "first_k_dense_replace": 2}
NO_Q = {**LATENT, "q_lora_rank": None}
WIDE = {**LATENT, "qk_nope_head_dim": 40, "qk_rope_head_dim": 24, "v_head_dim": 64, "n_shared_experts": 2}
MANY = {**LATENT, "num_experts_per_tok": 6, "n_routed_experts": 32, "moe_intermediate_size": 1000}
V2 = {**LATENT, "topk_method": "greedy", "n_group": 1, "topk_group": 1}
LATENTS = {
    "DeepSeek-V3": ("deepseek_v3", LATENT, 128, True, "efficient"),
    "DeepSeek-V3, by parts": ("deepseek_v3", LATENT, 128, True, "eager"),
    "DeepSeek-V3, dense": ("deepseek_v3", {**DENSE, "intermediate_size": 400}, 200, True, "efficient"),
    "DeepSeek-V3, dense, by parts": ("deepseek_v3", {**DENSE, "intermediate_size": 400}, 32, True, "eager"),
    "DeepSeek-V3, queries of the residual stream": (
        "deepseek_v3",
        {**NO_Q, "first_k_dense_replace": 2, "intermediate_size": 300},
        96,
        True,
        "efficient",
    ),
    "DeepSeek-V3, one head size": (
        "deepseek_v3",
        {**WIDE, "first_k_dense_replace": 2, "intermediate_size": 64},
        96,
        True,
        "flash",
    ),
    "DeepSeek-V3, many experts": ("deepseek_v3", MANY, 77, True, "efficient"),
    "DeepSeek-V3, many words": ("deepseek_v3", {**LATENT, "vocab_size": 300_000}, 16, True, "efficient"),
    "DeepSeek-V3, all positions": ("deepseek_v3", {**LATENT, "vocab_size": 30_000}, 64, False, "efficient"),
    "DeepSeek-V2": ("deepseek_v2", V2, 128, True, "efficient"),
    "DeepSeek-V2, by parts": ("deepseek_v2", V2, 300, True, "eager"),
    "DeepSeek-V2, Lite": (
        "deepseek_v2",
        {**V2, "q_lora_rank": None, "n_shared_experts": 2, "num_experts_per_tok": 6},
        100,
        True,
        "efficient",
    ),
    "DeepSeek-V2, groups": (
        "deepseek_v2",
        {**LATENT, "topk_method": "group_limited_greedy", "first_k_dense_replace": 0},
        64,
        True,
        "eager",
    ),
}
DECODED = {
    "Llama, by parts": ("llama", SIZES, 512, "eager"),
    "Llama, a key for each head": ("llama", HEADS, 512, "eager"),
    "Qwen3, by parts": ("qwen3", SIZES, 300, "eager"),
    "Mistral, a window": ("mistral", {**SIZES, "sliding_window": 64}, 512, "eager"),
    "Phi-3, by parts": ("phi3", PHI3, 300, "eager"),
    "GPT-NeoX, by parts": ("gpt_neox", NEOX, 300, "eager"),
    "Gemma 2, windows": ("gemma2", {**SIZES, "sliding_window": 64}, 512, "eager"),
    "Gemma 3, windows": ("gemma3_text", {**SIZES, "num_hidden_layers": 6, "sliding_window": 64}, 512, "eager"),
    "DeepSeek-V3": ("deepseek_v3", LATENT, 128, "efficient"),
    "DeepSeek-V3, by parts": ("deepseek_v3", LATENT, 300, "eager"),
    "DeepSeek-V3, one head size": ("deepseek_v3", WIDE, 128, "flash"),
    "DeepSeek-V2": ("deepseek_v2", V2, 77, "efficient"),
    "DeepSeek-V2, by parts": ("deepseek_v2", V2, 128, "eager"),
}
PHI = {**{name: size for name, size in SIZES.items() if name != "head_dim"}, "num_key_value_heads": 8}
PLAIN = {  # passes at the MLP, where plain modules hold what transformers does, but for what its caller names
    "Phi-2": ("phi", PHI),
    "CodeGen": ("codegen", {**GPT2, "rotary_dim": 32}),
    "Persimmon": ("persimmon", NEOX),
    "Cohere": ("cohere", SIZES),
    "Cohere 2": ("cohere2", SIZES),
    "Nemotron": ("nemotron", SIZES),
    "Arcee": ("arcee", SIZES),
    "Apertus": ("apertus", SIZES),
}
FUSED = "fused"  # kernels of an accelerator, on fake tensors


def made(kind: str, sizes: dict, attention: str) -> tuple[Any, Any]:
    """A model and its configuration."""
    if attention in ("flash", "efficient"):
        AttentionInterface.register(FUSED, _flash if attention == "flash" else _efficient)
        attention = FUSED
    config = CONFIG_MAPPING[kind](**sizes)
    model = AutoModelForCausalLM.from_config(config, attn_implementation=attention, dtype=torch.bfloat16)
    return model.eval(), config


def on_fake_tensors(attention: str) -> AbstractContextManager:
    """Fake tensors for the kernels of an accelerator."""
    return FakeTensorMode() if attention in ("flash", "efficient") else nullcontext()


def held(kind: str, sizes: dict, tokens: int, last: bool, attention: str) -> int:
    """The most bytes of a pass, without the weights and without the tokens that it reads."""
    with on_fake_tensors(attention):
        model, _ = made(kind, sizes, attention)
        given = torch.zeros((BATCH, tokens), dtype=torch.long)
        storages = Storages()
        for tensor in (*model.parameters(), *model.buffers(), given):
            storages.ignore(tensor)
        with torch.no_grad(), storages:
            storages.mark()
            model(given, use_cache=False, logits_to_keep=1 if last else 0)
            return storages.mark()


def decoded(kind: str, sizes: dict, tokens: int, attention: str) -> int:
    """The most bytes of a step of decoding, without weights and caches, and without the tokens that it reads."""
    with on_fake_tensors(attention), torch.no_grad():
        model, config = made(kind, sizes, attention)
        cache, given = StaticCache(config=config, max_cache_len=tokens), torch.zeros((BATCH, 1), dtype=torch.long)
        storages = Storages()
        prompt = torch.zeros((BATCH, tokens - 1), dtype=torch.long)
        model(prompt, past_key_values=cache, use_cache=True, logits_to_keep=1)
        kept = [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]
        for tensor in (*model.parameters(), *model.buffers(), *kept, given):
            storages.ignore(tensor)
        with storages:
            storages.mark()
            model(given, past_key_values=cache, use_cache=True, logits_to_keep=1)
            return storages.mark()


def main() -> None:
    """Print the cases."""
    cases = []
    for name, (kind, sizes, tokens, last, attention) in (MODELS | LATENTS).items():
        case = {"name": name, "config": {"model_type": kind, **sizes}, "S": tokens, "last": last}
        size = held(kind, sizes, tokens, last, attention)
        cases.append({**case, "attention": attention, "bytes": size})
    for name, (kind, sizes, tokens, attention) in DECODED.items():
        case = {"name": f"{name}, decoding", "config": {"model_type": kind, **sizes}, "S": tokens, "last": True}
        size = decoded(kind, sizes, tokens, attention)
        cases.append({**case, "attention": attention, "phase": "decode", "bytes": size})
    for name, (kind, sizes) in PLAIN.items():
        case = {"name": f"{name}, plain modules", "config": {"model_type": kind, **sizes}, "S": 256, "last": True}
        cases.append({**case, "attention": "flash", "plain": True, "bytes": held(kind, sizes, 256, True, "flash")})
    source = f"transformers {transformers.__version__}, torch {torch.__version__.partition('+')[0]}, CPU, BF16"
    print(json.dumps({"source": source, "B": BATCH, "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
