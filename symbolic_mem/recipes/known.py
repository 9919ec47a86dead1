"""The tables of recipes, optimizers and formats of caches, by name: what is known of them before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import Tables

# Optimizers of transformers whose states are not described, and what to ask in their place.
_INSTEAD = {
    "galore": "adamw, which keeps more: GaLore keeps moments of gradients of a smaller rank, and what projects them",
    "apollo": "adamw, which keeps more: APOLLO keeps moments of gradients of a smaller rank",
    "lomo": "sgd with --gradients one-by-one: LOMO keeps no states and steps in the backward pass",
    "adalomo": "adafactor-32bit with --gradients one-by-one: AdaLomo keeps FP32 averages of rows and of columns and steps in the backward pass",
    "adamw_torch_xla": "adamw, which keeps two moments, too",
    "adamw_torch_npu": "adamw, which keeps two moments, too",
    "adamw_apex": "adamw, which keeps two moments, too",
    "adamw_torch_8bit": "adamw-8bit, which keeps two moments in 8 bits with scales, too",
    "adamw_torch_4bit": "adamw-8bit, which keeps more: moments of 8 bits, not 4",
    "adamw_anyprecision": "adam-32bit, whose moments are FP32, too: AnyPrecisionAdamW may be told otherwise",
    "grokadamw": "adamw, which keeps less: GrokAdamW keeps an average of gradients beside two moments",
    "stable_adamw": "adamw, which keeps two moments, too: with weights of 16 bits StableAdamW also keeps what rounding loses",
}
EVERY_ELEMENT = "every element"  # the rule of what is kept where a table names none


def recipe_tables() -> Tables:
    """Return the tables of presets.toml."""
    return _tables("presets.toml")


def recipe_table(name: str) -> Mapping[str, Any]:
    """Return the table of the bundled recipe of that name; raises `BadInput` naming those there are.

    >>> recipe_table("cs336")["moments"]
    4
    """
    return _named(name, recipe_tables(), "recipe")


def optimizer_tables() -> Tables:
    """Return the tables of optimizers.toml."""
    return _tables("optimizers.toml")


def optimizer_table(name: str) -> Mapping[str, Any]:
    """Return the table of the bundled optimizer of that name; raises `BadInput` naming those there are.

    >>> optimizer_table("lion")["title"]
    'Lion'
    """
    return optimizer_tables()[optimizer_named(name)]


def optimizer_named(name: str) -> str:
    """Return the optimizer that is meant, also by the names of transformers and bitsandbytes; raises `BadInput` naming those there are.

    >>> optimizer_named("paged_adamw_8bit"), optimizer_named("PagedAdamW8bit"), optimizer_named("paged-adamw")
    ('adamw-bnb-8bit', 'adamw-8bit', 'adam-32bit')
    """
    if name.strip().lower() in optimizer_tables():
        return name.strip().lower()
    spelt = name.strip().lower().replace("-", "_")
    for known, row in optimizer_tables().items():
        if spelt in (known.replace("-", "_"), *row.get("names", ())):
            return known
    for known, row in optimizer_tables().items():
        if spelt.replace("_", "") in row.get("names", ()):
            return known
    for kind, instead in _INSTEAD.items():
        if spelt.startswith(kind):
            raise BadInput(f"optimizer {name!r} is not described; ask for {instead}")
    _named(name, optimizer_tables(), "optimizer")
    return name


def cache_tables() -> Tables:
    """Return the tables of caches.toml."""
    return _tables("caches.toml")


def cache_named(name: str) -> str:
    """Return the format of caches that is meant, however it is spelt; raises `BadInput` naming those there are.

    >>> cache_named("FP8-E4M3"), cache_named("bfloat16")
    ('fp8', 'bf16')
    """
    spelt = name.strip().lower().replace("-", "_").removeprefix("torch.")
    for known, row in cache_tables().items():
        if spelt in (known, *row.get("names", ())):
            return known
    raise BadInput.unknown(f"unknown cache dtype {name!r}", spelt, cache_tables())


def _named(name: str, tables: Tables, what: str) -> Mapping[str, Any]:
    if name not in tables:
        raise BadInput.unknown(f"unknown {what} {name!r}", name, tables, f"list {what}s")
    return tables[name]


@cache
def _tables(file: str) -> Tables:
    return Tables.of(Path(__file__).with_name(file))
