"""The model that a recipe trains: its adapters are on the model, and their rank has a value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TypeVar

import sympy as sp

from symbolic_mem.base.symbols import r_lora
from symbolic_mem.models.adapters import check_trained, in_family
from symbolic_mem.models.built import Built
from symbolic_mem.models.families import does
from symbolic_mem.models.packing import packing
from symbolic_mem.models.stacks import in_layers
from symbolic_mem.models.tensors import ADAPTERS, Model
from symbolic_mem.models.trained import Trained
from symbolic_mem.recipes.tuned import EVERYTHING, Tuned
from symbolic_mem.study.setting import Setting

S = TypeVar("S", bound=Setting)
HEAD_GROUP, ROUTER = "head", "router"
BITSANDBYTES = "bitsandbytes"
ALONE = ("full", "every", "block")  # rules by which each block is computed again for itself, or not


def tuned(setting: S, before: Tuned = EVERYTHING, given: Collection[str] = ()) -> S:
    """Return the setting with the model that its recipe trains, and the rank of its adapters where a caller gave none.

    What was trained `before` brought a rank of its own, which goes with it unless its name is among those `given`.
    Raises `BadInput` for adapters on modules or in layers that the model does not have.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("llama-3.1-8b")
    >>> study.change(recipe="lora").values[r_lora], study.change(recipe="lora", values={"r_lora": 32}).values[r_lora]
    (8, 32)
    """
    setting = packing_what_it_can(setting)
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


def packing_what_it_can(setting: S) -> S:
    """Return the setting whose recipe packs what its library finds in this model: the linear layers of PyTorch's own class.

    Source: transformers 5.24, integrations/bitsandbytes.py, replace_with_bnb_linear; models/falcon, FalconLinear; models/hunyuan_v1_moe,
    HunYuanMoEV1Gate.
    """
    a, chosen = setting.built.architecture, setting.recipe.tuned
    if a is None or not chosen.base or packing(chosen.base).library != BITSANDBYTES:
        return setting
    groups = chosen.trained.packed
    if does(a.family, "of a class of its own"):
        groups = ()
    elif does(a.family, "router is a linear layer") and ROUTER not in groups:
        groups = (*groups, ROUTER)
    if groups == chosen.trained.packed:
        return setting
    found = replace(chosen, trained=replace(chosen.trained, packed=groups))
    return replace(setting, recipe=setting.recipe.with_tuned(found))


def trains(setting: Setting) -> Built:
    """Return the model with what its recipe trains; raises `BadInput` for modules and layers that it does not have."""
    architecture = setting.built.architecture
    trained = in_layers(setting.recipe.tuned.trained, architecture, setting.values)
    trained = trained if architecture is None else in_family(trained, architecture.name)
    if trained.modules:
        trained = replace(trained, reached=_reached(setting, trained))
    built = setting.built.training(trained)
    if trained != setting.built.trained:
        check_trained(trained, built.model)
    return built


def _reached(setting: Setting, trained: Trained) -> bool:
    """Whether a gradient reaches what enters the first block of a model with adapters.

    PEFT and transformers see to that where blocks are recomputed (PEFT 0.21.2, peft_model.py, and transformers 5.24, modeling_utils.py, call
    enable_input_require_grads where gradient checkpointing is on), and a stage of a pipeline for what it receives; weights before and
    in the blocks that are trained whole do. torchtune asks for no such gradient (0.6, training/memory.py: set_activation_checkpointing). Of blocks of two kinds
    all count as reached where one with experts is the first, or the dense ones have no adapters.
    """
    a = setting.built.architecture
    two_kinds = a is not None and a.experts is not None and a.dense_layers != 0
    leads = a is not None and a.experts is not None and a.experts.leads
    later = two_kinds and (leads or not _adapts_the_first(setting.built.training(trained).model))
    of_ranks = setting.plan is not None and (setting.plan.pipelined or bool(setting.plan.engine))
    whole = {*trained.whole, *trained.copied} - {HEAD_GROUP}
    rule = setting.recipe.recompute.rule
    again = rule != "none" and (trained.asks or rule not in ALONE)
    return again or of_ranks or later or bool(whole)


def _adapts_the_first(model: Model) -> bool:
    """Whether the first block has adapters."""
    first = next(layer.block for layer in model.layers if layer.block)
    return any(weight.group == ADAPTERS for layer in model.layers if layer.block == first for weight in layer.weights)
