"""`Library`: what runs a recipe, packs its weights or steps it, and for whose devices: see libraries.toml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.packing import packing
from symbolic_mem.recipes.optimizers import optimizer
from symbolic_mem.recipes.recipe import Recipe


@dataclass(frozen=True)
class Library:
    """A library that has `backends` for the devices of these vendors, and runs on those of others by `packages`, as its `source` says."""

    title: str
    backends: tuple[str, ...]
    packages: Mapping[str, str]
    source: str


def libraries(recipe: Recipe) -> tuple[Library, ...]:
    """Return the libraries that a recipe needs, where they are known: its engine, what packs its weights, and that of its optimizer.

    >>> from symbolic_mem.recipes.read import recipe
    >>> [one.title for one in libraries(recipe("qlora"))], [one.title for one in libraries(recipe("vllm"))]
    (['PyTorch', 'bitsandbytes'], ['vLLM'])
    """
    known = _libraries()
    return tuple(known[name] for name in dict.fromkeys(_needed(recipe)) if name)


def _needed(recipe: Recipe) -> Iterator[str]:
    yield from (recipe.engine, recipe.serves)
    if recipe.tuned.base not in ("", "none"):
        yield packing(recipe.tuned.base).library
    if recipe.optimizer:
        yield optimizer(recipe.optimizer).library


@cache
def _libraries() -> dict[str, Library]:
    return {
        name: Library(row["title"], tuple(row["backends"]), row.get("packages", {}), row["source"])
        for name, row in tables_of(Path(__file__).with_name("libraries.toml")).items()
    }
