"""Models of several modalities: a language model beside a tower and a projector, which are counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.json_file import kind_of
from symbolic_mem.models.sizes import Sizes
from symbolic_mem.models.tensors import Layer, Tensor
from symbolic_mem.models.unread import unread

TOWER, PROJECTOR = "vision tower", "projector"


@dataclass(frozen=True)
class Wrapper:
    """A class with a language model of family `text` and a tower, each with its sizes and parts."""

    model_type: str
    architecture: str
    text: str
    tied: bool
    tower: Mapping[str, Mapping[str, Any]]
    sizes: Mapping[str, Mapping[str, Any]]
    parts: Mapping[str, Mapping[str, Any]]


@cache
def wrappers() -> Mapping[str, Wrapper]:
    """Return the table of wrappers by ``model_type``."""
    table = tables_of(Path(__file__).with_name("wrappers.toml"))
    towers: dict[str, Mapping[str, Mapping[str, Any]]] = {}
    for name, row in table["towers"].items():
        towers[name] = {} if "like" not in row else _without(towers[row["like"]], row.get("without", ()))
        towers[name] = {what: {**towers[name].get(what, {}), **row.get(what, {})} for what in ("sizes", "parts")}
    found = {}
    for name, row in table["wrappers"].items():
        tower = _without(towers[row["tower"]], row.get("without", ()))
        parts = row.get("parts", {})
        found[name] = Wrapper(name, row["architecture"], row["text"], row["tied"], tower, row.get("sizes", {}), parts)
    return found


@cache
def inert() -> frozenset[str]:
    """Return the fields of wrappers and towers that change no weight."""
    return frozenset(tables_of(Path(__file__).with_name("wrappers.toml"))["inert"])


def _without(tower: Mapping[str, Mapping[str, Any]], names: Any) -> Mapping[str, Mapping[str, Any]]:
    return {what: {name: row for name, row in rows.items() if name not in names} for what, rows in tower.items()}


def text_of(wrapper: Wrapper, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the fields of the language model: those under ``text_config``, or in older files those at the top.

    Whether the head is tied stands at the top, or it is the default of the wrapper's class.
    """
    text = table.get("text_config", table)
    if not isinstance(text, dict):
        raise BadInput(
            f"{where}: text_config must be an object with the fields of the language model, not {kind_of(text)}"
        )
    if "text_config" not in table and "hidden_size" not in table:
        raise BadInput(f"{where}: there is no text_config, which says how large the language model is; give it")
    own = {key: value for key, value in text.items() if key not in ("architectures", "model_type", "vision_config")}
    own["model_type"] = text.get("model_type", wrapper.text) if text is not table else wrapper.text
    own["tie_word_embeddings"] = table.get("tie_word_embeddings", wrapper.tied)
    return own


def beside(
    wrapper: Wrapper, table: Mapping[str, Any], width: sp.Expr, where: str
) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """Return the layers of the tower and of the projector to the `width` of the language model, and what is not read."""
    if not isinstance(table.get("vision_config", {}), dict):
        raise BadInput(f"{where}: vision_config must be an object with the fields of the vision tower")
    tower = Sizes(table, wrapper.tower["sizes"], where)
    between = Sizes(table, wrapper.sizes, where, {"d_text": width})
    layers = (*_layers(TOWER, wrapper.tower["parts"], tower), *_layers(PROJECTOR, wrapper.parts, between))
    read = {name.rpartition(".")[2] for name in tower.asked | between.asked} | {"tie_word_embeddings"} | inert()
    inside = unread(table.get("vision_config", {}), read, f"{where}: vision_config")
    around = unread(table, read, where) if "text_config" in table else ()
    return layers, (*around, *(f"vision_config.{name}" for name in inside))


def _layers(group: str, parts: Mapping[str, Mapping[str, Any]], sizes: Sizes) -> Iterator[Layer]:
    for name, part in parts.items():
        times = sizes.formula(part.get("times", "1"), f"number of parts {name!r}")
        weights = [
            Tensor(weight, shape, "counted, not described", group=group)
            for weight, dimensions in part.items()
            if weight != "times"
            and 0 not in (shape := tuple(sizes.formula(size, f"{name} {weight}") for size in dimensions))
        ]
        if weights and times != 0:
            yield Layer(name, tuple(weights), repeat=times)
