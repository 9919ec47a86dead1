"""Strict reading of files, TOML above all: every fault of the file is one line that names the file and the place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from symbolic_mem.base.errors import BadInput, nearest

Value = TypeVar("Value")
LIMIT = 1_000_000
_CLIP = 60
_KINDS = {str: "text", bool: "true or false", int: "a whole number", dict: "a table", list: "a list"}


def read_toml(path: str | Path, limit: int = LIMIT) -> dict[str, Any]:
    """Read a TOML file of at most `limit` bytes.

    Raises `BadInput` for a file that is missing, unreadable, too large, not UTF-8 or not TOML.
    """
    return parse_toml(read_content(path, "TOML", limit), str(path))


def read_content(path: str | Path, kind: str, limit: int = LIMIT) -> bytes:
    """Return the bytes of a file of that `kind`, at most `limit` of them.

    Raises `BadInput` for a file that is missing, unreadable or too large.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise BadInput(f"{shown(path)}: there is no such file; check the path") from None
    except IsADirectoryError:
        raise BadInput(f"{shown(path)} is a folder; name a {kind} file in it") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise BadInput(f"{shown(path)}: cannot be read ({reason}); check the path and its permissions") from None
    if len(content) > limit:
        raise BadInput(f"{shown(path)}: is larger than {limit:,} bytes, the most that is read; is it the right file?")
    return content


def decoded(content: bytes, where: str) -> str:
    """Return the text of a file that messages call `where`; raises `BadInput` when it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{shown(where)}: is not UTF-8 text (line {line}); save it as UTF-8") from None


def parse_toml(content: bytes, where: str) -> dict[str, Any]:
    """Parse the `content` of a TOML file that messages call `where`.

    Raises `BadInput` for text that is not UTF-8 or not TOML, with line and column where the parser knows them.

    >>> parse_toml(b"L = ", "my.toml")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml: is not valid TOML: Invalid value (at end of document)
    """
    text = decoded(content, where)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise BadInput(f"{shown(where)}: is not usable TOML: its lists or tables are nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{shown(where)}: is not valid TOML: {' '.join(str(error).split())}") from None
    except ValueError:  # the only other one: an integer of thousands of digits
        raise BadInput(f"{shown(where)}: is not usable TOML: it has a number of too many digits; write fewer") from None


def known_keys(table: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    """Refuse a key of `table` that is not `allowed`; `where` is its file and place, as in ``my.toml [values]``.

    >>> known_keys({"d_f": 4}, ["d_ff", "d_model"], "my.toml [values]")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml [values]: unknown key 'd_f'; did you mean 'd_ff'? known: d_ff, d_model
    """
    allowed = tuple(allowed)
    for key in table:
        if key not in allowed:
            raise BadInput(f"{shown(where)}: unknown key {clipped(key)}; {nearest(key[:_CLIP], allowed)}")


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


def clipped(text: str) -> str:
    """Quote what a user gave, cut where a message would drown in it."""
    return repr(text if len(text) <= _CLIP else text[:_CLIP] + "...")


def shown(path: str | Path) -> str:
    """Return a path, or a place in a file, as it is, or quoted where it would break the line of a message."""
    text = str(path)
    return text if text.isprintable() and text.strip() else repr(text)
