"""From the [model] table of a study to a `Model` and the values that it implies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sympy as sp

from symbolic_mem.errors import BadInput, nearest
from symbolic_mem.models.ffn import ffn
from symbolic_mem.models.tensors import Model
from symbolic_mem.read import entry

MODEL_KEYS = ("kind",)
KINDS_OF_MODEL = ("ffn",)


def build_model(content: Mapping[str, Any], where: str, folder: Path) -> tuple[Model, dict[sp.Symbol, sp.Rational]]:
    """Build the model that a [model] table describes; `folder` is where its relative paths start."""
    kind = entry(dict(content), "kind", str, where)
    if kind == "ffn":
        return ffn(), {}
    raise BadInput(f"{where}: unknown kind {kind!r} of model; {nearest(kind, KINDS_OF_MODEL)}")
