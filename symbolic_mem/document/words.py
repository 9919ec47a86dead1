"""Words for numbers and lists, so that every sentence says the same thing in the same way."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.exact import Number, symbolic
from symbolic_mem.document.prose import Amount, Prose, text


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words as a sentence does.

    >>> listed(["weights", "gradients", "optimizer state"])
    'weights, gradients and optimizer state'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def count(value: sp.Expr | int | None) -> Prose:
    """A whole number as the cell of a table, or a dash where there is none."""
    return text("–") if value is None else Prose((Amount(sp.sympify(value)),))


def about(amount: Amount) -> Prose:
    """An amount inside a sentence, with a sign of approximation when its figures are rounded."""
    return Prose((amount,) if amount.shown.exact else ("≈\N{NO-BREAK SPACE}", amount))


def gib(value: sp.Expr | Number) -> Amount:
    """Bytes, shown in GiB."""
    return Amount(symbolic(value), "GiB")


def fraction_words(fraction: sp.Rational) -> str:
    """Name a fraction in a sentence.

    >>> fraction_words(sp.Rational(1, 2)), fraction_words(sp.Rational(2, 3))
    ('half', '2/3')
    """
    return {sp.Rational(1, 2): "half", sp.S.One: "all"}.get(fraction, str(fraction))
