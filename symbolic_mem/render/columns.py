"""How wide the columns of a table are, and what stands below a row because no column has room for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.document.prose import Prose, text
from symbolic_mem.document.steps import Column, Table
from symbolic_mem.render.ems import prose_ems
from symbolic_mem.render.text import plain_prose

TABLE_EMS = 44.8  # a table, with gaps of one quad between its columns
LEAST_EMS = 4.0  # a column that wraps
SLACK_EMS = 0.5  # what a guess of a width may be wrong by: where there is room, nothing wraps for it
WRAPPING = ("text", "note")
SMALL, WIDER = 0.9, 1.4  # the type of what stands below a row; how much wider than its columns it may be
LINES, HALF = 3, 0.5  # how many of a narrow column a formula may take; one that is half a line wide is not narrow


def fitted(table: Table) -> Table:
    """A table that fits the line: columns on one line wrap where there is no room, and what is still too wide is turned.

    The columns that wrap share what the others leave by what their cells need, and none is starved.
    """
    needs, least = _needs(table), _least(table)
    while _room(table, needs) < sum(
        wide for wide, column in zip(least, table.columns, strict=True) if column.align in WRAPPING
    ):
        loose = [i for i, c in enumerate(table.columns) if _breaks(c, [row[i] for row in table.rows])]
        if not loose:
            turned = _turned(table)
            if turned is not None:
                return turned
            break
        widest = max(loose, key=needs.__getitem__)
        columns = (replace(c, align="text") if i == widest else c for i, c in enumerate(table.columns))
        table = replace(table, columns=tuple(columns))
    wanted = {i: needs[i] + SLACK_EMS for i, column in enumerate(table.columns) if column.align in WRAPPING}
    room = _room(table, needs)
    if sum(wanted.values()) > room:
        ordered = sorted(wanted, key=wanted.__getitem__)
        for position, i in enumerate(ordered):
            later = sum(least[j] for j in ordered[position + 1 :])
            wanted[i] = max(least[i], min(wanted[i], room / (len(wanted) - position), room - later))
            room -= wanted[i]
    shares = {i: round(max(share, LEAST_EMS) / TABLE_EMS, 3) for i, share in wanted.items()}
    columns = (replace(c, width=shares[i]) if i in shares else c for i, c in enumerate(table.columns))
    return replace(table, columns=tuple(columns))


def hung(table: Table) -> Table:
    """A table in which each formula that would take many lines of its column stands below its row, over the other columns.

    >>> from symbolic_mem.document.prose import text
    >>> long, columns = sp.Add(*sp.symbols("x:60")), (Column(text("term")), Column(text("formula"), "text", 0.3))
    >>> found = hung(Table(text("t"), columns, ((text("all"), Prose((long,))), (text("one"), Prose((sp.Symbol("x"),))))))
    >>> [column.align for column in found.columns], [row[2].parts for row in found.rows] == [(long,), ("",)]
    (['left', 'left', 'under'], True)
    """
    if len(table.columns) < 2 or table.beside < len(table.columns):
        return table
    column, cells = table.columns[1], [row[1] for row in table.rows]
    room = LINES * column.width * TABLE_EMS if column.width < HALF else 0
    long = [
        bool(room) and any(isinstance(part, sp.Expr) for part in cell.parts) and prose_ems(cell) > room
        for cell in cells
    ]
    if not any(long):
        return table
    rows = ((row[0], text("") if hangs else row[1], *row[2:]) for row, hangs in zip(table.rows, long, strict=True))
    columns = (table.columns[0], replace(column, align="left", width=0), *table.columns[2:])
    below = [cell if hangs else text("") for cell, hangs in zip(cells, long, strict=True)]
    return hanging(fitted(replace(table, columns=columns, rows=tuple(rows))), column.head, below)


def hanging(table: Table, head: Prose, below: list[Prose]) -> Table:
    """A table that fits, with a line below its rows that is as wide as its columns from the second on.

    It is a little wider where nothing wraps then.
    """
    first, *wide = (column.width * TABLE_EMS or need for column, need in zip(table.columns, _needs(table), strict=True))
    ems = sum(wide) + len(wide) - 1 - 2 * SLACK_EMS  # half a gap stands at its right
    longest = SMALL * max(map(prose_ems, below)) + SLACK_EMS
    if longest <= min(ems * WIDER, TABLE_EMS - first - 1):
        ems = max(ems, longest)
    width = round(ems / TABLE_EMS, 3)
    rows = tuple((*row, under) for row, under in zip(table.rows, below, strict=True))
    return replace(table, columns=(*table.columns, Column(head, "under", width)), rows=rows)


def crowded(cell: Prose, width: float) -> bool:
    """Whether a formula of a cell has a term that is wider than its column, which has that part of the line.

    >>> from symbolic_mem.base.symbols import B, L, S, d_model
    >>> crowded(Prose((B * L * S * d_model,)), 0.1), crowded(Prose((B + L + S + d_model,)), 0.1)
    (True, False)
    """
    terms = (term for part in cell.parts if isinstance(part, sp.Expr) for term in sp.Add.make_args(part))
    return any(prose_ems(Prose((term,))) > width * TABLE_EMS for term in terms)


def _breaks(column: Column, cells: list[Prose]) -> bool:
    """Whether a line can be broken inside the cells of a column that does not wrap."""
    return column.align == "left" and any(
        " " in part.strip() if isinstance(part, str) else " + " in plain_prose(Prose((part,)))
        for cell in cells
        for part in cell.parts
    )


def _needs(table: Table) -> list[float]:
    return [
        max(prose_ems(cell) for cell in (column.head, *(row[i] for row in table.rows)))
        for i, column in enumerate(table.columns)
    ]


def _least(table: Table) -> list[float]:
    """How wide each column is at least: as what nothing breaks in its formulas."""
    return [
        max((LEAST_EMS, *(_piece(part) for row in table.rows for part in row[i].parts if isinstance(part, sp.Expr))))
        for i in range(len(table.columns))
    ]


def _piece(expr: Any) -> float:
    """The longest part of a formula between signs and factors; what is below its line stays with the last of them."""
    if expr.is_Add:
        return max(map(_piece, expr.args))
    if not expr.is_Mul:
        return prose_ems(Prose((expr,)))
    over = [bool(factor.is_Pow and factor.exp.is_negative) for factor in expr.args]
    above = [factor for factor, divides in zip(expr.args, over, strict=True) if not divides]
    below = sp.Mul(*(1 / factor for factor, divides in zip(expr.args, over, strict=True) if divides))
    return max(map(_piece, above), default=0) + (0 if below == 1 else prose_ems(Prose((below,))) + 0.5)


def _room(table: Table, needs: list[float]) -> float:
    """What the columns that do not wrap leave of the line, for those that do."""
    fixed = (need for need, column in zip(needs, table.columns, strict=True) if column.align not in WRAPPING)
    return TABLE_EMS - len(table.columns) + 1 - sum(fixed)


def _turned(table: Table) -> Table | None:
    """The table with a row for each of its columns, where it fits like that; None where it does not."""
    heads, *others = zip(*(tuple(column.head for column in table.columns), *table.rows), strict=True)
    columns = (Column(heads[0]), *(Column(head, "right") for head in heads[1:]))
    turned = replace(table, columns=columns, rows=tuple(others))
    return None if table.totals or _room(turned, _needs(turned)) < 0 else turned
