"""The model that a recipe trains: its adapters are on the model, and their rank has a value."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import sympy as sp

from symbolic_mem.base.symbols import r
from symbolic_mem.models.adapters import check_trained
from symbolic_mem.study.setting import Setting

S = TypeVar("S", bound=Setting)


def tuned(setting: S) -> S:
    """Return the setting with the model that its recipe trains, and the rank of its adapters where a caller gave none.

    Raises `BadInput` for adapters on modules that the model does not have.

    >>> from symbolic_mem.library.read import load_study
    >>> load_study("llama-3.1-8b").change(recipe="lora").values[r]
    8
    """
    wanted = setting.recipe.tuned
    if wanted.trained == setting.built.trained:
        return setting
    built = setting.built.training(wanted.trained)
    check_trained(wanted.trained, built.model)
    values = dict(setting.values)
    if wanted.rank is not None:
        values.setdefault(r, sp.Integer(wanted.rank))
    return replace(setting, built=built, values=values)
