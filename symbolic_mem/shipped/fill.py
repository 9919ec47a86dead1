"""Holes of a record filled: what is asked, and the numbers of an account at it; without SymPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from symbolic_mem.base.told import RoundedUp
from symbolic_mem.base.walk import Number, numbers, renumbered
from symbolic_mem.questions.parts.held import Instant, device_record, fullest_of_each, up
from symbolic_mem.questions.parts.turns import Turn, turns

HOLE, REST, CHANGED = "=", "**", "{changes}"
_UNSAID = object()


class _Several(tuple[Any, ...]):
    """Items of a list that one hole stands for."""


class Otherwise(Exception):
    """The other way answers."""


class Asked(NamedTuple):
    """The nodes of a study, its values by name, what is known of the device, and the changes of the caller in words.

    `weighed` are those of the device or of its memory, where the caller gives one.
    """

    nodes: Sequence[Any]
    values: Mapping[str, Number]
    device: Mapping[str, Any]
    changes: str
    weighed: str | None = None


def exact(text: str | Number) -> Number:
    """A number that is written exactly.

    >>> exact("12"), exact("1/2")
    (12, Fraction(1, 2))
    """
    if not isinstance(text, str):
        return text
    if text.isdecimal():
        return int(text)
    from fractions import Fraction

    return Fraction(text)


def of_account(asked: Asked, form: Mapping[str, Any]) -> Any:
    """The record of an account."""
    return FilledAccount(asked, numbers(asked.nodes, asked.values), form["step"], form["powers"]).fill(form["record"])


class Filled:
    """The numbers that stand in the holes of a form: each kind of hole is a method."""

    def __init__(self, asked: Asked, found: Sequence[Number | None]) -> None:
        self.asked, self.numbers = asked, found
        counted = asked.device["counted"]
        self.counted = None if counted is None else exact(counted)

    def fill(self, form: Any) -> Any:
        """Return a form with its holes filled; what is not said is left out."""
        if isinstance(form, dict):
            if HOLE in form:
                kind, *told_of = form[HOLE]
                return getattr(self, kind)(*told_of)
            found: dict[str, Any] = {}
            for key, item in form.items():
                filled = self.fill(item)
                if key == REST:
                    found |= filled
                elif filled is not _UNSAID:
                    found[key] = filled
            return found
        if isinstance(form, list):
            filled = [self.fill(item) for item in form]
            each = (one if isinstance(one, _Several) else (one,) for one in filled if one is not _UNSAID)
            return [item for several in each for item in several]
        return form

    def exact(self, place: int) -> Number | None:
        """A number as it is."""
        return self.numbers[place]

    def up(self, place: int) -> int | None:
        """A number of bytes, rounded up to a whole one."""
        found = self.numbers[place]
        return None if found is None else marked_up(found)

    def rows(self, degree: int, padding: Sequence[Any], bounds: Sequence[Any]) -> _Several:
        """What whole rows take at a degree, where that is something; the bounds of it where the degree has no value."""
        if self.numbers[degree] is None:
            return _Several(self.fill(bounds))
        return _Several(item for item in self.fill(padding) if item["bytes"] != 0)

    def changed(self, sentence: str) -> Any:
        """What the caller changes, in a sentence; nothing where that is nothing."""
        return sentence.replace(CHANGED, self.asked.changes) if self.asked.changes else _UNSAID

    def capacity(self) -> int | None:
        """Bytes of one device that count, as a whole number."""
        return None if self.counted is None else int(self.counted)

    @staticmethod
    def unless_empty(said: Sequence[Any]) -> Any:
        """What is said, or nothing."""
        return said or _UNSAID


class FilledAccount(Filled):
    """Those of an account: `step` are the instants of a step, each with its phase, words and rank, its node, and that of what is kept.

    `powers` are those of the symbols in their bytes.
    """

    def __init__(
        self,
        asked: Asked,
        found: Sequence[Number | None],
        step: Sequence[Sequence[Any]],
        powers: Mapping[str, int | None],
    ) -> None:
        super().__init__(asked, found)
        self.step, self.powers = step, powers
        held = [self.numbers[place] for *_, place, _ in step]
        self.held = [] if None in held else [one for one in held if one is not None]  # all of a step, or nothing

    def absent(self, names: Sequence[str]) -> list[str]:
        """The symbols among those of a formula that have no value."""
        return [name for name in names if name not in self.asked.values]

    def given(self) -> Mapping[str, Number]:
        """All values."""
        return self.asked.values

    def device(self, degrees: Sequence[str], kept: int, loss: str | None) -> Mapping[str, Any] | None:
        """What one device keeps and its peak, under a loss; of stages, what the rank keeps that has the peak."""
        found = [Instant(*self.step[place][:3], held) for place, held in enumerate(self.held)]
        if found:
            fullest = self.step[max(range(len(found)), key=self.held.__getitem__)]
            kept = kept if fullest[4] is None else fullest[4]
        divided = {name: value for name, value in self.asked.values.items() if name in degrees}
        capacity = None if self.counted is None else (self.counted, self.asked.device.get("reading"))
        return device_record(divided, self.numbers[kept], fullest_of_each(found), capacity, loss, self._turns())

    def _turns(self) -> Sequence[Turn]:
        """Where another instant takes over from the fullest."""
        if not self.held:
            return ()

        def amounts(changed: Mapping[str, int]) -> list[Any]:
            found = renumbered(self.asked.nodes, self.numbers, changed)
            return [found[place] for *_, place, _ in self.step]

        words = [one[1] for one in self.step]
        fullest = words[self.held.index(max(self.held))]
        return turns(self.powers, self.asked.values, amounts, words, fullest).found

    def close(self, kept: int, rows: Sequence[int], taken: Sequence[str]) -> Any:
        """Whether a process finds free what one device holds, where that fits, and whole rows do."""
        held = max(self.held) if self.held else self.numbers[kept]
        if held is None or self.counted is None or held > self.counted:
            return _UNSAID
        from symbolic_mem.shipped.close import cautions

        padding = sum(self.numbers[place] or 0 for place in rows)
        return self.unless_empty(cautions(self.asked.device, held, padding, taken, "account"))

    def beyond(self, of_step: Any, of_kept: Any) -> Any:
        """What is not counted: what the instants of a step do not, where these have numbers, or what is kept does not."""
        return self.fill(of_step if self.held else of_kept)


def marked_up(value: Number) -> int:
    """A number rounded up, which a face marks where that changed it."""
    return value if type(value) is int else RoundedUp(up(value))
