"""What a study can ask: the type of each question, by the word that a study writes; each is imported when it is asked."""

from __future__ import annotations

from importlib import import_module

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.study.question import Question

ASKS = {
    "device_count": "DeviceCount",
    "min_degree": "MinDegree",
    "largest": "Largest",
    "insight": "Insight",
    "headroom": "Headroom",
    "stages": "Stages",
    "compute_bound": "ComputeBound",
    "smaller_batch": "SmallerBatch",
    "largest_mesh": "LargestMesh",
    "fits_and_computes": "FitsAndComputes",
    "recompute": "RecomputeOtherwise",
    "compare": "Compare",
    "evaluate": "Evaluate",
    "account": "Account",
    "flops": "Flops",
    "buckets": "Buckets",
    "layouts": "Layouts",
}


def question_type(ask: str, where: str = "question") -> type[Question]:
    """Return the type of question that `ask` names: the class of that line, in the module of the same name.

    Raises `BadInput` with the nearest name for an unknown one.

    >>> question_type("min_degree").keys()[:3]
    ('title', 'text', 'figures')
    """
    if ask not in ASKS:
        raise BadInput(f"{where}: unknown ask {ask!r}; {nearest(ask, ASKS)}")
    return getattr(import_module(f"symbolic_mem.questions.{ask}"), ASKS[ask])
