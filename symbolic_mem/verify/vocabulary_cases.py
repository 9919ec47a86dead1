"""Cases of vocabulary parallelism: printed peaks of the worst rank of a pipeline with 1F1B."""

from __future__ import annotations

from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.stack_cases import Said, study_of

METHODS = {"Baseline": "1f1b", "Vocab-1": "vocab-1", "Vocab-2": "vocab-2", "Interlaced": "interlaced"}
HALF = "V-Half (two chunks a rank, V shape, split backward)"
SIZES = {"layers": "L", "d_model": "d_model", "d_ff": "d_ff", "n_heads": "n_heads", "V": "V", "S": "S"}
RUN = {"micro_batch": "B", "micro_batches": "n_micro", "pp": "n_pp", "tp": "n_tp", "dp": "n_fsdp"}
MODEL: dict[str, Any] = {
    "kind": "transformer",
    "profile": "te-cuda-bf16",
    "loss": "fp32",
    "norm": "layer",
    "norm_bias": True,
    "qkv_bias": True,
    "o_bias": True,
    "mlp_bias": True,
    "gated": False,
    "activation": "gelu",
    "position": "learned",
    "attention_dropout": 0.1,
    "residual_dropout": 0.1,
    "embedding_dropout": 0.1,
}
GIB = 2**30


def vocabulary_peak(case: Case) -> Said:
    """``vocabpar``: the peak of the worst rank in GiB; BF16 gradients, a GPT with Megatron-LM's own dropout.

    Under V-Half the peaks grow by 6 bytes for each logit, as the loss over a divided vocabulary has them, and by 12 under 1F1B.
    """
    keys = Keys(case, {"engine": "", "V_printed": ""})
    for key in ("engine", "V_printed"):
        keys.take(key)
    half = keys.take("schedule", "1F1B", HALF) == HALF
    method = METHODS[keys.take("method", *METHODS)]
    if half and method != "1f1b":
        raise BadInput(
            "what V-Half holds more with a divided vocabulary, about three micro-batches, is no formula of its paper"
        )
    values = {ours: keys.whole(theirs) for names in (SIZES, RUN) for theirs, ours in names.items()}
    tied = not keys.take("untied", True, False)
    keys.done()
    if values["d_model"] % values["n_heads"] != 0:
        raise BadInput(f"n_heads = {values['n_heads']} do not divide d_model = {values['d_model']}")
    values |= {"n_kv": values["n_heads"], "d_head": values["d_model"] // values["n_heads"], "n_pos": values["S"]}
    tables = {
        "model": MODEL | {"tied": tied} | ({"loss": "vocab-parallel"} if half else {}),
        "values": values,
        "recipe": {"preset": "bf16-master"},
        "plan": {"preset": "megatron-tp+pp", "schedule": "v-half" if half else method, "engine": "megatron-ci-a100"},
    }
    study = study_of(case, tables)
    most = max(one.memory.placed(study.placement).at(study.numbers) for one in study.timeline)
    return float(most / GIB), tables
