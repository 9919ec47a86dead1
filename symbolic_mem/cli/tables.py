"""Tables for the terminal: aligned columns under one rule, bold heads where the terminal can show them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import click


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = (), *, totals: bool = False
) -> None:
    """Print rows under heads; the columns in `right` are aligned at the right, `totals` sets the last row apart."""
    widths = [max(_width(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    rule = "  ".join("─" * width for width in widths)
    click.echo(click.style(_line(heads, widths, right), bold=True))
    click.echo(rule)
    for i, row in enumerate(rows):
        if totals and i == len(rows) - 1:
            click.echo(rule)
        click.echo(_line(row, widths, right))


def figure(value: Any, unit: str = "", digits: int = 5) -> str:
    """Write an exact number as the cell of a table: rounded ones are marked, one that is not known is a dash."""
    from symbolic_mem.base.rational import symbolic
    from symbolic_mem.document.prose import Amount

    return "–" if value is None else Amount(symbolic(value), unit, digits).shown.plain


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - _width(cell))
        padded.append(space + cell if i in right else cell + space)
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c))
