"""Cases of Megatron-Core and Megatron-LM: parameters of a rank, and the peak of a stage."""

from __future__ import annotations

from typing import Any

from symbolic_mem.accounts.ranks import Rank, ranks
from symbolic_mem.base.errors import BadInput
from symbolic_mem.study.study import Study
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.stack_cases import Said, study_of

SIZES = {"layers": "L", "d_model": "d_model", "d_ff": "d_ff", "n_heads": "n_heads", "V": "V"}
HEADS = {"n_kv": "n_kv", "d_head": "d_head"}
AXES = {"tp": "n_tp", "pp": "n_pp", "cp": "n_cp", "ep": "n_ep", "etp": "n_etp"}
NORMS = {"RMSNorm": "rms", "LayerNorm": "layer"}
POSITIONS = {"rope": "rotary", "learned_absolute": "learned"}
MULTIPLE = 128


def described(keys: Keys) -> tuple[dict[str, Any], dict[str, int]]:
    """Read the model and the axes of a case, as tables of a study: the model's, and the values."""
    sizes = {ours: keys.whole(theirs) for theirs, ours in SIZES.items()}
    sizes |= {ours: keys.whole(theirs) for theirs, ours in AXES.items()}
    bias, norm = keys.take("bias", True, False), NORMS[keys.take("norm", *NORMS)]
    model: dict[str, Any] = {
        "kind": "transformer",
        "norm": norm,
        "norm_bias": norm == "layer",
        "qkv_bias": bias,
        "o_bias": bias,
        "mlp_bias": bias,
        "gated": keys.take("swiglu", True, False),
    }
    if not model["gated"]:
        model["activation"] = "gelu"
    if keys.take("vocab_multiple") != MULTIPLE:
        raise BadInput(f"vocab_multiple is not {MULTIPLE}, to which the plan pads the vocabulary for each rank")
    sizes |= {ours: keys.whole(theirs) for theirs, ours in HEADS.items()}
    return model, sizes


def with_experts(keys: Keys, model: dict[str, Any], values: dict[str, int]) -> None:
    """Read the experts of a case, if it has some, into the tables."""
    number = keys.take("experts")
    if number is None:
        for key in ("topk", "d_ff_expert", "d_ff_shared", "dense_layers"):
            keys.take(key)
        return
    shared, dense = keys.take("d_ff_shared") or 0, keys.take("dense_layers") or 0
    model["experts"] = {"d_shared": shared, "dense_layers": dense}
    values |= {"E": number, "k": keys.whole("topk"), "d_expert": keys.whole("d_ff_expert")}


ABSENT = dict.fromkeys(("experts", "topk", "d_ff_expert", "d_ff_shared", "dense_layers", "engine"))


def megatron_parameters(case: Case) -> Said:
    """``mcore-params``: the dense and the expert parameters of the first tensor-parallel rank of a stage."""
    keys = Keys(case, ABSENT | {"etp": 1})
    model, values = described(keys)
    with_experts(keys, model, values)
    model |= {"position": POSITIONS[keys.take("positions", *POSITIONS)], "tied": keys.take("tied", True, False)}
    values |= {"S": keys.whole("S"), "n_micro": values["n_pp"]}
    if model["position"] == "learned":
        values["n_pos"] = values["S"]
    keys.whole("gpus"), keys.take("engine")
    stage = keys.take("stage")
    keys.done()
    tables = {"model": model, "values": values, "recipe": {"preset": "megatron-18"}, "plan": {"preset": "megatron"}}
    study = study_of(case, tables)
    rank = rank_of(study, stage)
    counts = (study.numbers[rank.parameters(experts=experts)] for experts in (False, True))
    return tuple(map(int, counts)), tables


def rank_of(study: Study, stage: Any) -> Rank:
    """Return the rank of that stage of a study's pipeline."""
    found = ranks(study.plan, study.rank, study.numbers)
    if type(stage) is not int or not 0 <= stage < len(found):
        raise BadInput(f"stage = {stage!r} is none of {len(found)}")
    return found[stage]
