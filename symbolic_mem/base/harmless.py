"""What a text from outside may hold: signs that are only printed, few keys, few levels, numbers of few digits."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from symbolic_mem.base.errors import BadInput, clipped, name_of
from symbolic_mem.base.written import MAX_VALUE

MOST_LEVELS, MOST_KEYS = 20, 1_000
_LARGE = 10_000  # characters: what is shorter has few keys and entries
_KINDS = {
    "a control character": "\x00-\x08\x0b-\x1f\x7f-\x9f",
    "a character that turns the direction of the text after it": "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069",
    "a character that nobody sees": "\u200b\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff",
    "what is no character": "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff",
}
_MANY_DIGITS = re.compile("[0-9a-fA-F_]{26}")  # 10^30 has 26 hexadecimal digits


def harmless(text: str, where: str) -> str:
    r"""Return a text that a terminal and a page only print, new lines and tabs among it.

    Raises `BadInput` for control characters, those that turn the direction, those that nobody sees, and what is none. A
    no-break space, a soft hyphen and the joiners of scripts and emoji are text.

    >>> harmless("10\N{NO-BREAK SPACE}km", "my.toml: title") == "10\xa0km"
    True
    >>> harmless("a\x1b[31m", "my.toml: title")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml: title holds a control character (U+001B, the 2nd of its characters); remove it
    """
    if text.isascii() and text.isprintable():
        return text
    match = _forbidden().search(text)
    if match is None:
        return text
    kind = next(kind for kind, signs in _KINDS.items() if re.match(f"[{signs}]", match[0]))
    raise BadInput(
        f"{where} holds {kind} ({name_of(match[0])}, the {_ordinal(match.start() + 1)} of its characters); remove it"
    )


def suspicious(text: str) -> bool:
    """Say whether what a file holds must be looked at piece by piece: it may hold more than harmless text, or much."""
    return "\\" in text or len(text) > _LARGE or any(sign.search(text) for sign in (_forbidden(), _MANY_DIGITS))


@cache
def _forbidden() -> re.Pattern[str]:
    return re.compile(f"[{''.join(_KINDS.values())}]")


def harmless_tree(content: Any, where: str, most: int = MOST_KEYS) -> None:
    r"""Check every key, text and whole number of a file, how deep it is, and that at most so many keys stand in one table.

    >>> harmless_tree({"question": [{}, {"title": "a\u202eb"}]}, "my.toml")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml [[question]] number 2: title holds a character that turns the direction of the text after it (U+202E right-to-left override, the 2nd of its characters); remove it
    """
    _check(content, where, MOST_LEVELS, most)


def _check(value: Any, where: str, levels: int, most: int) -> None:
    match value:
        case str():
            harmless(value, where)
        case int() if abs(value) > MAX_VALUE:
            raise BadInput(f"{where} = {str(value)[:60]}... is too large; at most 10^30 is read")
        case dict() | list() if levels == 0:
            raise BadInput(f"{where} is nested more than {MOST_LEVELS} levels deep; write it flatter")
        case dict():
            _few(len(value), most, "keys", where)
            for name, entry in value.items():
                harmless(name, f"{where}: the key {clipped(name)}")
                _check(entry, _place(where, name, entry, levels), levels - 1, most)
        case list():
            tables = any(isinstance(entry, dict) for entry in value)
            _few(len(value), most if tables else 10 * most, "tables" if tables else "entries", where)
            for position, entry in enumerate(value, start=1):
                _check(entry, f"{where} number {position}" if tables else where, levels - 1, most)


def _place(where: str, name: str, entry: Any, levels: int) -> str:
    """The place of a key as the messages of readers have it: tables of the file in brackets."""
    if levels == MOST_LEVELS and isinstance(entry, dict):
        return f"{where} [{clipped(name)[1:-1]}]"
    if levels == MOST_LEVELS and isinstance(entry, list) and any(isinstance(each, dict) for each in entry):
        return f"{where} [[{clipped(name)[1:-1]}]]"
    return f"{where}: {clipped(name)[1:-1]}"


def _few(count: int, most: int, what: str, place: str) -> None:
    if count > most:
        raise BadInput(f"{place}: there are {count:,} {what}; at most {most:,} are read")


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
