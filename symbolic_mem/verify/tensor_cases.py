"""Cases of tensor and sequence parallelism: one block, or the head with its loss, on one rank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.models.tensors import Model
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.stack_cases import Said, study_of

SIZES = {"B": "B", "S": "S", "d": "d_model", "f": "d_ff", "heads": "n_heads", "kv": "n_kv", "hd": "d_head"}
MODES = {"none": "", "tp": "torch-tp", "sp": "torch-sp"}
HEADS = {"none": "", "tp": "torch-tp", "loss_parallel": "torch-tp+loss-parallel"}
GPT = {
    "norm": "layer",
    "norm_bias": True,
    "qkv_bias": True,
    "o_bias": True,
    "mlp_bias": True,
    "gated": False,
    "activation": "gelu",
    "profile": "torch-cuda-bf16",
}
BLOCKS: Mapping[str, Mapping[str, Any]] = {
    "gpt_flash": GPT | {"kernel": "flash"},
    "gpt_eager_drop": GPT | {"kernel": "eager_unmasked", "attention_dropout": 0.1, "residual_dropout": 0.1},
    "llama_flash": {"profile": "torch-meta-bf16", "kernel": "flash"},  # RMSNorm as the meta device decomposes it
}
ENDLESS = {"kind": "transformer", "position": "none", "final_norm": False, "head": "none"}
IDLE = ("dtype", "device", "q", "k", "bias", "logits")


def tensor_block(case: Case) -> Said:
    """``torch-tp``: what a block saves on one rank, or its parameters there; ``torch-tp-head``: the head with its loss."""
    keys = Keys(case, dict.fromkeys(IDLE))
    for key in IDLE:
        keys.take(key)
    kind = keys.take("kind")
    if kind == "head_ce_float":
        return _head(case, keys)
    if kind not in BLOCKS:
        raise BadInput.one_of(f"kind = {kind!r} is not known", [*BLOCKS, "head_ce_float"])
    plan = MODES[keys.take("mode", *MODES)]
    values = {ours: keys.whole(theirs) for theirs, ours in SIZES.items()} | {"L": 1, "n_tp": keys.whole("t")}
    keys.done()
    tables = {"model": {**ENDLESS, **BLOCKS[kind]}, "values": values, "recipe": {"preset": "pure-bf16"}} | _plan(plan)
    study = study_of(case, tables)
    block = Model("block", tuple(layer for layer in study.model.layers if layer.block))
    if case.quantity.startswith("parameters"):
        return study.numbers[block.parameters], tables
    return account(block, study.recipe).of("activations").at(study.numbers), tables


def _head(case: Case, keys: Keys) -> Said:
    plan = HEADS[keys.take("mode", *HEADS)]
    names = {"B": "B", "S": "S", "d": "d_model", "V": "V"}
    values = {ours: keys.whole(theirs) for theirs, ours in names.items()} | {"n_tp": keys.whole("t")}
    keys.done()
    model = {"kind": "transformer", "profile": "torch-cuda-bf16", "loss": "fp32"}
    tables = {"model": model, "values": values, "recipe": {"preset": "pure-bf16"}} | _plan(plan)
    study = study_of(case, tables)
    head = Model("head", tuple(layer for layer in study.model.layers if layer.name == "head and loss"))
    labels = 8 * values["B"] * values["S"]  # 64 bits each, which the loss keeps, and which a study counts as its batch
    return account(head, study.recipe).of("activations").at(study.numbers) + labels, tables


def _plan(name: str) -> dict[str, Any]:
    return {"plan": {"preset": name}} if name else {}
