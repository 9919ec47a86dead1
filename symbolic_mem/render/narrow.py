"""Text in a narrow place, as LaTeX sets it: how wide it is, in which sizes of type, and what is too wide."""

from __future__ import annotations

from collections.abc import Sequence

from symbolic_mem.base.symbols import Name
from symbolic_mem.document.prose import Amount, Chain, Prose, Reference, Side
from symbolic_mem.render.latex import prose as plain_latex
from symbolic_mem.render.measure import measured
from symbolic_mem.render.text import Text

SIZES = (  # sizes of type, their commands, and how much wider than the size says a small type of TeX's is
    (10.0, r"\normalsize", 1.0),
    (9.0, r"\small", 1.03),
    (8.0, r"\footnotesize", 1.06),
    (7.0, r"\scriptsize", 1.14),
)
SIGN = 5.1  # points of a sign of mathematics, at ten points


def longest(cell: Prose, size: float) -> float:
    """The width of the longest word of a cell, or of the longest factor of a formula, which do not break."""
    words = [word for part in cell.parts for word in _words(part)]
    return max((measured(Prose((word,)), size) for word in words), default=0.0)


def _words(part: str | Side | Chain | Reference) -> list[str]:
    if isinstance(part, Reference):
        return part.words.split()
    if isinstance(part, str):
        return part.split()
    sides = (part.left, *(side for _, side in part.links)) if isinstance(part, Chain) else (part,)
    return [word for side in sides for word in _InCell().said(side).split()]


class _Set(Text):
    """As wide as it is set: fractions stand over each other, subscripts and exponents are small."""

    def scientific(self, mantissa: str, exponent: int) -> str:
        return f"{mantissa}x10{exponent}"

    def name(self, name: Name, exponent: str = "") -> str:
        return _unbroken(name.base + name.sub[: -(-4 * len(name.sub) // 5)] + exponent)

    def fraction(self, above: str, below: str) -> str:
        return _unbroken(max(above, below, key=len))

    def root(self, radicand: str) -> str:
        return _unbroken(super().root(radicand))

    def amount(self, amount: Amount) -> str:
        return _unbroken(super().amount(amount))

    def mark(self) -> str:
        return "≈·"


class _InCell(_Set):
    """The same in a line of text, where a fraction has a slash."""

    def fraction(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def power(self, base: str, exponent: str) -> str:
        return _unbroken(super().power(base, exponent))  # braces hold it together

    def fenced(self, left: str, inner: str, right: str) -> str:
        inside = super().fenced(left, inner, right)
        return inside if left == "(" else _unbroken(inside)

    def call(self, function: str, arguments: Sequence[str]) -> str:
        return _unbroken(super().call(function, arguments))


def _unbroken(set_: str) -> str:
    return set_.replace(" ", "·")


def signs(side: Side) -> int:
    """How many signs wide one side of a relation is."""
    return len(_Set().side(side))


def loose(sentence: Prose) -> str:
    """A sentence whose formulas may break between factors, with no sign that only one encoding of fonts has."""
    written = plain_latex(sentence).replace(r" \, ", r" \,\allowbreak ")
    return written.replace(r"\textquotedbl{}", r"{\ttfamily\char34}")


def too_narrow(what: str, wide: float, needs: float) -> str:
    """Say that something needs more points than it has."""
    return f"{what} needs {needs:.0f}pt ({needs / 72.27:.1f}in) and the width is {wide:.0f}pt; give a larger --width"
