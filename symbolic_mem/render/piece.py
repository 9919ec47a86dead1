r"""A piece of a document for somebody else's paper: LaTeX without a preamble, which needs only packages that it names.

It is set for a width: tables get columns that wrap, and smaller type where that is not enough; displays break earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import Name
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Chain, Prose, Reference, Side
from symbolic_mem.document.steps import Answer, Block, Bullets, Paragraph, Step, Table
from symbolic_mem.render.arrange import SCREEN, arrange_block, arrange_prose, arrange_table
from symbolic_mem.render.latex import display
from symbolic_mem.render.latex import prose as plain_latex
from symbolic_mem.render.measure import measured
from symbolic_mem.render.picture import picture
from symbolic_mem.render.rows import rows
from symbolic_mem.render.text import Text, plain_prose

TEXT = 345.0  # points of a line of LaTeX's article, for which a piece is set where no width is asked for
_PAGE = 430.0  # points of a line that holds what the rooms of `arrange` allow, at ten points
_SIZES = (  # sizes of type, their commands, and how much wider than the size says a small type of TeX's is
    (10.0, r"\normalsize", 1.0),
    (9.0, r"\small", 1.03),
    (8.0, r"\footnotesize", 1.06),
    (7.0, r"\scriptsize", 1.14),
)
_SMALLER = (1.1, 1.2, 1.3, 1.5, 1.6)  # how much wider than its column a formula may be
_SIGN = 5.1  # points of a sign of mathematics, at ten points
_NUMBER = 26.0  # points that the number of an equation takes
_BETWEEN = 8.0  # points between two columns
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
    caption = rf"\caption{{{_prose(arrange_prose(table.caption))}}}\label{{tab:{label}}}"
    for one in shown:
        try:
            return _float("table", f"{caption}\n{_tabular(arrange_table(one), wide)}")
        except BadInput:
            continue
    small = rf"\begin{{minipage}}{{{wide:.1f}pt}}\small\raggedright"
    return _float("table", "\n".join((caption, small, _folded(arrange_table(table), wide), r"\end{minipage}")))


def _float(kind: str, body: str) -> str:
    return f"\\begin{{{kind}}}\n\\centering\n{body}\n\\end{{{kind}}}"


def figure_tex(figure: Figure, label: str, wide: float) -> str:
    """Write a figure as a float."""
    caption = rf"\caption{{{_prose(arrange_prose(figure.caption))}}}\label{{fig:{label}}}"
    drawn = picture(figure, wide / 1.00375)  # a figure is measured in big points
    return _float("figure", f"{drawn}\n{caption}")


def equation_tex(chains: Sequence[Chain], label: str, wide: float) -> str:
    """Write chains as one numbered equation."""
    block = arrange_block(Step(Prose(()), tuple(chains)), (wide - _NUMBER) / _PAGE)
    assert isinstance(block, Step)
    size, body = _display(block.chains, wide - _NUMBER)
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
    size, body = _display(arranged.chains, room)
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
            yield _prose(block.statement)
            if block.chains:
                size, body = _display(block.chains, wide)
                lines = (r"\[", body, r"\]")
                yield from ((rf"\begingroup{size}", *lines, r"\endgroup") if size else lines)
            if block.reason is not None:
                yield f"{_prose(block.reason)}\n"
        case Paragraph() | Answer():
            yield f"\n{_prose(block.prose)}\n"
        case Bullets():
            yield r"\begin{itemize}"
            yield from (rf"\item {_prose(item)}" for item in block.items)
            yield r"\end{itemize}"
        case Table():
            yield "\n" + r"\begin{center}"
            yield rf"{{\small {_prose(block.caption)}\par}}\nobreak\smallskip"
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
            return False, _tabular(one, wide)
        except BadInput:
            continue
    return True, _folded(table, wide)


def _folded(table: Table, wide: float) -> str:
    """A table as a list, each of its rows a point; refuses a width that has no room for a number of it."""
    needs = _INDENTED + max(
        _longest(cell, 10) for row in (*table.rows, [c.head for c in table.columns]) for cell in row
    )
    if needs > wide:
        raise BadInput(_too_narrow(f"the table “{plain_prose(table.caption)}”", wide, needs))
    points = [r"\begin{itemize}"]
    for first, *rest in table.rows:
        said = "; ".join(
            f"{_prose(column.head)}: {_prose(cell)}"
            for column, cell in zip(table.columns[1:], rest, strict=True)
            if cell.parts and cell.parts != ("",)
        )
        points.append(rf"\item \emph{{{_prose(first)}}}: {said}")
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


def _display(chains: Sequence[Chain], wide: float) -> tuple[str, str]:
    """A display with the size of its type, which is smaller where one of its rows is too long."""
    measure = SCREEN.scaled(wide / _PAGE)
    cut = rows(chains, measure)
    lead = max((0 if row.left is None else _signs(row.left) for row in cut), default=0)
    rest = max(
        sum(3 if isinstance(part, str) else _signs(part) for part in row.parts) + 4 * row.continues for row in cut
    )
    needs = 0.0
    for size, command, wider in _SIZES:
        needs = (lead + rest) * _SIGN * size * wider / 10
        if needs <= wide:
            return ("" if size == 10 else command), display(chains, measure)
    raise BadInput(_too_narrow("a formula", wide, needs))


def _tabular(table: Table, wide: float) -> str:
    """A table of the width: columns of words wrap where it is too wide, and the type is made smaller after that."""
    cells = [[column.head, *(row[i] for row in table.rows)] for i, column in enumerate(table.columns)]
    wrapping = [i for i, column in enumerate(table.columns) if column.align != "right"]
    needs = 0.0
    for type_size, command, wider in _SIZES[1:]:
        size = type_size * wider
        natural = [max(measured(cell, size) for cell in column) + 3 for column in cells]
        least = [max(_longest(cell, size) for cell in column) + 3 for column in cells]
        bare = [max(_longest(cell[0], size), *(measured(c, size) for c in cell[1:])) + 3 for cell in cells]
        room = wide - _BETWEEN * (len(cells) - 1)
        if sum(natural) <= room:
            widths: dict[int, float] = {}
        else:
            fixed = sum(width for i, width in enumerate(bare) if i not in wrapping)
            needs = fixed + sum(least[i] for i in wrapping) + _BETWEEN * (len(cells) - 1)
            if needs > wide:
                continue
            widths = _shared({i: (least[i], natural[i]) for i in wrapping}, room - fixed)
            heads = {i: _stacked(table.columns[i].head, bare[i], size) for i in range(len(cells)) if i not in wrapping}
            return _rows(table, widths, command, heads)
        return _rows(table, widths, command, {})
    raise BadInput(_too_narrow(f"the table “{plain_prose(table.caption)}”", wide, needs))


def _shared(columns: dict[int, tuple[float, float]], room: float) -> dict[int, float]:
    """Widths of columns that wrap: each has the least that it needs, and the rest goes to those that want more."""
    spare = room - sum(least for least, _ in columns.values())
    wanted = sum(natural - least for least, natural in columns.values())
    share = min(1.0, spare / wanted) if wanted else 0.0
    return {i: least + (natural - least) * share for i, (least, natural) in columns.items()}


def _stacked(head: Prose, room: float, size: float) -> str:
    """The head of a column of numbers that is no wider than they are: its words on several lines where need be."""
    if measured(head, size) <= room:
        return _prose(head)
    lines: list[str] = []
    for word in re.findall(r"(?:\\\(.*?\\\)|\S)+", plain_latex(head)):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and measured(Prose((re.sub(r"\\[a-z]+|[\\(){}_]", "", joined),)), size) <= room:
            lines[-1] = joined
        else:
            lines.append(word)
    return r"\shortstack[r]{" + r" \\ ".join(lines) + "}"


def _rows(table: Table, widths: dict[int, float], size: str, heads: dict[int, str]) -> str:
    spec = "".join(
        rf"p{{{widths[i]:.1f}pt}}" if i in widths else "r" if column.align == "right" else "l"
        for i, column in enumerate(table.columns)
    )
    lines = [
        rf"\begingroup{size}\setlength{{\tabcolsep}}{{{_BETWEEN / 2:g}pt}}",
        rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
    ]
    top = (heads.get(i) or _cell(column.head, i in widths) for i, column in enumerate(table.columns))
    lines += [r"\toprule", " & ".join(top) + r" \tabularnewline", r"\midrule"]
    for place, row in enumerate(table.rows):
        if table.totals and place == len(table.rows) - 1:
            lines.append(r"\midrule")
        lines.append(_row(row, widths))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}\endgroup"])


def _row(cells: Sequence[Prose], widths: dict[int, float]) -> str:
    return " & ".join(_cell(cell, i in widths) for i, cell in enumerate(cells)) + r" \tabularnewline"


def _cell(cell: Prose, wraps: bool) -> str:
    return rf"\raggedright {_prose(cell)}" if wraps else _prose(cell)


def _longest(cell: Prose, size: float) -> float:
    """The width of the longest word of a cell, or of the longest factor of a formula, which do not break."""
    words = [word for part in cell.parts for word in _words(part)]
    return max((measured(Prose((word,)), size) for word in words), default=0.0)


def _words(part: str | Side | Chain | Reference) -> list[str]:
    if isinstance(part, Reference):
        return part.words.split()
    if isinstance(part, str):
        return part.split()
    sides = (part.left, *(side for _, side in part.links)) if isinstance(part, Chain) else (part,)
    return [word for side in sides for word in _InCell().said(side).split()]


class _Set(Text):
    """As wide as it is set: fractions stand over each other, subscripts and exponents are small."""

    def scientific(self, mantissa: str, exponent: int) -> str:
        return f"{mantissa}x10{exponent}"

    def name(self, name: Name, exponent: str = "") -> str:
        return _unbroken(name.base + name.sub[: -(-4 * len(name.sub) // 5)] + exponent)

    def fraction(self, above: str, below: str) -> str:
        return _unbroken(max(above, below, key=len))

    def root(self, radicand: str) -> str:
        return _unbroken(super().root(radicand))

    def amount(self, amount: Amount) -> str:
        return _unbroken(super().amount(amount))

    def mark(self) -> str:
        return "≈·"


class _InCell(_Set):
    """The same in a line of text, where a fraction has a slash."""

    def fraction(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def power(self, base: str, exponent: str) -> str:
        return _unbroken(super().power(base, exponent))  # braces hold it together

    def fenced(self, left: str, inner: str, right: str) -> str:
        inside = super().fenced(left, inner, right)
        return inside if left == "(" else _unbroken(inside)

    def call(self, function: str, arguments: Sequence[str]) -> str:
        return _unbroken(super().call(function, arguments))


def _unbroken(set_: str) -> str:
    return set_.replace(" ", "·")


def _signs(side: Side) -> int:
    return len(_Set().side(side))


def _prose(sentence: Prose) -> str:
    """A sentence whose formulas may break between factors, with no sign that only one encoding of fonts has."""
    written = plain_latex(sentence).replace(r" \, ", r" \,\allowbreak ")
    return written.replace(r"\textquotedbl{}", r"{\ttfamily\char34}")


def _too_narrow(what: str, wide: float, needs: float) -> str:
    return f"{what} needs {needs:.0f}pt ({needs / 72.27:.1f}in) and the width is {wide:.0f}pt; give a larger --width"
