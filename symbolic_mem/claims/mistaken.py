"""`Mistaken`: what a slip makes of the instants of a step."""

from __future__ import annotations

from symbolic_mem.accounts.timeline import Instant
from symbolic_mem.base.values import dataclass
from symbolic_mem.study.study import Study


@dataclass(frozen=True)
class Mistaken:
    """A timeline of which only some instants count, by their words (none: all do), `without` the terms of some names."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __call__(self, step: tuple[Instant, ...]) -> tuple[Instant, ...]:
        """Return what is left of a timeline."""
        chosen = tuple(one for one in step if one.words in self.only) or step
        return tuple(one.without(self.without) for one in chosen) if self.without else chosen


def forgotten(study: Study, term: str) -> Mistaken:
    """Return the slip that forgets one term more than a study's; then any instant may be the fullest."""
    before = study.mistaken.without if isinstance(study.mistaken, Mistaken) else ()
    return Mistaken(without=(*before, term))
