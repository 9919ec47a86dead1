"""Holes of a record filled: what is asked, and the numbers at it; without SymPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from symbolic_mem.base.told import RoundedUp
from symbolic_mem.base.walk import Number
from symbolic_mem.questions.parts.held import up

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

    def among(self, degree: int, record: Any) -> Any:
        """What is there among several devices alone: nothing where their degree is 1."""
        return _UNSAID if self.numbers[degree] == 1 else self.fill(record)

    def size(self, place: int | Sequence[int]) -> Number | None:
        """A size, or that of what is there among several devices alone, whose degree stands beside it."""
        if isinstance(place, int):
            return self.numbers[place]
        return 0 if self.numbers[place[1]] == 1 else self.numbers[place[0]]

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


def marked_up(value: Number) -> int:
    """A number rounded up, which a face marks where that changed it."""
    return value if type(value) is int else RoundedUp(up(value))
