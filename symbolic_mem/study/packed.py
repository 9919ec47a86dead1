"""Weights of inference as their file stores them, where a config.json says that they are quantised."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from symbolic_mem.recipes.bases import of_all, of_file
from symbolic_mem.recipes.read import presets
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.study.setting import Setting

S = TypeVar("S", bound=Setting)


def as_stored(setting: S) -> S:
    """Return a setting of inference with the weights packed as the file of its model has them, if it says so.

    What is not packed has the bytes of the recipe; a recipe that says itself what a weight takes stays as it is.
    """
    recipe, built = setting.recipe, setting.built
    how = built.packing
    if recipe.trains or how is None or not _of_preset(recipe):
        return setting
    kept = recipe.states
    states = of_file(how.kinds, kept) if how.how is None else of_all(how.how, kept, how.groups)
    source = "" if how.how is None else f"; {how.how.source}"
    return replace(setting, recipe=recipe.with_packed(states, f"as in the file ({how.words}{source})"))


def _of_preset(recipe: Recipe) -> bool:
    preset = presets().get(recipe.name)
    return preset is not None and recipe.states == preset.states and not any("weights" in one for one in recipe.changes)
