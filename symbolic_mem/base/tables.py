"""`Tables`: a catalogue of this package as a TOML text, of which a table is parsed when it is first asked for; `ReadOnce`.

A wheel has each file of tables as JSON, too, which is read in a tenth of the time; it is made when the wheel is built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

Value = TypeVar("Value")

_PART = r'("[^"\n]*"|[\w-]+)[].]'


class Tables(Mapping[str, Any]):
    r"""The tables of a TOML text by name, or those `under` one of its tables: a run asks for few of them.

    A table begins with a line that begins with a bracket: the text is that of a catalogue in which no other line does. What
    stands before the first, and elsewhere than `under`, is parsed when it is read: `rest`.

    >>> known = Tables('x = 1\n[a]\nb = 2\n[a.c]\nd = 3\n[e]\nb = this is not TOML')
    >>> list(known), known["a"], known.rest
    (['a', 'e'], {'b': 2, 'c': {'d': 3}}, {'x': 1})
    """

    def __init__(self, text: str, under: str = "") -> None:
        self.under, self.parsed = under, dict[str, Any]()
        self.others: dict[str, Any] | None = None
        self.pieces: dict[str, list[str]] = {}
        above = rf"{re.escape(under)}\." if under else ""
        head = re.compile(rf"\[\[?{above}{_PART}")
        beside: list[str] = []
        piece = beside
        for line in text.splitlines(keepends=True):
            if line.startswith("["):
                begins = head.match(line)
                piece = beside if begins is None else self.pieces.setdefault(begins[1].strip('"'), [])
            piece.append(line)
        self.beside = "".join(beside)

    @classmethod
    def of(cls, path: Path, under: str = "") -> Tables:
        """The tables of a file of this package, from the JSON beside it where there is one."""
        content = _ready(path)
        if content is None:
            return cls(path.read_text(encoding="utf-8"), under)
        found = cls("", under)
        inside = content.pop(under) if under else content
        found.parsed = {name: table for name, table in inside.items() if under or _is_table(table)}
        found.pieces = {name: [] for name in found.parsed}
        found.others = content if under else {name: one for name, one in content.items() if name not in found.parsed}
        return found

    @property
    def rest(self) -> dict[str, Any]:
        """What stands in no table, or in another than `under`."""
        return _parsed(self.beside) if self.others is None else self.others

    def __getitem__(self, name: str) -> Any:
        if name not in self.parsed:
            found = _parsed("".join(self.pieces[name]))
            self.parsed[name] = (found[self.under] if self.under else found)[name]
        return self.parsed[name]

    def __contains__(self, name: object) -> bool:
        return name in self.pieces

    def __iter__(self) -> Iterator[str]:
        return iter(self.pieces)

    def __len__(self) -> int:
        return len(self.pieces)


def tables_of(path: Path) -> dict[str, Any]:
    """Return all that a file of this package says, for what needs the whole of it."""
    ready = _ready(path)
    return _parsed(path.read_text(encoding="utf-8")) if ready is None else ready


def as_json(text: str) -> str:
    r"""Return a catalogue as the JSON that is read in its place.

    >>> as_json("[a]\nb = 2")
    '{"a":{"b":2}}'
    """
    return json.dumps(_parsed(text), ensure_ascii=False, separators=(",", ":"))


def _ready(path: Path) -> dict[str, Any] | None:
    """The JSON beside a file, where there is one."""
    ready = path.with_suffix(".json")
    return json.loads(ready.read_text(encoding="utf-8")) if ready.is_file() else None


def _is_table(value: Any) -> bool:
    """Whether it is written below a line with brackets, and not behind a name."""
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _parsed(text: str) -> dict[str, Any]:
    import tomllib  # which a run that asks for names alone does without

    return tomllib.loads(text)


class ReadOnce(Mapping[str, Value]):
    """What is made of tables, by name, each when it is first asked for.

    >>> ReadOnce({"a": {"b": 2}, "c": {}}, lambda name, table: table["b"])["a"]
    2
    """

    def __init__(self, tables: Mapping[str, Any], read: Callable[[str, dict[str, Any]], Value]) -> None:
        self.tables, self.read = tables, read
        self.found: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        if name not in self.found:
            self.found[name] = self.read(name, self.tables[name])
        return self.found[name]

    def __contains__(self, name: object) -> bool:
        return name in self.tables

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)
