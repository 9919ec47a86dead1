"""Strict reading of files, TOML above all: every fault of the file is one line that names the file and the place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from symbolic_mem.base.errors import BadInput, clipped, shown
from symbolic_mem.base.harmless import MOST_LEVELS, harmless_tree, suspicious
from symbolic_mem.base.outside import LIMIT, decoded, read_content

Value = TypeVar("Value")
_DOTTED = rf"""(?m)(?:^|[\[{{,])[ \t]*(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{MOST_LEVELS}}}"""
_KINDS = {str: "text", bool: "true or false", int: "a whole number", dict: "a table", list: "a list"}


def read_toml(path: str | Path, limit: int = LIMIT) -> dict[str, Any]:
    """Read a TOML file of at most `limit` bytes.

    Raises `BadInput` for a file that is missing, unreadable, too large, not UTF-8 or not TOML.
    """
    return parse_toml(read_content(path, "TOML", limit), str(path))


def parse_toml(content: bytes, where: str) -> dict[str, Any]:
    """Parse the `content` of a TOML file that messages call `where`.

    Raises `BadInput` for text that is not UTF-8 or not TOML, with line and column where the parser knows them.

    >>> parse_toml(b"L = ", "my.toml")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml: is not valid TOML: Invalid value (at end of document)
    """
    import tomllib  # which a run that asks for catalogues alone does without

    text = decoded(content, where)
    if re.search(_DOTTED, text):  # the parser would take a time that grows with the square of their number
        raise BadInput(
            f"{shown(where)}: a key has more than {MOST_LEVELS} parts with dots between them; write it flatter"
        )
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise BadInput(f"{shown(where)}: is not usable TOML: its lists or tables are nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{shown(where)}: is not valid TOML: {' '.join(str(error).split())}") from None
    except ValueError:  # the only other one: an integer of thousands of digits
        raise BadInput(f"{shown(where)}: is not usable TOML: it has a number of too many digits; write fewer") from None
    if suspicious(text):
        harmless_tree(table, shown(where))
    return table


def known_keys(table: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    """Refuse a key of `table` that is not `allowed`; `where` is its file and place, as in ``my.toml [values]``.

    >>> known_keys({"d_f": 4}, ["d_ff", "d_model"], "my.toml [values]")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml [values]: unknown key 'd_f'; did you mean 'd_ff'? known: d_ff, d_model
    """
    allowed = tuple(allowed)
    for key in table:
        if key not in allowed:
            raise BadInput.unknown(f"{shown(where)}: unknown key {clipped(key)}", key, allowed)


def entry(table: Mapping[str, Any], key: str, kind: type[Value], where: str, default: Value | None = None) -> Value:
    """Return ``table[key]``, which must be of `kind`; when it is absent, the `default`.

    Raises `BadInput` for another kind, and for an absent key without default.

    >>> entry({"title": 3}, "title", str, "my.toml")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml: title must be text, not a whole number
    """
    if key not in table:
        if default is None:
            raise BadInput(f"{shown(where)}: {key} is missing; give {_KINDS.get(kind, kind.__name__)}")
        return default
    value = table[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        given = _KINDS.get(type(value), f"a {type(value).__name__}")
        raise BadInput(f"{shown(where)}: {key} must be {_KINDS.get(kind, kind.__name__)}, not {given}")
    return value
