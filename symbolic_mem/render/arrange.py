"""What fits its place: long formulas are broken or left out, wide columns wrap; every face sets what comes out of here.

Widths are counted in characters as they are set (`symbolic_mem.render.text.width`), never in those of SymPy's text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Brief, Chain, Long, Prose, Put, Reference, Side, Total
from symbolic_mem.document.steps import Answer, Answers, Block, Bullets, Column, Paragraph, Section, Step, Table
from symbolic_mem.render.columns import fitted, hanging
from symbolic_mem.render.text import plain_prose, width


@dataclass(frozen=True)
class Room:
    """How wide something may be in a place: on one line of it, and over the few lines that are taken in at once."""

    line: int
    lines: int

    def scaled(self, scale: float) -> Room:
        """The room of a narrower place."""
        return self if scale == 1 else Room(int(self.line * scale), int(self.lines * scale))


@dataclass(frozen=True)
class Measure:
    """How wide a display may be: links that share a row, and a sum before it continues on the next row."""

    row: int
    sum: int

    def scaled(self, scale: float) -> Measure:
        """The measure of a narrower place."""
        return self if scale == 1 else Measure(int(self.row * scale), int(self.sum * scale))


DISPLAY = Room(56, 100)  # a formula in a displayed line
SENTENCE = Room(80, 180)  # a formula or a phrase inside a sentence
CELL = Room(28, 150)  # a formula in a table
PAPER = Measure(84, 80)
SCREEN = Measure(58, 64)
COLUMN_WIDTH = 45  # a column of formulas that does not wrap,
NARROW_COLUMN_WIDTH = 28  # and one in a table that has a column of words
NAME_WIDTH = 24  # a column of names that does not wrap
PHRASE_WIDTH = 75  # a column of phrases that does not wrap
TERMINAL = Room(240, 240)  # a formula on the terminal: two or three of its lines


def arrange(document: Any) -> Any:
    """Return a whole document in which everything fits its place."""
    return replace(document, sections=tuple(arrange_section(section) for section in document.sections))


def arrange_section(section: Section) -> Section:
    """Return a part of a document in which everything fits its place; a brief step that does not is left out."""
    blocks = [arranged for block in section.blocks if (arranged := arrange_block(block)) is not None]
    answer = None if section.answer is None else arrange_prose(section.answer)
    return replace(section, title=arrange_prose(section.title), blocks=tuple(blocks), answer=answer)


def arrange_block(block: Block, scale: float = 1) -> Block | None:
    """Return a block whose formulas fit their places, or None for a brief step whose formulas do not.

    `scale` is how wide displays and sentences may be, as a part of a page.
    """
    match block:
        case Step():
            return _step(block, scale)
        case Table():
            return arrange_table(block)
        case Bullets():
            said = SENTENCE.scaled(scale)
            return replace(block, items=tuple(arrange_prose(item, said) for item in block.items))
        case Answers():
            return Answers(tuple(replace(each, prose=arrange_prose(each.prose)) for each in block.entries))
        case Figure():
            return replace(block, caption=arrange_prose(block.caption))
        case Answer() | Paragraph():
            return replace(block, prose=arrange_prose(block.prose, SENTENCE.scaled(scale)))
    raise TypeError(f"unknown block {type(block).__name__}")


def arrange_table(table: Table) -> Table:
    """Return a table whose cells fit, and whose columns of formulas and names are set by how long these are.

    >>> from symbolic_mem.document.prose import text
    >>> found = Table(text("t"), (Column(text("who"), "name"),), ((text("somebody with a long name"),),))
    >>> arrange_table(found).columns[0].align
    'note'
    """
    if table.beside < len(table.columns):
        return _over(table)
    rows = tuple(tuple(arrange_prose(cell, CELL) for cell in row) for row in table.rows)
    beside_words = any(column.align in ("text", "note") for column in table.columns)
    columns = tuple(
        _column(column, [row[i] for row in rows], beside_words=beside_words) for i, column in enumerate(table.columns)
    )
    return fitted(replace(table, caption=arrange_prose(table.caption), columns=columns, rows=rows))


def _over(table: Table) -> Table:
    """A table that fits, with what stands under its rows as wide as its columns from the second on."""
    *columns, last = table.columns
    beside = arrange_table(replace(table, columns=tuple(columns), rows=tuple(row[:-1] for row in table.rows)))
    unders = [arrange_prose(row[-1]) for row in table.rows]
    if len(beside.rows) != len(unders) or not any(plain_prose(under) for under in unders):
        return beside
    return hanging(beside, arrange_prose(last.head, CELL), unders)


def arrange_prose(sentence: Prose, room: Room = SENTENCE) -> Prose:
    """Return a sentence in which what is too long for the place has given way to what is said otherwise.

    >>> from symbolic_mem.base.symbols import P
    >>> from symbolic_mem.document.prose import say, text
    >>> long = say("{s}", s=Brief(sp.Add(*sp.symbols("x:40")), otherwise=text("a sum")))
    >>> arrange_prose(long).parts, arrange_prose(say("{p}", p=Brief(P))).parts
    (('a sum',), (P,))
    """
    parts: list[str | Side | Chain | Reference] = []
    for part in sentence.parts:
        match part:
            case Brief():
                chosen = part.shown if _fits(part, room) else part.otherwise
                shown = chosen if isinstance(chosen, Prose) else Prose(() if chosen is None else (chosen,))
                parts += arrange_prose(shown, room).parts
            case Chain():
                parts.append(_chain(part, room))
            case _:
                parts.append(part)
    return Prose(tuple(parts))


def fits(side: Side, limit: int) -> bool:
    """Tell whether a formula is set within so many characters.

    >>> from symbolic_mem.base.symbols import d_model
    >>> fits(d_model, 6), fits(d_model, 5)
    (True, False)
    """
    return _wide(side) <= limit


def spread(long: sp.Expr | Put, line: int = DISPLAY.line) -> Side:
    """Return a formula as it is when it fits a line, and otherwise as a sum of terms that a display breaks between.

    >>> from symbolic_mem.base.symbols import L, V, d_model
    >>> spread(2 * L * (d_model + V))
    2*L*(V + d_model)
    """
    expr = long.expr if isinstance(long, Put) else long
    terms = [expr] if fits(expr, line) else _terms(expr, line)
    if len(terms) == 1:
        return long
    return Total(tuple(Put(term, long.values) if isinstance(long, Put) else term for term in terms))


def _step(step: Step, scale: float) -> Step | None:
    room, said = DISPLAY.scaled(scale), SENTENCE.scaled(scale)
    sides = [side for chain in step.chains for side in (chain.left, *(side for _, side in chain.links))]
    if step.brief and not all(fits(side, room.line) for side in sides):
        return None
    if step.chains:
        room = _beside(max(_wide(chain.left) for chain in step.chains), room)
    chains = [_chain(chain, room) for chain in step.chains]
    reason = None if step.reason is None else arrange_prose(step.reason, said)
    kept = tuple(chain for chain in chains if chain.links)
    return replace(step, statement=arrange_prose(step.statement, said), chains=kept, reason=reason)


def _beside(left: int, room: Room) -> Room:
    """The room beside the longest name on the left of some lines, which are aligned behind it."""
    over = left - NAME_WIDTH
    return room if over <= 0 else Room(room.line, min(room.lines, PAPER.sum) - 2 * over)


def _chain(chain: Chain, room: Room) -> Chain:
    """A chain whose formulas fit. Only an equation can be left out: any other relation says something of its own."""
    kept = (
        (relation, side)
        for relation, side in chain.links
        if not isinstance(side, Brief) or relation != "=" or _fits(side, room)
    )
    return replace(
        chain, left=_side(chain.left, room), links=tuple((relation, _side(side, room)) for relation, side in kept)
    )


def _side(side: Side, room: Room) -> Side:
    match side:
        case Long():
            return spread(side.expr, min(room.line, DISPLAY.line))
        case Total():
            return Total(tuple(part for one in side.sides for part in _in_rows(one, room)))
        case Brief() if not isinstance(side.shown, Prose):
            return _side(side.shown, room)
        case Put() | sp.Expr():
            parts = _in_rows(side, room)
            return side if len(parts) == 1 else Total(parts)
    return side


def _in_rows(side: Side, room: Room) -> tuple[Side, ...]:
    """A side of a sum, or where it is longer than a row its terms."""
    if isinstance(side, sp.Expr | Put) and _wide(side) > min(room.lines, PAPER.sum):
        long = spread(side, min(room.line, DISPLAY.line))
        return long.sides if isinstance(long, Total) else (long,)
    return (side,)


def _column(column: Column, cells: list[Prose], *, beside_words: bool) -> Column:
    align = column.align
    if align == "formula":
        most = NARROW_COLUMN_WIDTH if beside_words else COLUMN_WIDTH
        align = "left" if all(_wide(cell) <= most for cell in cells) else "text"
    elif align == "phrase":
        align = "left" if all(_wide(cell) <= PHRASE_WIDTH for cell in cells) else "text"
    elif align == "name":
        align = "left" if all(_wide(cell) <= NAME_WIDTH for cell in cells) else "note"
    return Column(arrange_prose(column.head, CELL), align)


def _fits(brief: Brief, room: Room) -> bool:
    return _wide(brief.shown) <= (room.lines if brief.wraps else room.line)


def _wide(shown: Side | Prose) -> int:
    """How wide something is; numbers put into a formula count as the formula, a sum as the longest of its sides."""
    match shown:
        case Prose():
            return len(plain_prose(shown).replace("_", ""))
        case Put():
            return width(shown.expr)
        case Total():
            return max(map(_wide, shown.sides))
        case Brief():
            return _wide(shown.shown)
        case Long():
            return _wide(shown.expr)
    return width(shown)


def _terms(expr: sp.Expr, line: int) -> list[sp.Expr]:
    """The terms of a sum; a term that is itself too long for a line is multiplied out."""
    if expr.is_Add:
        return [term for part in expr.as_ordered_terms() for term in _terms(part, line)]
    if expr.is_Mul and not fits(expr, line):
        sums = [factor for factor in expr.args if isinstance(factor, sp.Add)]
        if sums:
            longest = max(sums, key=width)
            return [expr / longest * term for term in longest.as_ordered_terms()]
    return [expr]
