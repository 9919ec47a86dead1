"""Sentences, amounts and displayed lines as data without markup: what is said and shown, not how it is set."""

from __future__ import annotations

import string
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.rational import Number, fraction, symbolic
from symbolic_mem.base.units import BYTES_PER, Decimal, decimal, in_unit


@dataclass(frozen=True)
class Amount:
    """A number with its unit: bytes shown in a memory unit (``GiB``), or a count of something (``devices``).

    `value` is exact (in bytes for a memory unit). What is shown may be rounded, and then says so.
    """

    value: sp.Expr
    unit: str = ""
    digits: int = 5
    full: bool = False

    @property
    def shown(self) -> Decimal:
        """The figures that are printed, in the unit, and whether they are exact."""
        value = sp.nsimplify(self.value) if self.value.is_Float else self.value
        if not value.is_Rational:
            close = Fraction(str(sp.N(value, 30)))
            rounded = decimal(in_unit(close, self.unit) if self.unit in BYTES_PER else close, self.digits)
            return Decimal(rounded.text, False)
        exact = fraction(value)
        return decimal(in_unit(exact, self.unit) if self.unit in BYTES_PER else exact, self.digits, full=self.full)


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

    `asked` marks a requirement that is being solved (it need not hold), instead of a statement.
    """

    left: Side
    links: tuple[tuple[str, Side], ...]
    asked: bool = False
    note: str = ""


@dataclass(frozen=True)
class Typeset:
    """An expression that a program wants as it is typeset: as LaTeX."""

    expr: sp.Expr


@dataclass(frozen=True)
class Prose:
    """A sentence with mathematics in it: text, expressions, amounts and chains in reading order."""

    parts: tuple[str | Side | Chain, ...]


def say(template: str, **pieces: str | int | Side | Chain | Prose) -> Prose:
    """Build a sentence: ``{name}`` in `template` is replaced by the piece of that name, typeset where it is rendered.

    >>> from symbolic_mem.base.symbols import P
    >>> say("There are {p} of them.", p=P).parts
    ('There are ', P, ' of them.')
    """
    parts: list[str | Side | Chain] = []
    for literal, name, _, _ in string.Formatter().parse(template):
        if literal:
            parts.append(literal)
        if name is not None:
            piece = pieces[name]
            parts += piece.parts if isinstance(piece, Prose) else [str(piece) if isinstance(piece, int) else piece]
    return Prose(tuple(parts))


def text(plain: str) -> Prose:
    """Make a sentence of plain words, with nothing replaced in them (text that a user wrote)."""
    return Prose((plain,))


def amount(value: sp.Expr | Number, unit: str = "", *, digits: int = 5, full: bool = False) -> tuple[str, Amount]:
    """Return the link ``= 819 GiB`` or ``≈ 3517.6 GB``: the sign says whether the figures are exact."""
    shown = Amount(symbolic(value), unit, digits, full)
    return ("=" if shown.shown.exact else "≈", shown)
