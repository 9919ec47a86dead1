"""Measure what vLLM's own model files hold in a pass beside weights: it prints served.json.

Run it with torch and transformers, this package on the path, and the folder of an unpacked wheel of vLLM (a zip file) with its version:
each file of models/ is loaded as it is, over layers that make what vLLM's kernels for NVIDIA devices make and nothing else. Norms that are
given the residual, and rotations, work in place; attention, an activation function and experts give one new tensor, and so does what PyTorch
compiles. A model reads one sequence; the buffers of experts are not made.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from transformers import CONFIG_MAPPING

from symbolic_mem.verify.storages import Storages

TOKENS = 256


class Anything(type):
    """The class of what the layers do without: it is called, subscribed and inherited from."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing

    def __getitem__(cls, key: Any) -> Any:
        return cls


class Nothing(metaclass=Anything):
    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self

    def __radd__(self, other: Any) -> Any:
        return other

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()


class Linear(nn.Module):
    """A linear layer as vLLM has them: it returns a bias that it has not added, which is none."""

    def __init__(self, input_size: int, output_size: Any, *_: Any, **__: Any) -> None:
        super().__init__()
        wide = sum(output_size) if isinstance(output_size, list) else output_size
        self.weight = nn.Parameter(torch.empty(wide, input_size), requires_grad=False)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        return nn.functional.linear(x, self.weight), None


class QKV(Linear):
    def __init__(
        self, hidden_size: int, head_size: int, heads: int, kv: int | None = None, *_: Any, **given: Any
    ) -> None:
        heads = given.get("total_num_heads", heads) if heads is None else heads
        super().__init__(hidden_size, (heads + 2 * (given.get("total_num_kv_heads", kv) or heads)) * head_size)


def qkv(*args: Any, **given: Any) -> QKV:
    names = ("hidden_size", "head_size", "total_num_heads", "total_num_kv_heads")
    given = dict(zip(names, args, strict=False)) | given
    return QKV(given["hidden_size"], given["head_size"], given["total_num_heads"], given.get("total_num_kv_heads"))


def merged(*args: Any, **given: Any) -> Linear:
    sizes = dict(zip(("input_size", "output_sizes"), args, strict=False)) | given
    return Linear(sizes["input_size"], list(sizes["output_sizes"]))


class RMSNorm(nn.Module):
    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def forward(self, x: torch.Tensor, residual: torch.Tensor | None = None) -> Any:
        return torch.empty_like(x) if residual is None else (x, residual)


class MadeAnew(RMSNorm):
    """A norm that PyTorch compiles: the residual and what it is normalised to are new tensors."""

    def forward(self, x: torch.Tensor, residual: torch.Tensor | None = None) -> Any:
        return torch.empty_like(x) if residual is None else (torch.empty_like(x), torch.empty_like(x))


class Activation(nn.Module):
    """An activation function; of two halves it gives one."""

    halves = 1

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.empty(*x.shape[:-1], x.shape[-1] // self.halves)


class Gated(Activation):
    halves = 2


class Attention(nn.Module):
    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return torch.empty(q.shape[0], q[0].numel())


class Experts(nn.Module):
    """A mixture of experts: weights and choices of each token, and what the experts give."""

    def __init__(self, *_: Any, top_k: int, shared_experts: nn.Module | None = None, **__: Any) -> None:
        super().__init__()
        self.top_k, self.shared = top_k, shared_experts

    def forward(self, hidden_states: torch.Tensor, router_logits: torch.Tensor) -> Any:
        own = None if self.shared is None else self.shared(hidden_states)
        chosen = [torch.empty(len(router_logits), self.top_k, dtype=one) for one in (torch.float32, torch.int32)]
        result = torch.empty_like(hidden_states)
        del chosen
        return result if own is None else (own, result)


def compiled(function: Any = None, **_: Any) -> Any:
    """A function that PyTorch compiles into one kernel: it gives a tensor like its first."""
    return compiled if function is None else lambda x, *_: torch.empty_like(x)


class NoDrafts:
    """Models that draft tokens keep hidden states of some layers; here none does."""

    def collect_remote_aux_hidden_states(self, *_: Any) -> None: ...

    def _maybe_add_hidden_state(self, *_: Any) -> list:
        return []


class Embedding(nn.Embedding):
    def __init__(self, words: int, width: int, *_: Any, **__: Any) -> None:
        super().__init__(words, width)


def rope(*_: Any, **__: Any) -> Any:
    return lambda positions, q, k: (q, k)


def layers(number: int, make: Any, prefix: str = "") -> Any:
    return 0, number, nn.ModuleList([make(prefix=f"{prefix}.{i}") for i in range(number)])


def as_it_is(given: Any = None, **_: Any) -> Any:
    return as_it_is if given is None else given


LAYERS = {
    "ColumnParallelLinear": Linear,
    "RowParallelLinear": Linear,
    "ReplicatedLinear": Linear,
    "QKVParallelLinear": qkv,
    "MergedColumnParallelLinear": merged,
    "RMSNorm": RMSNorm,
    "GemmaRMSNorm": MadeAnew,
    "MiniMaxText01RMSNormTP": RMSNorm,
    "SiluAndMul": Gated,
    "GeluAndMul": Gated,
    "ReLUSquaredActivation": Activation,
    "XIELU": Activation,
    "get_act_fn": Activation,
    "Attention": Attention,
    "ChunkedLocalAttention": Attention,
    "FusedMoE": Experts,
    "SharedFusedMoE": Experts,
    "VocabParallelEmbedding": Embedding,
    "EagleModelMixin": NoDrafts,
    "get_rope": rope,
    "make_layers": layers,
    "support_torch_compile": as_it_is,
    "get_tensor_model_parallel_world_size": lambda: 1,
    "get_tensor_model_parallel_rank": lambda: 0,
    "get_pp_group": lambda: SimpleNamespace(is_first_rank=True, is_last_rank=True, rank_in_group=0, world_size=1),
    "get_ep_group": lambda: SimpleNamespace(
        device_group=SimpleNamespace(rank=lambda: 0, size=lambda: 1), rank_in_group=0, world_size=1
    ),
    "extract_layer_index": lambda prefix: next(int(part) for part in prefix.split(".") if part.isdigit()),
    "maybe_prefix": lambda a, b: f"{a}.{b}",
    "tensor_model_parallel_all_reduce": as_it_is,
    "AttentionType": SimpleNamespace(DECODER="decoder", ENCODER_ONLY="encoder_only", ENCODER="encoder"),
    "cdiv": lambda a, b: -(-a // b),
}


class Stub(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return LAYERS[name] if name in LAYERS else type(name, (Nothing,), {})


HELPERS = ("utils", "interfaces", "interfaces_base")


class Finder:
    """Every module of vLLM is a stub, but for the files of models that are asked for."""

    def __init__(self, folder: Path) -> None:
        self.models = folder / "vllm" / "model_executor" / "models"

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.split(".")[0] != "vllm":
            return None
        file = self.models / f"{name.rsplit('.', 1)[-1]}.py"
        if name.startswith("vllm.model_executor.models.") and file.exists() and file.stem not in HELPERS:
            return importlib.util.spec_from_file_location(name, file)
        return importlib.util.spec_from_loader(name, self)

    def create_module(self, spec: Any) -> Any:
        return Stub(spec.name)

    def exec_module(self, module: Any) -> None: ...


SIZES = {
    "hidden_size": 512,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "intermediate_size": 1536,
    "vocab_size": 1000,
}
SMALL = {**SIZES, "intermediate_size": 128}
HEADS = {"num_key_value_heads": 2}
SHORT = {"n_embd": 512, "n_layer": 3, "n_head": 8, "vocab_size": 1000}
MOE = {"moe_intermediate_size": 128, "num_experts_per_tok": 2}
MODELS = {
    "Llama": ("llama", "LlamaModel", "llama", {**SIZES, **HEADS}),
    "Llama, a small MLP": ("llama", "LlamaModel", "llama", {**SMALL, **HEADS}),
    "GPT-2": ("gpt2", "GPT2Model", "gpt2", SHORT),
    "GPT-2, a small MLP": ("gpt2", "GPT2Model", "gpt2", {**SHORT, "n_inner": 128}),
    "gpt_bigcode": ("gpt_bigcode", "GPTBigCodeModel", "gpt_bigcode", SHORT),
    "GPT-NeoX": ("gpt_neox", "GPTNeoXModel", "gpt_neox", SIZES),
    "GPT-NeoX, in order": ("gpt_neox", "GPTNeoXModel", "gpt_neox", {**SIZES, "use_parallel_residual": False}),
    "GPT-NeoX, a small MLP": ("gpt_neox", "GPTNeoXModel", "gpt_neox", SMALL),
    "GPT-J": ("gpt_j", "GPTJModel", "gptj", {**SHORT, "rotary_dim": 32}),
    "GPT-J, a small MLP": ("gpt_j", "GPTJModel", "gptj", {**SHORT, "rotary_dim": 32, "n_inner": 128}),
    "Falcon 7B": (
        "falcon",
        "FalconModel",
        "falcon",
        {"hidden_size": 512, "num_hidden_layers": 3, "num_attention_heads": 8, "vocab_size": 1000},
    ),
    "Falcon 40B": (
        "falcon",
        "FalconModel",
        "falcon",
        {
            "hidden_size": 512,
            "num_hidden_layers": 3,
            "num_attention_heads": 8,
            "vocab_size": 1000,
            "new_decoder_architecture": True,
            "num_kv_heads": 2,
        },
    ),
    "Falcon, in order": (
        "falcon",
        "FalconModel",
        "falcon",
        {
            "hidden_size": 512,
            "num_hidden_layers": 3,
            "num_attention_heads": 8,
            "vocab_size": 1000,
            "parallel_attn": False,
            "multi_query": False,
            "alibi": True,
        },
    ),
    "BLOOM": ("bloom", "BloomModel", "bloom", SHORT | {"hidden_size": 512}),
    "Phi-2": ("phi", "PhiModel", "phi", {**SIZES, "intermediate_size": 2048}),
    "Persimmon": ("persimmon", "PersimmonModel", "persimmon", SIZES),
    "Cohere": ("commandr", "CohereModel", "cohere", {**SIZES, **HEADS}),
    "Cohere, norms of queries and keys": ("commandr", "CohereModel", "cohere", {**SMALL, **HEADS, "use_qk_norm": True}),
    "OLMo 2": ("olmo2", "Olmo2Model", "olmo2", {**SIZES, **HEADS}),
    "OLMo 2, a small MLP": ("olmo2", "Olmo2Model", "olmo2", {**SMALL, **HEADS}),
    "GLM-4": ("glm4", "Glm4Model", "glm4", {**SIZES, **HEADS, "head_dim": 64, "pad_token_id": 0}),
    "Nemotron": ("nemotron", "NemotronModel", "nemotron", {**SIZES, **HEADS}),
    "Arcee": ("arcee", "ArceeModel", "arcee", {**SIZES, **HEADS}),
    "Apertus": ("apertus", "ApertusModel", "apertus", {**SIZES, **HEADS}),
    "OPT": (
        "opt",
        "OPTModel",
        "opt",
        {
            "hidden_size": 512,
            "ffn_dim": 1536,
            "num_hidden_layers": 3,
            "num_attention_heads": 8,
            "vocab_size": 1000,
            "word_embed_proj_dim": 512,
        },
    ),
    "StarCoder 2": ("starcoder2", "Starcoder2Model", "starcoder2", {**SIZES, **HEADS}),
    "StableLM": ("stablelm", "StableLMEpochModel", "stablelm", {**SIZES, **HEADS}),
    "Granite": ("granite", "GraniteModel", "granite", {**SIZES, **HEADS}),
    "Qwen3, a small MLP": ("qwen3", "Qwen3Model", "qwen3", {**SMALL, **HEADS, "head_dim": 64}),
    "Gemma 2": ("gemma2", "Gemma2Model", "gemma2", {**SIZES, **HEADS, "head_dim": 64}),
    "Gemma 3": ("gemma3", "Gemma3Model", "gemma3_text", {**SIZES, **HEADS, "head_dim": 64}),
    "Exaone 4": ("exaone4", "Exaone4Model", "exaone4", {**SIZES, **HEADS, "head_dim": 64}),
    "OLMo": ("olmo", "OlmoModel", "olmo", {**SIZES, **HEADS}),
    "Qwen2": ("qwen2", "Qwen2Model", "qwen2", {**SIZES, **HEADS}),
    "MPT": ("mpt", "MPTModel", "mpt", {"d_model": 512, "n_heads": 8, "n_layers": 3, "vocab_size": 1000}),
    "Mixtral": ("mixtral", "MixtralModel", "mixtral", {**SMALL, **HEADS}),
    "Mixtral, small heads": ("mixtral", "MixtralModel", "mixtral", {**SMALL, **HEADS, "head_dim": 8}),
    "Qwen3-MoE": ("qwen3_moe", "Qwen3MoeModel", "qwen3_moe", {**SMALL, **HEADS, **MOE, "num_experts": 4}),
    "OLMoE": ("olmoe", "OlmoeModel", "olmoe", {**SMALL, **HEADS, **MOE, "num_experts": 4}),
    "PhiMoE": ("phimoe", "PhiMoEModel", "phimoe", {**SMALL, **HEADS}),
    "gpt-oss": (
        "gpt_oss",
        "GptOssModel",
        "gpt_oss",
        {**SMALL, **HEADS, "num_local_experts": 4, "num_experts_per_tok": 2, "head_dim": 64},
    ),
    "Llama 4": (
        "llama4",
        "Llama4Model",
        "llama4_text",
        {
            **SMALL,
            **HEADS,
            "num_local_experts": 4,
            "head_dim": 64,
            "intermediate_size_mlp": 1536,
            "interleave_moe_layer_step": 2,
            "num_hidden_layers": 4,
        },
    ),
    "Llama 4, a small MLP": (
        "llama4",
        "Llama4Model",
        "llama4_text",
        {
            **SMALL,
            **HEADS,
            "num_local_experts": 4,
            "head_dim": 64,
            "intermediate_size_mlp": 128,
            "interleave_moe_layer_step": 2,
            "num_hidden_layers": 4,
        },
    ),
    "Persimmon, a small MLP": ("persimmon", "PersimmonModel", "persimmon", SMALL),
    "Apertus, a small MLP": ("apertus", "ApertusModel", "apertus", {**SMALL, **HEADS}),
    "Nemotron, a small MLP": ("nemotron", "NemotronModel", "nemotron", {**SMALL, **HEADS}),
    "Gemma 3, a small MLP": ("gemma3", "Gemma3Model", "gemma3_text", {**SMALL, **HEADS, "head_dim": 64}),
    "Cohere, a small MLP": ("commandr", "CohereModel", "cohere", {**SMALL, **HEADS}),
    "Exaone 4, a small MLP": ("exaone4", "Exaone4Model", "exaone4", {**SMALL, **HEADS, "head_dim": 64}),
    "StableLM, a small MLP": ("stablelm", "StableLMEpochModel", "stablelm", {**SMALL, **HEADS}),
    "OPT, a small MLP": (
        "opt",
        "OPTModel",
        "opt",
        {
            "hidden_size": 512,
            "ffn_dim": 128,
            "num_hidden_layers": 3,
            "num_attention_heads": 8,
            "vocab_size": 1000,
            "word_embed_proj_dim": 512,
        },
    ),
    "gpt_bigcode, a small MLP": ("gpt_bigcode", "GPTBigCodeModel", "gpt_bigcode", {**SHORT, "n_inner": 128}),
    "GraniteMoE": ("granitemoe", "GraniteMoeModel", "granitemoe", {**SMALL, **HEADS, "num_local_experts": 4}),
}


FORMER = {  # fields of a config that vLLM reads, and transformers 5 has no longer
    "rope_theta": 10000.0,
    "rope_scaling": None,
    "rotary_pct": 0.25,
    "partial_rotary_factor": 0.5,
    "hidden_act": "gelu_pytorch_tanh",
    "rope_local_base_freq": 10000.0,
    "rotary_dim": 32,
    "scoring_func": "sigmoid",
}


def held(file: str, name: str, kind: str, sizes: dict) -> int:
    """The most bytes of a pass, without weights, tokens and positions."""
    module = importlib.import_module(f"vllm.model_executor.models.{file}")
    config = CONFIG_MAPPING[kind](**sizes)
    for old, new in FORMER.items():
        if not hasattr(config, old):
            setattr(config, old, new)
    of_model = SimpleNamespace(hf_config=config, hf_text_config=config, dtype=torch.bfloat16, max_model_len=4096)
    balanced = SimpleNamespace(num_redundant_experts=0)
    ranks = SimpleNamespace(
        enable_eplb=False,
        eplb_config=balanced,
        use_sequence_parallel_moe=False,
        data_parallel_size=1,
        tensor_parallel_size=1,
    )
    given = SimpleNamespace(
        model_config=of_model, cache_config=None, quant_config=None, lora_config=None, parallel_config=ranks
    )
    given.compilation_config = SimpleNamespace(static_forward_context={})
    torch.set_default_dtype(torch.bfloat16)
    model = getattr(module, name)(vllm_config=given, prefix="model").eval()
    tokens, positions = (torch.zeros(TOKENS, dtype=torch.long) for _ in range(2))
    storages = Storages()
    for tensor in (*model.parameters(), *model.buffers(), tokens, positions):
        storages.ignore(tensor)
    with torch.no_grad(), storages:
        storages.mark()
        model.forward(tokens, positions, None, None)
        return storages.mark()


def main() -> None:
    """Print the cases."""
    folder = Path(sys.argv[1])
    sys.meta_path.insert(0, Finder(folder))
    torch.compile = compiled
    cases = []
    for case, (file, name, kind, sizes) in MODELS.items():
        size = held(file, name, kind, sizes)
        cases.append({"name": case, "config": {"model_type": kind, **sizes}, "bytes": size})
    print(json.dumps({"source": f"vLLM {sys.argv[2]}", "S": TOKENS, "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
