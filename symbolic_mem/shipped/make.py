"""The accounts of the bundled studies as data: for which values each form holds, found by hiding the values from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.looked_up import LookedUp
from symbolic_mem.base.nodes import Nodes
from symbolic_mem.base.rational import fraction
from symbolic_mem.base.symbols import hidden, lookup, named, writing
from symbolic_mem.base.tables import as_json
from symbolic_mem.base.version import __version__
from symbolic_mem.document.prose import say
from symbolic_mem.hardware.catalogue import load_devices, taken_by_a_context
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.asking import as_asked, usual
from symbolic_mem.questions.parts.cautions import elsewhere
from symbolic_mem.questions.parts.readings import every_reading
from symbolic_mem.questions.parts.words import few_figures
from symbolic_mem.render.jinja import compile_templates
from symbolic_mem.render.json import plain_record
from symbolic_mem.render.templates import compiled_folder, template_folder
from symbolic_mem.render.text import plain_prose
from symbolic_mem.shipped.fill import CHANGED, exact
from symbolic_mem.shipped.form import Form, hole
from symbolic_mem.shipped.solved import solved
from symbolic_mem.solvers.capacity import Capacity, capacity_of
from symbolic_mem.study.setting import Change, OneDevice
from symbolic_mem.study.study import Study
from symbolic_mem.study.watched import Watched

PACKAGE = Path(__file__).parents[1]


class _Hidden(OneDevice):
    """A device that nothing may look at: the form of an account does not depend on it."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("name", "amount", "reading", "reserved", "usable", "known"):
            raise _Looked(name)
        return super().__getattribute__(name)


class _Looked(Exception):
    """A form has looked at what it must not depend on."""


def write(folder: Path) -> Iterator[Path]:
    """Write what a package has ready into a copy of its folder, and yield the files: see `account`, `solve` and `Tables`."""
    for name in bundled():
        study = load_study(name)
        for verb, make in (("account", account), ("solve", solve)):
            content = make(study)
            if content is not None:
                written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
                yield _written(folder / "shipped" / "data" / verb / f"{name}.json", written)
    for path in sorted(PACKAGE.rglob("*.toml")):
        ready = folder / path.relative_to(PACKAGE).with_suffix(".json")
        yield _written(ready, as_json(path.read_text(encoding="utf-8")))
    compiled = folder / compiled_folder().relative_to(template_folder().parent)
    compile_templates(compiled)
    yield from sorted(compiled.iterdir())


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def account(study: Study) -> dict[str, Any] | None:
    """Return the account of a study as data; None where it has none, or where more than numbers depends on its values."""
    nodes = Nodes()
    try:
        forms = list(_forms(study, nodes))
    except (BadInput, _Looked):
        return None
    return _content(study, nodes, forms)


def solve(study: Study) -> dict[str, Any] | None:
    """Return the first answer about a degree as data; None where `solve` gives another, or one that is more than numbers."""
    question = next(iter(usual(study)), None)
    if not isinstance(question, MinDegree):
        return None
    nodes = Nodes()
    try:
        real = study.under(question)
        question.answer(real)
        if question.symbol in real.values or question.rules_for(real, question.symbol):
            return None
        own = {change.aspect for change in question.own}
        read = {one for one in _read(real) if str(one) in (question.reads(real) or ()) and str(one) not in own}
        with writing(study.written):
            seen, watched = _seen(real, real.values)
            known = _devices(real)
            capacities = [exact(one["counted"]) for one in (known["own"], *known["devices"].values())]
            told = solved(seen, real, question, LookedUp(nodes), capacities)
        form = {**told, **_decided(real, watched, read, ()), "record": _with_changes(told["record"])}
        for one in told["instants"]:
            one[6] = one[6] and _with_changes(one[6])
    except (BadInput, ValueError, _Looked):
        return None
    return _content(real, nodes, [{**form, "taken": [_exact(size) for size in taken_by_a_context()]}])


def _content(study: Study, nodes: Nodes, forms: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "version": __version__,
        "values": {str(symbol): str(value) for symbol, value in study.values.items()},
        "device": _devices(study),
        "reach": None if study.built.architecture is None else study.built.architecture.reach,
        "nodes": nodes.listed,
        "forms": forms,
    }


def _forms(study: Study, nodes: Nodes) -> Iterator[dict[str, Any]]:
    """The forms of an account, each with the symbols that decide it: as they are in the study, or of more than one device.

    Raises `BadInput` for what has no account or is no rational arithmetic, and `_Looked` where the device decides more.
    """
    read = _read(study)
    base = dict(study.values)
    yield from _form(study, nodes, read, base, ())
    for degree in sorted(set().union(*(placed.degree.free_symbols for placed in study.placement.values())), key=str):
        several = hidden(degree)  # and so not 1
        try:
            found = list(_form(study, nodes, read, {**base, degree: several}, (degree,)))
        except (BadInput, TypeError):  # something was to be decided by that number
            continue
        if str(several) not in json.dumps([found, nodes.listed]):
            yield from found


def _read(study: Study) -> set[Any]:
    """The symbols of whole numbers that an account reads."""
    memory = study.memory.total.free_symbols
    degrees = set().union(*(placed.degree.free_symbols for placed in study.placement.values()))
    axes = set() if study.plan is None else set(study.plan.axes)
    return {symbol for symbol in memory | degrees | axes if lookup(str(symbol)) is not None and named(symbol).whole}


def _form(
    study: Study, nodes: Nodes, read: set[Any], values: Mapping[Any, Any], several: tuple[Any, ...]
) -> Iterator[dict[str, Any]]:
    seen, watched = _seen(study, values)
    with writing(study.written):
        form = Form(seen, nodes)
        record = _with_changes(plain_record(form.record))
        decided = _decided(study, watched, read, several)
    yield {**decided, "step": form.step, "powers": form.powers, "record": record}


def _seen(study: Study, values: Mapping[Any, Any]) -> tuple[Study, Watched]:
    """The study with values that are watched, and a device that nothing may look at; its sizes are checked, which reads some."""
    watched = Watched(values)
    seen = replace(study, values=watched, device=_Hidden(), caller=(Change("caller", CHANGED, lambda same: same),))
    seen.built.check(watched, study.name)
    if seen.plan is not None:
        seen.plan.check(watched, seen.built, trains=seen.recipe.trains)
    return seen, watched


def _decided(study: Study, watched: Watched, read: set[Any], several: tuple[Any, ...]) -> dict[str, Any]:
    """For which values a form holds: those that were read are fixed, and `several` are more than one."""
    fixed = watched.seen.union(*(expr.free_symbols | {symbol} for symbol, expr in study.formulas.items()))
    fixed -= set(several)
    return {
        "several": [str(degree) for degree in several],
        "fixed": sorted(str(symbol) for symbol in fixed if lookup(str(symbol)) is not None),
        "free": sorted(str(symbol) for symbol in read - fixed),
        "spelled": {str(one): plain_prose(say("{s}", s=one)) for one in read},
    }


def _with_changes(record: dict[str, Any]) -> dict[str, Any]:
    """A record in which the sentence about what a caller changes is a hole."""
    said = [hole("changed", one) if CHANGED in one else one for one in record.get("assumptions", ())]
    return record | ({"assumptions": said} if said else {})


def _devices(study: Study) -> dict[str, Any]:
    """What is known of the device of the study, and of each of the catalogue in its reading; how an amount is cut."""
    own, catalogue = study.device, load_devices()
    asked = as_asked(study.change(device=next(iter(catalogue))))
    limits: dict[str, Any] = {"reserved": asked.reserved, "usable": asked.usable}
    devices = {}
    for name, device in catalogue.items():
        if elsewhere(study.recipe, device):
            continue  # `--device` of it has a caution more, which the formulas say
        try:
            devices[name] = _known(capacity_of(device, asked.reading, **limits))
        except BadInput:
            continue  # `--device` of it is refused, by the way that has the words for that
    return {
        "own": _known(study.capacity) if own.known else {"counted": None},
        "reserved": _exact(asked.reserved),
        "usable": _exact(asked.usable),
        "devices": devices,
    }


def _known(capacity: Capacity) -> dict[str, Any]:
    device, few = capacity.device, few_figures(capacity)
    if device is None:
        return {"counted": _exact(capacity.counted), "unit": capacity.unit}
    return {
        "counted": _exact(capacity.counted),
        "unit": capacity.unit,
        "few": None if few is None else plain_prose(few),
        "reading": capacity.reading,
        "name": device.name,
        "title": device.title,
        "nominal": _exact(capacity.nominal),
        "process": None if device.process is None else [_exact(device.process.bytes), device.process.by],
        "reported": None if device.reported is None else _exact(device.reported),
        "reported_as": device.reported_as,
        "readings": [[one.reading, _exact(one.counted)] for one in every_reading(capacity)],
    }


def _exact(number: Any) -> str:
    return str(fraction(number))
