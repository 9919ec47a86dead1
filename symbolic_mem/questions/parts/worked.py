"""The lines of a worked problem as a study writes them: name, formula, unit, words, and the figure of the source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_formula, read_written
from symbolic_mem.base.symbols import local, table
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.document.prose import Put
from symbolic_mem.questions.parts.editions import Figure, in_edition, read_figures
from symbolic_mem.study.question import At, words

KEYS = ("name", "formula", "unit", "statement", "printed", "note", "digits")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)?")


@dataclass(frozen=True)
class WorkedLine:
    """One line of a worked problem: a formula over symbols of the study and earlier names, and what the source says.

    `written` is the formula with each number where the study writes it; `printed` are figures in `unit`, as editions of the source write them; `digits` are the figures that are shown.
    """

    symbol: sp.Symbol
    formula: sp.Expr
    written: Put
    unit: str
    statement: str
    printed: tuple[Figure, ...]
    note: str
    digits: int

    def dated(self, edition: str, where: str) -> WorkedLine:
        """The line with the `edition` of each figure that names none; refuses a figure without one."""
        return replace(self, printed=in_edition(self.printed, edition, f"{where}: {self.name}: printed"))

    @property
    def name(self) -> str:
        """How later lines and the question name it."""
        return str(self.symbol)

    @property
    def scale(self) -> int:
        """What a number in the unit is multiplied by: the bytes of a unit of memory, else 1."""
        return BYTES_PER.get(self.unit, 1)

    @property
    def memory(self) -> bool:
        """Whether it is an amount of memory."""
        return self.unit in BYTES_PER or self.unit == "bytes"


def worked_lines(given: Any, at: At) -> tuple[WorkedLine, ...]:
    """Read the lines key by key; each may use the names of the lines before it."""
    if not isinstance(given, list) or not given:
        raise BadInput(f'{at.where}: nothing to work through; give for example {{ name = "a", formula = "C/W" }}')
    names: dict[str, sp.Expr] = {str(name.symbol): name.symbol for name in table(given=True)}
    lines: list[WorkedLine] = []
    for position, row in enumerate(given, start=1):
        inside = f"{at.where}, number {position}"
        if not isinstance(row, dict):
            raise BadInput(f"{inside}: a step is a table with name and formula")
        line = _line(row, names, at.at(inside))
        names[line.name] = line.symbol
        lines.append(line)
    return tuple(lines)


def _line(row: Mapping[str, Any], names: Mapping[str, sp.Expr], at: At) -> WorkedLine:
    where = at.where
    known_keys(row, KEYS, where)
    name = entry(row, "name", str, where)
    if not _NAME.fullmatch(name) or name in names:
        state = "is already the name of something" if name in names else "is not a name"
        raise BadInput(f"{where}: {name!r} {state}; take letters and digits, with one _ before a subscript: t_step")
    base, _, sub = name.partition("_")
    digits = entry(row, "digits", int, where, 5)
    if digits < 1:
        raise BadInput(f"{where}: digits = {digits} shows nothing; give at least 1")
    said = {key: words(row.get(key, ""), at.at(f"{where}: {key}")) for key in ("unit", "statement", "note")}
    content = entry(row, "formula", str, where), names, f"{where}: formula"
    formula, written = read_formula(*content), Put(*read_written(*content))
    printed = read_figures(row["printed"], at.at(f"{where}: printed"), names) if "printed" in row else ()
    return WorkedLine(local(base, sub), formula, written, printed=printed, digits=digits, **said)
