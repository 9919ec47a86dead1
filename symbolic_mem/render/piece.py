r"""A piece of a document for somebody else's paper: LaTeX without a preamble, which needs only packages that it names.

It is set for a width: tables get columns that wrap, and smaller type where that is not enough; displays break earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from symbolic_mem.base.errors import BadInput
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Chain, Prose
from symbolic_mem.document.steps import Answer, Block, Bullets, Paragraph, Step, Table
from symbolic_mem.render.arrange import SCREEN, arrange_block, arrange_prose, arrange_table
from symbolic_mem.render.latex import aligned
from symbolic_mem.render.narrow import SIGN, SIZES, longest, loose, signs, too_narrow
from symbolic_mem.render.picture import picture
from symbolic_mem.render.rows import apart, rows
from symbolic_mem.render.tabular import tabular
from symbolic_mem.render.text import plain_prose

TEXT = 345.0  # points of a line of LaTeX's article, for which a piece is set where no width is asked for
_PAGE = 430.0  # points of a line that holds what the rooms of `arrange` allow, at ten points
_SMALLER = (1.1, 1.2, 1.3, 1.5, 1.6)  # how much wider than its column a formula may be
_NUMBER = 26.0  # points that the number of an equation takes
_INDENTED = 25.0  # points before a point of a list
_UNITS = {"in": 72.27, "cm": 28.4528, "mm": 2.84528, "pt": 1.0}


def points(given: str, where: str = "--width") -> float:
    """Read a width as TeX writes it, in points.

    >>> round(points("3.3in"), 1), points("240pt")
    (238.5, 240.0)
    >>> points("wide")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: --width 'wide' is not a width; write a number and a unit (in, cm, mm, pt), as in 3.3in
    """
    match = re.fullmatch(r"\s*([0-9]{1,5}(?:\.[0-9]{1,6})?)\s*(in|cm|mm|pt)\s*", given)
    if not match or float(match[1]) == 0:
        raise BadInput(
            f"{where} {given!r} is not a width; write a number and a unit ({', '.join(_UNITS)}), as in 3.3in"
        )
    return float(match[1]) * _UNITS[match[2]]


def table_tex(table: Table, label: str, wide: float) -> str:
    """Write a table as a float; where its place has no room for them, without its exact bytes, then without shares.

    One that is still too wide is folded: each of its rows, whole, is a point of a list.
    """
    narrower = (("bytes",), ("bytes", "share"), ("bytes", "share", "formula"))
    shown = list(dict.fromkeys((table, *(without(table, heads) for heads in narrower))))
    caption = rf"\caption{{{loose(arrange_prose(table.caption))}}}\label{{tab:{label}}}"
    for one in shown:
        try:
            return _float("table", f"{caption}\n{tabular(arrange_table(one), wide)}")
        except BadInput:
            continue
    small = rf"\begin{{minipage}}{{{wide:.1f}pt}}\small\raggedright"
    return _float("table", "\n".join((caption, small, _folded(arrange_table(table), wide), r"\end{minipage}")))


def _float(kind: str, body: str) -> str:
    return f"\\begin{{{kind}}}\n\\centering\n{body}\n\\end{{{kind}}}"


def figure_tex(figure: Figure, label: str, wide: float) -> str:
    """Write a figure as a float."""
    caption = rf"\caption{{{loose(arrange_prose(figure.caption))}}}\label{{fig:{label}}}"
    drawn = picture(figure, wide / 1.00375)  # a figure is measured in big points
    return _float("figure", f"{drawn}\n{caption}")


def equation_tex(chains: Sequence[Chain], label: str, wide: float) -> str:
    """Write chains as one numbered equation."""
    block = arrange_block(Step(Prose(()), tuple(chains)), (wide - _NUMBER) / _PAGE)
    assert isinstance(block, Step)
    size, body = _display(block.chains, wide, beside=_NUMBER)
    lines = (r"\begin{equation}", rf"\label{{eq:{label}}}", body, r"\end{equation}")
    return "\n".join((rf"\begingroup{size}", *lines, r"\endgroup") if size else lines)


def derivation_tex(blocks: Sequence[Block], wide: float) -> str:
    """Write the blocks of a part one after the other, without a heading; lines may be loose, so that none is too long."""
    written = [r"\begingroup\sloppy\setlength{\emergencystretch}{4em}"]
    for block in blocks:
        arranged = arrange_block(block, wide / _PAGE)
        if arranged is not None:
            written += _block(arranged, wide)
    return "\n".join([*written, r"\par\endgroup"])


def column_tex(block: Block, wide: float) -> str:
    """Write a block for a column of a paper; a formula that has no place to break in it is drawn smaller, by `graphicx`.

    Raises `BadInput` for what would be less than five eighths of its size.
    """
    try:
        return derivation_tex([block], wide)
    except BadInput:
        if not isinstance(block, Step) or not block.chains:
            raise
    room = next((wide * more for more in _SMALLER[:-1] if _has_room(block, wide * more)), wide * _SMALLER[-1])
    arranged = arrange_block(block, room / _PAGE)
    assert isinstance(arranged, Step)
    size, body = _display(arranged.chains, room, narrow=True)
    drawn = rf"\[\resizebox{{\linewidth}}{{!}}{{{size}$\displaystyle {body}$}}\]"
    around = (Paragraph(block.statement), *(() if block.reason is None else (Paragraph(block.reason),)))
    before, *after = (derivation_tex([one], wide) for one in around)
    return "\n".join((before, drawn, *after))


def _has_room(step: Step, wide: float) -> bool:
    arranged = arrange_block(step, wide / _PAGE)
    try:
        return isinstance(arranged, Step) and bool(_display(arranged.chains, wide))
    except BadInput:
        return False


def packages(tex: str) -> tuple[str, ...]:
    r"""The packages that a piece needs.

    >>> packages(r"\toprule x \bottomrule"), packages("x")
    (('booktabs',), ())
    """
    needs = {"amsmath": r"\\begin\{aligned\}|\\text\{|\\tfrac", "booktabs": r"\\toprule", "color": r"\\color\["}
    return tuple(name for name, sign in needs.items() if re.search(sign, tex))


def _block(block: Block, wide: float) -> Iterator[str]:
    match block:
        case Step():
            yield loose(block.statement)
            if block.chains:
                size, body = _display(block.chains, wide)
                lines = (r"\[", body, r"\]")
                yield from ((rf"\begingroup{size}", *lines, r"\endgroup") if size else lines)
            if block.reason is not None:
                yield f"{loose(block.reason)}\n"
        case Paragraph() | Answer():
            yield f"\n{loose(block.prose)}\n"
        case Bullets():
            yield r"\begin{itemize}"
            yield from (rf"\item {loose(item)}" for item in block.items)
            yield r"\end{itemize}"
        case Table():
            yield "\n" + r"\begin{center}"
            yield rf"{{\small {loose(block.caption)}\par}}\nobreak\smallskip"
            folded, body = _either(block, wide)
            yield from (r"\end{center}", body) if folded else (body, r"\end{center}")
        case Figure():
            yield "\n" + r"\begin{center}"
            yield picture(block, wide / 1.00375)
            yield r"\end{center}"


def _either(table: Table, wide: float) -> tuple[bool, str]:
    """A table among text; one that is too wide without exact bytes, too, is folded: each row a point of a list."""
    for one in (table, without(table, ("bytes",))):
        try:
            return False, tabular(one, wide)
        except BadInput:
            continue
    return True, _folded(table, wide)


def _folded(table: Table, wide: float) -> str:
    """A table as a list, each of its rows a point; refuses a width that has no room for a number of it."""
    needs = _INDENTED + max(longest(cell, 10) for row in (*table.rows, [c.head for c in table.columns]) for cell in row)
    if needs > wide:
        raise BadInput(too_narrow(f"the table “{plain_prose(table.caption)}”", wide, needs))
    points = [r"\begin{itemize}"]
    for first, *rest in table.rows:
        said = "; ".join(
            f"{loose(column.head)}: {loose(cell)}"
            for column, cell in zip(table.columns[1:], rest, strict=True)
            if cell.parts and cell.parts != ("",)
        )
        points.append(rf"\item \emph{{{loose(first)}}}: {said}")
    return "\n".join([*points, r"\end{itemize}"])


def without(table: Table, heads: Sequence[str]) -> Table:
    """The table without its columns of those heads, where another column says the same in a unit of memory.

    >>> from symbolic_mem.document.prose import text
    >>> from symbolic_mem.document.steps import Column
    >>> shown = Table(text("t"), (Column(text("bytes")), Column(text("memory"))), ((text("1"), text("2")),))
    >>> len(without(shown, ("bytes",)).columns), len(without(without(shown, ("memory",)), ("bytes",)).columns)
    (1, 1)
    """
    kept = [i for i, column in enumerate(table.columns) if plain_prose(column.head) not in heads] or [0]
    if "bytes" in heads and not any(plain_prose(column.head) == "memory" for column in table.columns):
        return table
    columns = tuple(table.columns[i] for i in kept)
    return replace(table, columns=columns, rows=tuple(tuple(row[i] for i in kept) for row in table.rows))


def _display(chains: Sequence[Chain], wide: float, beside: float = 0, *, narrow: bool = False) -> tuple[str, str]:
    """A display with the size of its type, which is smaller where one of its rows is too long; `beside` it stands its number.

    Where it is `narrow`, and no size is small enough, left sides stand on rows of their own.
    """
    measure = SCREEN.scaled(max(0, wide - beside) / _PAGE)
    cut = rows(chains, measure)
    needs = 0.0
    for shown in (cut, apart(cut)) if narrow else (cut,):
        lead = max((0 if row.left is None else signs(row.left) for row in shown), default=0)
        rest = max(
            sum(3 if isinstance(part, str) else signs(part) for part in row.parts) + 4 * row.continues for row in shown
        )
        for size, command, wider in SIZES:
            needs = beside + (lead + rest) * SIGN * size * wider / 10
            if needs <= wide:
                return ("" if size == 10 else command), aligned(shown)
    raise BadInput(too_narrow("a formula", wide, needs))
