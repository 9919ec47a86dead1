"""What verbs print on a terminal: lines and tables that fit its window; what goes to a pipe or a file is never broken."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import click

_TEXT = 18  # a column of words may wrap down to this width
_INDENT = "    "  # before what stands under its row


def window() -> int | None:
    """The columns of the terminal, at least 40; None where the output is no terminal: nothing is fitted there."""
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return max(get_terminal_size().columns, 40)


def bold(text: str) -> str:
    """Text in bold, where the terminal shows that and NO_COLOR is not set."""
    return text if os.environ.get("NO_COLOR") else click.style(text, bold=True)


def print_title(text: str) -> None:
    """Print the title of an answer."""
    for line in _wrapped(text, window()):
        click.echo(bold(line))


def print_line(text: str, head: str = "", width: int = 0) -> None:
    """Print words after a head of that width; on a terminal they go on below themselves where they do not fit."""
    room, start = window(), f"{head:<{width}}"
    if room is None or _width(start + text) <= room:
        click.echo(f"{start}{text}".rstrip())
        return
    margin = len(start) - len(start.lstrip())
    if len(start) > room - _TEXT:  # which leaves no room for words beside it
        for i, line in enumerate(_wrapped(start.lstrip() + text, room - margin - len(_INDENT))):
            click.echo(" " * margin + _INDENT * (i > 0) + line)
        return
    for i, line in enumerate(_wrapped(text, room - len(start))):
        click.echo(((start if i == 0 else " " * len(start)) + line).rstrip())


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = (), *, totals: bool = False
) -> None:
    """Print rows under heads; the columns in `right` are aligned at the right, `totals` sets the last row apart.

    On a terminal that is too narrow columns of words wrap, and the last columns stand under their row.
    """
    widths = [max(_width(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    inline = _fitted(widths, right, window())
    rule = "  ".join("─" * width for width in inline)
    columns = len(inline)
    for line in _lines(heads[:columns], inline, right):
        click.echo(bold(line))
    click.echo(rule)
    for i, row in enumerate(rows):
        if totals and i == len(rows) - 1:
            click.echo(rule)
        for line in _lines(row[:columns], inline, right):
            click.echo(line)
        for head, cell in zip(heads[columns:], row[columns:], strict=True):
            if cell.strip():
                print_line(cell, f"{_INDENT}{head}: ", 0)


def figure(value: Any, unit: str = "", digits: int = 5) -> str:
    """Write an exact number as the cell of a table: rounded ones are marked, one that is not known is a dash."""
    if value is None:
        return "–"
    from fractions import Fraction

    from symbolic_mem.base.shown import shown

    if isinstance(value, int | Fraction):
        return shown(value, unit, digits).plain
    from symbolic_mem.document.prose import Amount  # SymPy, in which the number is given

    return Amount(value, unit, digits).shown.plain


def _fitted(widths: Sequence[int], right: Sequence[int], room: int | None) -> list[int]:
    """The widths of the columns that stand side by side; those that are left out stand under their row."""
    found = list(widths)
    if room is None:
        return found

    def over() -> int:
        return sum(found) + 2 * (len(found) - 1) - room

    while over() > 0:
        words = [i for i in range(len(found)) if i not in right]
        least = sum(min(found[i], _TEXT) if i in words else found[i] for i in range(len(found))) + 2 * (len(found) - 1)
        if least > room and len(found) > 1:
            found.pop()
            continue
        widest = max(words, key=lambda i: found[i], default=0)
        found[widest] = max(found[widest] - over(), _shared(found, words, widest), 1)
    return found


def _shared(found: list[int], words: list[int], widest: int) -> int:
    """How far the widest column of words shrinks at once: to the next one, or to the least width."""
    others = sorted(found[i] for i in words if i != widest)
    return max(_TEXT, others[-1] - 1 if others else 0) if found[widest] > _TEXT else found[widest] - 1


def _lines(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> Iterator[str]:
    broken = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for i in range(max(map(len, broken), default=0)):
        padded = []
        for j, (lines, width) in enumerate(zip(broken, widths, strict=True)):
            cell = lines[i] if i < len(lines) else ""
            space = " " * (width - _width(cell))
            padded.append(space + cell if j in right else cell + space)
        yield "  ".join(padded).rstrip()


def _wrapped(text: str, room: int | None) -> list[str]:
    if room is None or _width(text) <= room:
        return [text]
    narrow = max(room * len(text) // _width(text), 8)
    from textwrap import wrap

    return wrap(text, narrow, break_on_hyphens=False) or [""]


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c))
