"""One dtype policy: a recipe and the profile of an engine train in the same precision, or their pair is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.models.losses import loss
from symbolic_mem.models.profile import PRECISIONS, Profile, in_precision, profiles
from symbolic_mem.recipes.read import presets
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.study.setting import Setting

S = TypeVar("S", bound=Setting)


def agreed(setting: S, *, asked: bool) -> S:
    """Return the setting with a profile in the precision of its recipe: its own, or that of the same engine.

    Raises `BadInput`, naming both, where the profile was `asked` for, or the engine has none in that precision, and for a loss
    with logits of 16 bits where the head makes them in 32.

    >>> from symbolic_mem.library.read import load_study
    >>> load_study("llama-3.1-8b").change(recipe="autocast").built.profile
    'torch-cuda-autocast'
    """
    found = _in_its_precision(setting, asked=asked)
    how, name = found.built.how, found.built.loss
    if how is not None and how.compute == 4 and name and loss(name).of_16_bits:
        raise BadInput(
            f"recipe {found.recipe.name!r} computes in FP32, and loss {name!r} has logits of 16 bits; choose loss fp32 or fused"
        )
    return found


def _in_its_precision(setting: S, *, asked: bool) -> S:
    how, recipe = setting.built.how, setting.recipe
    if how is None:
        return setting
    if how.precision in recipe.precisions:
        return setting
    brought = None if asked else in_precision(how.engine, recipe.precisions)
    if brought is None:
        raise BadInput(_refusal(recipe, how))
    with at_place(f"recipe {recipe.name!r} brings profile {brought.name!r}"):
        try:
            return replace(setting, built=setting.built.under(brought, setting.built.kernel))
        except BadInput as refused:
            others = _buildable(setting, how.engine)
            raise BadInput(f"{refused}; choose recipe {', '.join(others)}", others) if others else refused from None


def _buildable(setting: Setting, engine: str) -> list[str]:
    """The bundled recipes that train the same of a model, and under whose profile of the engine it can be built."""
    found: dict[str, bool] = {}
    names = []
    for name, one in presets().items():
        brought = in_precision(engine, one.precisions)
        if brought is None or one.trains != setting.recipe.trains or one.tuned != setting.recipe.tuned:
            continue
        if brought.name not in found:
            try:
                setting.built.under(brought, setting.built.kernel)
                found[brought.name] = True
            except BadInput:
                found[brought.name] = False
        if found[brought.name]:
            names.append(name)
    return names


def _refusal(recipe: Recipe, how: Profile) -> str:
    fitting = [one.name for one in profiles().values() if one.precision in recipe.precisions]
    others = [name for name, one in presets().items() if one.trains and how.precision in one.precisions]
    bundled = presets().get(recipe.name)
    own = bundled is None or recipe.activations == bundled.activations
    name = repr(recipe.name) if own else f"{recipe.name!r} with {recipe.activations} bytes for each activation"
    trains = f"trains in {PRECISIONS[recipe.precisions[0]]}" if recipe.precisions else "has a precision of its own"
    remedies = [f"profile {', '.join(fitting)}"] if fitting else ["activations = 2 or 4"]
    remedies += [f"recipe {', '.join(others)}"] if others else []
    return (
        f"recipe {name} {trains}, and profile {how.name!r} is that of {PRECISIONS[how.precision]}; choose "
        + " or ".join(remedies)
    )
