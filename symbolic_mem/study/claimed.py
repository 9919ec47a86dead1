"""`Claimed`: a number of an answer that somebody may state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from symbolic_mem.base.values import dataclass

if TYPE_CHECKING:
    from symbolic_mem.base.limit import Limit


@dataclass(frozen=True)
class Claimed:
    """A number that can be claimed: its exact `value` (None: there is none), and how it comes to be.

    `measures` is ``bytes`` or ``number``, or for a whole number ``devices``, ``tokens`` or ``count``; `unit` is what the
    value counts. A count of devices has its `quotient` before it was rounded, and where nothing but a capacity bounds it
    the `parts` that it came from: what is divided, what is not, and the limit. A batch has its exact `tokens`, and by
    `per` the size in tokens of each unit in which it can be `counted`. `fits` is what fits at the number. Of a degree
    there are `each` devices for one. Where an edition of the source has another number in its place, `printed` has that
    number, the edition, and in a sentence where the two part.
    """

    value: Any
    measures: str
    meaning: str
    quotient: Any = None
    parts: tuple[Any, Any, Limit] | None = None
    tokens: Any = None
    per: Mapping[str, Any] = field(default_factory=dict)
    counted: str = ""
    unit: str = ""
    fits: str = "what is kept"
    each: int = 1
    printed: tuple[tuple[Any, str, str], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it is a whole number of something."""
        return self.measures in ("devices", "tokens", "count")
