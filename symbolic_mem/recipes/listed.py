"""What a list says of a bundled recipe, read off its table with plain fractions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from symbolic_mem.recipes.known import EVERY_ELEMENT, recipe_table
from symbolic_mem.recipes.optimizers import optimizer


class Row(NamedTuple):
    """Something that a recipe or an optimizer keeps, with the names of `State`."""

    bytes_per_element: Fraction
    copies: int
    rule: str
    of: str


class Listed(NamedTuple):
    """A recipe as it is listed, with the names of `Recipe`."""

    title: str
    source: str
    bytes_per_parameter: Fraction | None
    activations: Fraction
    quantised: tuple[tuple[str, Fraction], ...]


def listed(name: str) -> Listed:
    """Return what a list says of the bundled recipe of that name.

    >>> listed("cs336").bytes_per_parameter, listed("fp8").quantised[0]
    (Fraction(16, 1), ('linear layer', Fraction(33, 32)))
    """
    table = recipe_table(name)
    rows = [
        Row(Fraction(row["bytes"]), row.get("copies", 1), row.get("rule", EVERY_ELEMENT), row.get("of", ""))
        for row in table["states"]
    ]
    if "optimizer" in table:
        rows += _moments(table["optimizer"], Fraction(table.get("moments", 4)))
    return Listed(
        table["title"],
        table["source"],
        None if "trained" in table else of_a_parameter(rows),
        Fraction(table["activations"]),
        tuple((feeds, Fraction(size)) for feeds, size in table.get("quantised", {}).items()),
    )


def of_a_parameter(states: Iterable[Any]) -> Any:
    """Return the bytes of all `states` together for one parameter, or None where they depend on shapes, or on what is trained."""
    states = tuple(states)
    if any(state.rule != EVERY_ELEMENT or state.of for state in states):
        return None
    return sum(state.copies * state.bytes_per_element for state in states)


def _moments(name: str, parameter: Fraction) -> Iterator[Row]:
    for kept in optimizer(name).kept:
        if not kept.counter:
            size = parameter if kept.bytes_per_element is None else kept.bytes_per_element
            yield Row(size, kept.copies, kept.rule, kept.of)
