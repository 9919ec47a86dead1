"""`Found`: what a memory question found, as values, for programs and for tables that compare answers."""

from __future__ import annotations

from dataclasses import dataclass

from symbolic_mem.derive.steps import Prose
from symbolic_mem.solve.bound import Answer
from symbolic_mem.solve.capacity import Capacity


@dataclass(frozen=True)
class Found:
    """The answer to the question `label` of a study; `reason` says why there is none, and what would help."""

    study: str
    label: str
    capacity: Capacity
    answer: Answer
    assumptions: tuple[Prose, ...] = ()
    reason: Prose | None = None
