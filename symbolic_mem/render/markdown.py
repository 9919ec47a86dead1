"""Sentences and displays in Markdown: text escaped, mathematics as LaTeX between dollar signs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symbolic_mem.document.prose import Amount, Chain, Prose, Reference
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
    return "".join(written)


def display(chains: Sequence[Chain]) -> str:
    """Write chains as one display."""
    return f"$$\n{latex.display(chains)}\n$$"


FACE = Face("md", escape, prose, display)
