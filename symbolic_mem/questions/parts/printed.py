"""A figure that a source prints, held against the exact one: agreement, rounding, or how much lies between them."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.document.words import sentences
from symbolic_mem.questions.parts.editions import Figure, check_computed, computed_words
from symbolic_mem.questions.parts.figures import figure, verdict
from symbolic_mem.questions.parts.keys import Printed
from symbolic_mem.study.study import Study


def printed_blocks(question: Printed, study: Study, value: sp.Expr | None, what: str) -> list[Block]:
    """Say whether each figure that the question gives as ``printed`` is the exact one, and if not by how much.

    The source speaks of the study as it stands: where the caller changed it, nothing is held against the figure.
    """
    if not question.printed:
        return []
    if study.caller:
        return [Paragraph(as_it_stands(question.printed))]
    for each in question.printed:
        check_computed(each, study.values, f"{question.where}: printed")
    held = [_held(each, value, what, study) for each in question.printed]
    return [Paragraph(sentences(*held, text(question.printed_note)))]


def as_it_stands(printed: Sequence[Figure]) -> Prose:
    """Say that the figures of the source are not those of a changed study."""
    editions = tuple(dict.fromkeys(each.edition for each in printed))
    pieces = {"edition": text("; ".join(editions)), "n": len(printed)}
    if len(printed) == 1:
        return say(
            "The printed figure, {printed} ({edition}), is for the study as it stands.",
            printed=text(printed[0].written),
            **pieces,
        )
    return say("The {n} printed figures ({edition}) are for the study as it stands.", **pieces)


def _held(given: Figure, value: sp.Expr | None, what: str, study: Study) -> Prose:
    stated, pieces = figure(given.written), {"edition": text(given.edition), "printed": text(given.written)}
    if not isinstance(value, sp.Rational):
        return say("The printed figure is {printed} ({edition}), and there is no such number.", **pieces)
    if value == stated:
        return say("The printed figure is {printed} ({edition}): it agrees.", **pieces)
    how = verdict(value, given.written)
    if what != "devices" and how != "different":
        return say("The printed figure is {printed} ({edition}), which is this number {how}.", how=how, **pieces)
    off = abs(value - stated)
    numbers = {"value": Amount(value), "off": Amount(off, what)}
    if stated < value:
        said = say(
            "The printed figure is {printed} ({edition}); the exact answer is {value}, {off} more.", **pieces, **numbers
        )
    else:
        said = say(
            "The printed figure is {printed} ({edition}); the exact answer is {value}, {off} fewer.",
            **pieces,
            **numbers,
        )
    return sentences(said, computed_words(given, study.values))
