"""The figure of a region: the smallest degree over two symbols, each pair a cell; its numbers are those of the table."""

from __future__ import annotations

from symbolic_mem.document.charts import Told, cells
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import say
from symbolic_mem.questions.parts.grids import RegionTable


def region_chart(table: RegionTable, name: str) -> Figure:
    """The smallest degree over two symbols, as shaded cells."""
    n, (r, values), (c, heads) = table.found.bound.symbol, table.rows, table.columns
    pieces = {"n": n, "r": r, "c": c}
    caption = say(
        "The smallest {n} over {r} and {c}: the darker, the more; – where no number of devices is enough.", **pieces
    )
    said = say("A grid of {r} by {c}. {closing}", closing=table.closing, r=r, c=c)
    return cells(
        Told(name, caption, said),
        (say("{r}", r=r), str(r), values),
        (say("{c}", c=c), str(c), heads),
        table.entries,
    )
