"""`Engine`: what the software of a training run holds for itself on one device, as data from engines.toml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Engine:
    """What an engine holds for itself on one device: `bytes` of workspaces, from a `source`.

    It may have `dummies`, stages with weights and gradients `whole`, and one that `refers` to tensors of others: see engines.toml.
    """

    name: str
    title: str
    bytes: int
    source: str
    dummies: bool = False
    whole: bool = False
    refers: bool = False


@cache
def engines() -> Mapping[str, Engine]:
    """Return what engines hold for themselves, by the name of the software.

    >>> engines()["megatron-ci-h100"].bytes // 2**20
    100
    """
    content = tables_of(Path(__file__).with_name("engines.toml"))
    return {name: Engine(name, **table) for name, table in content.items()}
