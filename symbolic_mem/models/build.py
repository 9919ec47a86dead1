"""From the [model] table of a study to a `Model` and the values that it implies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import Name, spelled
from symbolic_mem.base.tomlfile import entry, known_keys
from symbolic_mem.models.built import Built, from_architecture, with_beside
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.tensors import NOT_DESCRIBED, Model

if TYPE_CHECKING:
    from symbolic_mem.models.architecture import Architecture

_ENGINE = ("profile", "kernel", "loss")
_GIVEN = ("saved_per_layer", "saved_reason")
_STACK = ("residual",)


def build_model(content: Mapping[str, Any], where: str, folder: Path, own: Iterable[Name] = ()) -> Built:
    """Build the model that a [model] table describes; `folder` is where its relative paths start.

    Formulas in it may use symbols that only the study has, its `own`.
    """
    table = dict(content)
    if table.get("kind") == "ffn":  # without the time that it takes to import transformers
        return _ffn(table, where)
    from symbolic_mem.models.described import ARCHITECTURE_KEYS

    known_keys(
        table, ("kind", "config", "like", "from", "edition", *_ENGINE, *_GIVEN, *_STACK, *ARCHITECTURE_KEYS), where
    )
    if ("config" in table) == ("kind" in table):
        kinds = f"kind (known: {', '.join(_KINDS)})"
        raise BadInput(f"{where}: give one of {kinds} and config (the path of a config.json)", _KINDS)
    if "config" in table:
        _only(table, ("config", "like", "from", "mtp", *_ENGINE), "config", where)
        return _config(folder / entry(table, "config", str, where), table, where)
    kind = entry(table, "kind", str, where)
    if kind not in _KINDS:
        raise BadInput.unknown(f"{where}: unknown kind {kind!r} of model", kind, _KINDS)
    return _parameters(table, where, own) if kind == "parameters" else _KINDS[kind](table, where)


def _config(path: Path, table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.base.errors import shown
    from symbolic_mem.base.outside import read_content
    from symbolic_mem.models.config import describe
    from symbolic_mem.models.json_file import parse_json
    from symbolic_mem.models.reading import WITHOUT_A_PART
    from symbolic_mem.models.unread import inert

    place = shown(path)
    if path.suffix == ".gguf":
        return _gguf(path, table, where)
    like, origin = (entry(table, key, str, where, "") or None for key in ("like", "from"))
    content = parse_json(read_content(path, "JSON"), place, inert())
    found = describe(content, place, like, origin, mtp=entry(table, "mtp", bool, where, False))
    if found.architecture is None:
        for key in _ENGINE:
            if key in table:
                raise BadInput(
                    f"{where}: the blocks of {found.name} are not described, so there is no {key}; remove it"
                )
        made = Built(Model(found.name, (), cached=found.cached), {})
    else:
        made = _described(found.architecture, table, where)
    visited = found.visited if found.layers else None
    made = replace(with_beside(made, found.layers, found.assumptions, visited), unread=found.unread)
    rests = [line for line in made.model.assumptions if like or origin or line.startswith(WITHOUT_A_PART)]
    made = replace(made, rests_on=tuple(rests)) if rests else made
    if content.get("quantization_config") is not None:
        made = _with_stored(made, content, place)
    modules = found.architecture is not None and content.get("num_nextn_predict_layers")
    if modules and _method(content) in (None, "fp8"):
        made = replace(made, in_file=partial(_in_file, content, place, (like, origin), table, where))
    return _with_files(made, path.parent) if any(path.parent.glob("*.safetensors*")) else made


def _method(content: Mapping[str, Any]) -> object:
    given = content.get("quantization_config")
    return given.get("quant_method") if isinstance(given, Mapping) else None


def _in_file(
    content: Mapping[str, Any], place: str, read_as: tuple[str | None, str | None], table: dict[str, Any], where: str
) -> int:
    """The numbers of the file, counted of the model with all that it predicts."""
    from symbolic_mem.models.config import describe
    from symbolic_mem.models.published import numbers_in_file

    architecture = describe(content, place, *read_as, mtp=True).architecture
    assert architecture is not None, "its blocks are described without the modules"
    return numbers_in_file(_described(architecture, table, where), content, place)


def _gguf(path: Path, table: dict[str, Any], where: str) -> Built:
    """The weights that a GGUF file holds, by name, and their bytes in it."""
    from symbolic_mem.models.gguf import gguf_caches, gguf_layers, read_header
    from symbolic_mem.models.quantised import Quantised

    _only(table, ("config",), "a GGUF file", where)
    header = read_header(path)
    tensors = header.tensors
    size, kinds = sum(tensor.bytes for tensor in tensors), dict[str, int]()
    for tensor in tensors:
        kinds[tensor.type] = kinds.get(tensor.type, 0) + tensor.bytes
    line = (
        f"The file holds {len(tensors):,} tensors of {size:,} bytes ({', '.join(kinds)}); inference counts them so, training "
        "as its recipe says."
    )
    said = (line, NOT_DESCRIBED, "The sizes stand as numbers in the formulas.")
    built = with_beside(
        Built(Model(path.stem, (), cached=gguf_caches(header)), {}), gguf_layers(tensors), said, sp.S.One
    )
    return replace(
        built, stored=size, packing=Quantised("GGUF", frozenset(), None, tuple(kinds.items())), rests_on=(line,)
    )


def _with_stored(built: Built, content: Mapping[str, Any], where: str) -> Built:
    """Count the bytes of the weights as the file says that they are quantised."""
    from symbolic_mem.models.quantised import alike, caches_asked, not_known, quantised, stored_bytes

    how, caches = quantised(content, where), caches_asked(content)
    if how is not None and not alike(how, built.model, built.values):
        how = replace(how, how=None)
    if caches:
        built = replace(_saying(built, caches), rests_on=(*built.rests_on, caches))
    if how is not None and how.how is not None:
        size = stored_bytes(built.model, built.values, how, content)
        line = (
            "As published, with the sizes of the file, the weights that are counted here are quantised "
            f"({how.words}) and take {size:,} bytes; inference counts them so, training as its recipe says."
        )
        return replace(_saying(built, line), stored=size, packing=how, rests_on=(*built.rests_on, line))
    line = not_known(content, how)
    return replace(_saying(built, line), rests_on=(*built.rests_on, line)) if line else built


def _saying(built: Built, *lines: str) -> Built:
    model = replace(built.model, assumptions=(*built.model.assumptions, *lines))
    return replace(built, model=model, said=(*built.said, *lines))


def _with_files(built: Built, folder: Path) -> Built:
    """Hold the tensors of the files beside a config against it, where there are any."""
    from symbolic_mem.models.checkpoint import Checkpoint
    from symbolic_mem.models.counts import parameters_by_group
    from symbolic_mem.models.safetensors import stored_tensors

    tensors = stored_tensors(folder)
    if tensors is None:
        return built
    derived = {group: int(size.xreplace(built.values)) for group, size in parameters_by_group(built.model).items()}
    tied = "head" not in derived and (built.architecture is None or built.architecture.head == "language model")
    files = Checkpoint(tensors, derived, tied)
    return replace(_saying(built, *files.lines), files=files)


def _described(architecture: Architecture, table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.models.profile import profile
    from symbolic_mem.models.transformer import DEFAULT_PROFILE

    with at_place(where):
        how = profile(entry(table, "profile", str, where, DEFAULT_PROFILE))
    kernel, loss = (entry(table, key, str, where, "") for key in ("kernel", "loss"))
    if loss:
        from symbolic_mem.models.losses import loss as known_loss

        with at_place(f"{where}: loss"):
            known_loss(loss)
    with at_place(where):
        return from_architecture(architecture, how, kernel, loss)


def _only(table: dict[str, Any], allowed: tuple[str, ...], what: str, where: str) -> None:
    for key in table:
        if key not in allowed:
            raise BadInput(f"{where}: a model given by {what} has no {key}; remove it")


def _ffn(table: dict[str, Any], where: str) -> Built:
    _only(table, ("kind",), 'kind = "ffn"', where)
    return Built(ffn(), {}, stack=lambda inner: ffn(inner=inner))


def _gated_ffn(table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.models.gated_ffn import gated_ffn

    _only(table, ("kind", "residual"), 'kind = "gated-ffn"', where)
    residual = entry(table, "residual", bool, where, False)
    return Built(gated_ffn(residual=residual), {}, stack=lambda inner: gated_ffn(inner=inner, residual=residual))


def _plain_transformer(table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.models.described import ARCHITECTURE_KEYS, read_architecture

    _only(table, ("kind", *_ENGINE, *ARCHITECTURE_KEYS), 'kind = "transformer"', where)
    described = {key: table[key] for key in table if key in ARCHITECTURE_KEYS}
    return _described(read_architecture(described, where), table, where)


def _cs336_transformer(table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.models.cs336 import cs336_transformer

    _only(table, ("kind", "edition"), 'kind = "cs336-transformer"', where)
    with at_place(where):
        return Built(cs336_transformer(edition=entry(table, "edition", int, where, 2025)), {})


def _parameters(table: dict[str, Any], where: str, own: Iterable[Name] = ()) -> Built:
    from symbolic_mem.models.given import given_parameters

    _only(table, ("kind", *_GIVEN), 'kind = "parameters"', where)
    reason = entry(table, "saved_reason", str, where, "")
    if "saved_per_layer" not in table:
        return Built(given_parameters(), {})
    names = spelled(own)
    given = table["saved_per_layer"]
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise BadInput(f'{where}: saved_per_layer is a formula in text, as in "34*B*S*d_model", not {given!r}')
    kept = read_formula(str(given), names, f"{where}: saved_per_layer")
    if kept.is_negative:
        raise BadInput(f"{where}: saved_per_layer = {given} is less than nothing; give what is kept")
    return Built(given_parameters(kept, reason), {})


_KINDS = {
    "cs336-transformer": _cs336_transformer,
    "parameters": _parameters,
    "ffn": _ffn,
    "gated-ffn": _gated_ffn,
    "transformer": _plain_transformer,
}
KINDS_OF_MODEL = tuple(_KINDS)
