"""`Mistaken`: what a slip makes of the instants of a step."""

from __future__ import annotations

from dataclasses import replace

from symbolic_mem.accounts.instant import Called, Instant
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Mistaken:
    """A timeline of which only some instants count (none named: all do), `without` the terms of some names.

    With `kept` nothing counts that is there for a moment. If not `ahead`, no weights are gathered before their block has its turn.
    """

    only: tuple[Called, ...] = ()
    without: tuple[str, ...] = ()
    ahead: bool = True
    kept: bool = False

    def chosen(self, step: tuple[Instant, ...]) -> tuple[Instant, ...]:
        """Return the instants of a whole timeline that count."""
        return tuple(one for one in step if one.called in self.only) or step

    def left(self, step: tuple[Instant, ...]) -> tuple[Instant, ...]:
        """Return what is left of those that count."""
        if self.kept:
            return tuple(one.kept for one in step if one.rank)
        step = tuple(one.without(self.without) for one in step) if self.without else step
        return step if self.ahead else tuple(one.in_turn() for one in step)

    def forgetting(self, term: str) -> Mistaken:
        """Return the slip that forgets one term more; then any instant may be the fullest."""
        return replace(self, only=(), without=(*self.without, term))
