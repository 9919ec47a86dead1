"""Comma-separated values: a cell as it is written, and text that no spreadsheet takes for a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:,[0-9]{3})*)?\.?[0-9]+(?:[eE][+-]?[0-9]+)?(?: [%A-Za-z]+)?")  # and its unit
_ACTING = ("=", "+", "-", "@", "\t", "\r")


def guarded(cell: str) -> str:
    """Return a text that a spreadsheet would take for a formula as one that it takes for text; a number stays one.

    >>> guarded("=1+1"), guarded("-1+1"), guarded("-1.5"), guarded("-2 GiB")
    ("'=1+1", "'-1+1", '-1.5', '-2 GiB')
    """
    return f"'{cell}" if cell.lstrip(" ")[:1] in _ACTING and not _NUMBER.fullmatch(cell) else cell


def quoted(cell: str) -> str:
    """Return a cell as a file has it: guarded, and in quotes where a comma, a quote or the end of a line needs them.

    >>> quoted("a,b"), quoted("plain"), quoted("@x")
    ('"a,b"', 'plain', "'@x")
    """
    cell = guarded(cell)
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell


def line(cells: Iterable[object]) -> str:
    r"""Return the line of some cells; None is an empty one.

    >>> line(("a", "=b", None, 3))
    "a,'=b,,3\n"
    """
    return ",".join("" if cell is None else quoted(str(cell)) for cell in cells) + "\n"
