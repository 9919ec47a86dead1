"""What each optimizer keeps between steps, as data: see optimizers.toml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.shown import bytes_words
from symbolic_mem.base.tables import Tables
from symbolic_mem.recipes.states import EVERY_ELEMENT, State

DTYPES = {sp.Integer(8): "FP64", sp.Integer(4): "FP32", sp.Integer(2): "BF16"}


@dataclass(frozen=True)
class Kept:
    """One thing that an optimizer keeps; `bytes_per_element` is None where it follows the dtype of the parameters."""

    name: str
    bytes_per_element: sp.Rational | None
    copies: int
    reason: str
    rule: str
    counter: bool


@dataclass(frozen=True)
class Optimizer:
    """A named optimizer of one engine; `source` says which, in which version, and `step` what it holds in its step."""

    name: str
    title: str
    source: str
    kept: tuple[Kept, ...]
    step: str = ""

    def states(self, parameter: sp.Rational, step_counters: bool = False) -> tuple[State, ...]:
        """Return its states for parameters of `parameter` bytes; `step_counters` adds the few scalars per tensor.

        >>> [state.bytes_per_element for state in optimizer("adamw").states(sp.Integer(2), step_counters=True)]
        [2, 4]
        """
        return tuple(self._state(kept, parameter) for kept in self.kept if step_counters or not kept.counter)

    def _state(self, kept: Kept, parameter: sp.Rational) -> State:
        size = parameter if kept.bytes_per_element is None else kept.bytes_per_element
        dtype = DTYPES.get(size, bytes_words(size)) if kept.bytes_per_element is None else ""
        reason = ", ".join(text for text in (kept.reason, dtype) if text)
        return State(kept.name, "optimizer", size, kept.copies, reason, kept.rule, moment=True)


def optimizers() -> dict[str, Optimizer]:
    """Return the bundled optimizers by name, in the order of the file."""
    return {name: optimizer(name) for name in _tables()}


@cache
def optimizer(name: str) -> Optimizer:
    """Return the bundled optimizer of that name.

    Raises `BadInput` for a name that is not bundled.

    >>> optimizer("lion").title
    'Lion'
    """
    tables = _tables()
    if name not in tables:
        raise BadInput(f"unknown optimizer {name!r}; {nearest(name, tables, 'list optimizers')}")
    return _read(name, tables[name])


@cache
def _tables() -> Tables:
    return Tables.of(Path(__file__).with_name("optimizers.toml"))


def _read(name: str, table: dict) -> Optimizer:
    kept = tuple(
        Kept(
            name=row["name"],
            bytes_per_element=sp.Rational(row["bytes"]) if "bytes" in row else None,
            copies=row.get("copies", 1),
            reason=row.get("reason", ""),
            rule=row.get("rule", EVERY_ELEMENT),
            counter=row.get("counter", False),
        )
        for row in table["keeps"]
    )
    return Optimizer(name, table["title"], table["source"], kept, table.get("step", ""))
