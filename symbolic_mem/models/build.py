"""From the [model] table of a study to a `Model` and the values that it implies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.errors import BadInput, nearest
from symbolic_mem.models.architecture import Architecture
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.gated_ffn import gated_ffn
from symbolic_mem.models.tensors import Model
from symbolic_mem.read import entry

MODEL_KEYS = ("kind", "config", "profile", "kernel")


@dataclass(frozen=True)
class Built:
    """A model, the numbers that its description implies, and what it was made from, to be made again otherwise."""

    model: Model
    values: Mapping[sp.Symbol, sp.Rational]
    architecture: Architecture | None = None
    profile: str = ""
    kernel: str = ""

    def under(self, profile: str) -> Built:
        """Return the same model as another engine profile keeps it.

        Raises `BadInput` for a model that has no profile: the stack of the homework is the same in all of them.
        """
        if self.architecture is None:
            raise BadInput(f"{self.model.name} is not built from a profile; only transformers are")
        return _transformer(self.architecture, profile, self.kernel)


def build_model(content: Mapping[str, Any], where: str, folder: Path) -> Built:
    """Build the model that a [model] table describes; `folder` is where its relative paths start."""
    table = dict(content)
    if ("config" in table) == ("kind" in table):
        raise BadInput(f"{where}: give one of kind (known: {', '.join(_KINDS)}) and config (the path of a config.json)")
    if "config" in table:
        from symbolic_mem.models.huggingface import read_config

        architecture = read_config(folder / entry(table, "config", str, where))
        return _described(architecture, table, where)
    kind = entry(table, "kind", str, where)
    if kind not in _KINDS:
        raise BadInput(f"{where}: unknown kind {kind!r} of model; {nearest(kind, _KINDS)}")
    return _KINDS[kind](table, where)


def _described(architecture: Architecture, table: dict[str, Any], where: str) -> Built:
    from symbolic_mem.models.transformer import DEFAULT_PROFILE

    profile = entry(table, "profile", str, where, DEFAULT_PROFILE)
    return _transformer(architecture, profile, entry(table, "kernel", str, where, ""))


def _transformer(architecture: Architecture, name: str, kernel: str) -> Built:
    from symbolic_mem.models.profile import profile
    from symbolic_mem.models.transformer import transformer

    how = profile(name, kernel=kernel) if kernel else profile(name)
    return Built(transformer(architecture, how), architecture.values(), architecture, name, kernel)


def _ffn(table: dict[str, Any], where: str) -> Built:
    for key in ("profile", "kernel"):
        if key in table:
            raise BadInput(f'{where}: kind = "ffn" has no {key}; remove it')
    return Built(ffn(), {})


def _gated_ffn(table: dict[str, Any], where: str) -> Built:
    for key in ("profile", "kernel"):
        if key in table:
            raise BadInput(f'{where}: kind = "gated-ffn" has no {key}; remove it')
    return Built(gated_ffn(), {})


def _plain_transformer(table: dict[str, Any], where: str) -> Built:
    return _described(Architecture(), table, where)


_KINDS = {"ffn": _ffn, "gated-ffn": _gated_ffn, "transformer": _plain_transformer}
KINDS_OF_MODEL = tuple(_KINDS)
