"""Sentences and displays in Markdown: text escaped, mathematics as LaTeX between dollar signs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symbolic_mem.base.rational import Number, rational
from symbolic_mem.base.symbols import lookup
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Chain, Prose, Reference
from symbolic_mem.render import latex
from symbolic_mem.render.face import Face

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|$~^]|@(?=\w)|:(?=//)|(?<!\w):(?=[\w+-]+:)|(?<=\bwww)\.)")
_START = re.compile(r"\s*(?:(?P<number>[0-9]+)(?=[.)](?:\s|$))|(?=[-+=]))")  # of a list, of a rule, below a heading


def escape(text: str) -> str:
    r"""Write plain text so that Markdown prints it as it is.

    >>> escape("a_b <script> 2*3")
    'a\\_b \\<script\\> 2\\*3'
    """
    line = " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split()) if "\n" in text else text
    return _SPECIAL.sub(r"\\\1", line.replace("\N{NO-BREAK SPACE}", " ")).replace("&", "&amp;")


def prose(sentence: Prose) -> str:
    """Write a sentence with its mathematics."""
    face = latex.InlineLatex()
    written = []
    for part in sentence.parts:
        match part:
            case str():
                written.append(escape(part))
            case Chain():
                written.append(f"${latex.inline_chain(part)}$")
            case Amount() if latex.unit_in_words(part):
                written.append(f"${latex.bare_figures(part)}${escape(latex.unit_in_words(part))}")
            case Reference():
                written.append(f"[{escape(part.words)}](#{part.target})")
            case _:
                written.append(f"${face.said(part)}$")
    return _started("".join(written))


def _started(paragraph: str) -> str:
    r"""Write a paragraph so that its first signs are no mark of a list, a rule, a heading or code.

    >>> _started("- item"), _started("1. first"), _started("    code"), _started("1.5 GB")
    ('\\- item', '1\\. first', 'code', '1.5 GB')
    """
    match = _START.match(paragraph)
    if match is None:
        return paragraph.lstrip()
    return f"{match['number'] or ''}\\{paragraph[match.end() :]}"


def plain(text: str) -> str:
    """Write plain text where it may be a paragraph."""
    return _started(escape(text))


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
    lines = (map(_head, figure.heads), rules, *(map(_cell, row) for row in figure.rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _head(head: str) -> str:
    symbol = lookup(head)
    return escape(head) if symbol is None else prose(Prose((symbol,)))


def _cell(value: str | Number | None) -> str:
    if isinstance(value, str):
        return escape(value)
    if value is None:
        return "–"
    return prose(
        Prose((Amount(rational(value), digits=14 if abs(value) >= 1 else 8),))
    )  # bytes in full, seconds to compare


FACE = Face("md", plain, prose, display, draw)
