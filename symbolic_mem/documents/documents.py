"""The two documents: the worked solution of a study's questions, and the report of its account."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import missing
from symbolic_mem.base.symbols import n_fsdp, table
from symbolic_mem.document.family import family_of, in_family
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Answer, Block, Bullets, Column, Paragraph, Section, Table
from symbolic_mem.document.words import joined, listed
from symbolic_mem.document.work import Work
from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.assumptions import (
    SIGNS,
    UNITS,
    about_memory,
    assumptions,
    placements,
)
from symbolic_mem.questions.parts.instants import instant_words
from symbolic_mem.questions.parts.keys import OnDevice
from symbolic_mem.questions.parts.memory import memory_blocks
from symbolic_mem.questions.parts.powers import formula_blocks
from symbolic_mem.questions.parts.uncounted import NOT_AT_ONCE, PEAKS, beyond_instants, uncounted_items
from symbolic_mem.questions.parts.unread import refuse_unread
from symbolic_mem.questions.parts.words import READING_WORDS
from symbolic_mem.study.question import Found
from symbolic_mem.study.study import Study


def homework(study: Study) -> Derivation:
    """Derive the worked solution: what is given, every question in turn, what is assumed and what is not counted.

    Raises `MissingValue` naming the symbols without a value, and `BadInput` for a study without questions.
    """
    if not study.questions:
        raise BadInput(f"study {study.name!r} asks nothing; add a [[question]] or use `report`")
    answered = answers(study)
    sections = (
        Section(text("The problem"), _problem(study)),
        *_parts(answered),
        *_closing(study),
    )
    return Derivation(study.title, "Worked solution", _in_one_family(sections, answered), answered)


def report(study: Study) -> Derivation:
    """Derive the report: question, notation, assumptions, account, bounds, what is not counted, references."""
    answered = answers(study)
    parts = _parts(answered, unasked=True)
    blocks, depends = _account(study)
    given = notation(study)
    sections = (
        Section(text("Question"), _question(study, [section.title for section in parts])),
        *([Section(text("Notation"), (given,))] if given.rows else []),
        Section(text("Assumptions"), (Bullets(_assumed(study, *placements(study))),)),
        *([Section(text("The account"), tuple(blocks))] if blocks else []),
        *([] if depends is None else [depends]),
        *parts,
        *_left_out(study, text("nothing that is known")),
        Section(text("References"), (Bullets(references(study)),)),
    )
    return Derivation(study.title, "Memory report", _in_one_family(sections, answered), answered, "report")


def answers(study: Study) -> tuple[Found, ...]:
    """Answer every question of the study, each as it sees the study; refuses a value that none of them reads."""
    refuse_unread(study)
    return tuple(question.answer(study.under(question)) for question in study.questions)


def answer(study: Study, label: str) -> Found:
    """Answer the question of that label alone; raises `BadInput` naming the labels there are.

    >>> from symbolic_mem.library.read import load_study
    >>> answer(load_study("cs336-a2-xxl"), "b").value
    46
    """
    question = study.question(label)
    return question.answer(study.under(question))


def part(found: Found, figures: Sequence[Figure] = ()) -> Section:
    """The part of a document that answers one question: its wording, the way, its figures, and the answer in one sentence."""
    question = found.question
    asked = [Paragraph(text(question.text))] if question.text else []
    said = (*question.steps(found), *map(Paragraph, found.cautions))
    blocks = (*asked, *map(Paragraph, found.beside), *said, *figures, Answer(question.sentence(found)))
    return Section(text(f"({question.label}) {question.heading(found)}"), blocks)


def _in_one_family(sections: tuple[Section, ...], answered: Sequence[Found]) -> tuple[Section, ...]:
    """The sections with all amounts of memory in the units of the capacities that are asked about."""
    capacities = [unit for one in answered if (unit := one.capacity_unit) is not None]
    return in_family(sections, family_of(capacities, sections))


def _figures(found: Found, family: str, *, unasked: bool) -> tuple[Figure, ...]:
    """The figures that a question asks for; where they are drawn `unasked` all that there are, unless it wants none."""
    question = found.question
    names = question.drawn if unasked and question.figures != () else question.figures or ()
    drawn = (question.figure(found, name, family) for name in names)
    label = re.sub(r"[^A-Za-z0-9]+", "-", question.label).strip("-")
    return tuple(replace(figure, name=f"{label}-{figure.name}") for figure in drawn if figure is not None)


def _parts(answered: Sequence[Found], *, unasked: bool = False) -> list[Section]:
    """The part of each answer; where the memory of a device is read otherwise than in the part before, that is said."""
    parts, last = [], None
    capacities = [unit for one in answered if (unit := one.capacity_unit) is not None]
    for found in answered:
        section = part(found, _figures(found, family_of(capacities, ()), unasked=unasked))
        if found.reading is not None:
            if last is not None and last.reading != found.reading:
                section = replace(section, blocks=(Paragraph(_reread(found, last)), *section.blocks))
            last = found
        parts.append(section)
    return parts


def _reread(found: Found, last: Found) -> Prose:
    pieces = {name: text(READING_WORDS[one.reading or ""]) for name, one in (("new", found), ("old", last))}
    return say(
        "The memory of a device is counted otherwise than in ({label}): here as {new}, there as {old}.",
        label=text(last.question.label),
        **pieces,
    )


def _account(study: Study) -> tuple[list[Block], Section | None]:
    """The whole account with numbers; as formulas alone where a symbol is what the questions ask for."""
    kinds = _counted(study)
    memory = study.memory.of(*kinds)
    absent = missing(memory.total, study.values)
    asked = {symbol for question in study.questions for symbol in question.unknowns}
    if not about_memory(study) or not memory.terms:
        return [], None
    if absent and asked.issuperset(absent):
        return [*formula_blocks(study)], None
    study.need(memory.total, "the report")
    told = [*map(Paragraph, instant_words(study)), *memory_blocks(study, Work(study.values), kinds)]
    return told, _depends(study, kinds)


def _counted(study: Study) -> tuple[str, ...]:
    """The kinds of memory that some question of the study counts."""
    asked = [question.counted for question in study.questions if question.subject == "memory"]
    return tuple(kind for kind in KINDS if any(kind in kinds for kinds in asked)) or KINDS


def _depends(study: Study, kinds: tuple[str, ...]) -> Section | None:
    """What the memory depends on: what stays on every device, the crossover, and what one percent more adds."""
    from symbolic_mem.questions.insight import Insight

    asked = {
        "floor": n_fsdp in study.placed(kinds).total.free_symbols and not _floor_is_open(study, kinds),
        "crossover": "activations" in kinds,
        "sensitivities": True,
    }
    topics = tuple(topic for topic, wanted in asked.items() if wanted)
    work = Work(study.values)
    found = Insight("report", kinds=kinds).trends(study, topics)
    blocks = [block for topic in found if topic is not None for block in topic.steps(work)]
    return Section(text("What the memory depends on"), tuple(blocks)) if blocks else None


def _floor_is_open(study: Study, kinds: tuple[str, ...]) -> bool:
    """Whether what stays on every device depends on a symbol without value."""
    _, kept = study.placed(kinds).split(n_fsdp)
    return bool(missing(kept.total, study.values))


def notation(study: Study) -> Table:
    """Tabulate the symbols that the study gives values to, or solves for, with meaning, unit and value."""
    used: set[sp.Basic] = {*study.values}
    if about_memory(study):
        used |= study.memory.of(*_counted(study)).total.free_symbols
        used |= {symbol for placed in study.placement.values() for symbol in placed.degree.free_symbols}
    read = [question.reads(study.under(question)) for question in study.questions]
    known = None if not read or None in read else {name for names in read if names is not None for name in names}
    rows = []
    for name in (*table(given=True), *study.names):
        if name.symbol in used and (known is None or str(name.symbol) in known):
            value = study.values.get(name.symbol)
            shown = _sought(study, name.symbol) if value is None else _value(value)
            rows.append((say("{s}", s=name.symbol), text(name.meaning), text(name.unit), shown))
    return Table(
        text("What is given"),
        (
            Column(text("symbol")),
            Column(text("meaning"), "phrase"),
            Column(text("unit")),
            Column(text("value"), "right"),
        ),
        tuple(rows),
    )


def _sought(study: Study, symbol: sp.Symbol) -> Prose:
    """What stands for a value that the study itself does not give: those that its questions give, or that it is sought."""
    shown, found = [], []
    for question in study.questions:
        value = study.under(question).values.get(symbol)
        if value is not None:
            shown.append(say("{v} in {label}", v=_value(value), label=f"({question.label})"))
        elif str(symbol) in question.finds:
            found.append(f"({question.label})")
    if not shown:
        return text("to be found")
    sought = [text(f"to be found in {listed(found)}")] if found else []
    return joined((*sought, *shown), ", ", ", ")


def _value(value: sp.Rational) -> Prose:
    """A given number: a whole one as it is typeset, another in decimals where they are short."""
    return say("{v}", v=Amount(value) if Amount(value).shown.exact and not value.is_Integer else value)


def references(study: Study) -> tuple[Prose, ...]:
    """List the sources of the study, its recipe, its layers and its devices, each once."""
    found = [study.source]
    if about_memory(study):
        found.append(study.recipe.source)
    if about_memory(study) or any(question.subject == "layers" for question in study.questions):
        found += [layer.source for layer in study.model.layers]
    for question in study.questions:
        seen = study.under(question)
        device = seen.capacity.device if isinstance(question, OnDevice) and seen.device.name else None
        if device is not None:
            found.append(f"{device.title}: {device.source} ({device.date})")
    return tuple(text(source) for source in dict.fromkeys(found) if source)


def _wording(study: Study) -> list[Block]:
    """The text of a study, which is that of the file, and what the caller has set over it."""
    if not study.text:
        return []
    blocks: list[Block] = [Paragraph(text(study.text))]
    if study.caller:
        set_otherwise = "; ".join(change.words for change in study.caller)
        blocks.append(
            Paragraph(text(f"The caller has set: {set_otherwise}. Where the text says otherwise, this counts."))
        )
    return blocks


def _problem(study: Study) -> tuple[Block, ...]:
    blocks = _wording(study)
    if study.source:
        blocks.append(Paragraph(text(f"Source: {study.source}.")))
    given = notation(study)
    return (*blocks, given) if given.rows else tuple(blocks)


def _question(study: Study, asked: list[Prose]) -> tuple[Block, ...]:
    blocks = _wording(study)
    if asked:
        blocks.append(Bullets(tuple(asked)))
    return tuple(blocks) or (Paragraph(text("How much memory does training take, and why?")),)


def _closing(study: Study) -> tuple[Section, ...]:
    cited = references(study)
    return (
        Section(text("Assumptions"), (Bullets(_assumed(study)),)),
        *_left_out(study),
        *([Section(text("Sources"), (Bullets(cited),))] if cited else []),
    )


def _assumed(study: Study, *placed: Prose) -> tuple[Prose, ...]:
    """All assumptions; where no question is about memory, none about how memory is counted."""
    return (UNITS, *assumptions(study), *placed) if about_memory(study) else (SIGNS, *assumptions(study))


def _left_out(study: Study, otherwise: Prose | None = None) -> tuple[Section, ...]:
    if not about_memory(study):
        return ()
    found = beyond_instants(study)
    items = uncounted_items(study, found) or (() if otherwise is None else (otherwise,))
    sized = (Paragraph(NOT_AT_ONCE),) if any(one.sets for one in found) else ()
    peaks = (Paragraph(PEAKS),) if study.timeline else ()
    return (Section(text("What is not counted"), (*peaks, *sized, Bullets(items))),) if items else ()
