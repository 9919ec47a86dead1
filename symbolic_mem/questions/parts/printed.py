"""A figure that a source prints, held against the exact one: agreement, rounding, truncation, or an erratum."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.document.prose import Amount, say, text
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.questions.parts.figures import held_against
from symbolic_mem.study.question import Question

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


def printed_blocks(question: Question, value: sp.Expr | None, what: str) -> list[Block]:
    """Say whether the figure that the question gives as ``printed`` is the exact one, and if not by how much."""
    if "printed" not in question.options:
        return []
    given = str(question.get("printed"))
    stated = figure(given)
    note = str(question.get("printed_note", ""))
    if not isinstance(value, sp.Rational):
        words = say(f"The source prints {given}, and there is no such number.")
    elif value == stated:
        words = text(f"The source prints {given}: it agrees.")
    elif what == "devices" or verdict(value, given) == "different":
        off = Amount(abs(value - stated), what.removesuffix("s") if abs(value - stated) == 1 else what)
        side = "too few" if stated < value else "too many"
        words = say(
            f"An erratum: the source prints {given}, and the exact answer is {{value}}; that is {{off}} {side}.",
            value=Amount(value),
            off=off,
        )
    else:
        words = text(f"The source prints {given}, which is this number {verdict(value, given)}.")
    return [Paragraph(say(f"{{words}} {note}" if note else "{words}", words=words))]


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
