"""From a file or a name to a `Study`, checked key by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from os import PathLike, fspath
from pathlib import Path
from typing import Any, NamedTuple

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place, clipped, shown
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import degrees, n_fsdp
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.tomlfile import entry, known_keys, read_toml
from symbolic_mem.library.bundled import bundled_path, refuse_unknown
from symbolic_mem.library.cache import cached, is_name
from symbolic_mem.library.unread import refuse_idle
from symbolic_mem.models.build import build_model
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.plans.network_table import read_network
from symbolic_mem.plans.placement import RESTS, Placed
from symbolic_mem.plans.plan import AXES
from symbolic_mem.plans.read import read_plan, read_plans
from symbolic_mem.questions.registry import question_type
from symbolic_mem.recipes.own import read_recipes
from symbolic_mem.recipes.read import read_recipe, recipe
from symbolic_mem.study.changed_device import use_capacity
from symbolic_mem.study.changed_recipe import refuse_parts
from symbolic_mem.study.derived import derive, read_derived
from symbolic_mem.study.derived import words as follows
from symbolic_mem.study.keys import At, words
from symbolic_mem.study.packed import as_stored
from symbolic_mem.study.precision import agreed
from symbolic_mem.study.question import Question
from symbolic_mem.study.setting import OneDevice
from symbolic_mem.study.study import Study
from symbolic_mem.study.tuning import tuned
from symbolic_mem.study.values import printable, read_fraction, read_own, read_values, read_written
from symbolic_mem.study.variants import read_variants

CONFIG_RECIPE = "fsdp2"
_TOP = (
    *(
        "title",
        "source",
        "editions",
        "text",
        "notes",
        "author",
        "course",
        "date",
        "variants",
        "model",
        "values",
        "given",
        "recipe",
        "plan",
        "placement",
        "capacity",
    ),
    *("network", "symbols", "question"),
)
_PLACED = ("fraction", "over", "rest")


def load_study(
    name: str | PathLike[str],
    devices: str | None = None,
    *,
    like: str | None = None,
    origin: str | None = None,
    plans: str | None = None,
    recipes: str | None = None,
    planned: bool = False,
) -> Study:
    """Load a study: the name of a bundled one, or the path of a ``.toml`` study, of a ``config.json`` or of its folder.

    A name such as ``meta-llama/Llama-3.1-8B`` is looked up in the local cache of the hub, and never fetched. A config is read as the family `like`, or what the library `origin` builds of it is counted; other studies have none
    of these. Its plan and its recipe may be of the files `plans` and `recipes`. Where another plan is chosen next (`planned`), nothing in
    the file needs to read its degrees.

    >>> load_study("cs336-a2-xxl").model.parameters
    2*L*d_ff*d_model
    """
    name = fspath(name)
    refuse_unknown(name)
    own = _Own(devices, plans, recipes, planned)
    if like is None and origin is None and own == _Own() and bundled_path(name) is not None:
        return _bundled(name)
    study = _loaded(name, own, like=like, origin=origin)
    given: dict[str, object] = {"devices": devices, "like": like, "origin": origin, "plans": plans, "recipes": recipes}
    given |= {"planned": True} if planned else {}
    extra = "".join(f", {key}={value!r}" for key, value in given.items() if value is not None)
    return replace(study, made=(f"sm.load_study({name!r}{extra})",))


@cache
def _bundled(name: str) -> Study:
    """A bundled study, whose file never changes, is read once."""
    return replace(_loaded(name, _Own(), like=None, origin=None), made=(f"sm.load_study({name!r})",))


class _Own(NamedTuple):
    """The caller's own files, and whether a plan of the caller takes the place of the study's."""

    devices: str | None = None
    plans: str | None = None
    recipes: str | None = None
    planned: bool = False


def _loaded(name: str, own: _Own, *, like: str | None, origin: str | None) -> Study:
    path, chosen = Path(name), bundled_path(name)
    how = {key: value for key, value in (("like", like), ("from", origin)) if value is not None}
    if chosen is not None:
        _no_config(name, how)
        return _read_whole(tables_of(chosen), name, name, chosen.parent, own)
    if path.suffix in (".json", ".gguf"):
        return _of_config(path, path.stem, own.devices, how)
    if name and path.is_dir():
        return _of_folder(path, own.devices, how)
    if is_name(name) and not path.exists():
        return _of_folder(cached(name), own.devices, how, name.partition("/")[2])
    _no_config(name, how)
    return _read_whole(read_toml(path), str(path), path.name.removesuffix(".toml"), path.parent, own)


def _read_whole(content: Mapping[str, Any], where: str, name: str, folder: Path, own: _Own) -> Study:
    """The study of a whole file, each of whose values is read by something."""
    study = read_study(content, where, name, folder, own.devices, own.plans, own.recipes)
    planned = {str(axis) for axis in (n_fsdp, *AXES)} if own.planned else set()
    for table_name in ("values", "given"):
        given = entry(content, table_name, dict, where, {})
        refuse_idle(study, (one for one in given if one not in planned), f"{where} [{table_name}]")
    return study


def read_study(
    content: Mapping[str, Any],
    where: str,
    name: str,
    folder: Path,
    devices: str | None = None,
    plans: str | None = None,
    recipes: str | None = None,
) -> Study:
    """Check the parsed `content` of a study file and return the `Study`; the others are the caller's own files."""
    known_keys(content, _TOP, where)
    names, own = read_own(entry(content, "given", dict, where, {}), f"{where} [given]")
    model = entry(content, "model", dict, where)
    built = build_model(model, f"{where} [model]", folder, names)
    if False in model.values():
        from symbolic_mem.models.described import refuse_left_out

        refuse_left_out(model, entry(content, "values", dict, where, {}), where)
    values = dict(built.values) | own
    values |= read_values(entry(content, "values", dict, where, {}), f"{where} [values]")
    formulas = read_derived(entry(content, "values", dict, where, {}), f"{where} [values]")
    values = derive(formulas, values, f"{where} [values]")
    built.check(values, f"{where} [values]")
    network = None
    if "network" in content:
        table_of_rates = entry(content, "network", dict, where)
        network, rates = read_network(table_of_rates, values, f"{where} [network]", devices)
        values |= rates
    placement = _placement(entry(content, "placement", dict, where, {}), f"{where} [placement]")
    plan = None
    if "plan" in content:
        plan = read_plan(
            entry(content, "plan", dict, where), f"{where} [plan]", None if plans is None else read_plans(plans)
        )
    recipe = read_recipe(
        entry(content, "recipe", dict, where, {}),
        f"{where} [recipe]",
        folder=folder,
        own=None if recipes is None else read_recipes(recipes),
    )
    with at_place(f"{where} [model]: kernel"):
        refuse_parts(recipe, built.kernel)
    asked = At(
        where,
        devices,
        _editions(entry(content, "editions", dict, where, {}), f"{where} [editions]"),
        names,
        folder,
    )
    questions = _questions(entry(content, "question", list, where, []), asked)
    if plan is not None:
        found = {name for question in questions for name in question.finds if name not in map(str, values)}
        plan = replace(plan, finds=tuple(axis for axis in AXES if axis.name in found))
        values = plan.given(values)
        plan.check(values, built, trains=recipe.trains)
    study = Study(
        name=name,
        title=printable(entry(content, "title", str, where), "title", where),
        built=built,
        recipe=recipe,
        values=values,
        plan=plan,
        placement={**({} if plan is None else plan.shares), **placement},
        questions=questions,
        source=printable(entry(content, "source", str, where, ""), "source", where),
        text=printable(entry(content, "text", str, where, ""), "text", where),
        notes=(
            *(follows(symbol, expr) for symbol, expr in formulas.items()),
            *_notes(entry(content, "notes", list, where, []), where),
        ),
        formulas=formulas,
        devices=devices,
        network=network,
        names=names,
        written=read_written(entry(content, "symbols", dict, where, {}), names, f"{where} [symbols]"),
        author=printable(entry(content, "author", str, where, ""), "author", where),
        course=printable(entry(content, "course", str, where, ""), "course", where),
        date=_date(content, where),
        variants=read_variants(entry(content, "variants", dict, where), names, f"{where} [variants]")
        if "variants" in content
        else (),
    )
    with at_place(f"{where} [recipe]"):
        study = as_stored(tuned(agreed(study, asked="profile" in model)))
    if "capacity" not in content:
        return study
    return study.changed([use_capacity(entry(content, "capacity", str, where), f"{where}: capacity")])


def _of_folder(folder: Path, devices: str | None, how: Mapping[str, str], name: str = "") -> Study:
    """A study of the model whose files lie in a folder, as they are published and downloaded."""
    path = folder / "config.json"
    if not path.is_file():
        raise BadInput(
            f"{shown(folder)} is a folder without a config.json; name a .toml study or the folder of a model"
        )
    return _of_config(path, name or folder.resolve().name, devices, how)


def _no_config(name: str, how: Mapping[str, str]) -> None:
    for option in how:
        raise BadInput(f"--{option} says how a config.json is read, and {shown(name)} is none; leave it out")


def _of_config(path: Path, name: str, devices: str | None, how: Mapping[str, str]) -> Study:
    """A study of a config.json alone: a documented recipe, states divided, B sequences on each device."""
    built = build_model({"config": path.name, **how}, str(path), path.parent)
    return Study(
        name=name,
        title=f"Memory of training {name}",
        built=built,
        recipe=replace(recipe(CONFIG_RECIPE), presumed=True),
        values=built.values,
        placement={kind: Placed(n_fsdp) for kind in STATIC},
        source=path.name,
        device=OneDevice(reading=""),
        devices=devices,
    )


def _placement(content: Mapping[str, Any], where: str) -> dict[str, Placed]:
    known_keys(content, KINDS, where)
    placement = {}
    for kind in content:
        place_table = entry(content, kind, dict, where)
        inside = f"{where} {kind}"
        known_keys(place_table, _PLACED, inside)
        known = degrees()
        given = entry(place_table, "over", str, inside, "n_fsdp")
        degree = read_formula(given, known, f"{inside}: over")
        if any(factor not in known.values() for factor in sp.Mul.make_args(degree)):
            raise BadInput(
                f"{inside}: over {given!r} is not a degree; give one, or a product of different ones, as in n_fsdp*n_tp"
            )
        rest = entry(place_table, "rest", str, inside, "kept")
        if rest not in RESTS:
            raise BadInput.unknown(f"{inside}: unknown rest {rest!r}", rest, RESTS)
        placement[kind] = Placed(degree, read_fraction(place_table.get("fraction", 1), inside), rest)
    return placement


def _notes(content: list[Any], where: str) -> tuple[str, ...]:
    for note in content:
        if not isinstance(note, str):
            raise BadInput(f"{where}: notes holds {clipped(str(note))}, which is no text; put each note in quotes")
    return tuple(printable(note, "notes", where) for note in content)


def _date(content: Mapping[str, Any], where: str) -> str:
    """The date of a study as it is printed: words, or a date of TOML."""
    given = content.get("date", "")
    if isinstance(given, date):
        return given.isoformat()
    return printable(entry(content, "date", str, where, ""), "date", where)


def _editions(content: Mapping[str, Any], where: str) -> dict[str, str]:
    return {name: printable(entry(content, name, str, where), name, where) for name in content}


def _questions(content: list[Any], at: At) -> tuple[Question, ...]:
    questions: dict[str, Question] = {}
    for position, asking in enumerate(content, start=1):
        inside = f"{at.where} [[question]] number {position}"
        if not isinstance(asking, dict):
            raise BadInput(f"{inside} must be a table")
        asked = question_type(entry(asking, "ask", str, inside), inside)
        label = words(entry(asking, "label", str, inside, str(position)), At(f"{inside}: label"))
        if label in questions:
            raise BadInput(f"{inside}: label {label!r} is that of an earlier question; give each its own")
        questions[label] = asked.read(asking, at.at(inside), label)
    return tuple(questions.values())
