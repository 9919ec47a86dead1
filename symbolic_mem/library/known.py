"""Whether what a caller names is there, before anything is read or computed: the study and what catalogues hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symbolic_mem.base.errors import at_place
from symbolic_mem.library.bundled import refuse_unknown


def refuse_unknown_names(given: Mapping[str, Any]) -> None:
    """Refuse a name that is not known, in the words of what would look it up; names of a caller's own files are left to it.

    >>> refuse_unknown_names({"study": "cs336-a2-xxl", "recipe": "cs336", "plan": None, "optimizer": ("adamw", "sgd")})
    >>> refuse_unknown_names({"recipe": "mine", "recipes": "mine.toml"})
    """
    if given.get("study") is not None:
        refuse_unknown(given["study"])
    for option, look in _LOOKED_UP.items():
        names = given.get(option)
        if names is None or given.get(f"{option}s") is not None:
            continue
        for name in (names,) if isinstance(names, str) else names:
            look(name)


def _plan(name: str) -> None:
    from symbolic_mem.plans.known import factors, plan_tables

    with at_place("--plan"):
        list(factors(name, plan_tables()))


def _recipe(name: str) -> None:
    from symbolic_mem.recipes.known import recipe_table

    with at_place("--recipe"):
        recipe_table(name)


def _device(name: str) -> None:
    from symbolic_mem.hardware.catalogue import device

    with at_place("--device"):
        device(name)


def _profile(name: str) -> None:
    from symbolic_mem.models.known import profile_among, profile_tables

    with at_place("--profile"):
        profile_among(profile_tables(), name)


def _optimizer(name: str) -> None:
    from symbolic_mem.recipes.known import optimizer_table

    with at_place("--optimizer"):
        optimizer_table(name)


def _cache(name: str) -> None:
    from symbolic_mem.recipes.known import cache_named

    with at_place("--cache"):
        cache_named(name)


_LOOKED_UP: dict[str, Callable[[str], object]] = {
    "plan": _plan,
    "recipe": _recipe,
    "device": _device,
    "profile": _profile,
    "optimizer": _optimizer,
    "cache": _cache,
}
