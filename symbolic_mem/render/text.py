"""Expressions as plain Unicode text: for the terminal, for screen readers, and to measure how wide a line is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from symbolic_mem.base.symbols import Name, Written, written
from symbolic_mem.document.prose import Brief, Chain, Long, Prose, Reference, Side
from symbolic_mem.render.typeset import Typesetter

_COMPOUND = set(" +−·/")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Text(Typesetter):
    """One line of text: ``⌈M_div / (C_mem − M_fix)⌉``; what nobody arranged is written in full."""

    def side(self, side: Side) -> str:
        match side:
            case Long():
                return self.side(side.expr)
            case Brief():
                return plain_prose(Prose((side,)))
        return super().side(side)

    def digits(self, text: str) -> str:
        return text

    def scientific(self, mantissa: str, exponent: int) -> str:
        return f"{mantissa} × 10{str(exponent).translate(_RAISED)}"

    def name(self, name: Name, exponent: str = "") -> str:
        written = f"{name.base}_{name.sub}" if name.sub else name.base
        return f"{written}^{exponent}" if exponent else written

    def words(self, text: str) -> str:
        return text.replace("\N{NO-BREAK SPACE}", " ")

    def operator(self, sign: str) -> str:
        return f" {'−' if sign == '-' else sign} "

    def mark(self) -> str:
        return "≈ "

    def product(self, factors: Sequence[str], dotted: bool) -> str:
        return (" · " if dotted else " ").join(factors)

    def row(self, parts: Sequence[str]) -> str:
        return "".join(parts)

    def fraction(self, above: str, below: str) -> str:
        return f"{_bracketed(above)}/{_bracketed(below)}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}"

    def root(self, radicand: str) -> str:
        return f"√({radicand})"

    def fenced(self, left: str, inner: str, right: str) -> str:
        return left + inner + right

    def call(self, function: str, arguments: Sequence[str]) -> str:
        return f"{function}({', '.join(arguments)})"


def plain(side: Side) -> str:
    """Write one expression, amount or sum as text.

    >>> from symbolic_mem.base.symbols import L, d_model, n_fsdp
    >>> plain(4 * L * d_model / n_fsdp)
    '(4 L d_model)/n_fsdp'
    """
    return Text().side(side)


def plain_said(side: Side) -> str:
    """Write what stands alone as text: an amount that is rounded is marked."""
    return Text().said(side)


def plain_chain(chain: Chain) -> str:
    """Write a chain on one line of text."""
    face = Text()
    return face.said(chain.left) + "".join(face.operator(rel) + face.side(side) for rel, side in chain.links)


def plain_prose(sentence: Prose) -> str:
    """Write a sentence as text.

    >>> from symbolic_mem.document.prose import say
    >>> plain_prose(say("{n} devices", n=8))
    '8 devices'
    """
    parts = []
    for part in sentence.parts:
        match part:
            case str():
                parts.append(part)
            case Chain():
                parts.append(plain_chain(part))
            case Reference():
                parts.append(part.words)
            case Brief():
                parts.append(plain_prose(part.shown if isinstance(part.shown, Prose) else Prose((part.shown,))))
            case _:
                parts.append(plain_said(part))
    return "".join(parts).replace("\N{NO-BREAK SPACE}", " ")


def width(side: Side) -> int:
    """Estimate how many characters wide a side is when it is set."""
    return _width(side, written())


@lru_cache(maxsize=4096)
def _width(side: Side, _written: Written) -> int:
    return len(as_set(side).replace("_", ""))


def as_set(side: Side) -> str:
    """Write a side as text that is about as wide as it is set.

    >>> from symbolic_mem.base.symbols import B, n_fsdp
    >>> as_set(B / n_fsdp)
    'n_fsdp'
    """
    return _Measure().side(side)


class _Measure(Text):
    """As wide as it is set in a display: raised figures are small, and a fraction is as wide as its longer part."""

    def fraction(self, above: str, below: str) -> str:
        return max(above, below, key=len)

    def scientific(self, mantissa: str, exponent: int) -> str:
        return f"{mantissa}e{exponent}"


def _bracketed(text: str) -> str:
    fenced = text[0] + text[-1] in ("()", "⌈⌉", "⌊⌋") and text.count(text[0]) == 1
    return text if fenced or not _COMPOUND & set(text) else f"({text})"
