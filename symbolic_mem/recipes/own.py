"""Recipes of a caller's own file: each table is what ``[recipe]`` of a study holds, with a title and a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tomlfile import entry, known_keys, read_toml
from symbolic_mem.recipes.read import KEYS, presets, read_recipe, recipe
from symbolic_mem.recipes.recipe import Recipe


def read_recipes(path: str | Path) -> Mapping[str, Recipe]:
    """Read the recipes of a TOML file by name; one with the name of a bundled recipe takes its place.

    Raises `BadInput` for a key that ``[recipe]`` does not have, and for a table without title or source.
    """
    found = {}
    content = read_toml(Path(path))
    for name in content:
        where = f"{path} [{name}]"
        table = entry(content, name, dict, where)
        known_keys(table, ("title", "source", *KEYS), where)
        for key in ("title", "source"):
            if not entry(table, key, str, where, ""):
                raise BadInput(f"{where}: {key} is missing; say in words what the recipe is and who says so")
        made = read_recipe({key: value for key, value in table.items() if key in KEYS}, where, folder=Path(path).parent)
        found[name] = replace(made, name=name, title=table["title"], source=table["source"])
    return found


def recipe_of(name: str, path: str | Path | None = None) -> Recipe:
    """Return the recipe of that name, of the file `path` or bundled."""
    if path is None:
        return recipe(name)
    own = read_recipes(path)
    if name in own:
        return own[name]
    if name not in presets():
        raise BadInput.unknown(f"unknown recipe {name!r}", name, {**presets(), **own}, "list recipes")
    return recipe(name)
