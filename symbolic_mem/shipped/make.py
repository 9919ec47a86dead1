"""The accounts of the bundled studies as data: for which values each form holds, found by hiding the values from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.nodes import Nodes
from symbolic_mem.base.rational import fraction
from symbolic_mem.base.symbols import hidden, lookup, named, writing
from symbolic_mem.base.version import __version__
from symbolic_mem.document.prose import say
from symbolic_mem.hardware.catalogue import load_devices
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.asking import as_asked
from symbolic_mem.render.json import plain_record
from symbolic_mem.render.text import plain_prose
from symbolic_mem.shipped.form import Form, hole
from symbolic_mem.shipped.read import CHANGED
from symbolic_mem.solvers.capacity import capacity_of
from symbolic_mem.study.setting import Change, OneDevice
from symbolic_mem.study.study import Study
from symbolic_mem.study.watched import Watched


class _Hidden(OneDevice):
    """A device that nothing may look at: the form of an account does not depend on it."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("name", "amount", "reading", "reserved", "usable", "known"):
            raise _Looked(name)
        return super().__getattribute__(name)


class _Looked(Exception):
    """A form has looked at what it must not depend on."""


def write(folder: Path) -> Iterator[Path]:
    """Write the data of each bundled study that can have it into `folder`, and yield the files."""
    for name in bundled():
        content = data(load_study(name))
        if content is not None:
            path = folder / f"{name}.json"
            path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
            yield path


def data(study: Study) -> dict[str, Any] | None:
    """Return the account of a study as data; None where it has none, or where more than numbers depends on its values."""
    nodes = Nodes()
    try:
        forms = list(_forms(study, nodes))
    except (BadInput, _Looked):
        return None
    return (
        {
            "version": __version__,
            "values": {str(symbol): str(value) for symbol, value in study.values.items()},
            "capacity": _capacity(study),
            "nodes": nodes.listed,
            "forms": forms,
        }
        if forms
        else None
    )


def _forms(study: Study, nodes: Nodes) -> Iterator[dict[str, Any]]:
    """The forms of an account, each with the symbols that decide it: as they are in the study, or of more than one device.

    Raises `BadInput` for what has no account or is no rational arithmetic, and `_Looked` where the device decides more.
    """
    memory = study.memory.total.free_symbols
    degrees = set().union(*(placed.degree.free_symbols for placed in study.placement.values()))
    axes = set() if study.plan is None else set(study.plan.axes)
    read = {symbol for symbol in memory | degrees | axes if lookup(str(symbol)) is not None and named(symbol).whole}
    base = dict(study.values)
    yield from _form(study, nodes, read, base, ())
    for degree in sorted(degrees, key=str):
        several = hidden(degree)  # and so not 1
        try:
            found = list(_form(study, nodes, read, {**base, degree: several}, (degree,)))
        except (BadInput, TypeError):  # something was to be decided by that number
            continue
        if str(several) not in json.dumps([found, nodes.listed]):
            yield from found


def _form(
    study: Study, nodes: Nodes, read: set[Any], values: Mapping[Any, Any], several: tuple[Any, ...]
) -> Iterator[dict[str, Any]]:
    watched = Watched(values)
    seen = replace(study, values=watched, device=_Hidden(), caller=(Change("caller", CHANGED, lambda same: same),))
    seen.built.check(watched, study.name)
    if seen.plan is not None:
        seen.plan.check(watched, seen.built)
    with writing(study.written):
        form = Form(seen, nodes)
        record = _with_changes(plain_record(form.record))
        spelled = {str(one): plain_prose(say("{s}", s=one)) for one in read}
    fixed = watched.seen.union(*(expr.free_symbols | {symbol} for symbol, expr in study.formulas.items()))
    fixed -= set(several)
    yield {
        "several": [str(degree) for degree in several],
        "fixed": sorted(str(symbol) for symbol in fixed if lookup(str(symbol)) is not None),
        "free": sorted(str(symbol) for symbol in read - fixed),
        "spelled": spelled,
        "step": form.step,
        "record": record,
    }


def _with_changes(record: dict[str, Any]) -> dict[str, Any]:
    """A record in which the sentence about what a caller changes is a hole."""
    said = [hole("changed", one) if CHANGED in one else one for one in record["assumptions"]]
    return {**record, "assumptions": said}


def _capacity(study: Study) -> dict[str, Any]:
    """What counts of one device: of that of the study, of each of the catalogue, and how an amount is cut."""
    own, catalogue = study.device, load_devices()
    asked = as_asked(study.change(device=next(iter(catalogue))))
    limits: dict[str, Any] = {"reserved": asked.reserved, "usable": asked.usable}
    devices = {}
    for name, device in catalogue.items():
        try:
            devices[name] = _exact(capacity_of(device, asked.reading, **limits).counted)
        except BadInput:
            continue  # `--device` of it is refused, by the way that has the words for that
    return {
        "own": [_exact(study.capacity.counted), study.capacity.reading] if own.known else None,
        "reading": asked.reading,
        "reserved": _exact(asked.reserved),
        "usable": _exact(asked.usable),
        "devices": devices,
    }


def _exact(number: Any) -> str:
    return str(fraction(number))
