"""How frozen weights are packed, as data: see bases.toml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass
from symbolic_mem.recipes.states import EVERY_ELEMENT, OTHERS, State


@dataclass(frozen=True)
class Base:
    """A way to pack the frozen matrices of the blocks, with the `states` that it keeps of them."""

    name: str
    title: str
    source: str
    states: tuple[State, ...]

    def under(self, states: tuple[State, ...]) -> tuple[State, ...]:
        """Return the states of a recipe with frozen matrices packed; all other weights stay as they are.

        >>> weights = State("BF16 weights", "weights", sp.Integer(2))
        >>> [(one.name, one.only) for one in base("nf4").under((weights,))][1:]
        [('scales of the NF4 weights', 'frozen'), ('BF16 weights, not packed', 'frozen'), ('BF16 weights, trained', 'trained')]
        """
        kept = [one for one in states if one.kind != "weights"]
        weights = [part for one in states if one.kind == "weights" for part in _not_packed(one)]
        return (*self.states, *weights, *kept)

    def of_all(self, states: tuple[State, ...]) -> tuple[State, ...]:
        """Return the states of a recipe that trains nothing, with all matrices of the blocks packed.

        >>> weights = State("BF16 weights", "weights", sp.Integer(2))
        >>> [one.name for one in base("fp8").of_all((weights,))]
        ['FP8 weights', 'scales of the FP8 weights', 'BF16 weights, not packed']
        """
        packed = (replace(one, of="") for one in self.states)
        others = (replace(one, name=f"{one.name}, not packed", rule=OTHERS) for one in states if one.kind == "weights")
        return (*packed, *others, *(one for one in states if one.kind != "weights"))


def _not_packed(state: State) -> Iterator[State]:
    if state.rule != EVERY_ELEMENT:
        raise BadInput(
            f"the recipe fixes how its {state.name} are kept, so that they cannot be packed; choose another recipe"
        )
    if state.only in ("", "frozen"):
        yield replace(state, name=f"{state.name}, not packed", of="frozen", rule=OTHERS)
    if state.only == "":
        yield replace(state, name=f"{state.name}, trained", of="trained")
    if state.only == "trained":
        yield state


@cache
def base(name: str) -> Base:
    """Return the way to pack weights of that name; raises `BadInput` for one that is not known.

    >>> base("int8").title
    '8 bits with an FP32 scale for each output'
    """
    tables = tables_of(Path(__file__).with_name("bases.toml"))
    if name not in tables:
        raise BadInput(f"unknown base {name!r} of packed weights; {nearest(name, tables)}")
    table = tables[name]
    states = tuple(
        State(row["name"], "weights", sp.Rational(row["bytes"]), reason=row["reason"], rule=row["rule"], of="frozen")
        for row in table["states"]
    )
    return Base(name, table["title"], table["source"], states)
