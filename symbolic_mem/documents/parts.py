"""The part of each question in a document; what an earlier one has derived is referred to, not repeated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symbolic_mem.document.family import family_of
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Chain, Prose, Reference, say, text
from symbolic_mem.document.steps import (
    Answer,
    Block,
    Bullets,
    Detail,
    Paragraph,
    Section,
    Step,
    Table,
    detailed,
)
from symbolic_mem.document.words import in_brackets, joined, listed, sentences
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.words import KIND_WORDS
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.filled import filled
from symbolic_mem.study.found import Found

Unit = tuple[Block, ...]


def part(found: Found, figures: Sequence[Figure] = ()) -> Section:
    """The part of a document that answers one question, in full: its wording, the way, its figures, and the answer."""
    question, headed = found.question, _headed(found)
    asked = [Paragraph(found.study.said(question.text))] if question.text else []
    steps = (*question.steps(found), *map(Paragraph, found.cautions))
    software = () if found.software is None else (Paragraph(found.software.sentence),)
    answer = () if headed.answer is None else (Answer(headed.answer),)
    return replace(headed, blocks=(*asked, *map(Paragraph, found.beside), *steps, *software, *figures, *answer))


def _headed(found: Found) -> Section:
    """The same with its title and its answer alone."""
    question = found.question
    title = found.study.said(f"{in_brackets(question.label)} {question.heading(found)}")
    return Section(title, (), label=question.label, asked=filled(question.text, found.study), answer=found.told)


def parts(
    answered: Sequence[Found], detail: Detail, before: Sequence[Section] = (), *, unasked: bool = False
) -> list[Section]:
    """The part of each answer, with its figures: those that a question asks for, or `unasked` all that there are.

    Where the memory of a device is read otherwise than in the part before, that is said. A ``short`` one leaves asides
    out, refers to what stands in an earlier part or in the sections `before`, and its answer stands in front alone; of
    an ``answer`` nothing is derived, and its part is empty.
    """
    if detail == "answer":
        return [replace(_headed(found), target=f"part-{i}") for i, found in enumerate(answered, start=1)]
    told = _Told({id(found): position for position, found in enumerate(answered, start=1)})
    for section in before:
        told.add(_units(detailed(section.blocks, detail)), section)
    made, last = [], None
    family = family_of([unit for one in answered if (unit := one.capacity_unit) is not None], ())
    for position, found in enumerate(answered, start=1):
        whole = part(found, _figures(found, family, unasked=unasked))
        said: tuple[Prose, ...] = ()
        if found.reading is not None:
            if last is not None and last.reading != found.reading:
                said = (_reread(last),)
            last = found
        section = replace(whole, target=f"part-{position}", blocks=tuple(detailed(whole.blocks, detail)))
        if detail != "full":
            blocks = [block for block in section.blocks if not isinstance(block, Answer)]
            section = replace(section, blocks=tuple(_new(blocks, told, found, said)))
            told.add(_units(blocks), found)
        else:
            section = replace(section, blocks=(*map(Paragraph, said), *section.blocks))
        made.append(section)
    return made


def _figures(found: Found, family: str, *, unasked: bool) -> tuple[Figure, ...]:
    """The figures that a question asks for; where they are drawn `unasked` all that there are, unless it wants none."""
    question = found.question
    names = question.drawn if unasked and question.figures != () else question.figures or ()
    drawn = (question.figure(found, name, family) for name in names)
    label = re.sub(r"[^A-Za-z0-9]+", "-", question.label).strip("-")
    return tuple(replace(figure, name=f"{label}-{figure.name}") for figure in drawn if figure is not None)


def _units(blocks: Iterable[Block]) -> Iterator[Unit]:
    """The blocks with what leads to them: a list or a table is told together with the words right before it."""
    lead: tuple[Block, ...] = ()
    for block in blocks:
        if isinstance(block, Bullets | Table):
            yield (*lead, block)
            lead = ()
            continue
        if lead:
            yield lead
        lead = (block,) if isinstance(block, Paragraph) or (isinstance(block, Step) and not block.chains) else ()
        if not lead:
            yield (block,)
    if lead:
        yield lead


@dataclass
class _Told:
    """What is told already: each unit with where it stands first, and every line of them; `numbers` are those of the parts."""

    numbers: Mapping[int, int]
    units: dict[Unit, Section | Found] = field(default_factory=dict)
    lines: set[Chain] = field(default_factory=set)

    def add(self, units: Iterable[Unit], by: Section | Found) -> None:
        """Remember what is told by a section or an answer."""
        for unit in units:
            if unit not in self.units:
                self.units[unit] = by
                self.lines.update(chain for block in unit if isinstance(block, Step) for chain in block.chains)

    def place(self, unit: Unit) -> Reference:
        """Where a unit stands."""
        by = self.units[unit]
        if isinstance(by, Section):
            return Reference(plain_prose(by.title), by.target)
        return Reference(in_brackets(by.question.label), f"part-{self.numbers[id(by)]}")


def _new(blocks: Sequence[Block], told: _Told, found: Found, said: Sequence[Prose]) -> Iterator[Block]:
    """What was not told before, after words that say where the rest stands, and what is otherwise here.

    Where that is not told, what is `said` of the part before is. Which values count is said of each part.
    """
    units, here = list(_units(blocks)), {(Paragraph(one),) for one in found.preceded}
    again = [unit for unit in units if unit in told.units and unit not in here]
    if not again:
        yield from map(Paragraph, said)
        yield from (_other_rows(block, told) if isinstance(block, Table) else block for block in blocks)
        return
    where = list(dict.fromkeys(told.place(unit) for unit in again))
    derived = [one for unit in again if isinstance(one := told.units[unit], Found)]
    alike = max(derived, key=derived.count) if derived else None
    differ = [] if alike is None else _differences(found, alike)
    otherwise = found.study.said(listed(differ)) if differ else None
    led = _as_in(where, otherwise, rest=len(again) < len(units))
    yield Paragraph(led if differ else sentences(led, *said))
    for unit in units:
        if unit not in told.units or unit in here:
            yield from (_without(block, told) for block in unit)


def _without(block: Block, told: _Told) -> Block:
    """A step without what an earlier one has derived with its number, as long as a line of its own is left; a table without rows that are told."""
    if isinstance(block, Table):
        return _other_rows(block, told)
    if not isinstance(block, Step):
        return block
    own = tuple(chain for chain in block.chains if chain not in told.lines or len(chain.links) < 3)
    return replace(block, chains=own) if own else block


def _other_rows(table: Table, told: _Told) -> Table:
    """A table without the rows of an earlier one, all of whose rows it has by name; a sum stays."""
    whole = table.rows[-1:] if table.totals else ()
    rows = table.rows[: len(table.rows) - len(whole)]
    names = {row[0] for row in rows}
    best, place = rows, None
    for unit in told.units:
        for one in unit:
            if isinstance(one, Table) and (one.caption, one.columns) == (table.caption, table.columns):
                others = one.rows[:-1] if one.totals else one.rows
                own = tuple(row for row in rows if row not in others)
                if names.issuperset(row[0] for row in others) and 0 < len(own) < len(best):
                    best, place = own, told.place(unit)
    if place is None:
        return table
    caption = say("{caption}; the other rows stand in {place}", caption=table.caption, place=Prose((place,)))
    return replace(table, caption=caption, rows=(*best, *whole))


def _as_in(where: Sequence[Reference], otherwise: Prose | None, *, rest: bool) -> Prose:
    """Where what is not told again stands, what is `otherwise`, and whether a `rest` is told here."""
    places = joined([Prose((one,)) for one in where])
    if otherwise is not None:
        return say("As in {places}, with {otherwise}.", places=places, otherwise=otherwise)
    if rest:
        return say("As in {places}; what is not derived here stands there.", places=places)
    return say("All of it stands in {places}.", places=places)


def _fate(placed: Placed | None) -> tuple[Any, ...]:
    """What becomes of a kind of memory: where all of it is divided, nothing becomes of a rest."""
    if placed is None or (placed.fraction == 0 and placed.rest == "kept"):
        return ()
    return (placed.degree, placed.experts, placed.fraction, placed.rest if placed.fraction != 1 else "")


def _differences(found: Found, other: Found) -> list[str]:
    """What two questions see otherwise, in words."""
    one, two = found.study, other.study
    kinds = [kind for kind in KIND_WORDS if _fate(one.placement.get(kind)) != _fate(two.placement.get(kind))]
    values = sorted({str(s) for s in (*one.values, *two.values) if one.values.get(s) != two.values.get(s)})
    pairs: list[tuple[Any, Any, str]] = [
        (one.built.model, two.built.model, "another model"),
        (one.recipe.recompute, two.recipe.recompute, "another rule of recomputation"),
        (one.recipe.with_recompute(two.recipe.recompute), two.recipe, "another recipe"),
        (getattr(found, "capacity", None), getattr(other, "capacity", None), _capacity(found, other)),
    ]
    differ = [words for left, right, words in pairs if left != right]
    differ += [f"another placement of the {listed([KIND_WORDS[kind] for kind in kinds])}"] if kinds else []
    return differ + ([f"other values of {listed([f'${name}$' for name in values])}"] if values else [])


def _capacity(found: Found, other: Found) -> str:
    return "another capacity" if found.reading == other.reading else "another capacity, counted otherwise"


def _reread(last: Found) -> Prose:
    label = text(in_brackets(last.question.label))
    return say("The memory of a device is counted otherwise than in {label}.", label=label)
