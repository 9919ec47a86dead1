"""Strict reading of a JSON object: every fault of the file is one line that names the place."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from symbolic_mem.base.errors import BadInput, clipped
from symbolic_mem.base.harmless import harmless_tree, suspicious
from symbolic_mem.base.outside import decoded

MOST_KEYS = 1_000_000  # an index of weights has one for each tensor
_KINDS: dict[type, str] = {bool: "true or false", str: "text", list: "a list", dict: "an object", float: "a fraction"}


def parse_json(content: bytes, where: str, unread: Collection[str] = ()) -> dict[str, Any]:
    """Parse a JSON object strictly; raises `BadInput` with the place as `strict_json` does, and for what is no object.

    Fields that stand among those `unread` may hold what JSON has no number for, as transformers writes it.

    >>> parse_json(b'{"a": 1, "a": 2}', "config.json")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: config.json: the key 'a' stands twice in one object; keep one
    >>> parse_json(b'{"time_step_limit": [0.0, Infinity]}', "config.json", ["time_step_limit"])
    {'time_step_limit': None}
    """
    value = strict_json(content, where, unread)
    if not isinstance(value, dict):
        raise BadInput(f"{where}: is {kind_of(value)}, not a JSON object of fields such as model_type and hidden_size")
    return value


def strict_json(content: bytes, where: str, unread: Collection[str] = ()) -> Any:
    """Parse JSON strictly: UTF-8, no key twice, no NaN or Infinity, harmless texts; raises `BadInput` with the place.

    A key of an object that stands among those `unread` is null where it holds NaN or Infinity.

    >>> strict_json(b"[NaN]", "cases.json")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: cases.json: NaN is not a JSON number; write a number
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in table if names.count(name) > 1)
            raise BadInput(f"{where}: the key {clipped(twice)} stands twice in one object; keep one")
        return {name: None if name in unread and _no_number(each) else finite(each) for name, each in pairs}

    def finite(value: Any) -> Any:
        if name := _no_number(value):
            raise BadInput(f"{where}: {name} is not a JSON number; write a number")
        return value

    text = decoded(content, where)
    try:
        value = finite(json.loads(text, object_pairs_hook=once, parse_constant=_NoNumber))
    except BadInput:
        raise
    except RecursionError:
        raise BadInput(f"{where}: is not usable JSON: its lists or objects are nested too deeply") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"{where}: is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except ValueError:  # the parser's limit on the digits of one integer
        raise BadInput(f"{where}: is not usable JSON: a number has thousands of digits") from None
    if suspicious(text):
        harmless_tree(value, where, MOST_KEYS)
    return value


class _NoNumber(str):
    """What stands in place of a number that JSON does not have: NaN, Infinity or -Infinity."""


def _no_number(value: Any) -> str:
    """Return the first of these that a value is, or holds in lists; objects were looked at when they were read."""
    if isinstance(value, list):
        return next(filter(None, map(_no_number, value)), "")
    return value if isinstance(value, _NoNumber) else ""


def kind_of(value: object) -> str:
    """Say what a JSON value is, for a message."""
    return "null" if value is None else _KINDS.get(type(value), "a number")
