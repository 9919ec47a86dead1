"""Measure what vLLM's own model files hold in a pass beside weights: it prints served.json, whose cases it reads.

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


def held(case: dict[str, Any]) -> int:
    """The most bytes of a pass, without weights, tokens and positions."""
    module = importlib.import_module(f"vllm.model_executor.models.{case['file']}")
    sizes = dict(case["config"])
    config = CONFIG_MAPPING[sizes.pop("model_type")](**sizes)
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
    model = getattr(module, case["class"])(vllm_config=given, prefix="model").eval()
    tokens, positions = (torch.zeros(TOKENS, dtype=torch.long) for _ in range(2))
    storages = Storages()
    for tensor in (*model.parameters(), *model.buffers(), tokens, positions):
        storages.ignore(tensor)
    with torch.no_grad(), storages:
        storages.mark()
        model.forward(tokens, positions, None, None)
        return storages.mark()


def main() -> None:
    """Print the cases of served.json with what they hold."""
    folder, version = Path(sys.argv[1]), sys.argv[2]
    sys.meta_path.insert(0, Finder(folder))
    torch.compile = compiled
    known = json.loads(Path(__file__).with_name("served.json").read_text(encoding="utf-8"))["cases"]
    cases = [case | {"bytes": held(case)} for case in known]
    print(json.dumps({"source": f"vLLM {version}", "S": TOKENS, "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
