"""Files as trees: every place of a tree, a tree with another value at a place, and how a tree is written as TOML."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterator
from typing import Any


def places(tree: Any, at: tuple = ()) -> Iterator[tuple]:
    """Every key of a tree and the first entry of every list, as the keys and positions that lead there."""
    if at:
        yield at
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from places(value, (*at, key))
    elif isinstance(tree, list) and tree:
        yield from places(tree[0], (*at, 0))


def replaced(tree: Any, at: tuple, value: Any) -> Any:
    """The tree with another value at a place."""
    if not at:
        return value
    key, *rest = at
    if isinstance(tree, dict):
        return {**tree, key: replaced(tree[key], tuple(rest), value)}
    return [replaced(each, tuple(rest), value) if i == key else each for i, each in enumerate(tree)]


def toml(tree: dict[str, Any]) -> bytes:
    """A tree as TOML: a line for each of its first keys."""
    return "".join(f"{json.dumps(key)} = {_toml(value)}\n" for key, value in tree.items()).encode()


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return "nan" if math.isnan(value) else "inf" if math.isinf(value) else repr(value)
        case str():
            return json.dumps(value)
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return f"{{{', '.join(f'{json.dumps(key)} = {_toml(each)}' for key, each in value.items())}}}"
        case int() | datetime.date():
            return str(value)
    raise TypeError(value)
