"""The families of cases, by the beginning of their ids: how a study says them, or why none does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass
from symbolic_mem.verify.cases import Case, Compared
from symbolic_mem.verify.megatron_cases import megatron_parameters, megatron_run, stage_peak
from symbolic_mem.verify.optimizer_cases import optimizer_state
from symbolic_mem.verify.pipeline_cases import pipeline_held
from symbolic_mem.verify.stack_cases import (
    Said,
    fsdp2_models,
    fsdp2_static,
    fsdp2_step,
    fsdp_static,
    fsdp_step,
    torch_step,
)
from symbolic_mem.verify.tensor_cases import tensor_block
from symbolic_mem.verify.titan_cases import titan_peak
from symbolic_mem.verify.tune_cases import tune_peak
from symbolic_mem.verify.vocabulary_cases import vocabulary_peak


@dataclass(frozen=True)
class Family:
    """Cases whose ids begin alike; `find` returns our number, or raises a `BadInput` that says why no study does."""

    beginning: str
    title: str
    find: Callable[[Case], Said] | None = None
    reason: str = ""


SAID = (
    Family("torch-fsdp-step", "PyTorch FSDP2 and HSDP: every phase of a step", fsdp_step),
    Family("torch-fsdp-tp-static", "PyTorch FSDP2: weights of a rank", fsdp_static),
    Family("fsdp2-step", "PyTorch FSDP2, large stacks: peaks of a step", fsdp2_step),
    Family("fsdp2-static", "PyTorch FSDP2: weights and moments of a rank", fsdp2_static),
    Family("fsdp2-hf", "PyTorch FSDP2, published models: weights of a rank", fsdp2_models),
    Family("torch-step", "PyTorch on one device: peaks of a step", torch_step),
    Family("torch-tp", "PyTorch tensor and sequence parallelism: one block on one rank", tensor_block),
    Family("torch-pipe-order", "PyTorch pipeline schedules: activations held by each rank", pipeline_held),
    Family("mcore-params", "Megatron-Core: dense and expert parameters of a rank", megatron_parameters),
    Family("b200", "Megatron-LM with Transformer Engine on B200: peaks of stages", stage_peak),
    Family(
        "mcore-ci-gpt", "Megatron-LM's continuous integration, dense: last rank after a step, and at most", megatron_run
    ),
    Family("mcore-ci-moe", "Megatron-LM's continuous integration, small mixtures of experts: the same", megatron_run),
    Family(
        "mcore-ci-mixtral", "Megatron-LM's continuous integration, large mixtures of experts: the same", megatron_run
    ),
    Family("vocabpar-t5", "Vocabulary parallelism, 1F1B: printed peaks of the worst rank", vocabulary_peak),
    Family("vocabpar-t6", "Vocabulary parallelism, V-Half: printed peaks of the worst rank", vocabulary_peak),
    Family(
        "titan",
        "torchtitan: published tables of reserved memory, 1.052 times what is allocated, and what is received",
        titan_peak,
    ),
    Family("tune", "torchtune: published tables of memory", tune_peak),
    Family("optim", "Optimizers of PyTorch, bitsandbytes, schedulefree and optax: state of a tensor", optimizer_state),
)


@cache
def families() -> tuple[Family, ...]:
    """Return all families, those first that a study says."""
    unsaid = tables_of(Path(__file__).with_name("unsaid.toml"))
    return (*SAID, *(Family(name, row["title"], reason=row["reason"]) for name, row in unsaid.items()))


def family_of(case: Case) -> Family | None:
    """Return the family whose ids begin as that of the case, or None."""
    return next((one for one in families() if case.id.startswith(f"{one.beginning}-")), None)


def compare_case(case: Case) -> Compared:
    """Put our number beside a case; where no study says the case, the reason."""
    family = family_of(case)
    if family is None:
        known = ", ".join(one.beginning for one in families())
        return Compared(case, "", None, f"the id begins as that of no known family; known: {known}")
    if family.find is None:
        return Compared(case, family.beginning, None, family.reason)
    try:
        ours, said = family.find(case)
    except BadInput as refused:
        return Compared(case, family.beginning, None, str(refused))
    return Compared(case, family.beginning, ours, said=said)


def compare_cases(cases: Iterable[Case]) -> Iterator[Compared]:
    """Put our number beside each case, in their order."""
    return map(compare_case, cases)
