"""Rows of csv, each for itself: a quote that is not closed spoils the line that it stands in, and no other."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Line:
    """The `cells` of a row that begins in the line `number`; where it is no csv, its `text`, and in `fault` why."""

    number: int
    cells: tuple[str, ...] = ()
    text: str = ""
    fault: str = ""


def lines_of(content: str, divided: str) -> Iterator[Line]:
    r"""Yield the rows of csv whose cells are `divided` by a sign, but those that are blank.

    >>> [one.cells or one.fault for one in lines_of('name,claim\nAnn,"46\nBo,38\n', ",")]
    [('name', 'claim'), 'unexpected end of data', ('Bo', '38')]
    >>> [one.cells for one in lines_of('a,"two\nlines"\n\nb,c', ",")]
    [('a', 'two\nlines'), ('b', 'c')]
    """
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = 0
    while at < len(lines):
        found = _read(lines[at:], divided)
        if isinstance(found, str):
            yield Line(at + 1, text=lines[at].strip(), fault=found)
            at += 1
            continue
        cells, taken = found
        if any(map(str.strip, cells)):
            yield Line(at + 1, tuple(cells))
        at += taken


def _read(lines: Sequence[str], divided: str) -> tuple[list[str], int] | str:
    """The cells of the first row and how many lines they take; or what is wrong with it."""
    reader = csv.reader((f"{line}\n" for line in lines), strict=True, skipinitialspace=True, delimiter=divided)
    try:
        return next(reader), reader.line_num
    except csv.Error as error:
        return str(error)
