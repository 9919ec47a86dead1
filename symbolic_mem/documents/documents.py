"""The two documents: the worked solution of a study's questions, and the report of its account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.accounts.left_out import ROWS
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import missing
from symbolic_mem.document.family import family_of, in_family
from symbolic_mem.document.prose import Prose, text
from symbolic_mem.document.steps import (
    DETAILS,
    Answers,
    Block,
    Bullets,
    Detail,
    Entry,
    Paragraph,
    Section,
    detailed,
)
from symbolic_mem.document.words import sentences
from symbolic_mem.document.work import Work
from symbolic_mem.documents.derivation import Derivation, Part
from symbolic_mem.documents.given import assumed, named, notation, references, wording
from symbolic_mem.documents.parts import parts
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.asking import counted
from symbolic_mem.questions.parts.assumptions import about_memory, placements
from symbolic_mem.questions.parts.instants import instant_words
from symbolic_mem.questions.parts.memory import memory_blocks
from symbolic_mem.questions.parts.powers import formula_blocks
from symbolic_mem.questions.parts.rows_of_answers import rows_of_answers
from symbolic_mem.questions.parts.uncounted import (
    NOT_AT_ONCE,
    NOT_AT_ONCE_WHOLE,
    PEAKS,
    beyond_instants,
    uncounted_items,
)
from symbolic_mem.questions.parts.unread import refuse_unread
from symbolic_mem.questions.registry import depends
from symbolic_mem.study.answered import found_for
from symbolic_mem.study.found import Found
from symbolic_mem.study.question import Question
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
        *_closing(study, answered),
    )
    return _document(study, "Worked solution", sections, answered, "homework")


@of_study
def report(study: Study, detail: Detail = "short") -> Derivation:
    """Derive the report: question, notation, assumptions, account, bounds, what is not counted, references.

    `detail` is as in `homework`. A study that asks nothing is asked whether a step fits, where a device is named.
    """
    study, detail = _asking(study), known_detail(detail)
    answered = answers(study)
    blocks, depends = _account(study, derived=detail != "answer")
    account = Section(text("The account"), tuple(detailed(blocks, detail)), "account")
    made = parts(answered, detail, [account, *([] if depends is None else [depends])], unasked=True)
    given = notation(study)
    sections = (
        Section(text("Question"), _question(study, made, detail), "question"),
        *([Section(text("Notation"), (given,), "notation")] if given.rows else []),
        Section(text("Assumptions"), (Bullets(assumed(study, *placements(study))),), "assumptions", fine=True),
        *([account] if account.blocks else []),
        *([] if depends is None else [depends]),
        *(made if detail != "answer" else []),
        *_left_out(study, answered, named(study), text("nothing that is known")),
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
    raise BadInput.unknown(f"unknown detail {detail!r}", detail, DETAILS)


def _asking(study: Study) -> Study:
    """The study; one that asks nothing is asked whether a step fits, where a device is named."""
    if study.questions or not study.device.known:
        return study
    return replace(study, questions=(MinDegree("fit", "report", "How many devices hold a step"),))


def answers(study: Study) -> tuple[Found, ...]:
    """Answer every question of the study, each as it sees the study; refuses a value that none of them reads."""
    refuse_unread(study)
    return tuple(found_for(study, question) for question in study.questions)


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
    return question.advise(found_for(study, question))


def _in_one_family(sections: tuple[Section, ...], answered: Sequence[Found]) -> tuple[Section, ...]:
    """The sections with all amounts of memory in the units of the capacities that are asked about."""
    capacities = [unit for one in answered if (unit := one.capacity_unit) is not None]
    return in_family(sections, family_of(capacities, sections))


def _account(study: Study, *, derived: bool) -> tuple[list[Block], Section | None]:
    """The whole account with numbers; as formulas alone where a symbol is what the questions ask for; nothing if not `derived`."""
    kinds = counted(study)
    memory = study.memory.of(*kinds)
    absent = missing(memory.total, study.values)
    asked = {symbol for question in study.questions for symbol in question.unknowns}
    if not about_memory(study) or not memory.terms:
        return [], None
    if absent and asked.issuperset(absent):
        return [*formula_blocks(study)] if derived else [], None
    study.need(memory.total, "the report")
    if not derived:
        return [], None
    told = [*map(Paragraph, instant_words(study)), *memory_blocks(study, Work(study.values), kinds)]
    return told, _depends(study)


def _depends(study: Study) -> Section | None:
    """What the memory depends on."""
    question = depends(study)
    if question is None:
        return None
    blocks = tuple(question.steps(found_for(study, question)))
    return Section(text("What the memory depends on"), blocks, "depends") if blocks else None


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


def _question(study: Study, made: Sequence[Section], detail: Detail) -> tuple[Block, ...]:
    blocks = wording(study)
    if made:
        asked = Bullets(tuple(section.title for section in made))
        blocks.append(_front(made, detail) if detail == "answer" else asked)
    return tuple(blocks) or (Paragraph(text("How much memory does training take, and why?")),)


def _closing(study: Study, answered: Sequence[Found]) -> tuple[Section, ...]:
    said = {text(study.source), text(study.recipe.source) if about_memory(study) else None}  # with what they are of
    cited = tuple(each for each in references(study) if each not in said)
    return (
        Section(text("Assumptions"), (Bullets(assumed(study)),), "assumptions", fine=True),
        *_left_out(study.as_given, answered, named(study)),
        *([Section(text("Sources"), (Bullets(cited),), "sources", fine=True)] if cited else []),
    )


def _left_out(
    study: Study, answered: Sequence[Found], names: frozenset[sp.Symbol], otherwise: Prose | None = None
) -> tuple[Section, ...]:
    if not about_memory(study):
        return ()
    found = beyond_instants(study)
    rows = rows_of_answers(study, answered)
    items = uncounted_items(study, found, names, rows) or (() if otherwise is None else (otherwise,))
    sizes = NOT_AT_ONCE if study.placement else NOT_AT_ONCE_WHOLE
    known = rows or any(one.sets for one in found if rows is None or one.name != ROWS)
    said = (*((PEAKS,) if study.timeline else ()), *((sizes,) if known else ()))
    led = (Paragraph(sentences(*said)),) if said else ()
    return (Section(text("What is not counted"), (*led, Bullets(items)), "not-counted", fine=True),) if items else ()
