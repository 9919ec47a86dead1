"""Which layers of a config attend to the last tokens only: the size of their window, and how many they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base import symbols as s
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import tables_of
from symbolic_mem.models.architecture import Window
from symbolic_mem.models.json_file import kind_of

SIZE, SLIDING, FULL = "sliding_window", "sliding_attention", "full_attention"
MOST = 10**9
RULES: dict[str, Callable[[int, int], bool]] = {
    "every": lambda i, n: (i + 1) % n != 0,
    "first": lambda i, n: i % n != 0,
    "only": lambda i, n: (i + 1) % n == 0,
    "after": lambda i, n: i >= n,
    "alternate": lambda i, n: i % 2 == 0 and i < n,
    "": lambda i, n: True,
}


@cache
def _families() -> Mapping[str, Mapping[str, Any]]:
    return tables_of(Path(__file__).with_name("windows.toml"))["families"]


def windows(
    table: Mapping[str, Any], family: str, layers: int, where: str
) -> tuple[Window | None, dict[sp.Symbol, sp.Rational]]:
    """Return the windows of a config of that `family`, and the numbers of their symbols; None where no layer has one.

    Raises `BadInput` for a size that is no whole number, and for a list that does not say the kind of each layer.

    >>> windows({"sliding_window": 512}, "gemma3_text", 26, "config.json")[1]
    {S_window: 512, L_window: 22}
    """
    row = _families().get(family)
    if row is None or not _switched_on(table, row, where):
        return None, {}
    name = row.get("size", SIZE)
    size = table[name] if name in table else row.get("default")
    if size is None:
        return None, {}
    found = _number(size, name, where)
    kinds = tuple(_kinds(table, row, layers, where))
    number = sum(kinds)
    if number == 0:
        return None, {}
    if number == layers:
        return Window(layers=s.L, kinds=kinds), {s.S_window: found}
    return Window(kinds=kinds), {s.S_window: found, s.L_window: sp.Integer(number)}


def _switched_on(table: Mapping[str, Any], row: Mapping[str, Any], where: str) -> bool:
    switch = row.get("switch")
    given = True if switch is None else table.get(switch) or False
    if not isinstance(given, bool):
        raise BadInput(f"{where}: {switch} must be true or false, not {kind_of(given)}")
    return given


def _kinds(table: Mapping[str, Any], row: Mapping[str, Any], layers: int, where: str) -> list[bool]:
    sliding, listed, marks = row.get("kind", SLIDING), table.get("layer_types"), table.get(row.get("marks", ""))
    if listed is None and isinstance(marks, list) and marks:
        if len(marks) != layers or not all(mark in (0, 1) for mark in marks):
            raise BadInput(f"{where}: {row['marks']} must say 0 or 1 for each of the {layers} layers")
        return [mark == row["marked"] for mark in marks]
    if listed is None:
        given = table.get(row.get("field", ""))
        n = int(_number(row.get("n", 1) if given is None else given, row.get("field", ""), where, least=0))
        if n == 0 and row.get("rule") not in ("after", "alternate"):
            return [False] * layers
        return [RULES[row.get("rule", "")](i, n) for i in range(layers)]
    if not (isinstance(listed, list) and len(listed) == layers and all(kind in (sliding, FULL) for kind in listed)):
        said = f"has {len(listed)} entries for {layers} layers" if isinstance(listed, list) else "is no list"
        raise BadInput(f"{where}: layer_types {said}; it must say {sliding} or {FULL} for each of the {layers} layers")
    return [kind == sliding for kind in listed]


def _number(given: object, name: str, where: str, least: int = 1) -> sp.Integer:
    if type(given) is not int:
        raise BadInput(f"{where}: {name} must be a whole number, not {kind_of(given)}")
    if not least <= given <= MOST:
        raise BadInput(f"{where}: {name} is {given}; it must be from {least} to {MOST:,}")
    return sp.Integer(given)
