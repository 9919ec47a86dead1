"""Measure what a training step with adapters holds, on fake tensors: writes adapters.json and adapters_alone.json.

Run with PyTorch, transformers and PEFT, from the root of the repository: ``python tests/data/measure_adapters.py``.
Nothing is computed, no accelerator is needed. Every storage is followed through the second step, as by `verify`. In adapters.json
what enters the first block needs a gradient. adapters_alone.json has steps as PEFT makes them, where nothing is recomputed it needs none; its marks
are of the steps of adapters.json in which it needs none, recomputed or not, as nothing asks for it in torchtune; those that are divided are of one rank under FSDP2.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import peft
import torch
import torch.distributed as dist
import transformers
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import AttentionInterface, AutoModelForCausalLM

from symbolic_mem.verify.language_models import FUSED, _flash, as_accelerated
from symbolic_mem.verify.storages import Storages

SIZES = {
    "llama": {"hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4, "num_key_value_heads": 2},
    "qwen3": {
        "hidden_size": 64,
        "intermediate_size": 160,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
    },
    "mistral": {"hidden_size": 96, "intermediate_size": 128, "num_attention_heads": 6, "num_key_value_heads": 6},
}
EXPERTS = {
    "mixtral": {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
    },
    "qwen3_moe": {
        "hidden_size": 64,
        "intermediate_size": 160,
        "moe_intermediate_size": 48,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "num_experts": 8,
        "num_experts_per_tok": 2,
        "norm_topk_prob": True,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
    },
}
# Families whose attention gives its output in the order of the heads, of which the output projection takes a copy in rows.
BY_HEADS = {
    "phi3": {
        "hidden_size": 64,
        "intermediate_size": 160,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "pad_token_id": 0,
    },
    "gpt_neox": {"hidden_size": 64, "intermediate_size": 256, "num_attention_heads": 4, "rotary_pct": 0.25},
}
# Families that are measured as PEFT makes their steps alone; the blocks of some are not described operation by operation.
LIKE_LLAMA = {"hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4}
OTHERS = {
    "gpt2": {"n_embd": 64, "n_head": 4, "n_positions": 64, "n_layer": 3},
    "opt": {
        "hidden_size": 64,
        "ffn_dim": 160,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
        "word_embed_proj_dim": 64,
    },
    "gemma": LIKE_LLAMA | {"num_key_value_heads": 2, "head_dim": 16},
    "gemma2": LIKE_LLAMA | {"num_key_value_heads": 2, "head_dim": 16},
    "starcoder2": LIKE_LLAMA | {"num_key_value_heads": 2},
    "stablelm": LIKE_LLAMA | {"num_key_value_heads": 4},
    "glm4": LIKE_LLAMA | {"num_key_value_heads": 2, "head_dim": 16, "pad_token_id": 0},
    "glm": LIKE_LLAMA | {"num_key_value_heads": 2, "head_dim": 16, "pad_token_id": 0},
    "ernie4_5": LIKE_LLAMA | {"num_key_value_heads": 2, "head_dim": 16, "pad_token_id": 0},
    "granite": LIKE_LLAMA | {"num_key_value_heads": 2, "embedding_multiplier": 12.0, "pad_token_id": 0},
    "phi": LIKE_LLAMA | {"num_key_value_heads": 4},
    "gptj": {"n_embd": 64, "n_head": 4, "n_positions": 64, "n_layer": 3, "rotary_dim": 8, "n_inner": 160},
    "gpt_bigcode": {"n_embd": 64, "n_head": 4, "n_positions": 64, "n_layer": 3, "n_inner": 160},
}
TIED = ("gpt2", "gemma", "gemma2", "gpt_bigcode")
ALL = SIZES | EXPERTS | BY_HEADS | OTHERS
MODE = FakeTensorMode()  # transformers keeps some tensors from one model to the next
FakeTensorMode.__deepcopy__ = lambda self, _: self  # PEFT copies modules
SIZE = {"vocab_size": 320, "num_hidden_layers": 3}
BATCH, SEQUENCE = 2, 32


def model(kind: str, tied: bool, sizes: dict[str, int]) -> Any:
    config = transformers.CONFIG_MAPPING[kind](**ALL[kind] | sizes, tie_word_embeddings=tied, use_cache=False)
    AttentionInterface.register(FUSED, _flash)
    config._attn_implementation = FUSED
    torch.set_default_dtype(torch.bfloat16)
    try:
        return config, AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    finally:
        torch.set_default_dtype(torch.float32)


def adapted(made: Any, lora: dict[str, Any], autocast: bool, again: bool, reached: bool) -> Any:
    if reached:
        made.enable_input_require_grads()
    torch.nn.Module.to = lambda self, *_, **__: self  # fake tensors cannot be moved, and all are where they must be
    torch.set_default_dtype(torch.float32 if autocast else torch.bfloat16)  # and in the dtype in which they are made
    made = peft.get_peft_model(made, peft.LoraConfig(**lora), autocast_adapter_dtype=autocast).train()
    torch.set_default_dtype(torch.float32)
    if again:
        made.base_model.model.gradient_checkpointing_enable({"use_reentrant": False})
    if again and not reached:
        made.base_model.model.disable_input_require_grads()
    return made


@contextmanager
def world(shards: int) -> Iterator[Any]:
    """A mesh of devices of which this process plays the first; None of one device."""
    if shards == 1:
        yield None
        return
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=shards)
    try:
        yield init_device_mesh("cpu", (shards,), mesh_dim_names=("shard",))
    finally:
        dist.destroy_process_group()


def divided(made: Any, mesh: Any, reshard: bool) -> None:
    """Each block is a unit, and what is left is one more."""
    with unset_fake_temporarily():  # a part of a mesh is found with real numbers
        for block in made.base_model.model.model.layers:
            fully_shard(block, mesh=mesh, reshard_after_forward=reshard)
        fully_shard(made, mesh=mesh)


def stepping(trained: list[Any], foreach: bool, inside: bool) -> Any:
    """One optimizer for all, or one for each parameter that steps as soon as its gradient is there."""
    if not inside:
        return torch.optim.AdamW(trained, foreach=foreach)
    each = {one: torch.optim.AdamW([one], foreach=foreach) for one in trained}

    def step(parameter: Any) -> None:
        each[parameter].step()
        each[parameter].zero_grad()

    for one in trained:
        one.register_post_accumulate_grad_hook(step)
    return torch.optim.SGD([torch.empty(0)])  # which holds nothing


def measure(
    kind: str,
    lora: dict[str, Any] | None,
    again: bool,
    tied: bool,
    foreach: bool,
    autocast: bool = False,
    reached: bool = True,
    sizes: dict[str, int] = SIZE,
    shards: int = 1,
    reshard: bool = True,
) -> dict[str, Any]:
    with world(shards) as mesh, MODE, torch.device("cpu"), as_accelerated():
        config, made = model(kind, tied, sizes)
        if again and lora is None:
            made.gradient_checkpointing_enable({"use_reentrant": False})
        made = made.train() if lora is None else adapted(made, lora, autocast, again, reached)
        if mesh is not None:
            divided(made, mesh, reshard)
        trained = [one for one in made.parameters() if one.requires_grad]
        optimizer = stepping(trained, foreach, inside=lora is None)
        ids = torch.zeros(BATCH, SEQUENCE, dtype=torch.int64)
        storages, found = Storages(), {}
        for parameter in made.parameters():
            storages.hold(parameter)
        for tensor in (ids, *made.buffers()):
            storages.ignore(tensor)
        with storages:
            for _ in range(
                2 if mesh is None else 3
            ):  # DTensor tries an operation that it has not seen on whole tensors
                storages.mark()
                found["start"] = storages.now
                with torch.autocast("cpu", dtype=torch.bfloat16) if autocast else nullcontext():
                    loss = made(input_ids=ids, labels=ids).loss
                found["forward"], found["forward end"] = storages.mark(), storages.now
                loss.backward()
                del loss
                found["backward"], found["backward end"] = storages.mark(), storages.now
                optimizer.step()
                found["step"] = storages.mark()
                optimizer.zero_grad()
    fields = config.to_dict()
    kept = (
        "model_type",
        "architectures",
        "vocab_size",
        "num_hidden_layers",
        "tie_word_embeddings",
        "head_dim",
    )
    return {
        "config": {"architectures": [type(made if lora is None else made.base_model.model).__name__]}
        | {key: fields[key] for key in kept if fields.get(key) is not None}
        | ALL[kind],
        "lora": None if lora is None else {"peft_type": "LORA"} | lora,
        "trained": sum(one.numel() for one in trained),
        "marks": found,
    }


CONFIGS = {
    "q-v": {"r": 4, "target_modules": ["q_proj", "v_proj"]},
    "all": {"r": 8, "target_modules": "all-linear"},
    "mlp": {"r": 8, "target_modules": ["gate_proj", "up_proj", "down_proj"]},
    "o-down": {"r": 2, "target_modules": ["o_proj", "down_proj"]},
    "saved": {"r": 4, "target_modules": ["k_proj"], "modules_to_save": ["lm_head"]},
}
GATE_UP, DOWN = "mlp.experts.gate_up_proj", "mlp.experts.down_proj"
OF_EXPERTS = {
    "q-v": CONFIGS["q-v"],
    "experts": {"r": 4, "target_modules": [], "target_parameters": [GATE_UP, DOWN]},
    "gate-up": {"r": 2, "target_modules": ["q_proj"], "target_parameters": [GATE_UP]},
    "down": {"r": 8, "target_modules": ["q_proj"], "target_parameters": [DOWN]},
}
ENDS = {"r": 4, "target_modules": ["q_proj", "v_proj"], "modules_to_save": ["embed_tokens", "lm_head"]}
DROPPED = {"r": 4, "target_modules": ["q_proj", "down_proj"], "lora_dropout": 0.1}
PATTERN = {
    "r": 4,
    "target_modules": ["q_proj", "v_proj", "down_proj"],
    "rank_pattern": {"q_proj": 8, "down_proj": 2},
}
SOME = {
    ("llama", (1,)): "q-v",
    ("llama", (1, 2)): "mlp",
    ("qwen3", (0,)): "o-down",
    ("mistral", (2,)): "saved",
    ("mixtral", (0, 1)): "q-v",
}
OFF_THE_OUTPUT = {
    ("phi3", "qkv-o"): ["qkv_proj", "o_proj"],
    ("phi3", "gate-up-down"): ["gate_up_proj", "down_proj"],
    ("gpt_neox", "qkv"): ["query_key_value"],
    ("gpt_neox", "dense-mlp"): ["dense", "dense_h_to_4h", "dense_4h_to_h"],
}

Q_V = ["q_proj", "v_proj"]
AS_PEFT_MAKES_IT = {
    "gpt2-c-attn": {"target_modules": ["c_attn"]},
    "gpt2-c-fc-c-proj": {"target_modules": ["c_fc", "c_proj"]},
    "gpt2-c-attn-in-1": {"target_modules": ["c_attn"], "layers_to_transform": [1]},
    "opt-q-v": {"target_modules": Q_V},
    "opt-fc2": {"target_modules": ["fc2"]},
    "gemma-q-v": {"target_modules": Q_V},
    "gemma-down": {"target_modules": ["down_proj"]},
    "gemma2-q-v": {"target_modules": Q_V},
    "starcoder2-v": {"target_modules": ["v_proj"]},
    "llama-q-v-in-2": {"target_modules": Q_V, "layers_to_transform": [2]},
    "llama-down-in-1": {"target_modules": ["down_proj"], "layers_to_transform": [1]},
    "llama-down-in-2": {"target_modules": ["down_proj"], "layers_to_transform": [2]},
    "stablelm-q-v": {"target_modules": Q_V},
    "stablelm-q-v-in-2": {"target_modules": Q_V, "layers_to_transform": [2]},
    "glm4-gate-up-in-1": {"target_modules": ["gate_up_proj"], "layers_to_transform": [1]},
    "granite-q-v": {"target_modules": Q_V},
    "phi-q-v": {"target_modules": Q_V},
    "phi-fc1-in-1": {"target_modules": ["fc1"], "layers_to_transform": [1]},
    "gpt_bigcode-c-attn": {"target_modules": ["c_attn"]},
}
RECOMPUTED = {
    "gpt2-c-attn": {"target_modules": ["c_attn"]},
    "opt-q-v": {"target_modules": Q_V},
    "stablelm-q-v": {"target_modules": Q_V},
    "granite-q-v": {"target_modules": Q_V},
    "phi-q-v": {"target_modules": Q_V},
    "gptj-q-v": {"target_modules": Q_V},
    "gpt_bigcode-c-attn": {"target_modules": ["c_attn"]},
    "glm-q-v": {"target_modules": Q_V},
    "glm4-q-v": {"target_modules": Q_V},
    "ernie4_5-q-v": {"target_modules": Q_V},
}
WHOLE = ("opt", "granite", "phi", "gptj", "glm", "ernie4_5")


def as_peft_makes_it() -> Iterator[dict[str, Any]]:
    """Steps of more families, with recomputation and without, and such that train all and recompute."""
    for again, steps in ((False, AS_PEFT_MAKES_IT), (True, RECOMPUTED)):
        for name, modules in steps.items():
            kind = name.split("-")[0]
            one = measure(kind, {"r": 4} | modules, again, kind in TIED, True, reached=again)
            one = {"id": f"{name}{'-again' if again else ''}", "again": again, "foreach": True, **one}
            yield {**one, "B": BATCH, "S": SEQUENCE}
    for kind in WHOLE:
        one = measure(kind, None, True, False, True)
        yield {"id": f"{kind}-in-backward-again", "again": True, "foreach": True, **one, "B": BATCH, "S": SEQUENCE}


OF_FEW_BLOCKS = {  # whose first block decides, and one that is computed again ends, or begins, with a frozen product
    "llama-q-v-of-1-again": (1, {"target_modules": Q_V}),
    "llama-k-of-1-again": (1, {"target_modules": ["k_proj"]}),
    "llama-o-down-of-1-again": (1, {"target_modules": ["o_proj", "down_proj"]}),
    "llama-gate-of-1-again": (1, {"target_modules": ["gate_proj"]}),
    "llama-up-of-1-again": (1, {"target_modules": ["up_proj"]}),
    "llama-gate-up-of-1-again": (1, {"target_modules": ["gate_proj", "up_proj"]}),
    "llama-down-of-1-again": (1, {"target_modules": ["down_proj"]}),
    "llama-mlp-of-2-again": (2, CONFIGS["mlp"]),
    "llama-q-v-in-1-of-2-again": (2, {"target_modules": Q_V, "layers_to_transform": [1]}),
    "llama-down-in-1-of-2-again": (2, {"target_modules": ["down_proj"], "layers_to_transform": [1]}),
}
FEW_WORDS = {"vocab_size": 8, "num_hidden_layers": 4}
DIVIDED = {
    "q-v": ({"target_modules": Q_V}, 2, True),
    "q-v-in-0": ({"target_modules": Q_V, "layers_to_transform": [0]}, 2, True),
    "q-v-in-1": ({"target_modules": Q_V, "layers_to_transform": [1]}, 2, True),
    "q-v-in-3": ({"target_modules": Q_V, "layers_to_transform": [3]}, 2, True),
    "q-v-in-1-2": ({"target_modules": Q_V, "layers_to_transform": [1, 2]}, 2, True),
    "down-in-1": ({"target_modules": ["down_proj"], "layers_to_transform": [1]}, 2, True),
    "mlp-in-2-3": (CONFIGS["mlp"] | {"layers_to_transform": [2, 3]}, 4, True),
    "mlp-in-3": (CONFIGS["mlp"] | {"layers_to_transform": [3]}, 2, True),
    "all": (CONFIGS["all"], 4, True),
    "q-v-kept": ({"target_modules": Q_V}, 2, False),
    "q-v-in-1-2-kept": ({"target_modules": Q_V, "layers_to_transform": [1, 2]}, 2, False),
    "q-v-in-3-kept": ({"target_modules": Q_V, "layers_to_transform": [3]}, 2, False),
}


def of_a_rank() -> Iterator[dict[str, Any]]:
    """Steps of one rank, with recomputation and without, and with what enters the first block asked for a gradient."""
    for (name, (lora, shards, reshard)), (again, reached) in itertools.product(
        DIVIDED.items(), ((False, False), (True, False), (True, True))
    ):
        one = measure("llama", {"r": 4} | lora, again, False, True, False, reached, FEW_WORDS, shards, reshard)
        name = f"{name}{'-again' if again else ''}{'-reached' if reached else ''}"
        one = {"id": name, "again": again, "reached": reached, "foreach": True, **one, "B": BATCH, "S": SEQUENCE}
        yield {**one, "n_fsdp": shards, "reshard": reshard}


if __name__ == "__main__":
    cases = []
    for kind, (name, lora), again in itertools.product(SIZES, CONFIGS.items(), (False, True)):
        one = measure(kind, lora, again, False, True)
        one = {"id": f"{kind}-{name}{'-again' if again else ''}", "again": again, "foreach": True, **one}
        cases.append({**one, "B": BATCH, "S": SEQUENCE})
    for kind, again, tied in itertools.product(SIZES, (False, True), (False, True)):
        one = measure(kind, None, again, tied, True)
        name = f"{kind}-in-backward{'-tied' if tied else ''}{'-again' if again else ''}"
        cases.append({"id": name, "again": again, "foreach": True, **one, "B": BATCH, "S": SEQUENCE})
    for kind, name, again in itertools.product(SIZES, ("q-v", "all"), (False, True)):
        one = measure(kind, CONFIGS[name], again, False, True, autocast=True)
        name = f"{kind}-{name}-autocast{'-again' if again else ''}"
        one = {"id": name, "again": again, "foreach": True, "autocast": True, **one}
        cases.append({**one, "B": BATCH, "S": SEQUENCE})
    for kind, again in itertools.product(SIZES, (False, True)):
        one = measure(kind, CONFIGS["saved"], again, False, True, autocast=True)
        one = {"id": f"{kind}-saved-autocast{'-again' if again else ''}", "again": again, "foreach": True, **one}
        cases.append({**one, "autocast": True, "B": BATCH, "S": SEQUENCE})
    for again in (False, True):
        one = measure("llama", ENDS, again, False, True, autocast=True)
        one = {"id": f"llama-ends-autocast{'-again' if again else ''}", "again": again, "foreach": True, **one}
        cases.append({**one, "autocast": True, "B": BATCH, "S": SEQUENCE})
    for kind, (name, lora), again in itertools.product(EXPERTS, OF_EXPERTS.items(), (False, True)):
        one = measure(kind, lora, again, False, True)
        one = {"id": f"{kind}-{name}{'-again' if again else ''}", "again": again, "foreach": True, **one}
        cases.append({**one, "B": BATCH, "S": SEQUENCE})
    for kind, name in itertools.product(EXPERTS, ("q-v", "experts")):
        one = measure(kind, OF_EXPERTS[name], False, False, True, autocast=True)
        one = {"id": f"{kind}-{name}-autocast", "again": False, "foreach": True, "autocast": True, **one}
        cases.append({**one, "B": BATCH, "S": SEQUENCE})
    for kind, again in itertools.product(SIZES, (False, True)):
        one = measure(kind, DROPPED, again, False, True)
        one = {"id": f"{kind}-dropped{'-again' if again else ''}", "again": again, "foreach": True, **one}
        cases.append({**one, "B": BATCH, "S": SEQUENCE})
    for kind, again in itertools.product(SIZES, (False, True)):
        one = measure(kind, PATTERN, again, False, True)
        one = {"id": f"{kind}-pattern{'-again' if again else ''}", "again": again, "foreach": True, **one}
        cases.append({**one, "B": BATCH, "S": SEQUENCE})
    for ((kind, layers), name), again in itertools.product(SOME.items(), (False, True)):
        one = measure(kind, {**CONFIGS[name], "layers_to_transform": [*layers]}, again, False, True)
        name = f"{kind}-{name}-in-{'-'.join(map(str, layers))}{'-again' if again else ''}"
        cases.append({"id": name, "again": again, "foreach": True, **one, "B": BATCH, "S": SEQUENCE})
    one = measure("llama", {**CONFIGS["q-v"], "layers_to_transform": [1]}, False, False, True, autocast=True)
    one = {"id": "llama-q-v-in-1-autocast", "again": False, "foreach": True, "autocast": True, **one}
    cases.append({**one, "B": BATCH, "S": SEQUENCE})
    for ((kind, name), modules), again in itertools.product(OFF_THE_OUTPUT.items(), (False, True)):
        one = measure(kind, {"r": 4, "target_modules": modules}, again, False, True)
        one = {"id": f"{kind}-{name}{'-again' if again else ''}", "again": again, "foreach": True, **one}
        cases.append({**one, "B": BATCH, "S": SEQUENCE})
    for name, (blocks, lora) in OF_FEW_BLOCKS.items():
        one = measure("llama", {"r": 4} | lora, True, False, True, sizes={"vocab_size": 4, "num_hidden_layers": blocks})
        cases.append({"id": name, "again": True, "foreach": True, **one, "B": BATCH, "S": SEQUENCE})
    engine = (
        f"PyTorch {torch.__version__}, transformers {transformers.__version__}, PEFT {peft.__version__}, fake tensors"
    )
    Path(__file__).with_name("adapters.json").write_text(
        json.dumps({"engine": engine, "cases": cases}, indent=1) + "\n"
    )
    alone = {}
    for case in cases:
        if case["lora"] is not None:
            lora = {key: value for key, value in case["lora"].items() if key != "peft_type"}
            kind, autocast = case["config"]["model_type"], case.get("autocast", False)
            sizes = {key: case["config"][key] for key in SIZE}
            one = measure(kind, lora, case["again"], False, True, autocast, reached=False, sizes=sizes)
            alone[case["id"]] = one["marks"]
    others, ranks = list(as_peft_makes_it()), list(of_a_rank())
    Path(__file__).with_name("adapters_alone.json").write_text(
        json.dumps({"engine": engine, "marks": alone, "cases": others, "divided": ranks}, indent=1) + "\n"
    )
