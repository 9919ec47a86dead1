"""The tables of the bundled plans, by name, and the refusal of a name that none has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.tables import Tables

Value = TypeVar("Value")


@cache
def plan_tables() -> Tables:
    """Return the tables of plans.toml."""
    return Tables.of(Path(__file__).with_name("plans.toml"))


def factors(name: str, known: Mapping[str, Value]) -> Iterator[Value]:
    """Yield what is `known` by that name, or by each of the names that a plus joins; raises `BadInput` naming those there are.

    >>> list(factors("fsdp2+ep", {"fsdp2": 1, "ep": 2}))
    [1, 2]
    """
    return (plan_among(known, one) for one in name.split("+"))


def plan_among(known: Mapping[str, Value], name: str) -> Value:
    """Return what is `known` by the name of one plan; raises `BadInput` naming those there are."""
    if name not in known:
        raise BadInput(
            f"unknown plan {name!r}; {nearest(name, known, 'list plans')}; join two with + for their product"
        )
    return known[name]
