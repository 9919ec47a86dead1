"""Recipes by name, those of presets.toml, and what ``[recipe]`` of a study makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.formula import read_number
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.base.units import parse_bytes
from symbolic_mem.recipes.caches import cache_format
from symbolic_mem.recipes.known import EVERY_ELEMENT, recipe_table, recipe_tables
from symbolic_mem.recipes.not_counted import NotCounted
from symbolic_mem.recipes.optimizers import optimizer
from symbolic_mem.recipes.recipe import COPIES, PAGED, SIZES, Recipe, ordered
from symbolic_mem.recipes.recompute import Recompute
from symbolic_mem.recipes.states import State
from symbolic_mem.recipes.tuned import read_tuned

DEFAULT = "cs336"
KEYS = (
    *("preset", *SIZES, "step_counters", "gradients_persist", "recompute", "schedule", "foreach", "cache", "page"),
    *("prefill", "logits", "reduce_bucket_size"),
    *("trained", "optimizer_in_backward", "offload", *COPIES),
)


def presets() -> dict[str, Recipe]:
    """Return the bundled recipes by name, in the order of the file."""
    return {name: recipe(name) for name in recipe_tables()}


@cache
def recipe(name: str) -> Recipe:
    """Return the bundled recipe of that name.

    >>> recipe("cs336").title
    'CS336 assignment 2: FP32 training state, BF16 activations'
    """
    return _read(name, recipe_table(name))


def _read(name: str, table: Mapping[str, Any]) -> Recipe:
    states = tuple(
        State(
            name=row["name"],
            kind=row["kind"],
            bytes_per_element=sp.Rational(row["bytes"]),
            copies=row.get("copies", 1),
            reason=row.get("reason", ""),
            rule=row.get("rule", EVERY_ELEMENT),
            of=row.get("of", ""),
            cast=row.get("cast", False),
        )
        for row in table["states"]
    )
    moments, activations = sp.Rational(table.get("moments", 4)), sp.Rational(table["activations"])
    whole = sp.Rational(table["whole"]) if "whole" in table else None
    steps = optimizer(table["optimizer"]).states(moments, whole=whole) if "optimizer" in table else ()
    made = Recipe(
        name=name,
        title=table["title"],
        source=table["source"],
        states=ordered((*states, *steps)),
        activations=activations,
        activations_reason=table.get("activations_reason", ""),
        assumptions=tuple(table.get("assumptions", ())),
        of_windows=tuple(table.get("of_windows", ())),
        of_states=tuple(table.get("of_states", ())),
        of_experts=tuple(table.get("of_experts", ())),
        of_optimizer=(*table.get("of_optimizer", ()), *([PAGED] if table.get("paged") else [])),
        persistent=table.get("persistent", ""),
        not_counted=tuple(_not_counted(given) for given in table.get("not_counted", ())),
        moments=moments,
        whole=whole,
        undivided=tuple(table.get("undivided", ())),
        engine=table.get("engine", ""),
        optimizer=table.get("optimizer", ""),
        units=table.get("units", 1),
        gathers=sp.Integer(table["gathers"]) if "gathers" in table else None if "quantised" in table else activations,
        reduces=sp.Integer(table["reduces"]) if "reduces" in table else None,
        schedule=table.get("schedule", ""),
        precisions=tuple(table.get("precisions", ("16-bit",))),
        quantised=tuple((feeds, sp.Rational(size)) for feeds, size in table.get("quantised", {}).items()),
        foreach=table.get("foreach", True),
        bucket=table.get("reduce_bucket_size", 0),
        cache=cache_format(table["cache"]) if "cache" in table else None,
        page=table.get("page", 1),
        prefill=table.get("prefill"),
        logits=table.get("logits", "last"),
        serves=table.get("serves", ""),
    )
    made = made.with_tuned(read_tuned(table["trained"], name)) if "trained" in table else made
    made = made.with_offload(tuple(table["offload"]), name) if "offload" in table else made
    return made.in_backward_pass() if table.get("optimizer_in_backward") else made


def read_recipe(
    table: Mapping[str, Any],
    where: str,
    default: str = DEFAULT,
    folder: Path | None = None,
    own: Mapping[str, Recipe] | None = None,
) -> Recipe:
    """Return the recipe that the table ``[recipe]`` of a study describes.

    Keys: ``preset``, which is bundled or one of a caller's `own`; ``weights``, ``gradients``, ``optimizer``, ``activations`` as bytes per element;
    ``optimizer`` as the name of one; ``step_counters``; ``gradients_persist``; ``recompute``; ``trained`` (see
    `read_tuned`, with paths from `folder`); ``optimizer_in_backward``; ``ema`` and ``reference``, in bytes per element.
    Raises `BadInput` for anything else, naming `where` it stands.

    >>> read_recipe({"preset": "zero-16", "optimizer": "sgd-momentum"}, "my.toml [recipe]").bytes_per_parameter
    12
    """
    known_keys(table, KEYS, where)
    with at_place(where):
        preset = entry(table, "preset", str, where, default)
        chosen = own[preset] if own and preset in own else recipe(preset)
    if "preset" not in table:
        chosen = replace(chosen, presumed=True)
    counters = entry(table, "step_counters", bool, where, False)
    name_given = isinstance(table.get("optimizer"), str) and not table["optimizer"].strip()[:1].isdigit()
    if name_given:
        with at_place(where):
            chosen = chosen.with_optimizer(table["optimizer"], step_counters=counters)
    elif "step_counters" in table:
        raise BadInput(f"{where}: step_counters belongs to an optimizer by name; add for example optimizer = 'adamw'")
    sizes = {
        key: _size(table[key], key, where) for key in SIZES if key in table and not (key == "optimizer" and name_given)
    }
    chosen = chosen.override(sizes) if sizes else chosen
    if "trained" in table:
        inside = f"{where} trained"
        tuned = read_tuned(table["trained"], inside, folder, chosen.tuned)
        with at_place(inside):
            chosen = chosen.with_tuned(tuned)
    for what in COPIES:
        if what in table:
            chosen = chosen.with_copy(what, _size(table[what], what, where))
    if "recompute" in table:
        chosen = chosen.with_recompute(Recompute.read(table["recompute"], f"{where}: recompute"))
    if entry(table, "optimizer_in_backward", bool, where, False):
        if table.get("gradients_persist") is True:
            raise BadInput(f"{where}: with optimizer_in_backward no gradient persists; leave out gradients_persist")
        chosen = chosen.in_backward_pass()
    elif not entry(table, "gradients_persist", bool, where, True):
        chosen = chosen.without_persistent_gradients()
    if "offload" in table:
        given = table["offload"]
        if not isinstance(given, list) or not all(isinstance(kind, str) for kind in given):
            raise BadInput(f'{where}: offload is a list of kinds of memory, such as ["optimizer", "gradients"]')
        chosen = chosen.with_offload(tuple(given), f"{where} offload")
    if "schedule" in table:
        chosen = chosen.with_schedule(entry(table, "schedule", str, where), where)
    if "cache" in table:
        chosen = chosen.with_cache(entry(table, "cache", str, where), f"{where}: cache")
    if "page" in table:
        chosen = chosen.with_pages(entry(table, "page", int, where), f"{where}: page")
    if "prefill" in table:
        chosen = chosen.with_prefill(entry(table, "prefill", int, where), f"{where}: prefill")
    if "logits" in table:
        chosen = chosen.with_logits(entry(table, "logits", str, where), f"{where}: logits")
    if "foreach" in table:
        chosen = replace(chosen, foreach=entry(table, "foreach", bool, where))
    if "reduce_bucket_size" in table:
        chosen = chosen.with_bucket(entry(table, "reduce_bucket_size", int, where), f"{where}: reduce_bucket_size")
    return chosen


def _not_counted(given: str | Mapping[str, Any]) -> NotCounted:
    if isinstance(given, str):
        return NotCounted(given)
    others: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    if "range" in given:
        others["range"] = tuple(map(parse_bytes, given["range"]))
    return NotCounted(**others)


def _size(given: Any, key: str, where: str) -> sp.Rational:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise BadInput(f"{where}: {key} is given in bytes per element, for example {key} = 2")
    if key != "activations" and str(given).strip() in ("0", "0.0"):
        return sp.S.Zero
    return read_number(str(given), f"{where}: {key}")
