"""Sentences and displays in Markdown: text escaped, mathematics as LaTeX between dollar signs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symbolic_mem.base.rational import Number, rational
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Chain, Prose
from symbolic_mem.render import latex
from symbolic_mem.render.face import Face

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|$~^])")


def escape(text: str) -> str:
    r"""Write plain text so that Markdown prints it as it is.

    >>> escape("a_b <script> 2*3")
    'a\\_b \\<script\\> 2\\*3'
    """
    line = " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split()) if "\n" in text else text
    return _SPECIAL.sub(r"\\\1", line.replace("\N{NO-BREAK SPACE}", " ")).replace("&", "&amp;")


def prose(sentence: Prose) -> str:
    """Write a sentence with its mathematics."""
    face = latex.Latex()
    written = []
    for part in sentence.parts:
        match part:
            case str():
                written.append(escape(part))
            case Chain():
                written.append(f"${latex.inline_chain(part)}$")
            case _:
                written.append(f"${face.said(part)}$")
    return "".join(written)


def display(chains: Sequence[Chain]) -> str:
    """Write chains as one display."""
    return f"$$\n{latex.display(chains)}\n$$"


def draw(figure: Figure) -> str:
    """Write a figure as the table of its numbers: Markdown has no drawings, and a terminal shows none.

    >>> from symbolic_mem.document.figure import Axis
    >>> from symbolic_mem.document.prose import text
    >>> axis = Axis(text("n"), 1, 2, ())
    >>> print(draw(Figure("f", text(""), text(""), axis, axis, (), (), ("n", "bytes"), ((2, 46),))))
    | n | bytes |
    | ---: | ---: |
    | $2$ | $46$ |
    """
    first = figure.rows[0] if figure.rows else ()
    rules = ("---" if isinstance(value, str) else "---:" for value in first)
    lines = (map(escape, figure.heads), rules, *(map(_cell, row) for row in figure.rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: str | Number | None) -> str:
    if isinstance(value, str):
        return escape(value)
    return "–" if value is None else prose(Prose((Amount(rational(value), digits=14),)))


FACE = Face("md", escape, prose, display, draw)
