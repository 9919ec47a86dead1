"""The tables of the bundled plans, by name, and the refusal of a name that none has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from symbolic_mem.base.errors import BadInput
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
        raise BadInput.unknown(
            f"unknown plan {name!r}", name, known, "list plans", then="; join two with + for their product"
        )
    return known[name]


class Listed(NamedTuple):
    """A plan as it is listed, with the names of `Plan`; what cuts a dimension is as it is written."""

    title: str
    source: str
    divided: tuple[str, ...]
    cuts: tuple[tuple[str, str], ...]
    checked: str


def listed(name: str) -> Listed:
    """Return what a list says of the bundled plan of that name: of a product, what its factors do.

    >>> listed("megatron").divided, dict(listed("megatron").cuts)["heads"]
    (('optimizer',), 'n_tp')
    """
    table = plan_tables()[name]
    joined = [listed(factor) for factor in table.get("product", ())]
    return Listed(
        table["title"],
        table["source"],
        (*table.get("divided", ()), *(kind for factor in joined for kind in factor.divided)),
        (*table.get("cuts", {}).items(), *(cut for factor in joined for cut in factor.cuts)),
        table["checked"],
    )
