"""The changes that a caller asks for by name, as options and in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.hardware.devices import Device
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.study.changed_device import use_capacity, use_device, use_reading
from symbolic_mem.study.changed_recipe import (
    chosen_recipe,
    keep_gradients,
    use_adapters,
    use_cache,
    use_copies,
    use_kernel,
    use_loss,
    use_offload,
    use_optimizer,
    use_pages,
    use_profile,
    use_recipe,
    use_recompute,
)
from symbolic_mem.study.changed_values import place_kind, set_rest, set_value, use_plan
from symbolic_mem.study.setting import Change

_OTHERS: Mapping[str, type] = MappingProxyType({"recipe": Recipe, "device": Device, "page": int})
_TABLES: Mapping[str, str] = MappingProxyType({"values": '{"B": 4}', "place": '{"weights": "1/2"}'})


def changes(
    *,
    values: Mapping[Any, object] | None = None,
    place: Mapping[str, object] | None = None,
    rest: str | None = None,
    device: str | Device | None = None,
    capacity: str | None = None,
    reading: str | None = None,
    recipe: str | Recipe | None = None,
    profile: str | None = None,
    kernel: str | None = None,
    loss: str | None = None,
    plan: str | None = None,
    optimizer: str | None = None,
    recompute: str | Mapping[str, Any] | None = None,
    adapters: str | None = None,
    offload: str | None = None,
    copies: str | None = None,
    gradients: str | None = None,
    cache: str | None = None,
    page: int | str | None = None,
    devices: str | None = None,
    recipes: str | None = None,
    profiles: str | None = None,
    plans: str | None = None,
    finds: tuple[sp.Symbol, ...] = (),
    by_option: bool = False,
) -> Iterator[Change]:
    """Yield the changes that a caller asks for by name, in the order in which documents say them.

    `values` are whole numbers (or rates) by symbol, `place` fractions by kind of memory, `devices`, `recipes`, `profiles`
    and `plans` the paths of files of the caller's own, `finds` the degrees of the plan that a question is about to find; the others are names as on the command line. Raises `BadInput` for what is not known, which names options where
    the caller gives them `by_option`.

    >>> [change.words for change in changes(values={"B": 64}, rest="kept")]
    ['B = 64', 'the rest is kept']
    """
    dash = "--" if by_option else ""
    names: dict[str, object] = {"kernel": kernel, "loss": loss, "recipe": recipe, "profile": profile, "plan": plan}
    names |= {"optimizer": optimizer, "device": device, "adapters": adapters, "offload": offload}
    names |= {"copies": copies, "cache": cache, "page": page}
    _refuse_no_text(names | {"rest": rest, "reading": reading, "capacity": capacity, "gradients": gradients})
    _refuse_no_table({"values": values, "place": place})
    _refuse_empty(names, dash)
    if device is not None and capacity is not None:
        raise BadInput(
            f"{dash}device {device} and {dash}capacity {capacity!r} both say which memory counts; give one of them"
        )
    if reading is not None and capacity is not None:
        raise BadInput(
            f"{dash}reading {reading} says how the label of a device is read, and {dash}capacity {capacity!r} has none; leave it out"
        )
    files = {
        "device": (devices, device),
        "recipe": (recipes, recipe),
        "profile": (profiles, profile),
        "plan": (plans, plan),
    }
    refuse_unasked(files, dash)
    if plan is not None:
        yield use_plan(plan, plans, f"{dash}plan", finds)
    if recipe is not None:
        recipe = chosen_recipe(recipe, recipes, f"{dash}recipe")
        if not recipe.trains:
            yield use_recipe(recipe)  # nothing is divided, unless a plan or the caller says so
            recipe = None
    yield from (
        set_value(str(name), _whole(value), "--set" if by_option else "values")
        for name, value in (values or {}).items()
    )
    yield from (place_kind(kind, fraction, f"{dash}place") for kind, fraction in (place or {}).items())
    named: list[tuple[Any, Any]] = [
        (rest, lambda fate: set_rest(fate, f"{dash}rest")),
        (device, lambda name: use_device(name, devices, f"{dash}device")),
        (capacity, lambda amount: use_capacity(amount, f"{dash}capacity")),
        (reading, lambda name: use_reading(name, f"{dash}reading")),
        (recipe, use_recipe),
        (profile, lambda name: use_profile(name, profiles, f"{dash}profile")),
        (kernel, lambda name: use_kernel(name, f"{dash}kernel")),
        (loss, lambda name: use_loss(name, f"{dash}loss")),
        (optimizer, lambda name: use_optimizer(name, f"{dash}optimizer")),
        (recompute, lambda rule: use_recompute(rule, f"{dash}recompute")),
        (adapters, lambda modules: use_adapters(modules, f"{dash}adapters")),
        (gradients, lambda fate: keep_gradients(fate, f"{dash}gradients")),
        (offload, lambda kinds: use_offload(kinds, f"{dash}offload")),
        (copies, lambda sizes: use_copies(sizes, f"{dash}copies")),
        (cache, lambda name: use_cache(name, f"{dash}cache")),
        (page, lambda tokens: use_pages(tokens, f"{dash}page")),
    ]
    yield from (make(given) for given, make in named if given is not None)


def refuse_unasked(files: Mapping[str, tuple[str | None, object]], dash: str = "--") -> None:
    """Refuse a file of the caller's own devices, recipes, profiles or plans where none of that kind is asked for by name."""
    for what, (path, asked) in files.items():
        if path is not None and not asked:
            raise BadInput(
                f"{dash}{what}s {path!r} holds {what}s, and none of them is asked for; add {dash}{what} NAME"
            )


def _refuse_no_text(named: Mapping[str, object]) -> None:
    """Refuse what is neither text nor what its name may be in place of it, which Python alone can give."""
    for name, given in named.items():
        other = _OTHERS.get(name, str)
        if given is not None and not isinstance(given, (str, other)):
            also = "" if other is str else f", and no {other.__name__}"
            raise BadInput(
                f"{name}: {given!r} is no text{also}; write what would stand after --{name} on the command line"
            )


def _refuse_no_table(named: Mapping[str, object]) -> None:
    for name, given in named.items():
        if given is not None and not isinstance(given, Mapping):
            raise BadInput(f"{name}: {given!r} is no mapping; give one, as {name}={_TABLES[name]}")


def _refuse_empty(named: Mapping[str, object], dash: str) -> None:
    """Refuse a name without a letter, which would choose nothing."""
    for name, given in named.items():
        if isinstance(given, str) and not given.strip():
            raise BadInput(f"{dash}{name}: {given!r} names nothing; give a name, or leave {dash}{name} out")


def plain(given: object) -> Any:
    """What a caller has given by name, as Python writes it in short; None where it cannot.

    >>> plain({sp.Symbol("n_fsdp"): sp.Integer(8)}), plain(sp.Rational(1, 2)), plain(object())
    ({'n_fsdp': 8}, '1/2', None)
    """
    if isinstance(given, Mapping):
        told = {str(name): plain(value) for name, value in given.items()}
        return None if None in told.values() else told
    value = given.name if isinstance(given, Device) else _whole(given)
    return value if isinstance(value, str | int | float) else None


def _whole(value: object) -> object:
    """A number of SymPy's or a fraction as Python's."""
    if isinstance(value, sp.Rational | Fraction):
        return int(value) if value == int(value) else str(value)
    return value
