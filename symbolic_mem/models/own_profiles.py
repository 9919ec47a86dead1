"""Engine profiles of a caller's own file: each table is one of profiles.toml, mostly one that extends a bundled profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from symbolic_mem.base.errors import BadInput, clipped
from symbolic_mem.base.tomlfile import entry, known_keys, read_toml
from symbolic_mem.models.families import families
from symbolic_mem.models.known import profile_among
from symbolic_mem.models.profile import (
    OWN,
    PRECISIONS,
    SIZES,
    Profile,
    known_operations,
    made_profile,
    operation_tensors,
    profiles,
)

_KEYS = (
    *OWN,
    "extends",
    "compute",
    "residual",
    "by_head",
    "measured",
    "regenerates",
    "assumptions",
    "without",
    "keeps",
    "families",
    "converted",
)
_MOST_BYTES = 64
_NOTE = {"words", "when"}


def read_profiles(path: str | Path) -> Mapping[str, Profile]:
    """Read the engine profiles of a TOML file by name; one with the name of a bundled profile takes its place.

    A table may extend a bundled profile, or one that stands above it. Raises `BadInput` for a key that a profile does not have, for
    an operation or tensor that is not known, for what is no number of bytes, and for a table without title or source.
    """
    found: dict[str, Profile] = {}
    content = read_toml(path)
    for name in content:
        where = f"{path} [{name}]"
        table = entry(content, name, dict, where)
        known = {**profiles(), **found}
        _check(table, where, known)
        found[name] = made_profile(name, table, known)
        _check_names(found[name], table, where, known)
    return found


def profile_of(name: str, path: str | Path | None = None) -> Profile:
    """Return the engine profile of that name, of the file `path` or bundled; raises `BadInput` naming those there are.

    >>> profile_of("hf-cuda-bf16").engine
    'hf-cuda'
    """
    return profile_among(profiles() if path is None else {**profiles(), **read_profiles(path)}, name)


def _check_names(made: Profile, table: Mapping[str, Any], where: str, known: Mapping[str, Profile]) -> None:
    """Refuse a kernel or a loss that the profile keeps no row for, and a row that is left out and was not there."""
    kernels = [row.removeprefix("attention ") for row in made.keeps if row.startswith("attention ")]
    for key, given, rows in (("kernel", made.kernel, kernels), ("loss", made.loss, made.keeps)):
        if key in table and given not in rows:
            raise BadInput.unknown(f"{where}: {key} {clipped(given)} has no row under keeps", given, rows)
    inherited = known[table["extends"]].keeps if "extends" in table else {}
    for row in table.get("without", ()):
        if row not in inherited:
            raise BadInput.unknown(f"{where}: without: there is no row {clipped(row)} to leave out", row, inherited)


def _check(table: Mapping[str, Any], where: str, known: Mapping[str, Profile]) -> None:
    known_keys(table, _KEYS, where)
    for key in ("title", "source"):
        if not entry(table, key, str, where, ""):
            raise BadInput(f"{where}: {key} is missing; say in words what the profile is and who says so")
    for key in ("kernel", "loss", "engine"):
        entry(table, key, str, where, "")
    base = entry(table, "extends", str, where, "")
    if "extends" in table and base not in known:
        raise BadInput.unknown(f"{where}: it extends the unknown profile {clipped(base)}", base, known)
    if not base and not ("kernel" in table and "keeps" in table):
        raise BadInput(f"{where}: a profile that extends no other says its kernel and all that it keeps; give extends")
    for key in ("compute", "residual"):
        if key in table:
            _number(entry(table, key, int, where), f"{where}: {key}")
    precision = entry(table, "precision", str, where, "16-bit")
    if precision not in PRECISIONS:
        raise BadInput.unknown(f"{where}: unknown precision {clipped(precision)}", precision, PRECISIONS)
    if "loss_gradients" in table:
        _size(table["loss_gradients"], f"{where}: loss_gradients")
    if "loss_holds" in table:
        _number(entry(table, "loss_holds", int, where), f"{where}: loss_holds")
    for produced, size in entry(table, "outputs", dict, where, {}).items():
        _size(size, f"{where} outputs: {produced}")
    for key in ("by_head", "measured", "regenerates", "without"):
        _names(entry(table, key, list, where, []), f"{where}: {key}")
    for key in ("by_head", "measured"):
        for family in table.get(key, ()):
            if family not in families().known:
                raise BadInput.unknown(f"{where}: {key}: unknown family {clipped(family)}", family, families().known)
    for one in entry(table, "assumptions", list, where, []):
        if not (
            isinstance(one, str)
            or (isinstance(one, dict) and isinstance(one.get("words"), str) and one.keys() <= _NOTE)
        ):
            raise BadInput(f"{where}: an assumption is a text, or a table of words and when, not {clipped(repr(one))}")
    _rows(entry(table, "keeps", dict, where, {}), f"{where} keeps")
    for kind in ("families", "converted"):
        own_rows = entry(table, kind, dict, where, {})
        for family in own_rows:
            _rows(entry(own_rows, family, dict, where), f"{where} {kind}.{family}")


def _rows(table: Mapping[str, Any], where: str) -> None:
    for operation in table:
        rows = entry(table, operation, dict, where)
        of = (
            {f"attention {one}": entry(rows, one, dict, where) for one in rows}
            if operation == "attention"
            else {operation: rows}
        )
        for name, row in of.items():
            tensors = operation_tensors(name)
            if tensors is None:
                raise BadInput.unknown(f"{where}: unknown operation {clipped(name)}", name, known_operations())
            for tensor, size in row.items():
                place = f"{where}: {name}"
                if tensor not in tensors:
                    raise BadInput.unknown(f"{place} has no tensor {clipped(tensor)}", tensor, tensors)
                if isinstance(size, dict):
                    known_keys(size, ("bytes", "shape"), f"{place} {tensor}")
                    entry(size, "shape", str, f"{place} {tensor}")
                    size = size.get("bytes")
                _size(size, f"{place} {tensor}")


def _size(given: Any, where: str) -> None:
    if isinstance(given, str):
        if given not in SIZES:
            raise BadInput(f"{where}: unknown size {clipped(given)}; give bytes, or one of {', '.join(SIZES)}")
        return
    _number(given, where)


def _number(given: Any, where: str) -> None:
    if type(given) is not int or not 0 < given <= _MOST_BYTES:
        raise BadInput(f"{where}: {clipped(repr(given))} is no number of bytes of an element; give 1 to {_MOST_BYTES}")


def _names(given: Iterable[Any], where: str) -> None:
    for one in given:
        if not isinstance(one, str):
            raise BadInput(f"{where}: a list of names, and {clipped(repr(one))} is none")
