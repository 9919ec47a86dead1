"""The lines of a worked problem as a study writes them, and the cases that they are worked through for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_formula, read_written
from symbolic_mem.base.symbols import local
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.base.values import dataclass
from symbolic_mem.base.written import MAX_DIGITS
from symbolic_mem.document.prose import Put
from symbolic_mem.models.build import build_model
from symbolic_mem.models.built import Built
from symbolic_mem.models.named import NAMED, unnamed
from symbolic_mem.questions.parts.accounted import ACCOUNTED, counted
from symbolic_mem.questions.parts.editions import Figure, in_edition, read_figures
from symbolic_mem.study.changed_values import set_value
from symbolic_mem.study.keys import At, words
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

KEYS = ("name", "formula", "unit", "statement", "printed", "note", "digits", "counts")
_COUNTS = ("of", "least", "most", "words")
_MOST_COUNTS = 100
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)?")


@dataclass(frozen=True)
class Counted:
    """From the `least` to the `most` that others count for each of an earlier line; `words` say of what."""

    of: sp.Symbol
    least: int
    most: int
    words: str


@dataclass(frozen=True)
class WorkedLine:
    """One line of a worked problem: a formula over symbols of the study and earlier names, and what the source says.

    `written` is the formula with each number where the study writes it; `printed` are figures in `unit`, as editions of the source write them; `digits` are the figures that are shown.
    Where it depends on what one counts, `counts` say of each of which earlier line, and how many others count.
    """

    symbol: sp.Symbol
    formula: sp.Expr
    written: Put
    unit: str
    statement: str
    printed: tuple[Figure, ...]
    note: str
    digits: int
    counts: Counted | None = None

    def dated(self, edition: str, where: str) -> WorkedLine:
        """The line with the `edition` of each figure that names none; refuses a figure without one."""
        return replace(self, printed=in_edition(self.printed, edition, f"{where}: {self.name}: printed"))

    def of(self, study: Study, first: Mapping[sp.Symbol, sp.Symbol]) -> WorkedLine:
        """The line with what the study has in place of the names of its model and its account, such as ``parameters``.

        `first` has the symbols of the lines of the first case for the names that formulas have for them.
        """
        return replace(self, formula=counted(unnamed(self.formula, study.built), study).xreplace(first))

    @property
    def first(self) -> sp.Symbol:
        """The line in the first case, as formulas name it: ``first_k_token``."""
        return local("first", self.name)

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


@dataclass(frozen=True)
class Case:
    """One of several models or sizes for which the same lines are worked through: its name, and what it sets.

    `symbols` are the names of those that it gives values to, its model's among them; `printed` are the figures of sources for it, by the name of the line.
    """

    name: str
    values: tuple[Change, ...]
    symbols: tuple[str, ...] = ()
    printed: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)

    def dated(self, edition: str, where: str) -> Case:
        """The case with the `edition` of each figure that names none; refuses a figure without one."""
        printed = {
            name: in_edition(figures, edition, f"{where}: {self.name}: printed {name}")
            for name, figures in self.printed.items()
        }
        return replace(self, printed=printed)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All its printed figures."""
        return tuple(one for figures in self.printed.values() for one in figures)

    def of(self, symbol: sp.Symbol) -> sp.Symbol:
        """The symbol of a line in this case.

        >>> str(Case("small", ()).of(sp.Symbol("P"))), str(Case("small", ()).of(sp.Symbol("M_load")))
        ('P_small', 'M_load, small')
        """
        base, _, sub = str(symbol).partition("_")
        return local(base, f"{sub}, {self.name}" if sub else self.name)


def cases(given: Any, at: At) -> tuple[Case, ...]:
    """Read the cases: tables with a `name` and values, all of the same symbols."""
    example = '{ name = "small", L = 12 }'
    if not isinstance(given, list) or not given or not all(isinstance(row, dict) for row in given):
        raise BadInput(f"{at.where}: give a list of tables, each with a name and values; for example {example}")
    found: list[Case] = []
    for position, row in enumerate(given, start=1):
        inside = f"{at.where}, number {position}"
        name = words(entry(row, "name", str, inside), At(f"{inside}: name"))
        if not name or name in (case.name for case in found):
            raise BadInput(f"{inside}: name = {name!r} is empty or that of an earlier case; give each its own")
        model, implied = _model(row, at.at(f"{inside}: model"))
        numbers = [key for key in row if key not in ("name", "model", "printed")]
        changes = (*model, *(set_value(key, row[key], inside, at.own) for key in numbers))
        if not changes:
            raise BadInput(f"{inside}: gives no value; for example {example}")
        printed = _printed(row, at.at(f"{inside}: printed"))
        found.append(Case(name, changes, tuple(dict.fromkeys((*implied, *numbers))), printed))
        if any("model" in row for row in given):  # each model has its own sizes
            continue
        if set(found[0].symbols) != set(found[-1].symbols):
            raise BadInput(
                f"{inside}: gives values to {', '.join(found[-1].symbols)}, and the first case to "
                f"{', '.join(found[0].symbols)}; give each case the same symbols"
            )
    return tuple(found)


def _model(row: Mapping[str, Any], at: At) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The model of a case, as under ``[model]``, and the names of the symbols that it gives values to."""
    if "model" not in row:
        return (), ()
    table = entry(row, "model", dict, at.where.removesuffix(": model"))
    built = build_model(table, at.where, at.folder, at.own)
    change = Change("model", f"model {built.model.name}", lambda study: _with_model(study, built))
    return (change,), tuple(map(str, built.values))


def _with_model(study: Any, built: Built) -> Any:
    return replace(study, built=built, values={**study.values, **built.values})


def _printed(row: Mapping[str, Any], at: At) -> dict[str, tuple[Figure, ...]]:
    given = row.get("printed", {})
    if not isinstance(given, dict):
        raise BadInput(f'{at.where}: give a table of figures by the name of their line; for example {{ M = "31.4" }}')
    return {name: read_figures(given[name], at.at(f"{at.where} {name}")) for name in given}


def names(given: Any, at: At) -> tuple[str, ...]:
    """Read one name of a line, or a list of them."""
    listed = given if isinstance(given, list) else [given]
    if not listed or len(set(map(str, listed))) < len(listed):
        raise BadInput(f"{at.where} = {given!r}; give the name of a step, or a list of different ones")
    return tuple(words(name, at) for name in listed)


def worked_lines(given: Any, at: At) -> tuple[WorkedLine, ...]:
    """Read the lines key by key; each may use the names of the lines before it."""
    if not isinstance(given, list) or not given:
        raise BadInput(f'{at.where}: nothing to work through; give for example {{ name = "a", formula = "C/W" }}')
    known: dict[str, sp.Expr] = at.names | NAMED | ACCOUNTED
    lines: list[WorkedLine] = []
    for position, row in enumerate(given, start=1):
        inside = f"{at.where}, number {position}"
        if not isinstance(row, dict):
            raise BadInput(f"{inside}: a step is a table with name and formula")
        line = _line(row, known, at.at(inside))
        known[line.name] = line.symbol
        known[f"first_{line.name}"] = local("first", line.name)
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
    if not 1 <= digits <= MAX_DIGITS:
        raise BadInput(f"{where}: digits = {digits} is not allowed; give 1 to {MAX_DIGITS}")
    said = {key: words(row.get(key, ""), at.at(f"{where}: {key}")) for key in ("unit", "statement", "note")}
    content = entry(row, "formula", str, where), names, f"{where}: formula"
    formula, written = read_formula(*content), Put(*read_written(*content))
    printed = read_figures(row["printed"], at.at(f"{where}: printed"), names) if "printed" in row else ()
    counts = _counts(row["counts"], names, at.at(f"{where}: counts")) if "counts" in row else None
    return WorkedLine(local(base, sub), formula, written, printed=printed, digits=digits, counts=counts, **said)


def _counts(given: Any, names: Mapping[str, sp.Expr], at: At) -> Counted:
    example = '{ of = "P", least = 10, most = 17, words = "operations for each parameter" }'
    if not isinstance(given, dict):
        raise BadInput(f"{at.where}: give a table, as in {example}")
    known_keys(given, _COUNTS, at.where)
    of, spelled = names.get(entry(given, "of", str, at.where)), words(entry(given, "words", str, at.where), at)
    least, most = (entry(given, key, int, at.where) for key in ("least", "most"))
    if not isinstance(of, sp.Symbol) or not spelled or not 1 <= least <= most <= _MOST_COUNTS:
        raise BadInput(
            f"{at.where}: give an earlier line, the least and the most (at most {_MOST_COUNTS}), as in {example}"
        )
    return Counted(of, least, most, spelled)
