"""Sentences and displays in HTML: text escaped, mathematics as MathML, numbers as text that can be copied."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sympy as sp

from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Amount, Chain, Prose, Reference, Side
from symbolic_mem.render import mathml
from symbolic_mem.render.face import Face
from symbolic_mem.render.mathml import MathML

if TYPE_CHECKING:
    from markupsafe import Markup

_TAG = re.compile("<[^>]*>")
_FORMULA = re.compile(r"(\(?)(<math\b.*?</math>)([,.:;!?)]*)", re.DOTALL)

display = mathml.display


def escape(text: str) -> str:
    """Write plain text so that a browser shows it and runs nothing of it, also inside an attribute.

    >>> escape("<script>1 & 2</script>")
    '&lt;script&gt;1 &amp; 2&lt;/script&gt;'
    """
    return mathml.escape(text)


def prose(sentence: Prose, formula: Callable[[Side], str] = mathml.mathml) -> str:
    """Write a sentence with its mathematics; `formula` writes one, and no line begins with the sign that follows it.

    >>> from symbolic_mem.document.prose import say
    >>> from symbolic_mem.base.symbols import P
    >>> prose(say("{p} < {n}", p=P, n=sp.Integer(8)))
    '<math alttext="P"><mi>P</mi></math> &lt; <span class="figure">8</span>'
    """
    written = []
    for part in sentence.parts:
        match part:
            case str():
                written.append(escape(part))
            case Chain():
                written.append(mathml.inline_chain(part))
            case Reference():
                written.append(f'<a href="#{escape(part.target)}">{escape(part.words)}</a>')
            case Amount() | sp.Integer():
                written.append(_figure(part))
            case _:
                written.append(formula(part))
    return _FORMULA.sub(_held, "".join(written)) if formula is mathml.mathml else "".join(written)


def _held(found: re.Match[str]) -> str:
    """A formula with the signs before and after it; a browser would break a line between them."""
    before, formula, after = found.groups()
    return f'<span class="together">{found[0]}</span>' if before or after else formula


def cell(sentence: Prose) -> Markup:
    """Write what stands in a cell of a table, whose long sums break so that nothing beside them is pushed out of sight."""
    from markupsafe import Markup

    return Markup(prose(sentence, mathml.breaking))


@cache
def math_font(name: str = "math") -> str:
    """Return an embedded font of the mathematics as a ``data:`` address, for a style sheet: whole, or that of pages of play."""
    font = (Path(__file__).parent / "fonts" / f"symbolic-mem-{name}.woff2").read_bytes()
    return f"data:font/woff2;base64,{b64encode(font).decode('ascii')}"


def _figure(number: Amount | sp.Integer) -> str:
    """A number with its unit as text; a power of ten stays mathematics."""
    markup, mark = (
        MathML().side(number),
        "" if isinstance(number, sp.Integer) or number.shown.exact else "≈\N{NO-BREAK SPACE}",
    )
    return mathml.mathml(number) if "<msup>" in markup else f'<span class="figure">{mark}{_TAG.sub("", markup)}</span>'


def draw(figure: Figure) -> str:
    """Write a figure as SVG that stands in the page."""
    from symbolic_mem.render.svg import inline_svg

    return inline_svg(figure)


FACE = Face("html", escape, prose, display, draw, names={"cell": cell, "math_font": math_font, "steps": mathml.STEPS})
