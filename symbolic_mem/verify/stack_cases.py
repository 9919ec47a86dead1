"""Cases of stacks under PyTorch: steps on one device and under FSDP2, and what a rank holds at rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symbolic_mem.accounts.account import account
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import Number
from symbolic_mem.library.read import read_study
from symbolic_mem.study.study import Study
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.held import bytes_of, held

Said = tuple[Number | float | tuple[int, ...], Mapping[str, Any]]
STACKS = {
    "ffn_linear": {"kind": "ffn"},
    "SwiGLU with residual": {"kind": "gated-ffn", "residual": True},
    "SwiGLU": {"kind": "gated-ffn"},
}
SHARDED = {"preset": "fsdp2"}
HIGHEST = re.compile(r"(highest|final) live bytes of one rank in phase (start|forward|backward|optimizer)(\d*)")
QUANTITIES = {
    "live_after_forward": "forward end",
    "peak_forward": "forward",
    "peak_backward": "backward",
    "live_after_backward": "backward end",
    "peak_optimizer_step": "step",
}


def at_mark(case: Case, tables: Mapping[str, Any], mark: str, rank: int = 0) -> Said:
    """Return the bytes at a mark of the step that the tables describe, and the tables."""
    return held(study_of(case, tables), rank)[mark].bytes, tables


def study_of(case: Case, tables: Mapping[str, Any]) -> Study:
    """Return the study that has these tables, at a title of its own."""
    return read_study({"title": "case", **tables}, "case", case.id, case.folder)


def _stack(keys: Keys) -> Mapping[str, Any]:
    block = keys.take("block")
    for words, table in STACKS.items():
        if isinstance(block, str) and (block == words or block.startswith((f"{words},", f"{words} w"))):
            return table
    raise BadInput.one_of(f"block = {block!r} is not known", STACKS)


def _sizes(keys: Keys) -> dict[str, int]:
    return {ours: keys.whole(theirs) for theirs, ours in (("L", "L"), ("d", "d_model"), ("f", "d_ff"))}


def _plan(keys: Keys, key: str, replicas: int = 1, tensor: int = 1) -> dict[str, Any]:
    """The plan, with ``reshard_after_forward`` as FSDP2 takes it."""
    data = "hsdp" if replicas > 1 else "fsdp2"
    return {"preset": f"{data}+torch-tp" if tensor > 1 else data, "reshard": keys.take(key)}


def _recipe(precision: str, optimizer: str, foreach: bool, persist: bool, recompute: Any) -> dict[str, Any]:
    table: dict[str, Any] = {"preset": precision, "optimizer": optimizer, "step_counters": True, "foreach": foreach}
    table["gradients_persist"] = persist
    return table | ({"recompute": recompute} if recompute else {})


def fsdp_step(case: Case) -> Said:
    """``torch-fsdp-step``: FSDP2 and HSDP, all phases of the second step."""
    defaults = {"n_tp": 1, "n_rep": 1, "mixed": True, "reshard": True, "recompute": False, "accumulate": 1}
    keys = Keys(case, defaults | {"foreach": False})
    model, values = _stack(keys), _sizes(keys) | {"n_tp": keys.whole("n_tp")}
    values |= {"B": 1, "S": keys.whole("tokens"), "n_fsdp": keys.whole("n_fsdp"), "n_replica": keys.whole("n_rep")}
    plan = _plan(keys, "reshard", values["n_replica"], values["n_tp"])
    mixed, again = keys.take("mixed", True, False), keys.take("recompute", True, False)
    foreach, turns = keys.take("foreach", True, False), keys.whole("accumulate")
    rank = keys.rank()
    keys.done()
    mark, turn = _mark(case.quantity)
    if turn >= turns:
        raise BadInput(f"{case.quantity!r} is of micro-batch {turn}, and there are {turns}")
    recipe = _recipe("fsdp2" if mixed else "fp32", "adamw", foreach, turn > 0, "full" if again else None)
    return at_mark(case, {"model": model, "values": values, "recipe": recipe, "plan": plan}, mark, rank)


def _mark(quantity: str) -> tuple[str, int]:
    """The mark that a quantity of a phase names, and the micro-batch."""
    match HIGHEST.fullmatch(quantity):
        case None:
            raise BadInput.one_of(f"quantity {quantity!r} is not known", ["highest or final live bytes of a phase"])
        case found:
            how, phase, turn = found[1], found[2], int(found[3] or 0)
    if phase == "start":
        return "start", 0
    if phase == "optimizer":
        return ("step" if how == "highest" else "backward end"), 0
    return (phase if how == "highest" else f"{phase} end"), turn


def fsdp2_step(case: Case) -> Said:
    """``fsdp2-step``: the second step with gradients kept from an earlier micro-batch, or freed."""
    keys = Keys(case, {"reduce_dtype": "float32", "checkpoint_every": None, "reshard_after_forward": True})
    model, values = _stack(keys), _sizes(keys)
    values |= {"B": keys.whole("samples_per_rank"), "S": keys.whole("S"), "n_fsdp": keys.whole("n_fsdp")}
    plan = _plan(keys, "reshard_after_forward")
    mixed = keys.take("param_dtype", "bf16", "bfloat16", "float32") != "float32"
    keys.take("reduce_dtype", "float32")
    every, rank = keys.take("checkpoint_every"), keys.rank()
    keys.done()
    name, _, how = case.quantity.partition("_with")
    if name not in QUANTITIES or how not in ("_kept_grads", "out_kept_grads"):
        known = [f"{one}_with_kept_grads" for one in QUANTITIES]
        raise BadInput.one_of(f"quantity {case.quantity!r} is not known", known, then=", or without")
    recipe = _recipe("fsdp2" if mixed else "fp32", "adamw", False, how == "_kept_grads", _every(every))
    tables = {"model": model, "values": values, "recipe": recipe, "plan": plan}
    return at_mark(case, tables, QUANTITIES[name], rank)


def _every(given: Any) -> Any:
    if given in (None, "none"):
        return None
    if given == "full" or given == 1:
        return "full"
    if type(given) is not int or given < 1:
        raise BadInput(f'checkpoint_every = {given!r} is none of null, "full" and a whole number')
    return {"every": given}


RULES = {"none": None, "full": "full", "every2": {"every": 2}, "shifted_half": "half", "sac_mm": "products"}


def torch_step(case: Case) -> Said:
    """``torch-step``: one device, gradients freed after every step."""
    keys = Keys(case, {"foreach": None, "grads": "freed after every step (zero_grad)", "step": "2nd"})
    model, values = _stack(keys), _sizes(keys)
    values |= {"B": keys.whole("B"), "S": keys.whole("S")}
    precision = {"float32": "fp32", "bfloat16": "pure-bf16"}[keys.take("dtype", "float32", "bfloat16")]
    again = keys.take("checkpoint")
    if again not in RULES:
        raise BadInput.one_of(f"checkpoint = {again!r} is not known", RULES)
    optimizer = keys.take("optimizer", "adamw", "sgd")
    foreach = keys.take("foreach", None, True, False) or False  # PyTorch's own choice on a CPU
    keys.take("grads", "freed after every step (zero_grad)")
    keys.take("step", "2nd")
    keys.done()
    if case.quantity not in QUANTITIES:
        raise BadInput.one_of(f"quantity {case.quantity!r} is not known", QUANTITIES)
    recipe = _recipe(precision, optimizer, foreach, False, RULES[again])
    return at_mark(case, {"model": model, "values": values, "recipe": recipe}, QUANTITIES[case.quantity])


def fsdp_static(case: Case) -> Said:
    """``torch-fsdp-tp-static``: the weights of one rank; the ranks of a tensor-parallel group come one after the other."""
    keys = Keys(case, {"n_tp": 1, "plan": ""})
    model, values = _stack(keys), _sizes(keys)
    values |= {"n_fsdp": keys.whole("n_fsdp"), "n_tp": keys.whole("n_tp")}
    keys.take("plan")
    rank = keys.rank()
    keys.done()
    return _at_rest(case, model, values, "weights", rank)


def fsdp2_static(case: Case) -> Said:
    """``fsdp2-static``: the weights of one rank, or its two moments."""
    keys = Keys(case, {})
    model, values = _stack(keys), _sizes(keys)
    values |= {"n_fsdp": keys.whole("n_fsdp")}
    keys.take("param_dtype", "float32")
    rank = keys.rank()
    keys.done()
    return _at_rest(case, model, values, _kind(case), rank)


def fsdp2_models(case: Case) -> Said:
    """``fsdp2-hf``: the weights of one rank of a model from a config.json beside the file."""
    keys = Keys(case, {})
    config, values = keys.take("config"), {"n_fsdp": keys.whole("n_fsdp")}
    keys.take("param_dtype", "float32")
    rank = keys.rank()
    keys.done()
    if not isinstance(config, str):
        raise BadInput("config is not the path of a config.json")
    return _at_rest(case, {"config": config}, values, _kind(case), rank)


def _kind(case: Case) -> str:
    kinds = {"sharded_parameter_storage_per_rank": "weights", "adamw_two_moments_per_rank": "optimizer"}
    if case.quantity not in kinds:
        raise BadInput.one_of(f"quantity {case.quantity!r} is not known", kinds)
    return kinds[case.quantity]


def _at_rest(case: Case, model: Mapping[str, Any], values: Mapping[str, int], kind: str, rank: int) -> Said:
    tensor = values.get("n_tp", 1)
    plan = {"preset": "fsdp2+torch-tp"} if tensor > 1 else SHARDED
    tables = {"model": model, "values": values, "recipe": {"preset": "fp32"}, "plan": plan}
    study = study_of(case, tables)
    if rank >= values["n_fsdp"] * tensor:
        raise BadInput(f"rank {rank} is none of {values['n_fsdp'] * tensor}")
    study = replace(study, part=rank % tensor)
    return bytes_of(study, account(study.model, study.recipe).of(kind), rank // tensor), tables
