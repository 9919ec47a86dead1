"""Cases of vocabulary parallelism: printed peaks of the worst rank of a pipeline with 1F1B."""

from __future__ import annotations

from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.stack_cases import Said, study_of

METHODS = {"Baseline": "1f1b", "Vocab-1": "vocab-1", "Vocab-2": "vocab-2", "Interlaced": "interlaced"}
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
    """``vocabpar-t5``: the peak of the worst rank in GiB; BF16 gradients, a GPT with Megatron-LM's own dropout."""
    keys = Keys(case, {"engine": "", "V_printed": ""})
    for key in ("engine", "V_printed"):
        keys.take(key)
    keys.take("schedule", "1F1B")
    method = METHODS[keys.take("method", *METHODS)]
    values = {ours: keys.whole(theirs) for names in (SIZES, RUN) for theirs, ours in names.items()}
    tied = not keys.take("untied", True, False)
    keys.done()
    if values["d_model"] % values["n_heads"] != 0:
        raise BadInput(f"n_heads = {values['n_heads']} do not divide d_model = {values['d_model']}")
    values |= {"n_kv": values["n_heads"], "d_head": values["d_model"] // values["n_heads"], "n_pos": values["S"]}
    tables = {
        "model": MODEL | {"tied": tied},
        "values": values,
        "recipe": {"preset": "bf16-master"},
        "plan": {"preset": "megatron-tp+pp", "schedule": method, "engine": "megatron-ci-a100"},
    }
    study = study_of(case, tables)
    most = max(one.memory.placed(study.placement).at(study.numbers) for one in study.timeline)
    return float(most / GIB), tables
