"""What the question `stages` found: the memory of each stage as a formula, and the cells of its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.exact import Values
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.values import dataclass
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.found import Found


@dataclass(frozen=True)
class Cell:
    """One stage at one entry of the rows: the exact `value` (None where nothing fits), and the `printed` figure.

    The figure has a `verdict`, and is `off` by that much: what is printed less what is exact. A study that the caller
    changed is not the one of the source, and has no figure.
    """

    stage: int
    entry: int
    value: sp.Rational | None
    printed: str = ""
    verdict: str = ""
    off: sp.Rational | None = None


@dataclass(frozen=True)
class Solved:
    """What is solved for in place of the bytes: the largest `symbol` that `capacity` holds.

    `quotients` are the real numbers that it must not exceed, one for each stage that has it in closed form.
    """

    symbol: sp.Symbol
    capacity: Capacity
    quotients: tuple[sp.Expr, ...]


@dataclass(frozen=True, repr=False)
class FoundStages(Found):
    """One line for each of the `stages`, over what is `known` and the parameters where they are `counted`.

    The `cells` stand stage by stage for each entry of `rows`; their numbers are bytes, or, where something is `solved`
    for, counts of the `unit`.
    """

    stages: tuple[int, ...]
    rows: sp.Symbol
    known: Values
    parameters: Line | None
    lines: tuple[Line, ...]
    cells: tuple[Cell, ...]
    unit: str
    solved: Solved | None = None

    @property
    def feasible(self) -> bool:
        """Whether any cell has a number."""
        return any(cell.value is not None for cell in self.cells)

    @property
    def ledger(self) -> Ledger:
        """The parameters where they are counted, and the bytes of one device in every stage, such as ``M_stage 1``."""
        return Ledger(self.lines if self.parameters is None else (self.parameters, *self.lines), self.known)

    @property
    def at_entries(self) -> Mapping[int, tuple[Cell, ...]]:
        """The cells of each row."""
        entries = dict.fromkeys(cell.entry for cell in self.cells)
        return {entry: tuple(cell for cell in self.cells if cell.entry == entry) for entry in entries}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Every cell with the figure of the source and its verdict, and the unit of the figures."""
        return {"cells": [self._facts(cell) for cell in self.cells], "unit": self.unit}

    def _facts(self, cell: Cell) -> dict[str, Any]:
        fact = {"stage": cell.stage, str(self.rows): cell.entry, "value": cell.value, "printed": cell.printed or None}
        return {**fact, "verdict": cell.verdict} if cell.printed else fact
