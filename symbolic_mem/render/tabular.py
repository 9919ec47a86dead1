"""A table of LaTeX in a given width: columns of words wrap, and the type is smaller where that is not enough."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symbolic_mem.base.errors import BadInput
from symbolic_mem.document.prose import Prose
from symbolic_mem.document.steps import Table
from symbolic_mem.render.latex import prose as plain_latex
from symbolic_mem.render.measure import measured
from symbolic_mem.render.narrow import SIZES, longest, loose, too_narrow
from symbolic_mem.render.text import plain_prose

_BETWEEN = 8.0  # points between two columns


def tabular(table: Table, wide: float) -> str:
    """A table of the width: columns of words wrap where it is too wide, and the type is made smaller after that."""
    columns = table.columns[: table.beside]
    cells = [[column.head, *(row[i] for row in table.rows)] for i, column in enumerate(columns)]
    wrapping = [i for i, column in enumerate(columns) if column.align != "right"]
    needs = 0.0
    for type_size, command, wider in SIZES[1:]:
        size = type_size * wider
        natural = [max(measured(cell, size) for cell in column) + 3 for column in cells]
        least = [max(longest(cell, size) for cell in column) + 3 for column in cells]
        bare = [max(longest(cell[0], size), *(measured(c, size) for c in cell[1:])) + 3 for cell in cells]
        room = wide - _BETWEEN * (len(cells) - 1)
        if sum(natural) <= room:
            widths: dict[int, float] = {}
            heads: dict[int, str] = {}
        else:
            fixed = sum(width for i, width in enumerate(bare) if i not in wrapping)
            needs = fixed + sum(least[i] for i in wrapping) + _BETWEEN * (len(cells) - 1)
            if needs > wide:
                continue
            widths = _shared({i: (least[i], natural[i]) for i in wrapping}, room - fixed)
            heads = {i: _stacked(table.columns[i].head, bare[i], size) for i in range(len(cells)) if i not in wrapping}
        below = sum(widths.get(i, natural[i]) for i in range(1, len(cells))) + _BETWEEN * (len(cells) - 2.5)
        return _rows(table, widths, command, heads, below)
    raise BadInput(too_narrow(f"the table “{plain_prose(table.caption)}”", wide, needs))


def _shared(columns: dict[int, tuple[float, float]], room: float) -> dict[int, float]:
    """Widths of columns that wrap: each has the least that it needs, and the rest goes to those that want more."""
    spare = room - sum(least for least, _ in columns.values())
    wanted = sum(natural - least for least, natural in columns.values())
    share = min(1.0, spare / wanted) if wanted else 0.0
    return {i: least + (natural - least) * share for i, (least, natural) in columns.items()}


def _stacked(head: Prose, room: float, size: float) -> str:
    """The head of a column of numbers that is no wider than they are: its words on several lines where need be."""
    if measured(head, size) <= room:
        return loose(head)
    lines: list[str] = []
    for word in re.findall(r"(?:\\\(.*?\\\)|\S)+", plain_latex(head)):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and measured(Prose((re.sub(r"\\[a-z]+|[\\(){}_]", "", joined),)), size) <= room:
            lines[-1] = joined
        else:
            lines.append(word)
    return r"\shortstack[r]{" + r" \\ ".join(lines) + "}"


def _rows(table: Table, widths: dict[int, float], size: str, heads: dict[int, str], below: float) -> str:
    columns = table.columns[: table.beside]
    spec = "".join(
        rf"p{{{widths[i]:.1f}pt}}" if i in widths else "r" if column.align == "right" else "l"
        for i, column in enumerate(columns)
    )
    lines = [
        rf"\begingroup{size}\setlength{{\tabcolsep}}{{{_BETWEEN / 2:g}pt}}",
        rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
    ]
    top = (heads.get(i) or _cell(column.head, i in widths) for i, column in enumerate(columns))
    lines += [r"\toprule", " & ".join(top) + r" \tabularnewline", r"\midrule"]
    for place, row in enumerate(table.rows):
        if table.totals and place == len(table.rows) - 1:
            lines.append(r"\midrule")
        lines.append(_row(row[: len(columns)], widths))
        lines += (_under(cell, len(columns), below) for cell in row[len(columns) :] if plain_prose(cell))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}\endgroup"])


def _row(cells: Sequence[Prose], widths: dict[int, float]) -> str:
    return " & ".join(_cell(cell, i in widths) for i, cell in enumerate(cells)) + r" \tabularnewline"


def _under(cell: Prose, columns: int, wide: float) -> str:
    """What stands below a row, from its second column on."""
    return rf" & \multicolumn{{{columns - 1}}}{{p{{{wide:.1f}pt}}}}{{{_cell(cell, True)}}} \tabularnewline"


def _cell(cell: Prose, wraps: bool) -> str:
    return rf"\raggedright {loose(cell)}" if wraps else loose(cell)
