"""`Case`: a number that was measured or published, with its settings, and ours beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput, clipped, shown
from symbolic_mem.base.outside import read_content
from symbolic_mem.base.rational import Number
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.json_file import strict_json

MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Case:
    """A case of a file: what was asked (`quantity`) under which `inputs`, and what came out (`theirs`).

    `folder` is where the paths of its inputs start.
    """

    id: str
    engine: str
    inputs: Mapping[str, Any]
    quantity: str
    theirs: Any
    folder: Path = Path()


@dataclass(frozen=True)
class Compared:
    """A case with `ours`, or with the `reason` why no study says it; `said` are the tables of the study that says it."""

    case: Case
    family: str
    ours: Number | float | tuple[int, ...] | None
    reason: str = ""
    said: Mapping[str, Any] | None = None

    @property
    def miss(self) -> Number | float | None:
        """Ours less theirs, or None where one of them is no number; of two lists the largest difference."""
        theirs = self.case.theirs
        if isinstance(self.ours, tuple):
            return _difference(self.ours, theirs)
        if self.ours is None or isinstance(theirs, bool) or not isinstance(theirs, int | float):
            return None
        return self.ours - theirs

    def record(self) -> dict[str, Any]:
        """Return the row as JSON takes it; bytes that are no whole number are rounded up."""
        ours = list(self.ours) if isinstance(self.ours, tuple) else _whole(self.ours)
        row = {"id": self.case.id, "ours": ours, "theirs": self.case.theirs, "miss": _whole(self.miss)}
        return row | ({"reason": self.reason} if self.ours is None else {"study": self.said})


def _difference(ours: tuple[int, ...], theirs: Any) -> int | None:
    if not isinstance(theirs, list) or len(theirs) != len(ours) or not all(type(one) is int for one in theirs):
        return None
    return max((one - other for one, other in zip(ours, theirs, strict=True)), key=abs)


def _whole(value: Number | float | None) -> int | float | None:
    return value if value is None or isinstance(value, float) else int(-(-value // 1))


def read_cases(path: str | Path) -> tuple[Case, ...]:
    """Read the cases of a JSON file: a list of objects with ``id``, ``settings`` or ``inputs``, ``quantity`` and ``value``.

    ``value_bytes`` may stand for ``value``. Raises `BadInput` for a file that is not such a list.
    """
    where = shown(path)
    rows = strict_json(read_content(path, "JSON", MOST_BYTES), where)
    if not isinstance(rows, list):
        raise BadInput(f'{where}: is not a list of cases; write [{{"id": ..., "settings": {{...}}, "value": ...}}]')
    return tuple(_case(row, f"{where}, case {number}", Path(path).parent) for number, row in enumerate(rows, start=1))


def _case(row: Any, where: str, folder: Path) -> Case:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise BadInput(f'{where}: is not an object with an id; give one such as "id": "fsdp2-step-1"')
    inputs = row.get("settings", row.get("inputs"))
    value = row.get("value", row.get("value_bytes"))
    if not isinstance(inputs, dict) or value is None:
        raise BadInput(f"{where} ({clipped(row['id'])}): needs settings (or inputs) and value (or value_bytes)")
    texts = {key: row.get(key, "") for key in ("engine", "quantity")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise BadInput(f"{where} ({clipped(row['id'])}): engine and quantity must be text")
    return Case(row["id"], texts["engine"], inputs, texts["quantity"], value, folder)


class Keys:
    """The inputs of a case, each read once; what is left over at the end is not known, and refused."""

    def __init__(self, case: Case, defaults: Mapping[str, Any]) -> None:
        self.case = case
        self._given = dict(case.inputs)
        self._defaults = defaults

    def take(self, key: str, *allowed: Any) -> Any:
        """Return the value of a key, or its default; refuse what is not among the `allowed` values, if there are any."""
        if key not in self._given and key not in self._defaults:
            raise BadInput(f"{key} is not given")
        value = self._given.pop(key, self._defaults.get(key))
        if allowed and not any(value == one and type(value) is type(one) for one in allowed):
            raise BadInput.one_of(f"{key} = {_short(value)} is not known", map(json.dumps, allowed))
        return value

    def whole(self, key: str) -> int:
        """Return a whole number of at least one."""
        value = self.take(key)
        if type(value) is not int or value < 1:
            raise BadInput(f"{key} = {_short(value)} is no whole number of at least 1")
        return value

    def rank(self) -> int:
        """Return the rank of the device, 0 where none is given."""
        value = self._given.pop("rank", 0)
        if type(value) is not int or value < 0:
            raise BadInput(f"rank = {_short(value)} is no whole number from 0 on")
        return value

    def done(self) -> None:
        """Refuse keys that were not read."""
        if self._given:
            raise BadInput(f"the keys {', '.join(sorted(self._given))} are not known in this family")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
