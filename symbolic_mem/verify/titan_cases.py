"""Cases of torchtitan: published tables of what its allocator reserved, beside the peak of what is allocated."""

from __future__ import annotations

from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.llamas import SHAPES, TIED, peak_in_gib
from symbolic_mem.verify.stack_cases import Said, study_of

TOLD = ("engine", "gpu", "metric", "gpus", "technique", "schedule")


def titan_peak(case: Case) -> Said:
    """``titan``: the peak of a rank in GiB; products in Float8 hold their inputs in BF16, as all blocks are recomputed.

    What the allocator reserves beside it is not counted: 1.007 to 1.093 times as much in runs that state both.
    """
    given = case.inputs
    if given.get("ac") is None or "fsdp" not in given:
        raise BadInput("how the model is divided, or what is recomputed, is not printed beside the table")
    if given["ac"] != "full":
        raise BadInput(f"ac = {given['ac']!r}: the results of some products are kept, and of which is not printed")
    if given.get("pp", 1) != 1:
        raise BadInput(f"pp = {given['pp']}: what a stage holds in a step is known of Megatron-LM's engine alone")
    keys = Keys(case, {"cp": 1, "tp": 1, **dict.fromkeys((*TOLD, "pp"))})
    for key in (*TOLD, "ac", "pp"):
        keys.take(key)
    name = keys.take("model", *SHAPES)
    run = {"local_batch": "B", "S": "S", "fsdp": "n_fsdp", "cp": "n_cp", "tp": "n_tp"}
    values: dict[str, Any] = {**SHAPES[name]} | {ours: keys.whole(theirs) for theirs, ours in run.items()}
    keys.done()
    preset = "fsdp2-cp" if values["n_tp"] == 1 else "fsdp2-cp+torch-sp+loss-parallel"
    tables = {
        "model": {"kind": "transformer", "profile": "torch-cuda-bf16", "loss": "fp32-held", "tied": name in TIED},
        "values": values,
        "recipe": {"preset": "torchtitan", "recompute": "full"},
        "plan": {"preset": preset},
    }
    return peak_in_gib(study_of(case, tables)), tables
