"""How many positions a model with rotary ones is made for, as its config says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

_SCALED_ALREADY = ("su", "longrope", "llama3")


def reach(table: Mapping[str, Any]) -> int | None:
    """Return for how many positions a ``config.json`` makes a model: its number, times the factor of its rotary scaling where that is not in it.

    Source: vLLM, config/model.py, _get_and_verify_max_len. None where the file has no such number.

    >>> reach({"max_position_embeddings": 131072, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}})
    131072
    >>> reach({"max_position_embeddings": 4096, "rope_scaling": {"type": "linear", "factor": 4.0}})
    16384
    """
    number = _count(table.get("max_position_embeddings"))
    if number is None:
        return None
    factor = 1.0
    if not str(table.get("model_type", "")).startswith("gemma3"):  # whose number is scaled already
        for scaling in _scalings(table):
            kind = scaling.get("rope_type", scaling.get("type", "default"))
            if kind in _SCALED_ALREADY:
                continue
            given = scaling.get("factor")
            factor = float(given) if isinstance(given, int | float) and given >= 1 else factor
            original = _count(scaling.get("original_max_position_embeddings"))
            number = original if kind == "yarn" and original is not None else number
    return int(number * factor)


def rotations(table: Mapping[str, Any]) -> int | None:
    """Return how many positions the tables of rotations have that vLLM makes of a ``config.json``: one table for each kind of scaling.

    Source: vLLM, model_executor/layers/rotary_embedding, a table for each of its classes; models/gemma3.py. None where the
    file has no number of positions.

    >>> rotations({"max_position_embeddings": 131072, "original_max_position_embeddings": 4096, "rope_scaling": {"type": "longrope"}})
    135168
    >>> rotations({"model_type": "gemma3_text", "max_position_embeddings": 32768})
    65536
    """
    number = _count(table.get("max_position_embeddings"))
    if number is None:
        return None
    found = [*_scalings(table)] or [{}]
    kinds = [kind for place, kind in enumerate(found) if kind not in found[:place]]
    if len(kinds) == 1 and str(table.get("model_type", "")).startswith("gemma3"):
        kinds.append({})  # layers with a sliding window turn by angles of their own
    return sum(_positions(number, table, kind) for kind in kinds)


def _positions(number: int, table: Mapping[str, Any], scaling: Mapping[str, Any]) -> int:
    """The positions of one table, whose angles are scaled in one way."""
    kind, factor = scaling.get("rope_type", scaling.get("type", "default")), scaling.get("factor")
    names = "original_max_position_embeddings"
    original = _count(scaling.get(names)) or _count(table.get(names))
    if kind in ("su", "longrope"):
        return number + (original or 0)
    if kind not in ("linear", "dynamic", "yarn", "deepseek_yarn") or not isinstance(factor, int | float):
        return number
    return ceil((original if original and "yarn" in kind else number) * factor)


def _count(given: Any) -> int | None:
    return given if type(given) is int and 0 < given < 2**40 else None


def _scalings(table: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tables of rotary scaling: one for all layers, or one for each kind of them."""
    for name in ("rope_parameters", "rope_scaling"):
        given = table.get(name)
        if isinstance(given, Mapping):
            inner = [one for one in given.values() if isinstance(one, Mapping)]
            yield from inner or [given]
            return
