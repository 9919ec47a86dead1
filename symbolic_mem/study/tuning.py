"""The model that a recipe trains: its adapters are on the model, and their rank has a value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TypeVar

import sympy as sp

from symbolic_mem.base.symbols import L, r_lora
from symbolic_mem.models.adapters import check_trained, in_family
from symbolic_mem.models.built import Built
from symbolic_mem.models.stacks import in_layers
from symbolic_mem.recipes.tuned import EVERYTHING, Tuned
from symbolic_mem.study.setting import Setting

S = TypeVar("S", bound=Setting)


def tuned(setting: S, before: Tuned = EVERYTHING, given: Collection[str] = ()) -> S:
    """Return the setting with the model that its recipe trains, and the rank of its adapters where a caller gave none.

    What was trained `before` brought a rank of its own, which goes with it unless its name is among those `given`.
    Raises `BadInput` for adapters on modules or in layers that the model does not have.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("llama-3.1-8b")
    >>> study.change(recipe="lora").values[r_lora], study.change(recipe="lora", values={"r_lora": 32}).values[r_lora]
    (8, 32)
    """
    wanted = setting.recipe.tuned
    values = setting.values
    built = trains(setting)
    if wanted != before and before.rank is not None and str(r_lora) not in given:
        values = {symbol: value for symbol, value in values.items() if symbol != r_lora}
    if wanted.rank is not None and r_lora not in values:
        values = {**values, r_lora: sp.Integer(wanted.rank)}
    if built is setting.built and values is setting.values:
        return setting
    return replace(setting, built=built, values=values)


def trains(setting: Setting) -> Built:
    """Return the model with what its recipe trains; raises `BadInput` for modules and layers that it does not have."""
    architecture = setting.built.architecture
    trained = in_layers(setting.recipe.tuned.trained, architecture, setting.values.get(L))
    trained = trained if architecture is None else in_family(trained, architecture.name)
    built = setting.built.training(trained)
    if trained != setting.built.trained:
        check_trained(trained, built.model)
    return built
