"""What the column ``fits`` of a sweep does not compare with what is left: sizes that are known and not counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from symbolic_mem.accounts.left_out import ROWS
from symbolic_mem.document.prose import Prose, text
from symbolic_mem.questions.parts.instants import instants
from symbolic_mem.questions.parts.uncounted import is_a_run, uncounted, weighed
from symbolic_mem.study.study import Study
from symbolic_mem.sweeps.axes import Axes
from symbolic_mem.sweeps.idle import said_under

SAID = text(
    "fits is by what is counted; solve weighs known sizes of what is not, too, and says where these may have no room."
)


def not_compared(studies: Mapping[tuple[int, ...], Study], axes: Axes, kinds: Sequence[str]) -> Iterator[Prose]:
    """Say that a run holds more than what is counted, where sizes of that are known; under which choices, where not under all."""
    under: dict[Prose, set[tuple[int, ...]]] = {}
    for choice, study in studies.items():
        if not is_a_run(study):
            continue
        here = instants(study, kinds)[0]
        found = (one for one in uncounted(here, degree=True) if weighed(here, one))
        if any(one.size is not None and one.name != ROWS for one in found):
            under.setdefault(SAID, set()).add(choice)
    yield from said_under(under, studies, axes)
