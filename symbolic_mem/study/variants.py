"""The variants of a problem set: the same questions with other values or another device, listed or drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product
from typing import Any

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.symbols import Name
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.study.changed_values import set_value
from symbolic_mem.study.changes import changes
from symbolic_mem.study.setting import Change

_OTHERS = ("recipe", "optimizer", "recompute", "device", "capacity", "reading", "rest", "plan", "loss")
Variants = tuple[tuple[Change, ...], ...]
MOST = 10_000


def read_variants(table: Mapping[str, Any], own: tuple[Name, ...], where: str) -> Variants:
    """Read ``[variants]``: a `list` of tables, or `choices` for each name, of which `count` combinations are drawn by `seed`.

    Raises `BadInput` for a name that is no symbol and no option, and for more variants than there are combinations.

    >>> drawn = read_variants({"choices": {"B": [1, 2], "S": [8, 16]}, "count": 3, "seed": 1}, (), "here")
    >>> len({tuple(change.words for change in each) for each in drawn})
    3
    """
    known_keys(table, ("list", "choices", "count", "seed"), where)
    if ("list" in table) == ("choices" in table):
        raise BadInput(f"{where}: give either list = [{{ B = 64 }}, ...] or choices = {{ B = [64, 128] }}")
    if "list" in table:
        for key in ("count", "seed"):
            if key in table:
                raise BadInput(f"{where}: {key} draws from choices, and a list is taken as it stands; leave {key} out")
        given = entry(table, "list", list, where)
        if not given:
            raise BadInput(f"{where}: the list has no variant; give at least one, as list = [{{ B = 64 }}]")
        for n, each in enumerate(given, start=1):
            if each in given[: n - 1]:
                raise BadInput(
                    f"{where} list: number {n} sets what number {1 + given.index(each)} does; change one, or leave it out"
                )
        return tuple(_variant(each, own, f"{where} list, number {n}") for n, each in enumerate(given, start=1))
    choices = entry(table, "choices", dict, where)
    for name, values in choices.items():
        if not isinstance(values, list) or not values:
            raise BadInput(f"{where} choices: {name} = {values!r} is no list of values; give {name} = [64, 128]")
        for twice in (value for n, value in enumerate(values) if value in values[:n]):
            raise BadInput(f"{where} choices: {name} has {twice!r} twice; leave one out")
    drawn = _drawn(choices, entry(table, "count", int, where), entry(table, "seed", int, where, 0), where)
    return tuple(_variant(each, own, f"{where} choices") for each in drawn)


def _drawn(choices: Mapping[str, list[Any]], count: int, seed: int, where: str) -> list[dict[str, Any]]:
    """So many different combinations, in an order that the seed decides: the same on every machine."""
    number = 1
    for values in choices.values():
        number *= len(values)
    if not 1 <= count <= min(number, MOST):
        raise BadInput(
            f"{where}: count = {count}, and there are {number} different combinations of the choices; give a number from "
            f"1 to {min(number, MOST)}, or more choices"
        )
    if number > MOST:
        raise BadInput(f"{where}: {number} combinations are too many to draw from; give fewer choices (up to {MOST})")
    combinations = [dict(zip(choices, chosen, strict=True)) for chosen in product(*choices.values())]
    drawing = random.Random(seed)
    keys = [drawing.random() for _ in combinations]  # of all methods the one whose numbers are promised to stay
    order = sorted(range(number), key=keys.__getitem__)
    return [combinations[i] for i in order[:count]]


def _variant(given: Any, own: tuple[Name, ...], where: str) -> tuple[Change, ...]:
    if not isinstance(given, dict) or not given:
        raise BadInput(f"{where} must be a table that sets something, as {{ B = 64 }}")
    named = {key: value for key, value in given.items() if key in _OTHERS}
    for key, value in named.items():
        if not isinstance(value, str) and not (key == "recompute" and isinstance(value, dict)):
            raise BadInput(f"{where}: {key} must be text, not {value!r}")
    with at_place(where):
        made = [set_value(key, value, where, own) for key, value in given.items() if key not in _OTHERS]
        return (*made, *changes(**named))
