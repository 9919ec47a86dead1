"""Cases of pipelines: how many activations the ranks of one hold."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import n_chunks, n_group, n_micro, n_pp
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.verify.cases import Case, Keys
from symbolic_mem.verify.stack_cases import Said

SCHEDULES = {
    "GPipe": "gpipe",
    "1F1B": "1f1b",
    "Interleaved1F1B": "interleaved",
    "LoopedBFS": "looped-bfs",
    "InterleavedZeroBubble": "interleaved-zero-bubble",
    "ZBV": "zbv",
    "DualPipeV": "dualpipe-v",
}


def pipeline_held(case: Case) -> Said:
    """``torch-pipe-order``: the most activations that each rank holds, in micro-batches times chunks.

    PyTorch goes through its micro-batches in as many rounds as there are times n_pp in them, which sets the group.
    """
    keys = Keys(case, {})
    name = SCHEDULES[keys.take("schedule", *SCHEDULES)]
    given = {n_pp: "p", n_chunks: "chunks_per_rank", n_micro: "micro_batches"}
    values = {symbol: sp.Integer(keys.whole(key)) for symbol, key in given.items()}
    keys.done()
    if not case.quantity.startswith("most chunk-activations alive at once"):
        raise BadInput.one_of(f"quantity {case.quantity!r} is not known", ["most chunk-activations alive at once"])
    if name == "1f1b" and values[n_micro] < values[n_pp]:
        raise BadInput(
            f"{values[n_micro]} micro-batches are fewer than {values[n_pp]} stages, which PyTorch's 1F1B refuses"
        )
    rounds = max(1, values[n_micro] // values[n_pp])
    if values[n_micro] % rounds != 0:
        raise BadInput(f"{values[n_micro]} micro-batches are no multiple of {rounds} rounds, which PyTorch refuses")
    values[n_group] = sp.Integer(values[n_micro] // rounds)
    said = {
        "plan": {"preset": "pp", "schedule": name},
        "values": {str(one): int(value) for one, value in values.items()},
    }
    return pipeline(name).counts(values), said
