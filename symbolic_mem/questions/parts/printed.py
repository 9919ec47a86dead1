"""A figure that a source prints, held against the exact one: agreement, rounding, truncation, or an erratum."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.document.words import sentences, unit_for
from symbolic_mem.questions.parts.figures import held_against
from symbolic_mem.questions.parts.keys import Printed

SCALES = {"B": 10**9, "T": 10**12}


def verdict(value: sp.Rational, printed: str) -> str:
    """Compare an exact number with a printed figure: ``exact``, ``rounded``, ``truncated`` or ``different``.

    A figure may end in B (10^9) or T (10^12).

    >>> [verdict(sp.Rational(n), "4187") for n in ("4187", "4186.9", "4187.5", "4189")]
    ['exact', 'rounded', 'truncated', 'different']
    >>> verdict(sp.Rational(1024 * 10**9), "1T")
    'rounded'
    """
    digits, scale = _scaled(printed)
    found, above = held_against(value / scale, digits), value / scale - sp.Rational(digits)
    if found == "exact" or (found == "rounded" and above != _last(digits) / 2):
        return found
    return "truncated" if 0 < above < _last(digits) else found


def figure(printed: str) -> sp.Rational:
    """Return the number that a printed figure states.

    >>> figure("15.2B"), figure("4187")
    (15200000000, 4187)
    """
    digits, scale = _scaled(printed)
    held_against(sp.S.One, digits)
    return sp.Rational(digits) * scale


def printed_blocks(question: Printed, value: sp.Expr | None, what: str) -> list[Block]:
    """Say whether the figure that the question gives as ``printed`` is the exact one, and if not by how much."""
    if not question.printed:
        return []
    return [Paragraph(sentences(_held(question.printed, value, what), text(question.printed_note)))]


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
    pieces = {"printed": printed, "value": Amount(value), "off": Amount(off, unit_for(off, what))}
    if stated < value:
        return say(
            "An erratum: the source prints {printed}, and the exact answer is {value}; that is {off} too few.", **pieces
        )
    return say(
        "An erratum: the source prints {printed}, and the exact answer is {value}; that is {off} too many.", **pieces
    )


def _scaled(printed: str) -> tuple[str, int]:
    digits = printed.strip().replace(",", "")
    if digits[-1:] in SCALES:
        return digits[:-1], SCALES[digits[-1]]
    if not digits:
        raise BadInput("printed = '' is not a figure: write digits, for example 31.4, 225 or 128B")
    return digits, 1


def _last(digits: str) -> sp.Rational:
    places = len(digits.partition(".")[2])
    step = Fraction(1, 10**places)
    return sp.Rational(step.numerator, step.denominator)
