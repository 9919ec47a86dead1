"""Plans by name: those of plans.toml, those of a caller's own file, and what ``[plan]`` of a study chooses of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, reduce
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place, clipped
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import n_fsdp
from symbolic_mem.base.tomlfile import entry, known_keys, read_toml
from symbolic_mem.models.cut import DIMENSIONS
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.plans.engines import engines
from symbolic_mem.plans.known import factors as named_factors
from symbolic_mem.plans.known import plan_among, plan_tables
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.plans.plan import AXES, Plan
from symbolic_mem.plans.rests import COPIED, FILLED, HALVES, PADDED, SPREAD, UNEVEN
from symbolic_mem.plans.schemes import SCHEMES

_TOLD = ("title", "source")
_YES = ("reshards", "replicas", "fused", "exchanged", "twice", "dense_alone", "whole_groups")
ROW = ("divided", "sends", "cuts", "rests", "padded", "groups", "schedule", "engine", *_YES)
GROUPS = ("dense", "experts")
_CHOSEN = ("preset", "reshard", "schedule", "layers", "engine", "instances")
_BESIDE = ("reshard", "layers", "instances")  # what a row of plans.toml does not have
_SYMBOLS = {str(symbol): symbol for symbol in (n_fsdp, *AXES)}


@cache
def plans() -> Mapping[str, Plan]:
    """Return the bundled plans by name, in the order of the file."""
    told = {name: {key: value for key, value in row.items() if key != "checked"} for name, row in plan_tables().items()}
    return _rows(told, "plans.toml", {})


def read_plans(path: str | Path) -> Mapping[str, Plan]:
    """Read the plans of a TOML file by name, in the form of plans.toml; one with the name of a bundled plan takes its place.

    A ``product`` joins bundled plans and those that stand above it, and names the ``engine`` that runs them together. Raises `BadInput` for a key that a plan does not have, for what
    is no dimension, axis or kind of memory, and for a table without title or source.
    """
    return _rows(read_toml(path), str(path), plans())


def _rows(content: Mapping[str, Any], where: str, known: Mapping[str, Plan]) -> Mapping[str, Plan]:
    found: dict[str, Plan] = {}
    for name in content:
        place = f"{where} [{name}]"
        if "+" in name:
            raise BadInput(f"{place}: + joins the names of two plans; give this one a name without it")
        found[name] = _row(name, entry(content, name, dict, where), place, {**known, **found})
    return found


def _row(name: str, table: Mapping[str, Any], where: str, known: Mapping[str, Plan]) -> Plan:
    for key in _TOLD:
        if not entry(table, key, str, where, ""):
            raise BadInput(f"{where}: {key} is missing; say in words what the plan is and who says so")
    if "product" in table:
        known_keys(table, (*_TOLD, "product", "engine"), where)
        with at_place(f"{where}: product"):
            factors = [plan_among(known, name) for name in _texts(table, "product", where)]
            if not factors:
                raise BadInput("it joins no plan; name two")
            made = replace(reduce(Plan.times, factors), name=name, title=table["title"], source=table["source"])
        engine = entry(table, "engine", str, where, "")
        if not engine:
            return made
        made = replace(made, engine=_engine(engine, where))
        return replace(made, keep=sp.S.One) if engines()[engine].whole else made  # gathered once in a step
    known_keys(table, (*_TOLD, "product", *ROW), where)
    divided = _texts(table, "divided", where)
    _each(divided, STATIC, f"{where}: divided", "kind of memory that a plan divides")
    rests = entry(table, "rests", dict, where, {})
    _each(rests, DIMENSIONS, f"{where}: rests", "dimension")
    _each(rests.values(), (UNEVEN, PADDED, COPIED, HALVES, SPREAD, FILLED), f"{where}: rests", "way with a rest")
    padded = entry(table, "padded", int, where, 1)
    sends, schedule, engine = (entry(table, key, str, where, "") for key in ("sends", "schedule", "engine"))
    if padded < 1:
        raise BadInput(f"{where}: padded = {padded}; give the rows of which a rank has a multiple, at least 1")
    if sends:
        _each((sends,), SCHEMES, f"{where}: sends", "scheme")
    cuts = _divisions(table, "cuts", DIMENSIONS, where)
    if schedule:
        with at_place(f"{where}: schedule"):
            pipeline(schedule)
    if ("layers" in dict(cuts)) != bool(schedule):
        raise BadInput(
            f"{where}: a plan that cuts layers over stages has a schedule, and no other has; give both or none"
        )
    yes = {key: entry(table, key, bool, where, False) for key in _YES}
    return Plan(
        name,
        table["title"],
        table["source"],
        divided,
        sends,
        cuts=cuts,
        rests=tuple(rests.items()),
        padded=padded,
        groups=_divisions(table, "groups", GROUPS, where),
        schedule=schedule,
        engine=_engine(engine, where) if engine else "",
        reshards=yes["reshards"],
        replicas=yes["replicas"],
        fused=yes["fused"],
        exchanged=yes["exchanged"],
        twice=yes["twice"],
        dense_alone=yes["dense_alone"],
        whole_groups=yes["whole_groups"],
    )


def _texts(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    given = entry(table, key, list, where, [])
    wrong = next((one for one in given if not isinstance(one, str)), None)
    if wrong is not None:
        raise BadInput(f"{where}: {key} is a list of names, and {clipped(str(wrong))} is none")
    return tuple(given)


def _each(given: Iterable[Any], known: Iterable[str], where: str, what: str) -> None:
    known = tuple(known)
    for one in given:
        if one not in known:
            raise BadInput.unknown(f"{where}: {clipped(str(one))} is no {what}", str(one), known)


def _divisions(table: Mapping[str, Any], key: str, known: Iterable[str], where: str) -> tuple[tuple[str, sp.Expr], ...]:
    """What is divided over which axes: a formula of degrees for each."""
    given = entry(table, key, dict, where, {})
    _each(given, known, f"{where}: {key}", "dimension" if key == "cuts" else "group of parameters")
    found = []
    for what in given:
        place = f"{where} {key}"
        over = read_formula(entry(given, what, str, place), _SYMBOLS, f"{place}: {what}")
        if key == "cuts" and not (over.free_symbols and over.free_symbols <= set(AXES)):
            raise BadInput(f"{place}: {what} is divided over {over}; give axes of {', '.join(map(str, AXES))}")
        found.append((what, over))
    return tuple(found)


def _engine(name: str, where: str) -> str:
    if name not in engines():
        raise BadInput.unknown(f"{where}: unknown engine {name!r}", name, engines())
    return name


def plan(name: str, own: Mapping[str, Plan] | None = None) -> Plan:
    """Return the plan of that name, one of the caller's `own` or bundled, or the product of several.

    Raises `BadInput` naming those there are.

    >>> plan("hsdp").sends, plan("fsdp2+torch-sp").divided
    ('hsdp', ('weights', 'gradients', 'optimizer'))
    """
    return reduce(Plan.times, named_factors(name, {**plans(), **(own or {})}))


def read_plan(table: Mapping[str, Any], where: str, own: Mapping[str, Plan] | None = None) -> Plan:
    """Read the table ``[plan]`` of a study: ``preset`` or a row as in plans.toml, and ``reshard`` where the plan gathers weights.

    A preset is bundled or one of a caller's `own`. A plan with stages takes the ``schedule`` of its pipeline, and ``layers``: the blocks of each stage in the order of the model.
    Megatron-LM's takes the ``engine``, and the ``instances`` of its distributed optimizer.
    """
    if "preset" not in table and any(key in ROW for key in table if key not in _CHOSEN):
        own = {key: value for key, value in table.items() if key not in _BESIDE}
        chosen = _row("of the study", own, where, plans())
    else:
        known_keys(table, _CHOSEN, where)
        if "preset" not in table:
            raise BadInput.one_of(f"{where} names no plan; add for example preset = 'fsdp2'", plans())
        with at_place(where):
            chosen = plan(entry(table, "preset", str, where), own)
    if "reshard" in table:
        chosen = chosen.resharding(table["reshard"], where)
    for key in ("schedule", "layers"):
        if key in table and not chosen.pipelined:
            raise BadInput(f"{where}: plan {chosen.name!r} has no stages, so there is no {key}; remove it")
    if "schedule" in table and "preset" in table:
        with at_place(where):
            chosen = replace(chosen, schedule=pipeline(entry(table, "schedule", str, where)).name)
    if "instances" in table:
        number = entry(table, "instances", int, where)
        if number < 1 or not chosen.groups:
            raise BadInput(
                f"{where}: instances = {number}; a plan with the distributed optimizer takes a whole number of at least 1"
            )
        chosen = replace(chosen, instances=number)
    if "engine" in table and "preset" in table:
        if not chosen.engine:
            raise BadInput(f"{where}: of plan {chosen.name!r} no instants of an engine are known; remove engine")
        chosen = replace(chosen, engine=_engine(entry(table, "engine", str, where), where))
    if "layers" in table:
        layers = entry(table, "layers", list, where)
        if not layers or not all(type(one) is int and one >= 0 for one in layers):
            raise BadInput(f"{where}: layers = {layers!r} is no list of numbers of blocks, one for each stage")
        chosen = replace(chosen, layers=tuple(layers))
    return chosen
