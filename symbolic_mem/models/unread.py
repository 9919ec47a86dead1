"""The fields of a config.json that are not read: those that may change the model are named, and some are refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.tomlfile import clipped


def unread(content: Mapping[str, Any], read: Collection[str], where: str) -> tuple[str, ...]:
    """Return the fields of a parsed config that are not among those `read` and may change the model, in their order.

    Raises `BadInput` for a field that is known to change how many weights there are.

    >>> unread({"hidden_size": 64, "torch_dtype": "float16", "use_moe": True, "use_mup": False}, ["hidden_size"], "c.json")
    ('use_moe',)
    >>> unread({"add_cross_attention": True}, [], "c.json")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: c.json: add_cross_attention is true: it adds cross-attention to every block, which is not counted; remove the field for the account without
    """
    table = _table()
    found = []
    for name, value in content.items():
        if name in read or not value or value == table["neutral"].get(name):
            continue
        if name in table["refused"]:
            given = "true" if value is True else clipped(str(value))
            why = table["refused"][name]
            raise BadInput(f"{where}: {name} is {given}: it {why}; remove the field for the account without")
        if name not in table["inert"]:
            found.append(name)
    return tuple(found)


def inert() -> frozenset[str]:
    """The fields that change neither the weights nor what is kept, whatever they hold.

    >>> "time_step_limit" in inert(), "hidden_size" in inert()
    (True, False)
    """
    return _table()["inert"]


@cache
def _table() -> dict[str, Any]:
    table = tables_of(Path(__file__).with_name("unread.toml"))
    return table | {"inert": frozenset(table["inert"])}
