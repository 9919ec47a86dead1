"""`Recipe`: how many bytes training keeps for every parameter and every saved activation, and who says so."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import sympy as sp

from symbolic_mem.errors import BadInput, nearest
from symbolic_mem.terms import KINDS


@dataclass(frozen=True)
class State:
    """Something kept for every parameter: `copies` values of `bytes_per_element` each."""

    name: str
    kind: str
    bytes_per_element: sp.Rational
    copies: int = 1
    reason: str = ""


@dataclass(frozen=True)
class Recipe:
    """A named set of states and the bytes of one saved activation; `not_counted` says what it leaves out."""

    name: str
    title: str
    source: str
    states: tuple[State, ...]
    activations: sp.Rational
    activations_reason: str = ""
    assumptions: tuple[str, ...] = ()
    not_counted: tuple[str, ...] = ()

    @property
    def bytes_per_parameter(self) -> sp.Rational:
        """Bytes of all states together for one parameter.

        >>> recipe("cs336").bytes_per_parameter
        16
        """
        return sum((state.copies * state.bytes_per_element for state in self.states), sp.S.Zero)

    def override(self, bytes_by_kind: Mapping[str, sp.Rational]) -> Recipe:
        """Return the recipe with other bytes per element for some kinds; the moments of an optimizer share theirs.

        >>> recipe("cs336").override({"gradients": sp.Integer(2)}).bytes_per_parameter
        14
        """
        for kind in bytes_by_kind:
            if kind not in (*{state.kind for state in self.states}, "activations"):
                raise BadInput(f"recipe {self.name!r} keeps no {kind!r}; {nearest(kind, KINDS)}")
        states = tuple(
            replace(state, bytes_per_element=bytes_by_kind.get(state.kind, state.bytes_per_element))
            for state in self.states
        )
        changed = [f"{kind}: {size} bytes each" for kind, size in bytes_by_kind.items()]
        return replace(
            self,
            states=states,
            activations=bytes_by_kind.get("activations", self.activations),
            assumptions=self.assumptions + ((f"Changed from the preset: {'; '.join(changed)}.",) if changed else ()),
        )


@cache
def presets() -> dict[str, Recipe]:
    """Return the bundled recipes by name, in the order of the file."""
    data = tomllib.loads((files("symbolic_mem") / "recipes" / "presets.toml").read_text(encoding="utf-8"))
    return {name: _read(name, table) for name, table in data.items()}


def recipe(name: str) -> Recipe:
    """Return the bundled recipe of that name.

    >>> recipe("cs336").title
    'CS336 assignment 2: FP32 training state, BF16 activations'
    """
    known = presets()
    if name not in known:
        raise BadInput(f"unknown recipe {name!r}; {nearest(name, known)}")
    return known[name]


def _read(name: str, table: dict) -> Recipe:
    states = tuple(
        State(row["name"], row["kind"], sp.Rational(row["bytes"]), row.get("copies", 1), row.get("reason", ""))
        for row in table["states"]
    )
    return Recipe(
        name=name,
        title=table["title"],
        source=table["source"],
        states=states,
        activations=sp.Rational(table["activations"]),
        activations_reason=table.get("activations_reason", ""),
        assumptions=tuple(table.get("assumptions", ())),
        not_counted=tuple(table.get("not_counted", ())),
    )
