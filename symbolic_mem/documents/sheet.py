"""A problem set: the sheet, which asks and answers nothing, and the key, which answers every variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbolic_mem.base.cells import line
from symbolic_mem.base.errors import BadInput, at_place
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Answers, Bullets, Column, Entry, Paragraph, Section, Table
from symbolic_mem.document.words import count, in_brackets, listed
from symbolic_mem.documents.derivation import Derivation, Part
from symbolic_mem.documents.documents import answers
from symbolic_mem.documents.given import assumed, notation, wording
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.found import Found
from symbolic_mem.study.study import Study


def sheet(study: Study) -> Derivation:
    """Return what is asked, without any answer: the wording, what is given, each question, and what is to be assumed.

    What a question sets for itself, such as its device, is said with it. Raises `BadInput` for a study without questions.

    >>> from symbolic_mem.library.read import load_study
    >>> asked = sheet(load_study("cs336-a2-xxl"))
    >>> asked.answers, asked.found
    ((), ())
    """
    if not study.questions:
        raise BadInput(f"study {study.name!r} asks nothing; add a [[question]]")
    given = notation(study)
    problem = (*wording(study), *([given] if given.rows else []))
    asked = []
    for found in answers(study):
        question, seen = found.question, found.study
        blocks = [Paragraph(seen.said(question.text))] if question.text else []
        if question.own:
            lost = {own.words: other for own, other in study.lost(question)}
            read = [own for own in question.own if own.aspect != "reading" or seen.device.name]
            taken = (lost.get(own.words, own) for own in read)
            blocks.append(Paragraph(say("Take here: {own}.", own=study.listed(taken))))
        asked.append(Section(seen.said(f"{in_brackets(question.label)} {question.heading(found)}"), tuple(blocks)))
    told = replace(study, caller=()) if study.variant else study  # the problem says what the variant sets
    closing = Section(text("What is to be assumed"), (Bullets(assumed(told)),), fine=True)
    return _titled(study, "Problem set", (Section(text("The problem"), problem), *asked, closing))


@dataclass(frozen=True)
class Keyed:
    """One variant with what its questions found: number 0 is the study without variants."""

    number: int
    study: Study
    found: tuple[Found, ...]

    @property
    def sets(self) -> Prose:
        """What the variant sets."""
        return self.study.listed(self.study.caller) if self.study.caller else text("as it stands")


def keyed(study: Study) -> tuple[Keyed, ...]:
    """Answer every variant of a study, or the study as it stands where it has none."""
    if not study.variants:
        return (Keyed(0, study, answers(study)),)
    return tuple(_variant(study, number) for number in range(1, len(study.variants) + 1))


def _variant(study: Study, number: int) -> Keyed:
    """One variant answered; what it sets and a question cannot take is refused with its number."""
    varied = study.varied(number)
    with at_place(f"variant {number}"):
        return Keyed(number, varied, answers(varied))


def key(study: Study) -> Derivation:
    """Return the key: the numbers of all variants in one table, then every answer of each in one sentence."""
    variants = keyed(study)
    labels = [found.question.label for found in variants[0].found]
    rows = tuple((_number(each), each.sets, *map(_value, each.found)) for each in variants)
    heads = (
        Column(text("variant")),
        Column(text("what it sets"), "text"),
        *(Column(text(in_brackets(label)), "right") for label in labels),
    )
    table = Table(text("The numbers of all variants; a dash where an answer is no single number"), heads, rows)
    told = [
        Section(
            say("Variant {n}: {sets}", n=text(str(each.number)), sets=each.sets)
            if each.number
            else text("The answers"),
            (Answers(tuple(Entry(one.question.label, "", one.told) for one in each.found)),),
        )
        for each in variants
    ]
    return _titled(study, "Answer key", (Section(text("All variants"), (table,)), *told))


def key_csv(study: Study) -> str:
    """Return the key as csv: a row for each question of each variant.

    >>> from symbolic_mem.library.read import load_study
    >>> print(key_csv(load_study("cs336-a2-xxl").only("b")).splitlines()[0])
    variant,sets,question,value,feasible,answer
    """
    lines = [line(("variant", "sets", "question", "value", "feasible", "answer"))]
    for each in keyed(study):
        sets = listed([change.words for change in each.study.caller] or ["as it stands"])
        for found in each.found:
            said = plain_prose(found.told)
            fits = str(found.feasible).lower()
            lines.append(line((each.number or None, sets, found.question.label, found.value, fits, said)))
    return "".join(lines)


def _number(each: Keyed) -> Prose:
    return say("{n}", n=each.number) if each.number else text("–")


def _value(found: Found) -> Prose:
    if found.value is None:
        return text("–") if found.feasible else text("none")
    if isinstance(found.value, int) and not isinstance(found.value, bool):
        return count(found.value)
    return Prose((Amount(found.value),)) if hasattr(found.value, "is_number") else text(str(found.value))


def _titled(study: Study, subtitle: str, sections: Sequence[Section]) -> Derivation:
    made = Derivation(study.heading, subtitle, tuple(map(Part.of, sections)), written=study.written)
    return replace(made, author=study.author, course=study.course, date=study.date)
