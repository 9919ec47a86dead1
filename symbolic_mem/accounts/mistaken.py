"""`Mistaken`: what a slip makes of the instants of a step."""

from __future__ import annotations

from symbolic_mem.accounts.timeline import Called, Instant, named
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Mistaken:
    """A timeline of which only some instants count (none named: all do), `without` the terms of some names."""

    only: tuple[Called, ...] = ()
    without: tuple[str, ...] = ()

    def of(self, step: tuple[Instant, ...]) -> tuple[Instant, ...]:
        """Return what is left of a timeline."""
        meant = named(step, self.only)
        chosen = tuple(one for one in step if {one.called, (*one.called[:2], "")} & {*meant}) or step
        return tuple(one.without(self.without) for one in chosen) if self.without else chosen

    def forgetting(self, term: str) -> Mistaken:
        """Return the slip that forgets one term more; then any instant may be the fullest."""
        return Mistaken(without=(*self.without, term))
