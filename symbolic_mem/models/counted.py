"""Families whose weights are counted part by part, and whose blocks are not described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from functools import cache
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.symbols import B, S
from symbolic_mem.base.tables import tables_of
from symbolic_mem.base.values import dataclass
from symbolic_mem.models.sizes import Sizes
from symbolic_mem.models.tensors import Cached, Layer, Tensor


@dataclass(frozen=True)
class CountedFamily:
    """Where a family's sizes stand in its config, and its weights as formulas of them; `visited` of the experts work."""

    model_type: str
    architecture: str
    architectures: tuple[str, ...]
    config_class: str
    sizes: Mapping[str, Mapping[str, Any]]
    parts: Mapping[str, Mapping[str, Any]]
    visited: str
    inert: frozenset[str] = frozenset()
    caches: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Counted:
    """The layers of one model with the shapes of their weights, what was read, and what decoding keeps."""

    layers: tuple[Layer, ...]
    sizes: Sizes
    visited: sp.Expr
    cached: tuple[Cached, ...] = ()

    @property
    def parameters(self) -> sp.Expr:
        """All parameters."""
        return sp.Add(*(layer.repeat * layer.parameters for layer in self.layers))


@cache
def counted_families() -> tuple[Mapping[str, CountedFamily], str]:
    """Return the table of families by ``model_type``, and its source."""
    table = tables_of(Path(__file__).with_name("counted.toml"))
    known: dict[str, CountedFamily] = {}
    for model_type, row in table["families"].items():
        like = known.get(row.get("like", ""))
        without = row.get("without", ())
        sizes = {name: size for name, size in (like.sizes if like else {}).items() if name not in without}
        parts = {name: part for name, part in (like.parts if like else {}).items() if name not in without}
        known[model_type] = CountedFamily(
            model_type=model_type,
            architecture=row["architecture"],
            architectures=tuple(row.get("architectures", (row["architecture"],))),
            config_class=row["class"],
            sizes=sizes | row.get("sizes", {}),
            parts=parts | row.get("parts", {}),
            visited=row.get("visited", like.visited if like else "1"),
            inert=frozenset(row.get("inert", like.inert if like else ())),
            caches=row.get("caches", like.caches if like else {}),
        )
    return known, table["source"]


def counted(
    family: CountedFamily, table: Mapping[str, Any], where: str, *, named: str = "", headless: bool = False
) -> Counted:
    """Count the weights of a config of this family; raises `BadInput` for a value that no model can have.

    `named` is the class that is counted ("": the family's usual one), `headless` leaves out the head of a decoder.

    >>> known, _ = counted_families()
    >>> counted(known["mamba"], {"num_hidden_layers": 24}, "config.json").parameters
    129135360
    """
    sizes = Sizes(table, family.sizes, where)
    layers = tuple(_layers(family, sizes, named or family.architecture, headless))
    visited = read_formula(family.visited, sizes.numbers, f"{where}: experts of a token")
    return Counted(layers, sizes, visited, tuple(_caches(family, sizes)))


def _layers(family: CountedFamily, sizes: Sizes, named: str, headless: bool) -> Iterator[Layer]:
    for name, part in family.parts.items():
        group = part["group"]
        times = sizes.formula(part.get("times", "1"), f"number of parts {name!r}")
        if times == 0 or (headless and group == "head") or named not in part.get("of", (named,)):
            continue
        weights = [
            Tensor(weight, shape, "counted, not described", group=group)
            for weight, dimensions in part.items()
            if weight not in ("group", "times", "of")
            and 0 not in (shape := tuple(sizes.formula(size, f"{name} {weight}") for size in dimensions))
        ]
        if weights:
            yield Layer(name, tuple(weights), repeat=times)


_CACHE = ("times", "grows", "window", "bytes", "served", "asked")
_DTYPES = {"float32": 4, "float16": 2, "bfloat16": 2, "auto": None}


def _caches(family: CountedFamily, sizes: Sizes) -> Iterator[Cached]:
    for name, row in family.caches.items():
        times = sizes.formula(row["times"], f"number of layers with {name}")
        if times == 0:
            continue
        grows, each = row.get("grows", True), row.get("bytes")
        window = sizes.formula(row["window"], f"{name} window") if "window" in row else None
        rows = (B, S) if grows else (B,)
        tensors = tuple(
            Tensor(
                tensor,
                (*rows, *(sizes.formula(size, f"{name} {tensor}") for size in dimensions)),
                "later tokens attend to it" if grows else "the state of a sequence",
                None if each is None else sp.Integer(each),
            )
            for tensor, dimensions in row.items()
            if tensor not in _CACHE
        )
        yield Cached(name, times, tensors, grows, window, served=() if grows else _served(name, row, tensors, sizes))


def _served(name: str, row: Mapping[str, Any], states: tuple[Tensor, ...], sizes: Sizes) -> tuple[Tensor, ...]:
    """A state as vLLM has it: of a convolution one token less, of a recurrence in the dtype of the model or the one that is asked for."""
    (state,) = states
    shape = (B, *(sizes.formula(size, f"{name} served") for size in row["served"])) if "served" in row else state.shape
    each = sizes.chosen(row["asked"], _DTYPES) if "asked" in row else None
    return (replace(state, shape=shape, bytes_per_element=None if each is None else sp.Integer(each)),)
