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
    """Return a setting of inference with the weights packed as the file of its model has them, or its engine loads them.

    What is not packed has the bytes of the recipe; a recipe that says itself what a weight takes stays as it is.
    """
    recipe, built = setting.recipe, setting.built
    how = built.packing
    if recipe.trains or how is None or not _of_preset(recipe):
        return setting
    kept = recipe.states
    if how.how is None:
        return replace(setting, recipe=recipe.with_packed(of_file(how.kinds, kept), f"as in the file ({how.words})"))
    served = how.how.served if recipe.serves else None
    words = f"as in the file ({how.words}; {how.how.source})"
    if served is not None:
        words = f"as {recipe.serves} loads the file ({served.title}; {served.source})"
    states = of_all(served or how.how, kept, how.groups, how.apart)
    return replace(setting, recipe=recipe.with_packed(states, words))


def _of_preset(recipe: Recipe) -> bool:
    preset = presets().get(recipe.name)
    return preset is not None and recipe.states == preset.states and not any("weights" in one for one in recipe.changes)
