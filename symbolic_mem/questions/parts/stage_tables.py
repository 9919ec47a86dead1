"""The table of the question `stages`, and in words what each stage divides and which printed figures agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy as sp

from symbolic_mem.base.symbols import P, Psi, n_fsdp
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Block, Bullets, Column, Paragraph, Table
from symbolic_mem.document.words import about, capitalised, joined, listed, sentences
from symbolic_mem.questions.parts.editions import Figure
from symbolic_mem.questions.parts.figures import SCALES
from symbolic_mem.questions.parts.found_stages import Cell, FoundStages
from symbolic_mem.questions.parts.printed import as_it_stands
from symbolic_mem.questions.parts.words import KIND_WORDS
from symbolic_mem.questions.parts.zero import DIVIDED, TITLES

BILLION = SCALES["B"]


def stage_words(number: int) -> Prose:
    """Say what a stage divides."""
    kinds = [KIND_WORDS[kind] for kind in DIVIDED[number]]
    if not kinds:
        return text("Baseline: nothing is divided by stages; every device holds all states.")
    pieces = {"stage": capitalised(TITLES[number]), "kinds": listed(kinds), "n": n_fsdp}
    if len(kinds) == 1:
        return say("{stage}: the {kinds} is divided over {n} devices.", **pieces)
    return say("{stage}: the {kinds} are divided over {n} devices.", **pieces)


def cells_table(found: FoundStages) -> Table:
    """Tabulate the cells, each beside the figure that the source prints."""
    printed = any(cell.printed for cell in found.cells)
    heads = [Column(say("{s}", s=found.rows), "right")]
    for number in found.stages:
        heads.append(Column(text(TITLES[number]), "right"))
        if printed:
            heads.append(Column(text("printed"), "right"))
    rows = []
    for entry, cells in found.at_entries.items():
        row = [say("{v}", v=sp.Integer(entry))]
        for cell in cells:
            row.append(_number(cell.value, found))
            if printed:
                row.append(_marked(cell))
        rows.append(tuple(row))
    return Table(_caption(found), tuple(heads), tuple(rows))


def amount_words(value: sp.Rational | None, found: FoundStages) -> Prose:
    """A number of a cell with its unit, as it stands in a sentence."""
    if value is None:
        return text("–")
    if found.solved is None:
        return about(Amount(value, found.unit, digits=6, fixed=True))
    return about(Amount(value / BILLION, "billion")) if _in_billions(found) else about(Amount(value))


def verdict_blocks(found: FoundStages, printed: Sequence[Figure], note: str) -> Iterator[Block]:
    """Say how many printed figures agree, and list those that do not, with the difference."""
    held = [cell for cell in found.cells if cell.printed]
    if not held:
        if printed:
            yield Paragraph(as_it_stands(printed))
        return
    cut = [cell for cell in held if cell.verdict == "truncated"]
    wrong = [cell for cell in held if cell.verdict == "different"]
    parts = [_agreeing(len(held) - len(cut) - len(wrong))]
    parts += [_cut(len(cut))] if cut else []
    parts += [_wrong(len(wrong))] if wrong else []
    pieces = {"n": len(held), "edition": text(printed[0].edition), "parts": joined(parts)}
    yield Paragraph(sentences(say("Of the {n} printed figures ({edition}) {parts}.", **pieces), text(note)))
    if cut or wrong:
        yield Bullets(tuple(_off(cell, found) for cell in (*cut, *wrong)))


def _in_billions(found: FoundStages) -> bool:
    """Whether numbers are shown in billions (10^9): parameters are."""
    return found.solved is not None and found.solved.symbol in (P, Psi)


def _number(value: sp.Rational | None, found: FoundStages) -> Prose:
    """A number alone: its unit stands in the caption."""
    if value is None:
        return text("–")
    scale = BYTES_PER[found.unit] if found.solved is None else BILLION if _in_billions(found) else 1
    return about(Amount(value / scale))


def _marked(cell: Cell) -> Prose:
    if cell.verdict == "truncated":
        return say("{printed} (cut)", printed=text(cell.printed))
    if cell.verdict == "different":
        return say("{printed} (off)", printed=text(cell.printed))
    return text(cell.printed)


def _caption(found: FoundStages) -> Prose:
    if found.solved is None:
        return say("Memory of the states on one device, in {unit}", unit=found.unit)
    if _in_billions(found):
        return say("The largest {x}, in billions of {unit}", x=found.solved.symbol, unit=found.unit)
    return say("The largest {x}, in {unit}", x=found.solved.symbol, unit=found.unit)


def _agreeing(number: int) -> Prose:
    if number == 1:
        return text("1 is exact or rightly rounded")
    return say("{n} are exact or rightly rounded", n=number)


def _cut(number: int) -> Prose:
    if number == 1:
        return text("1 is cut off instead of rounded")
    return say("{n} are cut off instead of rounded", n=number)


def _wrong(number: int) -> Prose:
    return text("1 is different") if number == 1 else say("{n} are different", n=number)


def _off(cell: Cell, found: FoundStages) -> Prose:
    if cell.value is None or cell.off is None:
        return say("printed {printed}, and what is kept fits at no value", printed=text(cell.printed))
    pieces = {"printed": text(cell.printed), "value": amount_words(cell.value, found)}
    if cell.off < 0:
        return say(
            "printed {printed}, and it is {value}: {off} too little", off=amount_words(-cell.off, found), **pieces
        )
    return say("printed {printed}, and it is {value}: {off} too much", off=amount_words(cell.off, found), **pieces)
