"""`Step` and `Derivation`: statement, displayed lines and reason as data without markup; every line is checked."""

from __future__ import annotations

import string
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from symbolic_mem.evaluate import Values
from symbolic_mem.units import BYTES_PER, Decimal, decimal, in_unit


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
        exact = Fraction(str(value))
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


Side = sp.Expr | Amount | Put | Total


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
class Prose:
    """A sentence with mathematics in it: text, expressions, amounts and chains in reading order."""

    parts: tuple[str | Side | Chain, ...]


def say(template: str, **pieces: str | int | Side | Chain | Prose) -> Prose:
    """Build a sentence: ``{name}`` in `template` is replaced by the piece of that name, typeset where it is rendered.

    >>> from symbolic_mem.symbols import P
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


@dataclass(frozen=True)
class Step:
    """One step: what is stated, the lines that are displayed, and why."""

    statement: Prose
    chains: tuple[Chain, ...] = ()
    reason: Prose | None = None


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of prose."""

    prose: Prose


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[Prose, ...]


@dataclass(frozen=True)
class Column:
    """The head of a column and how its cells are set: ``left``, ``right``, or ``text`` for sentences that wrap."""

    head: Prose
    align: str = "left"


@dataclass(frozen=True)
class Table:
    """Rows of cells under heads, with a caption; `totals` says that the last row sums the others."""

    caption: Prose
    columns: tuple[Column, ...]
    rows: tuple[tuple[Prose, ...], ...]
    totals: bool = False


@dataclass(frozen=True)
class Answer:
    """The one sentence that closes a part."""

    prose: Prose


Block = Step | Paragraph | Bullets | Table | Answer


@dataclass(frozen=True)
class Section:
    """A titled part of a derivation."""

    title: Prose
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Derivation:
    """A whole document as data; `found` carries what the questions found, as values for programs."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    found: tuple[object, ...] = ()

    @property
    def answers(self) -> tuple[Prose, ...]:
        """The closing sentence of every part, in order."""
        return tuple(b.prose for section in self.sections for b in section.blocks if isinstance(b, Answer))

    def _repr_html_(self) -> str:
        from symbolic_mem.render.documents import fragment_html

        return fragment_html(self)


class FalseLine(AssertionError):
    """A line that was about to be displayed is not true: a defect of this package, never a user's fault."""


class Work:
    """The numbers known so far while a derivation is written; every displayed line is checked against them."""

    def __init__(self, values: Values) -> None:
        """Start from the given values."""
        self.values: dict[sp.Symbol, sp.Expr] = dict(values)

    def define(self, symbol: sp.Symbol, expr: sp.Expr) -> sp.Expr:
        """Give `symbol` the number that `expr` has, and return that number (`expr` itself while symbols are open)."""
        self.values[symbol] = expr.xreplace(self.values)
        return self.values[symbol]

    def number(self, expr: sp.Expr) -> sp.Expr:
        """The number that `expr` has with what is known."""
        return sp.sympify(expr).xreplace(self.values)

    def put(self, expr: sp.Expr) -> Put:
        """`expr` with the known numbers in place of its symbols."""
        known = {symbol: value for symbol, value in self.values.items() if expr.has(symbol)}
        return Put(expr, tuple(sorted(known.items(), key=lambda item: str(item[0]))))

    def step(self, statement: Prose, *chains: Chain, reason: Prose | None = None) -> Step:
        """Make a step after checking each of its lines."""
        for chain in chains:
            self.check(chain)
        return Step(statement, chains, reason)

    def check(self, chain: Chain) -> None:
        """Raise `FalseLine` unless every link of the chain holds at the known values."""
        if chain.asked:
            return
        left = chain.left
        for relation, right in chain.links:
            if not self._holds(left, relation, right):
                raise FalseLine(f"{left} {relation} {right} is false at {self.values}")
            left = right

    def _holds(self, left: Side, relation: str, right: Side) -> bool:
        one, other = self._value(left), self._value(right)
        if isinstance(right, Amount) and relation in ("=", "≈"):
            return (relation == "=") == right.shown.exact and _equal(one, other)
        match relation:
            case "=":
                return _equal(one, other)
            case "≈":
                return abs(sp.N(one - other)) <= abs(sp.N(one)) / 100
            case "<":
                return bool(one < other)
            case "≤":
                return bool(one <= other)
            case ">":
                return bool(one > other)
            case "≥":
                return bool(one >= other)
        raise ValueError(f"unknown relation {relation!r}")

    def _value(self, side: Side) -> sp.Expr:
        match side:
            case Amount():
                return side.value
            case Put():
                return side.expr.xreplace(self.values)
            case Total():
                return sp.Add(*(self._value(part) for part in side.sides))
        return self.number(side).doit()


def amount(value: sp.Expr | int, unit: str = "", *, digits: int = 5, full: bool = False) -> tuple[str, Amount]:
    """Return the link ``= 819 GiB`` or ``≈ 3517.6 GB``: the sign says whether the figures are exact."""
    shown = Amount(sp.sympify(value), unit, digits, full)
    return ("=" if shown.shown.exact else "≈", shown)


def _equal(one: sp.Expr, other: sp.Expr) -> bool:
    if one == other:
        return True
    difference = one - other
    if difference.is_number:
        return difference == 0 or bool(difference.equals(0))
    return sp.expand(difference) == 0 or sp.cancel(difference) == 0
