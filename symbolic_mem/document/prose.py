"""Sentences, amounts and displayed lines as data without markup: what is said and shown, not how it is set."""

from __future__ import annotations

import string
from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import sympy as sp

from symbolic_mem.base.rational import Number, fraction, symbolic
from symbolic_mem.base.shown import Shown, shown
from symbolic_mem.base.shown import apart as shown_apart
from symbolic_mem.base.values import dataclass


@dataclass(frozen=True)
class Amount:
    """A number with its unit: bytes shown in a memory unit (``GiB``), or a count of something (``devices``).

    `value` is exact (in bytes for a memory unit). How it is shown is decided by `symbolic_mem.base.shown`; in a sentence
    or a cell what is rounded is marked with ≈, and in a chain the relation says so. A `fixed` unit is that of a source. A
    limit keeps the unit in which it was given `beside` that of the family of a document.
    """

    value: sp.Expr
    unit: str = ""
    digits: int = 5
    full: bool = False
    fixed: bool = False
    beside: bool = False

    @cached_property
    def shown(self) -> Shown:
        """The figures that are printed, their unit, and whether they are exact."""
        value = sp.nsimplify(self.value) if self.value.is_Float else self.value
        fixed = self.fixed or self.full
        if value.is_Rational:
            return shown(fraction(value), self.unit, self.digits, fixed=fixed, full=self.full)
        close = shown(Fraction(str(sp.N(value, 30))), self.unit, self.digits, fixed=fixed)
        return Shown(close.figures, close.unit, exact=False)


@dataclass(frozen=True)
class Put:
    """An expression shown with the numbers of `values` in place of its symbols."""

    expr: sp.Expr
    values: tuple[tuple[sp.Symbol, sp.Expr], ...]


@dataclass(frozen=True)
class Total:
    """Sides added in the author's order; a long one breaks between them."""

    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Long:
    """A formula, with or without numbers put in, that may be multiplied out: its terms then stand on several lines.

    >>> from symbolic_mem.base.symbols import L, V, d_model
    >>> Long(2 * L * (V + d_model))
    Long(expr=2*L*(V + d_model))
    """

    expr: sp.Expr | Put


@dataclass(frozen=True)
class Brief:
    """Something shown only where it is short enough for its place: a side of a line, or words with formulas in them.

    Where it is too long `otherwise` stands in its place; without that, a link of a chain is left out, and so is a chain
    without links. It has to fit one line of its place, or with `wraps` the few lines that a reader takes in at once.
    The author measures nothing: what fits is decided where documents are set (`symbolic_mem.render.arrange`).

    >>> from symbolic_mem.base.symbols import L, P, V
    >>> Chain(P, (("=", Brief(L * V)), amount(8))).links[0]
    ('=', Brief(shown=L*V, otherwise=None, wraps=False))
    >>> say("{size}", size=Brief(L * V, otherwise=text("8 bytes"))).parts[0].otherwise
    Prose(parts=('8 bytes',))
    """

    shown: Side | Prose
    otherwise: Prose | None = None
    wraps: bool = False


Side = sp.Expr | Amount | Put | Total | Long | Brief


@dataclass(frozen=True)
class Chain:
    """A left side and what it is related to, link by link: ``M = 4 P = ... = 819 GiB``.

    `asked` marks a requirement that is being solved (it need not hold), instead of a statement. A `general` line is a
    definition that holds in each of several cases, or before numbers are put in: nothing is put in there either.
    """

    left: Side
    links: tuple[tuple[str, Side], ...]
    asked: bool = False
    general: bool = False
    note: str = ""


@dataclass(frozen=True)
class Typeset:
    """An expression that a program wants as it is typeset: as LaTeX."""

    expr: sp.Expr


@dataclass(frozen=True)
class Reference:
    """Words that lead to a section of the same document, by its `target`."""

    words: str
    target: str


@dataclass(frozen=True)
class Prose:
    """A sentence with mathematics in it: text, expressions, amounts, chains and references in reading order."""

    parts: tuple[str | Side | Chain | Reference, ...]


def say(template: str, **pieces: str | int | Side | Chain | Reference | Prose) -> Prose:
    """Build a sentence: ``{name}`` in `template` is replaced by the piece of that name, typeset where it is rendered.

    >>> from symbolic_mem.base.symbols import P
    >>> say("There are {p} of them.", p=P).parts
    ('There are ', P, ' of them.')

    A whole number is an amount, so that every face groups its digits in its own way.
    """
    parts: list[str | Side | Chain | Reference] = []
    for literal, name, _, _ in string.Formatter().parse(template):
        if literal:
            parts.append(literal)
        if name is not None:
            piece = pieces[name]
            parts += (
                piece.parts
                if isinstance(piece, Prose)
                else [Amount(sp.Integer(piece)) if isinstance(piece, int) else piece]
            )
    return Prose(tuple(parts))


def text(plain: str) -> Prose:
    """Make a sentence of plain words, with nothing replaced in them (text that a user wrote)."""
    return Prose((plain,))


def amount(
    value: sp.Expr | Number, unit: str = "", *, digits: int = 5, full: bool = False, fixed: bool = False
) -> tuple[str, Amount]:
    """Return the link ``= 819 GiB`` or ``≈ 3517.6 GB``: the sign says whether the figures are exact."""
    return link(Amount(symbolic(value), unit, digits, full, fixed))


def link(number: Amount) -> tuple[str, Amount]:
    """Return an amount as the link of a chain, with the sign that says whether its figures are exact."""
    return ("=" if number.shown.exact else "≈", number)


def percent(part: sp.Expr | Number, whole: sp.Expr | Number, digits: int = 3) -> Amount:
    """A share of something in percent.

    >>> percent(1, 3).shown.plain, percent(1, 4).shown.plain
    ('≈ 33.3 %', '25 %')
    """
    return Amount(100 * symbolic(part) / symbolic(whole), "%", digits)


def apart(one: Amount, other: Amount) -> tuple[Amount, Amount]:
    """Return two amounts of one unit with digits enough to tell them apart, where they differ.

    >>> one, other = apart(Amount(sp.Integer(85899345919), "GiB"), Amount(sp.Integer(80 * 2**30), "GiB"))
    >>> one.shown.plain, other.shown.plain
    ('≈ 79.999999999 GiB', '80 GiB')
    """
    if one.unit != other.unit or not (one.value.is_Rational and other.value.is_Rational):
        return one, other
    digits = shown_apart(fraction(one.value), fraction(other.value), one.unit, max(one.digits, other.digits))
    return (
        (one, other)
        if digits == max(one.digits, other.digits)
        else (replace(one, digits=digits), replace(other, digits=digits))
    )
