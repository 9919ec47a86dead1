"""`Found`: what a memory question found, as values, for programs and for tables that compare answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbolic_mem.document.prose import Prose
from symbolic_mem.solvers.bound import Solved
from symbolic_mem.solvers.capacity import Capacity

if TYPE_CHECKING:
    from symbolic_mem.solvers.degree import Degree
    from symbolic_mem.solvers.inverse import Upper


@dataclass(frozen=True)
class Found:
    """The answer to the question `label` of a study; `reason` says why there is none, and what would help.

    `degree` is the answer under the rules that the question names; None where it names none.
    """

    study: str
    label: str
    capacity: Capacity
    answer: Solved
    assumptions: tuple[Prose, ...] = ()
    reason: Prose | None = None
    degree: Degree | None = None


@dataclass(frozen=True)
class FoundLargest:
    """The largest value of a symbol that fits, for the question `label` of a study; `reason` as in `Found`."""

    study: str
    label: str
    capacity: Capacity
    upper: Upper
    assumptions: tuple[Prose, ...] = ()
    reason: Prose | None = None
