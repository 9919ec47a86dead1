"""`Mistaken`: what a slip makes of the instants of a step."""

from __future__ import annotations

from symbolic_mem.accounts.timeline import Called, Instant
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Mistaken:
    """A timeline of which only some instants count (none named: all do), `without` the terms of some names."""

    only: tuple[Called, ...] = ()
    without: tuple[str, ...] = ()

    def chosen(self, step: tuple[Instant, ...]) -> tuple[Instant, ...]:
        """Return the instants of a whole timeline that count."""
        return tuple(one for one in step if one.called in self.only) or step

    def left(self, step: tuple[Instant, ...]) -> tuple[Instant, ...]:
        """Return what is left of those that count."""
        return tuple(one.without(self.without) for one in step) if self.without else step

    def forgetting(self, term: str) -> Mistaken:
        """Return the slip that forgets one term more; then any instant may be the fullest."""
        return Mistaken(without=(*self.without, term))
