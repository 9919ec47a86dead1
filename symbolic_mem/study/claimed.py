"""`Claimed`: a number of an answer that somebody may state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from symbolic_mem.base.values import dataclass

if TYPE_CHECKING:
    from symbolic_mem.base.limit import Limit


@dataclass(frozen=True)
class Counts:
    """A number that depends on what one counts: so many for `each` of something, from the `least` to the `most` that is usual.

    `words` say what is counted, as in "operations for each parameter".
    """

    each: Any
    least: int
    most: int
    words: str

    @property
    def amounts(self) -> Iterator[Any]:
        """What the number is by each count."""
        return (count * self.each for count in range(self.least, self.most + 1))


@dataclass(frozen=True)
class Claimed:
    """A number that can be claimed: its exact `value` (None: there is none), and how it comes to be.

    `measures` is ``bytes`` or ``number``, or for a whole number ``devices``, ``tokens`` or ``count``; `unit` is what the
    value counts. A count of devices has its `quotient` before it was rounded, and where nothing but a capacity bounds it
    the `parts` that it came from: what is divided, what is not, and the limit. A batch has its exact `tokens`, and by
    `per` the size in tokens of each unit in which it can be `counted`. `fits` is what fits at the number. Of a degree
    there are `each` devices for one. What is the ``least`` or the ``most`` of something has that as `extreme`, so that a
    claim may say it as a bound; what is counted for one device, parameter or token has that as `of_one`. Where an edition
    of the source has another number in its place, `printed` has that number, the edition, and in a sentence where the two
    part. One that is `given` is a value of the study; one that has `counts` is another, and right, where others count
    otherwise.
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
    extreme: str = ""
    of_one: str = ""
    printed: tuple[tuple[Any, str, str], ...] = ()
    counts: Counts | None = None
    given: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is a whole number of something."""
        return self.measures in ("devices", "tokens", "count")
