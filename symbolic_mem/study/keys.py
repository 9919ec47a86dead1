"""How the keys of a question are declared and read: each field of its class says what reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.harmless import harmless
from symbolic_mem.base.symbols import Name, spelled
from symbolic_mem.base.values import dataclass
from symbolic_mem.study.setting import Change


@dataclass(frozen=True)
class At:
    """Where a key stands (file, question, key), and what a reader may need to know of the file.

    Keys that a caller gives by `options` have the places of these, by the name of the key where the option has another.
    That is the caller's own files of devices, recipes, profiles and plans, the `editions` of sources that the study declares, in words by name, the names
    of its own symbols, and the folder where its paths start.
    """

    where: str
    devices: str | None = None
    recipes: str | None = field(default=None, kw_only=True)
    profiles: str | None = field(default=None, kw_only=True)
    plans: str | None = field(default=None, kw_only=True)
    options: Mapping[str, str] | None = field(default=None, kw_only=True)
    editions: Mapping[str, str] = field(default_factory=dict)
    own: tuple[Name, ...] = ()
    folder: Path = Path()

    @property
    def names(self) -> dict[str, sp.Expr]:
        """The symbols that formulas may use: those of every study, and its own."""
        return {**spelled(self.own)}

    def at(self, where: str) -> At:
        """Another place in the same file."""
        return replace(self, where=where)

    def inside(self, name: str) -> At:
        """The place of a key of the table that stands here."""
        if self.options is None:
            return self.at(f"{self.where}: {name}")
        return self.at(f"--{self.options.get(name, name).replace('_', '-')}")


Reader = Callable[[Any, At], Any]


def key(read: Reader, default: Any = None, *, name: str = "") -> Any:
    """Declare a field of a question: how it is read from its key, which has the field's name unless `name` says another.

    The value of a field that is not given is `default`.
    """
    return field(default=default, metadata={"read": read, "key": name})


def sets(make: Callable[[Any, At], Change | Iterable[Change]], *, name: str = "") -> Any:
    """Declare a key that changes the study for this question alone; the field holds the changes that it makes."""

    def read(given: Any, at: At) -> tuple[Change, ...]:
        made = make(given, at)
        return (made,) if isinstance(made, Change) else tuple(made)

    return field(default=(), metadata={"read": read, "key": name, "change": True})


def words(given: Any, at: At) -> str:
    """Read a text of the user: words that are printed as they are, without control characters."""
    if not isinstance(given, str):
        raise wrong_type(given, at, "text")
    return harmless(given, at.where)


def wrong_type(given: object, at: At, wanted: str) -> BadInput:
    """Say that a key holds something of the wrong type."""
    shown = str(given).lower() if isinstance(given, bool) else repr(given)
    return BadInput(f"{at.where} = {shown[:60]} has the wrong type; give {wanted}")
