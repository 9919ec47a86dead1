"""Cases of Megatron-Core and Megatron-LM: parameters of a rank, and the peak of a stage."""

from __future__ import annotations

from typing import Any

from symbolic_mem.accounts.cluster import cluster_timeline
from symbolic_mem.accounts.ranks import Rank, ranks
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import Number
from symbolic_mem.study.study import Study
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.megatron_arguments import tables_of
from symbolic_mem.verify.stack_cases import Said, study_of

SIZES = {"layers": "L", "d_model": "d_model", "d_ff": "d_ff", "n_heads": "n_heads", "V": "V"}
HEADS = {"n_kv": "n_kv", "d_head": "d_head"}
AXES = {"tp": "n_tp", "pp": "n_pp", "cp": "n_cp", "ep": "n_ep", "etp": "n_etp"}
NORMS = {"RMSNorm": "rms", "LayerNorm": "layer"}
POSITIONS = {"rope": "rotary", "learned_absolute": "learned"}
MULTIPLE = 128


def described(keys: Keys, *, latent: bool = False) -> tuple[dict[str, Any], dict[str, int]]:
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
    for theirs, ours in HEADS.items():
        if latent:
            keys.take(theirs)
        else:
            sizes[ours] = keys.whole(theirs)
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


LATENT = {"q_lora": "d_cq", "kv_lora": "d_c", "qk_nope": "d_nope", "qk_rope": "d_rope", "v_head": "d_v"}
CONTEXT = {None: "megatron", "p2p": "megatron", "a2a": "megatron-all-to-all"}
STACK = {
    "schedule": "1F1B",
    "recompute": "none",
    "cross_entropy": "TE fused",
    "dropout": 0,
    "gradient_accumulation_fusion": True,
    "untied": True,
}
SAID_ELSEWHERE = ("model", "gpus", "engine", "precision", "dispatcher", "grouped_gemm")


def stage_peak(case: Case) -> Said:
    """``b200``: the most bytes that PyTorch gave to the worst rank of a stage, of Megatron-LM with Transformer Engine."""
    if not case.quantity.startswith("torch max_memory_allocated"):
        raise BadInput(
            "what an allocator reserves beside what it gives is no sum of tensors: 1.007 to 1.093 times as much"
        )
    absent = dict.fromkeys((*LATENT, *SAID_ELSEWHERE, "cp_comm", "n_kv", "d_head"))
    keys = Keys(case, ABSENT | absent | STACK | {"etp": 1, "sp": True})
    for key in SAID_ELSEWHERE:
        keys.take(key)
    for key, value in STACK.items():
        keys.take(key, value)
    latent = {ours: keys.take(theirs) for theirs, ours in LATENT.items()}
    model, values = described(keys, latent=latent["d_c"] is not None)
    with_experts(keys, model, values)
    if latent["d_c"] is not None:
        model["latent"] = True
        values |= latent
    model |= {"profile": "te-cuda-bf16", "loss": "vocab-parallel-te"}
    given = {"S": "S", "micro_batch": "B", "micro_batches": "n_micro", "dp": "n_fsdp"}
    values |= {ours: keys.whole(theirs) for theirs, ours in given.items()}
    plan = CONTEXT[keys.take("cp_comm", *CONTEXT)] if keys.take("sp", True, False) else "megatron-no-sp"
    stage = keys.take("stage")
    keys.done()
    tables = {
        "model": model,
        "values": values,
        "recipe": {"preset": "megatron-18"},
        "plan": {"preset": plan, "engine": "te-2.11"},
    }
    return peak_of(study_of(case, tables), stage), tables


def peak_of(study: Study, stage: Any) -> Number:
    """The largest instant of the rank of that stage."""
    words = rank_of(study, stage).stage.words
    assert study.plan is not None
    step = cluster_timeline(study.plan, study.rank, study.recipe, study.numbers, every=True)
    instants = [one for one in step if one.words.endswith(f" on {words}")]
    return max(one.memory.placed(study.placement).at(study.numbers) for one in instants)


ENGINES = {"dev_dgx_h100": "megatron-ci-h100", "dev_dgx_a100": "megatron-ci-a100"}


def megatron_run(case: Case) -> Said:
    """``mcore-ci``: what PyTorch gave the last rank of a run of Megatron-LM, after a step and at most."""
    devices = case.inputs.get("gpus")
    if type(devices) is not int:
        raise BadInput("gpus is no number of devices: the run has more than one node, and how many is not given")
    engine = ENGINES.get(case.inputs.get("platform", ""))
    if engine == "megatron-ci-a100" and case.inputs.get("deterministic-mode") != "true":
        engine += "-nondeterministic"
    if engine is None:
        raise BadInput(f"platform is none of {', '.join(ENGINES)}")
    model, values, plan = tables_of(case.inputs, devices)
    if "a100" in engine and model["loss"] == "vocab-parallel-fused":
        model["loss"] += "-held"  # what that software holds there
    tables = {"model": model, "values": values, "recipe": {"preset": "megatron-18"}, "plan": plan | {"engine": engine}}
    study = study_of(case, tables)
    last = values["n_pp"] - 1
    if case.quantity.startswith("max_memory_allocated"):
        return peak_of(study, last), tables
    if case.quantity.startswith("memory_allocated after a step"):
        words = rank_of(study, last).stage.words
        (step,) = (one for one in study.timeline if one.name == "step" and one.words.endswith(f" on {words}"))
        return step.memory.placed(study.placement).at(study.numbers), tables
    known = ("memory_allocated after a step", "max_memory_allocated")
    raise BadInput.one_of(f"quantity {case.quantity!r} is not known", known)
