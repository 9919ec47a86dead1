"""Words for numbers and lists, so that every sentence says the same thing in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.shown import ONE_OF
from symbolic_mem.document.prose import Amount, Prose, amount, percent, text


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words as a sentence does.

    >>> listed(["weights", "gradients", "optimizer state"])
    'weights, gradients and optimizer state'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def in_brackets(words: str) -> str:
    """Put words in brackets, unless they end with some of their own.

    >>> in_brackets("a"), in_brackets("pytorch_attention (a)")
    ('(a)', 'pytorch_attention (a)')
    """
    return words if words.endswith(")") else f"({words})"


def inside_brackets(words: str) -> str:
    """Write words for a place inside brackets: their own are square there.

    >>> inside_brackets("number of blocks (layers)")
    'number of blocks [layers]'
    """
    return words.replace("(", "[").replace(")", "]")


def plural(number: sp.Expr | int | None, one: str, many: str) -> str:
    """Return the word for one thing, or for another number of them.

    >>> plural(1, "device", "devices"), plural(0, "axis", "axes")
    ('device', 'axes')
    """
    return one if number == 1 else many


def counted(number: sp.Expr | int, things: str) -> Prose:
    """A number of things, one of them in the singular.

    >>> counted(1, "tokens").parts[1], counted(sp.Rational(1, 2), "tokens").parts[1]
    (' token', ' tokens')
    """
    return Prose((Amount(sp.sympify(number)), f" {plural(number, ONE_OF[things], things)}"))


def count(value: sp.Expr | int | None) -> Prose:
    """A whole number as the cell of a table, or a dash where there is none."""
    return text("–") if value is None else Prose((Amount(sp.sympify(value)),))


def about(amount: Amount) -> Prose:
    """An amount as the cell of a table, or as words; every face marks it there where its figures are rounded."""
    return Prose((amount,))


def joined(pieces: Sequence[Prose], between: str = ", ", last: str = " and ") -> Prose:
    """Join pieces of prose as a sentence does, with other signs where they stand in a list.

    >>> joined([text("one"), text("two"), text("three")]).parts
    ('one', ', ', 'two', ' and ', 'three')
    """
    parts: list[Any] = []
    for position, piece in enumerate(pieces):
        sign = last if position == len(pieces) - 1 else between
        parts += (sign, *piece.parts) if position else piece.parts
    return Prose(tuple(parts))


def capitalised(words: str) -> str:
    """Write words as they stand at the start of a sentence; the other letters stay.

    >>> capitalised("recipe BF16"), capitalised("")
    ('Recipe BF16', '')
    """
    return f"{words[:1].upper()}{words[1:]}"


def gib(value: sp.Expr | Number) -> Amount:
    """Bytes, shown in GiB, or in the smaller binary unit that fits them."""
    return Amount(symbolic(value), "GiB")


def share(part: sp.Expr | Number, whole: sp.Expr | Number) -> Prose:
    """A share in percent, as the cell of a table: of a very small one, that it is very small.

    >>> share(1, 10**6).parts, share(1, 2).parts[0].shown.plain
    (('< 0.01 %',), '50 %')
    """
    shown = percent(part, whole)
    return text("< 0.01 %") if 0 < shown.value < sp.Rational(1, 100) else Prose((shown,))


def fraction_words(fraction: sp.Rational) -> str:
    """Name a fraction in a sentence.

    >>> fraction_words(sp.Rational(1, 2)), fraction_words(sp.Rational(2, 3))
    ('half', '2/3')
    """
    return {sp.Rational(1, 2): "half", sp.S.One: "all"}.get(fraction, str(fraction))


def sentence_of(reason: Prose) -> Prose:
    """Make a sentence of its own from words that stand inside another: a capital at the start, a stop at the end.

    >>> sentence_of(text("no degree is both")).parts
    ('No degree is both', '.')
    """
    first, *rest = reason.parts
    start = f"{first[:1].upper()}{first[1:]}" if isinstance(first, str) else first
    return Prose((start, *rest, "."))


def sentences(*said: Prose) -> Prose:
    """Put whole sentences one after the other, as a paragraph does; empty ones are left out.

    >>> sentences(text("One."), text(""), text("Two.")).parts
    ('One.', ' ', 'Two.')
    """
    parts: list = []
    for sentence in said:
        if any(sentence.parts):
            parts += [" ", *sentence.parts] if parts else sentence.parts
    return Prose(tuple(parts))


def unrounded(quotient: sp.Expr, unit: str = "") -> tuple[str, Any]:
    """The link to a quotient that is rounded to a whole number next, in as many digits as show on which side it is.

    >>> unrounded(sp.Rational(671088640, 41943039))[1].shown.figures
    '16.0000004'
    """
    digits = 5
    while True:
        found = Amount(quotient, unit, digits)
        if found.shown.exact or not sp.Rational(found.shown.figures).is_Integer:
            return amount(quotient, unit, digits=digits)
        digits += 1
