"""A figure that a source prints, held against the exact one: agreement, rounding, truncation, or an erratum."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.document.words import sentences
from symbolic_mem.questions.parts.figures import figure, verdict
from symbolic_mem.questions.parts.keys import Printed
from symbolic_mem.study.study import Study


def printed_blocks(question: Printed, study: Study, value: sp.Expr | None, what: str) -> list[Block]:
    """Say whether the figure that the question gives as ``printed`` is the exact one, and if not by how much.

    The source speaks of the study as it stands: where the caller changed it, nothing is held against the figure.
    """
    if not question.printed:
        return []
    if study.caller:
        return [Paragraph(as_it_stands(question.printed))]
    return [Paragraph(sentences(_held(question.printed, value, what), text(question.printed_note)))]


def as_it_stands(*printed: str) -> Prose:
    """Say that the figures of the source are not those of a changed study."""
    if len(printed) == 1:
        return say("The source's figure, {printed}, is for the study as it stands.", printed=text(printed[0]))
    return say("The source's {n} figures are for the study as it stands.", n=len(printed))


def _held(given: str, value: sp.Expr | None, what: str) -> Prose:
    stated, printed = figure(given), text(given)
    if not isinstance(value, sp.Rational):
        return say("The source prints {printed}, and there is no such number.", printed=printed)
    if value == stated:
        return say("The source prints {printed}: it agrees.", printed=printed)
    if what != "devices" and verdict(value, given) != "different":
        how = verdict(value, given)
        return say("The source prints {printed}, which is this number {how}.", printed=printed, how=how)
    off = abs(value - stated)
    pieces = {"printed": printed, "value": Amount(value), "off": Amount(off, what)}
    if stated < value:
        return say(
            "An erratum: the source prints {printed}, and the exact answer is {value}; that is {off} too few.", **pieces
        )
    return say(
        "An erratum: the source prints {printed}, and the exact answer is {value}; that is {off} too many.", **pieces
    )
