"""`Slip`: a named way to go wrong, read from ``slips.toml``; those that can occur in a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import cache, partial
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.amounts import matrices, other_instants, saved_tensors, terms_there
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.changes import ADDING, CHANGES, FORGETTING
from symbolic_mem.claims.spread import numbers_of_devices
from symbolic_mem.claims.worked import lines_before, shares
from symbolic_mem.document.words import listed

_KEYS = ("name", "sentence", "source", "seen", "aspect", "change", "with", "each", "alone", "last")
_TOGETHER = ("slips", "source", "seen")


@dataclass(frozen=True)
class Slip:
    """A slip: its name, the sentence that explains it, where it is from, and what it does to a case.

    It was `seen` in answers of people, or not. Two slips of one `aspect` contradict or hide each other and are never
    combined; one that is `alone` is combined with no other; one that is `last` is told only where no other of its aspect
    gives the number; one that `forgets` only leaves memory out, and one that `adds` does the reverse. `row` is what the catalogue calls it: where a case counts the
    bytes that software reports, the name of a slip about the label says so.
    """

    name: str
    sentence: str
    source: str
    aspect: str
    does: Callable[[Case], Case | None] = field(compare=False)
    seen: bool = False
    alone: bool = False
    row: str = ""
    forgets: bool = False
    adds: bool = False
    last: bool = False

    def apply(self, case: Case) -> Case | None:
        """Return the slipped case, or None where this slip cannot occur."""
        return self.does(case)


@dataclass(frozen=True)
class Together:
    """Slips, by their names, that were made together, where that is from, and whether people made them."""

    slips: tuple[str, ...]
    source: str
    seen: bool = False


@dataclass(frozen=True)
class _Row:
    """A slip as the catalogue has it, for all tensors of its kind where it is about `each` of them.

    Then people may have made it with some of them alone: those are `seen`.
    """

    name: str
    sentence: str
    source: str
    seen: bool | tuple[str, ...]
    aspect: str
    change: str
    arguments: Mapping[str, Any]
    each: str
    alone: bool
    last: bool

    def slips(self, case: Case) -> Iterator[Slip]:
        """Yield the slip, or one for each tensor that the case has."""
        match self.each:
            case "saved":
                for tensor in saved_tensors(case):
                    yield self._about(tensor.name, tensor.name, "{tensor}")
            case "matrix":
                for names in matrices(case):
                    yield self._about(names[0], listed(names, "or"), "{matrix}")
            case "term":
                for name in terms_there(case):
                    yield self._about(name, name, "{term}")
            case "instant":
                for words in other_instants(case):
                    yield self._about(words, words, "{instant}")
            case "devices":
                for number in numbers_of_devices(case):
                    yield self._about(number, f"{number:,}", "{devices}")
            case "share":
                for name in shares(case):
                    yield self._about(name, name, "{share}")
            case "line":
                for taken, line in lines_before(case):
                    yield self._about((taken, line), f"{taken} for {line}", "{lines}")
            case _:
                counted = _counted(case) if "{counted}" in self.sentence else ""
                sentence, name = self.sentence.replace("{counted}", counted), self.name
                if counted == REPORTED:
                    name = f"{name.partition(' ')[0]} for the reported bytes of the device"
                yield self._slip(name, sentence, self.aspect, self.arguments, seen=bool(self.seen))

    def _about(self, tensor: Any, shown: str, place: str) -> Slip:
        sentence, aspect = self.sentence.replace(place, shown), f"{self.aspect} {tensor}"
        seen = self.seen is True or (isinstance(self.seen, tuple) and tensor in self.seen)
        return self._slip(f"{self.name}: {shown}", sentence, aspect, {"tensor": tensor}, seen=seen)

    def _slip(self, name: str, sentence: str, aspect: str, arguments: Mapping[str, Any], *, seen: bool) -> Slip:
        does = partial(CHANGES[self.change], **arguments)
        row, forgets, adds = name if self.each else self.name, self.change in FORGETTING, self.change in ADDING
        return Slip(name, sentence, self.source, aspect, does, seen, self.alone, row, forgets, adds, self.last)


REPORTED = "the bytes that software reports"
_COUNTED = {"GB": "GB (10^9 bytes)", "GiB": "GiB (2^30 bytes)"}


def _counted(case: Case) -> str:
    """What the question counts of a device: its label in GB or in GiB, or what software reports."""
    if not case.study.device.known:
        return ""
    capacity = case.study.capacity
    return REPORTED if capacity.reading == "reported" else _COUNTED.get(capacity.unit, capacity.unit)


def occurring(case: Case) -> Iterator[tuple[Slip, Case]]:
    """Yield the slips that can occur in a case, each with the slipped one, in the order of the catalogue."""
    for row in catalogue():
        for slip in row.slips(case):
            slipped = slip.apply(case)
            if slipped is not None:
                yield slip, slipped


@cache
def catalogue() -> tuple[_Row, ...]:
    """Return every slip of the catalogue, in its order.

    >>> [slip.name for slip in catalogue()][:2]
    ['GB for GiB on the device', 'GiB for GB on the device']
    """
    rows = entry(_content(), "slip", list, _FILE)
    return tuple(_read(row, f"{_FILE} number {i}") for i, row in enumerate(rows, start=1))


@cache
def together() -> tuple[Together, ...]:
    """Return the slips that were made together, in the order of the catalogue."""
    made = []
    for i, row in enumerate(entry(_content(), "together", list, _FILE), start=1):
        where = f"{_FILE} together, number {i}"
        known_keys(row, _TOGETHER, where)
        names = tuple(entry(row, "slips", list, where))
        made.append(Together(names, entry(row, "source", str, where), entry(row, "seen", bool, where, False)))
    return tuple(made)


_FILE = "slips.toml"


@cache
def _content() -> Mapping[str, Any]:
    content = tables_of(Path(__file__).with_name(_FILE))
    known_keys(content, ("slip", "together"), _FILE)
    return content


def _read(row: Mapping[str, Any], where: str) -> _Row:
    known_keys(row, _KEYS, where)
    change = entry(row, "change", str, where)
    if change not in CHANGES:
        raise BadInput.unknown(f"{where}: unknown change {change!r}", change, CHANGES)
    return _Row(
        name=entry(row, "name", str, where),
        sentence=entry(row, "sentence", str, where),
        source=entry(row, "source", str, where),
        seen=tuple(seen)
        if isinstance(seen := row.get("seen", False), list)
        else entry(row, "seen", bool, where, False),
        aspect=entry(row, "aspect", str, where),
        change=change,
        arguments=entry(row, "with", dict, where, {}),
        each=entry(row, "each", str, where, ""),
        alone=entry(row, "alone", bool, where, False),
        last=entry(row, "last", bool, where, False),
    )
