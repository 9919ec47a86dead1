"""What a report asks beside the questions of a study: what its memory depends on."""

from __future__ import annotations

from typing import cast

from symbolic_mem.base.exact import missing
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.insight import Insight
from symbolic_mem.questions.parts.assumptions import about_memory
from symbolic_mem.study.study import Study

REPORT = "report"


def counted(study: Study) -> tuple[str, ...]:
    """The kinds of memory that some question of a study counts."""
    asked = [question.counted for question in study.questions if question.subject == "memory"]
    return tuple(kind for kind in KINDS if any(kind in kinds for kinds in asked)) or KINDS


def depends(study: Study) -> Insight | None:
    """Return the question what the memory depends on: what stays on every device, the crossover, and what one percent more adds.

    It is the same for that very study; None where no question is about memory, or a value is missing.

    >>> from symbolic_mem.library.read import load_study
    >>> depends(load_study("cluster-mixtral-8x7b")).about
    ('floor', 'crossover', 'sensitivities')
    """
    return cast(Insight | None, study.numbers.once(study, lambda _: (_asked(study),), REPORT)[0])


def _asked(study: Study) -> Insight | None:
    kinds = counted(study)
    if not about_memory(study) or missing(study.memory.of(*kinds).total, study.values):
        return None
    _, kept = (placed := study.placed(kinds)).split(n_fsdp)
    asked = {
        "floor": n_fsdp in placed.total.free_symbols and not missing(kept.total, study.values),
        "crossover": "activations" in kinds,
        "sensitivities": True,
    }
    about = tuple(topic for topic, wanted in asked.items() if wanted)
    return Insight(REPORT, REPORT, kinds=kinds, about=about)
