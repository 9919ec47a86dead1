"""Cases of torchtitan: published tables of what its allocator reserved, and the peak of what is allocated with its share."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy as sp

from symbolic_mem.accounts.units import Part, units
from symbolic_mem.base.errors import BadInput
from symbolic_mem.study.study import Study
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.llamas import GIB, SHAPES, TIED, peak_in_gib
from symbolic_mem.verify.stack_cases import Said, study_of

TOLD = ("engine", "gpu", "metric", "gpus", "technique")
# What an allocator reserves for each byte that it gives: the mean of the stages whose runs state both, SimuMax 4dcaae5,
# b200_release_v1.2 (1.017 to 1.079). No table of torchtitan has a part in it.
RESERVED = 1.052
SCHEDULES = {"1F1B": "1f1b", "Interleaved 1F1B": "interleaved"}


def titan_peak(case: Case) -> Said:
    """``titan``: what is reserved for the peak of a rank, in GiB, as torchtitan prints it: what is allocated, times `RESERVED`, and `received`.

    Products in Float8 hold their inputs in BF16, as all blocks are recomputed.
    """
    given = case.inputs
    if given.get("ac") is None or "fsdp" not in given:
        raise BadInput("how the model is divided, or what is recomputed, is not printed beside the table")
    if given["ac"] != "full":
        raise BadInput(f"ac = {given['ac']!r}: the results of some products are kept, and of which is not printed")
    keys = Keys(case, {"cp": 1, "tp": 1, "pp": 1, "schedule": None, **dict.fromkeys(TOLD)})
    for key in (*TOLD, "ac"):
        keys.take(key)
    name = keys.take("model", *SHAPES)
    run = {"local_batch": "B", "S": "S", "fsdp": "n_fsdp", "cp": "n_cp", "tp": "n_tp"}
    values: dict[str, Any] = {**SHAPES[name]} | {ours: keys.whole(theirs) for theirs, ours in run.items()}
    stages, schedule = keys.whole("pp"), keys.take("schedule", None, *SCHEDULES)
    keys.done()
    plan: dict[str, Any] = {"preset": "fsdp2-cp" if values["n_tp"] == 1 else "fsdp2-cp+torch-sp+loss-parallel"}
    if stages > 1:
        plan = _stages(values, stages, SCHEDULES[schedule])
    tables = {
        "model": {"kind": "transformer", "profile": "torch-cuda-bf16", "loss": "fp32-held", "tied": name in TIED},
        "values": values,
        "recipe": {"preset": "torchtitan", "recompute": "full"},
        "plan": plan,
    }
    study = study_of(case, tables)
    return RESERVED * peak_in_gib(study) + float(received(study)), tables


def received(study: Study) -> Fraction:
    """GiB that an allocator keeps for the weights that FSDP2 receives: two units at most, in 16 bits, as each stays until the next is there.

    They are received into memory of a stream of its own, from which they are copied, and what a stream has freed serves no other:
    no tensor of the peak lies in it (PyTorch 2.13, `foreach_all_gather` and `FSDPParamGroup.wait_for_unshard`;
    c10/cuda/CUDACachingAllocator.cpp). What lies outside the blocks is one unit, on the first stage or the last a part of it.
    """
    found = units(study.rank.model)
    block = _numbers(found.blocks[0].weights, study)
    ends = [
        [Part(one.repeat, weight.shape) for one in end for weight in one.weights] for end in (found.before, found.after)
    ]
    sizes = [_numbers(end, study) for end in ends]
    staged = study.plan is not None and study.plan.pipelined
    outside = max(sizes) if staged else sum(sizes)
    return Fraction(2 * (block + max(block, outside)), GIB)


def _numbers(parts: Sequence[Part], study: Study) -> int:
    return int(sum((part.elements for part in parts), start=sp.S.Zero).xreplace(study.values))


def _stages(values: dict[str, Any], stages: int, schedule: str) -> dict[str, Any]:
    """The plan of a pipeline, and in `values` its micro-batches, as many as ranks: torchtitan at 9dec370 takes so many.

    Of the blocks the first stage has no more than its share, and those after it one more each while any are over.
    """
    chunks = 2 if schedule == "interleaved" else 1
    if values["B"] % stages:
        raise BadInput(
            f"a local batch of {values['B']} sequences is no whole number for each of {stages} micro-batches"
        )
    values |= {"B": values["B"] // stages, "n_micro": stages, "n_pp": stages}
    values |= {"n_chunks": chunks} if chunks > 1 else {}
    each, over = divmod(values["L"], stages * chunks)
    layers = [each + int(0 < stage <= over) for stage in range(stages * chunks)]
    return {"preset": "torchtitan", "schedule": schedule, "layers": layers}
