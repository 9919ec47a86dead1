"""`Slip`: a named way to go wrong, read from ``slips.toml``; those that can occur in a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.tomlfile import entry, known_keys, parse_toml
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.changes import CHANGES, saved_tensors

_KEYS = ("name", "sentence", "source", "aspect", "change", "with", "each")


@dataclass(frozen=True)
class Slip:
    """A slip: its name, the sentence that explains it, where it was seen, and the change that it makes in a case.

    Two slips of one `aspect` contradict or hide each other and are never combined.
    """

    name: str
    sentence: str
    source: str
    aspect: str
    change: str
    arguments: Mapping[str, Any] = field(default_factory=dict, compare=False)
    each: str = ""

    def apply(self, case: Case) -> Case | None:
        """Return the slipped case, or None where this slip cannot occur."""
        return CHANGES[self.change](case, **self.arguments)


@cache
def slips() -> tuple[Slip, ...]:
    """Return every slip of the catalogue, in its order.

    >>> [slip.name for slip in slips()][:2]
    ['GB for GiB on the device', 'GiB for GB on the device']
    """
    where = "slips.toml"
    content = parse_toml(Path(__file__).with_name(where).read_bytes(), where)
    known_keys(content, ("slip",), where)
    return tuple(
        _read(row, f"{where} number {i}") for i, row in enumerate(entry(content, "slip", list, where), start=1)
    )


def occurring(case: Case) -> tuple[Slip, ...]:
    """Return the slips that can occur in a case; a slip about each saved tensor becomes one for each."""
    found: list[Slip] = []
    for slip in slips():
        if slip.each != "saved":
            found.append(slip)
            continue
        for tensor in saved_tensors(case):
            found.append(
                Slip(
                    f"{slip.name}: {tensor.name}",
                    slip.sentence.replace("{tensor}", tensor.name),
                    slip.source,
                    f"{slip.aspect} {tensor.name}",
                    slip.change,
                    {"tensor": tensor.name},
                )
            )
    return tuple(slip for slip in found if slip.apply(case) is not None)


def _read(row: Mapping[str, Any], where: str) -> Slip:
    known_keys(row, _KEYS, where)
    change = entry(row, "change", str, where)
    if change not in CHANGES:
        raise BadInput(f"{where}: unknown change {change!r}; {nearest(change, CHANGES)}")
    return Slip(
        name=entry(row, "name", str, where),
        sentence=entry(row, "sentence", str, where),
        source=entry(row, "source", str, where),
        aspect=entry(row, "aspect", str, where),
        change=change,
        arguments=entry(row, "with", dict, where, {}),
        each=entry(row, "each", str, where, ""),
    )
