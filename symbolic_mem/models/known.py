"""The tables of the bundled engine profiles, by name, and the refusal of a name that none has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.tables import Tables

Value = TypeVar("Value")


@cache
def profile_tables() -> Tables:
    """Return the tables of profiles.toml."""
    return Tables.of(Path(__file__).with_name("profiles.toml"))


def profile_among(known: Mapping[str, Value], name: str) -> Value:
    """Return what is `known` by the name of a profile; raises `BadInput` naming those there are.

    >>> profile_among(profile_tables(), "hf-cuda-bf16")["engine"]
    'hf-cuda'
    """
    if name not in known:
        raise BadInput(f"unknown profile {name!r}; {nearest(name, known, 'list profiles')}")
    return known[name]
