"""The tables of the bundled engine profiles, by name, and the refusal of a name that none has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import Tables

Value = TypeVar("Value")


class Listed(NamedTuple):
    """An engine profile as it is listed, with the names of `Profile`; of what it `keeps` the operations alone."""

    title: str
    source: str
    kernel: str
    keeps: tuple[str, ...]


@cache
def profile_tables() -> Tables:
    """Return the tables of profiles.toml."""
    return Tables.of(Path(__file__).with_name("profiles.toml"))


def profile_among(known: Mapping[str, Value], name: str) -> Value:
    """Return what is `known` by the name of a profile; raises `BadInput` naming those there are.

    >>> profile_among(profile_tables(), "hf-cuda-bf16")["engine"]
    'hf-cuda'
    """
    if name not in known:
        raise BadInput.unknown(f"unknown profile {name!r}", name, known, "list profiles")
    return known[name]


def rows_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows of a table of what is kept, by operation; each kernel of attention has its own."""
    rows = {operation: row for operation, row in table.items() if operation != "attention"}
    return rows | {f"attention {kernel}": row for kernel, row in table.get("attention", {}).items()}


def kept_rows(table: Mapping[str, Any], inherited: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the profile of a table keeps: the rows that are `inherited`, but those without, and its own.

    >>> kept_rows({"without": ["relu"], "keeps": {"attention": {"flash": {}}}}, {"relu": {}, "gelu": {}})
    {'gelu': {}, 'attention flash': {}}
    """
    dropped = table.get("without", ())
    return {name: row for name, row in inherited.items() if name not in dropped} | rows_of(table.get("keeps", {}))


@cache
def listed(name: str) -> Listed:
    """Return what a list says of the bundled profile of that name.

    >>> listed("hf-cuda-bf16").kernel
    'flash'
    """
    table = profile_tables()[name]
    base = listed(table["extends"]) if "extends" in table else Listed("", "", "", ())
    own = {key: table[key] for key in ("title", "source", "kernel") if key in table}
    return base._replace(**own, keeps=tuple(kept_rows(table, dict.fromkeys(base.keeps))))
