"""The two documents: the worked solution of a study's questions, and the report of its account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.exact import missing
from symbolic_mem.base.symbols import n_fsdp, n_micro, table
from symbolic_mem.document.family import family_of, in_family
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import (
    DETAILS,
    Answers,
    Block,
    Bullets,
    Column,
    Detail,
    Entry,
    Paragraph,
    Section,
    Table,
    detailed,
)
from symbolic_mem.document.words import in_brackets, joined, listed
from symbolic_mem.document.work import Work
from symbolic_mem.documents.derivation import Derivation, Part
from symbolic_mem.documents.parts import parts
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.plans.pipeline import pipeline
from symbolic_mem.questions.min_degree import MinDegree
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
from symbolic_mem.questions.parts.unread import at_instants, refuse_unread
from symbolic_mem.study.question import Found, Question
from symbolic_mem.study.study import Study, of_study


@of_study
def homework(study: Study, detail: Detail = "short") -> Derivation:
    """Derive the worked solution: what is asked, all answers, every question in turn, what is assumed and what is not counted.

    A ``short`` one refers to what it has derived before and leaves asides out, a ``full`` one tells every step of every
    part, and of an ``answer`` nothing is derived. Raises `MissingValue` naming the symbols without a value, and
    `BadInput` for a study without questions.

    >>> from symbolic_mem.library.read import load_study
    >>> [section.label for section in homework(load_study("cs336-a2-xxl").only("b")).parts]
    ['b']
    """
    if not study.questions:
        raise BadInput(f"study {study.name!r} asks nothing; add a [[question]] or use `report`")
    answered = answers(study)
    made = parts(answered, known_detail(detail))
    derived = made if detail != "answer" else []
    sections = (
        Section(text("The problem"), _problem(study, made, detail), "problem"),
        *derived,
        *_closing(study),
    )
    return _document(study, "Worked solution", sections, answered, "homework")


@of_study
def report(study: Study, detail: Detail = "short") -> Derivation:
    """Derive the report: question, notation, assumptions, account, bounds, what is not counted, references.

    `detail` is as in `homework`. A study that asks nothing is asked whether a step fits, where a device is named.
    """
    study = _asking(study)
    answered = answers(study)
    blocks, depends = _account(study)
    account = Section(text("The account"), tuple(detailed(blocks, known_detail(detail))), "account")
    made = parts(answered, known_detail(detail), [account, *([] if depends is None else [depends])], unasked=True)
    given = notation(study)
    sections = (
        Section(text("Question"), _question(study, made), "question"),
        *([Section(text("Notation"), (given,), "notation")] if given.rows else []),
        Section(text("Assumptions"), (Bullets(assumed(study, *placements(study))),), "assumptions", fine=True),
        *([account] if account.blocks else []),
        *([] if depends is None or detail == "answer" else [depends]),
        *(made if detail != "answer" else []),
        *_left_out(study, text("nothing that is known")),
        Section(text("References"), (Bullets(references(study)),), "references", fine=True),
    )
    return _document(study, "Memory report", sections, answered, "report")


def _document(
    study: Study, subtitle: str, sections: tuple[Section, ...], answered: tuple[Found, ...], layout: str
) -> Derivation:
    made = Derivation(
        study.heading, subtitle, tuple(map(Part.of, _in_one_family(sections, answered))), answered, layout
    )
    signed = replace(made, author=study.author, course=study.course, date=study.date)
    return replace(signed, written=study.written, code="".join(study.made))


def known_detail(detail: str) -> Detail:
    """The detail, if there is such a one."""
    for known in DETAILS:
        if detail == known:
            return known
    raise BadInput(f"unknown detail {detail!r}; {nearest(detail, DETAILS)}")


def _asking(study: Study) -> Study:
    """The study; one that asks nothing is asked whether a step fits, where a device is named."""
    if study.questions or not study.device.known:
        return study
    return replace(study, questions=(MinDegree("fit", "report", "How many devices hold a step"),))


def answers(study: Study) -> tuple[Found, ...]:
    """Answer every question of the study, each as it sees the study; refuses a value that none of them reads."""
    refuse_unread(study)
    return tuple(question.answer(study.under(question)) for question in study.questions)


@of_study
def answer(study: Study, label: str | Question) -> Found:
    """Answer the question of that label alone, or one that is given; raises `BadInput` naming the labels there are.

    What the caller set must be read by it or by another question of the study. A study that asks nothing has the question ``fit`` of its `report`, where a device is named.

    >>> from symbolic_mem.library.read import load_study
    >>> answer(load_study("cs336-a2-xxl"), "b").value
    46
    """
    question = label if isinstance(label, Question) else _asking(study).question(label)
    refuse_unread(study, (*study.questions, question))
    return question.advise(question.answer(study.under(question)))


def _in_one_family(sections: tuple[Section, ...], answered: Sequence[Found]) -> tuple[Section, ...]:
    """The sections with all amounts of memory in the units of the capacities that are asked about."""
    capacities = [unit for one in answered if (unit := one.capacity_unit) is not None]
    return in_family(sections, family_of(capacities, sections))


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
    return Section(text("What the memory depends on"), tuple(blocks), "depends") if blocks else None


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
    read = [_read(study.under(question), question) for question in study.questions]
    known = None if not read or None in read else {name for names in read if names is not None for name in names}
    stepped = {symbol for question in study.questions for symbol in question.stepped}
    used |= stepped
    known = None if known is None else known | set(map(str, stepped))
    if known is not None and study.plan is not None:
        known |= {str(axis) for axis in (*study.plan.axes, n_micro)}
        known |= set(map(str, pipeline(study.plan.schedule).reads)) if study.plan.pipelined else set()
    if known is not None:
        unread = [symbol for symbol in study.values if str(symbol) not in known]
        known |= {str(symbol) for symbol in unread if any(at_instants(study, one, symbol) for one in study.questions)}
    rows = []
    for name in (*table(given=True), *study.names):
        if name.symbol in used and (known is None or str(name.symbol) in known):
            value = study.values.get(name.symbol)
            shown = _sought(study, name.symbol) if value is None else _value(value)
            if shown is None:
                continue
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


def _read(study: Study, question: Question) -> frozenset[str] | None:
    """What a question reads, without what only kinds of memory read that it does not count."""
    read = question.reads(study)
    if read is None or question.subject != "memory":
        return read
    counted = study.memory.of(*question.counted).total.free_symbols
    others = {str(symbol) for symbol in study.memory.total.free_symbols - counted}
    return read - (others - {*question.unknowns, *question.places, *map(str, question.stepped)})


def _sought(study: Study, symbol: sp.Symbol) -> Prose | None:
    """What stands for a value that the study itself does not give: those that its questions give, or that it is sought.

    None where no question gives or seeks it.
    """
    shown, found = [], []
    for question in study.questions:
        seen = study.under(question)
        value = seen.values.get(symbol, question.fixed(seen).get(str(symbol)))
        if value is not None:
            shown.append(say("{v} in {label}", v=_value(sp.Rational(value)), label=in_brackets(question.label)))
        elif symbol in question.stepped:
            shown.append(text(f"several in {in_brackets(question.label)}"))
        elif str(symbol) in question.finds:
            found.append(in_brackets(question.label))
    if not shown:
        return text("to be found") if found else None
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
    if about_memory(study) and not study.recipe.trains:
        found += [term.source for term in study.memory]
    elif about_memory(study) or any(question.subject == "layers" for question in study.questions):
        found += [layer.source for layer in study.model.layers]
    for question in study.questions:
        seen = study.under(question)
        device = seen.capacity.device if isinstance(question, OnDevice) and seen.device.name else None
        if device is not None:
            found.append(f"{device.title}: {device.source} ({device.date})")
    return tuple(text(source) for source in dict.fromkeys(found) if source)


def wording(study: Study) -> list[Block]:
    """The text of a study, which is that of the file, its variant, and what the caller has set over it."""
    blocks: list[Block] = [Paragraph(study.said(study.text))] if study.text else []
    varied = len(study.variants[study.variant - 1]) if study.variant else 0
    if varied:
        sets = study.listed(study.caller[:varied])
        blocks.append(Paragraph(say("This is variant {n}: {sets}.", n=text(str(study.variant)), sets=sets)))
    if study.text and study.caller[varied:]:
        changed = study.listed(study.caller[varied:])
        blocks.append(
            Paragraph(
                say("The caller has set: {changed}. Where the text says otherwise, this counts.", changed=changed)
            )
        )
    return blocks


def _problem(study: Study, made: Sequence[Section], detail: Detail) -> tuple[Block, ...]:
    blocks = wording(study)
    if study.source:
        blocks.append(Paragraph(text(f"Source: {study.source.removesuffix('.')}.")))
    given = notation(study)
    return (*blocks, _front(made, detail), *([given] if given.rows else []))


def _front(made: Sequence[Section], detail: Detail) -> Answers:
    """All answers in one box, each with the way to its derivation where there is one."""
    return Answers(
        tuple(
            Entry(section.label, "" if detail == "answer" else section.target, section.answer)
            for section in made
            if section.answer is not None
        )
    )


def _question(study: Study, made: Sequence[Section]) -> tuple[Block, ...]:
    blocks = wording(study)
    if made:
        blocks.append(Bullets(tuple(section.title for section in made)))
    return tuple(blocks) or (Paragraph(text("How much memory does training take, and why?")),)


def _closing(study: Study) -> tuple[Section, ...]:
    cited = tuple(each for each in references(study) if each != text(study.source))
    return (
        Section(text("Assumptions"), (Bullets(assumed(study)),), "assumptions", fine=True),
        *_left_out(study),
        *([Section(text("Sources"), (Bullets(cited),), "sources", fine=True)] if cited else []),
    )


def assumed(study: Study, *placed: Prose) -> tuple[Prose, ...]:
    """All assumptions; where no question is about memory, none about how memory is counted."""
    return (
        (UNITS, *assumptions(study), *_otherwise(study), *placed)
        if about_memory(study)
        else (SIGNS, *assumptions(study))
    )


def _otherwise(study: Study) -> tuple[Prose, ...]:
    """Which questions count another recomputation than the assumptions of the model say."""
    other = [f"({question.label})" for question in study.questions if question.ask == "recompute"]
    if not other:
        return ()
    return (say("Another rule of recomputation counts in {places}, as is said there.", places=", ".join(other)),)


def _left_out(study: Study, otherwise: Prose | None = None) -> tuple[Section, ...]:
    if not about_memory(study):
        return ()
    found = beyond_instants(study)
    items = uncounted_items(study, found) or (() if otherwise is None else (otherwise,))
    sized = (Paragraph(NOT_AT_ONCE),) if any(one.sets for one in found) else ()
    peaks = (Paragraph(PEAKS),) if study.timeline else ()
    return (
        (Section(text("What is not counted"), (*peaks, *sized, Bullets(items)), "not-counted", fine=True),)
        if items
        else ()
    )
