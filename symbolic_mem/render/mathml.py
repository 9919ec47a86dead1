"""Expressions and displayed lines in MathML Core, which browsers draw themselves: well-formed XML, no scripts."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.symbols import Name
from symbolic_mem.document.prose import Chain, Side, Total
from symbolic_mem.render.arrange import COLUMN_WIDTH, SCREEN, spread
from symbolic_mem.render.ems import side_ems
from symbolic_mem.render.rows import Row, rows
from symbolic_mem.render.text import plain, plain_chain, plain_said
from symbolic_mem.render.typeset import Typesetter, bracketed, signed

STEPS = (16, 18, 20, 22, 24, 27, 30, 34, 40, 48, 60)  # widths of displays in quads; the style sheet has a rule for each
_INDENT = 2  # quads
PHONE = 15  # quads: a line of a table that is folded on a narrow phone
_SIGN = 1.4  # quads: a relation and the gaps beside it
_SURE = 1.05  # what a guess may be wrong by
THIN = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
_SIGNS = {"-": MINUS, "·": "\N{DOT OPERATOR}"}
_TIMES = "<mo>\N{DOT OPERATOR}</mo>"
_INVISIBLE_TIMES = '<mo rspace=".17em">\N{INVISIBLE TIMES}</mo>'
_NOT_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_APPLY = "<mo>\N{FUNCTION APPLICATION}</mo>"


def escape(text: str) -> str:
    """Write plain text inside XML, as content or as the value of an attribute.

    >>> escape('a < b & "c"')
    'a &lt; b &amp; &quot;c&quot;'
    """
    return html.escape(_NOT_XML.sub(" ", text))


class MathML(Typesetter):
    """MathML: every method returns one element, so that each can stand where one is demanded."""

    def digits(self, text: str) -> str:
        return f"<mn>{escape(text.replace(',', THIN).replace('-', MINUS))}</mn>"

    def scientific(self, mantissa: str, exponent: int) -> str:
        ten = f"<msup><mn>10</mn><mn>{exponent}</mn></msup>"
        return ten if mantissa == "1" else self.row([f"<mn>{mantissa}</mn>", "<mo>×</mo>", ten])

    def name(self, name: Name, exponent: str = "") -> str:
        upright = ' mathvariant="normal"' if len(name.base) == 1 and "Α" <= name.base <= "Ω" else ""
        base = f"<mi{upright}>{escape(name.base)}</mi>"
        below = f"<mtext>{escape(name.sub)}</mtext>" if name.sub else ""
        if below and exponent:
            return f"<msubsup>{base}{below}{exponent}</msubsup>"
        if below:
            return f"<msub>{base}{below}</msub>"
        return f"<msup>{base}{exponent}</msup>" if exponent else base

    def words(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def operator(self, sign: str) -> str:
        return f"<mo>{escape(_SIGNS.get(sign, sign))}</mo>"

    def mark(self) -> str:
        return _infix("≈")

    def product(self, factors: Sequence[str], dotted: bool) -> str:
        return _one((_TIMES if dotted else _INVISIBLE_TIMES).join(factors), len(factors))

    def row(self, parts: Sequence[str]) -> str:
        return _one("".join(parts), len(parts))

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac>{above}{below}</mfrac>"

    def coefficient(self, above: str, below: str) -> str:
        small = self.fraction(self.digits(above), self.digits(below))
        return f'<mstyle displaystyle="false">{small}</mstyle>'

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{base}{exponent}</msup>"

    def root(self, radicand: str) -> str:
        return f"<msqrt>{radicand}</msqrt>"

    def fenced(self, left: str, inner: str, right: str) -> str:
        tall = "<mfrac>" in inner or "<msqrt>" in inner
        fence = "<mo>" if tall else '<mo stretchy="false">'  # a browser takes the next size for a mere subscript
        return f"<mrow>{fence}{left}</mo>{inner}{fence}{right}</mo></mrow>"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        return f"<mrow><mi>{escape(function)}</mi>{_APPLY}{self.fenced('(', '<mo>,</mo>'.join(arguments), ')')}</mrow>"


def mathml(side: Side) -> str:
    """Write one expression, amount or sum as a ``<math>`` element, with its plain text for who cannot see it.

    >>> from symbolic_mem.base.symbols import d_model
    >>> mathml(d_model)
    '<math alttext="d_model"><msub><mi>d</mi><mtext>model</mtext></msub></math>'
    """
    return f'<math alttext="{escape(plain_said(side))}">{MathML().said(side)}</math>'


def breaking(side: Side) -> str:
    """Write a formula as `mathml` does, in pieces where it is a long sum, so that a line can break before each sign.

    >>> from symbolic_mem.base.symbols import B, S, V, d_ff, d_model, n_heads
    >>> long = B * S * (V + 40 * d_model + 30 * d_ff + 24 * n_heads + 16 * d_model**2)
    >>> breaking(long).count("<wbr/><math"), breaking(B * S).count("<wbr/><math")
    (4, 0)
    """
    first, *others = _pieces(side)
    written = _unbroken(first)
    for sign, size in map(signed, others):
        written += _unbroken(size, sign)
    return "<wbr/>".join(written)


def _unbroken(side: Side, sign: str = "") -> list[str]:
    """A piece behind its sign; one that is wider than a line of a phone in a piece for each of its brackets."""
    face, lead = MathML(), f"{sign} " if sign else ""
    parts = bracketed(side) if isinstance(side, sp.Expr) and side_ems(side) > PHONE else [side]
    if len(parts) == 1:
        return [_math(f"{lead}{plain_said(side)}", (_infix(sign) if sign else "") + face.said(side))]
    said = [
        (f"({plain_said(one)})", face.fenced("(", face.said(one), ")"))
        if isinstance(one, sp.Add)
        else (plain_said(one), face.said(one))
        for one in parts
    ]
    said[0] = (lead + said[0][0], (_infix(sign) if sign else "") + said[0][1])
    return [*(_math(words, markup + _INVISIBLE_TIMES) for words, markup in said[:-1]), _math(*said[-1])]


def _math(words: str, markup: str) -> str:
    return f'<math alttext="{escape(words)}">{markup}</math>'


def _pieces(side: Side) -> list[Side]:
    """The terms of a long sum, those that are long sums themselves multiplied out."""
    whole = spread(side, COLUMN_WIDTH) if isinstance(side, sp.Expr) else side
    return [piece for one in whole.sides for piece in _pieces(one)] if isinstance(whole, Total) else [whole]


def inline_chain(chain: Chain) -> str:
    """Write a chain for use inside a sentence: one ``<math>`` for each side, so that the line can break after a sign."""
    face = MathML()
    sides = [face.said(chain.left), *(face.side(side) for _, side in chain.links)]
    plains = [plain_said(chain.left), *(plain(side) for _, side in chain.links)]
    signs = [*(relation for relation, _ in chain.links), ""]
    written = []
    for side, words, sign in zip(sides, plains, signs, strict=True):
        spoken = escape(f"{words} {sign}".strip())
        written.append(f'<math alttext="{spoken}">{side}{_infix(sign) if sign else ""}</math>')
    return "<wbr/>".join(written)


def display(chains: Sequence[Chain]) -> str:
    """Write chains as one displayed table: relations under each other, long sums broken at our terms.

    The columns need the two rules of the style sheet that set the first one flush right (see ``_base.css.j2``).
    """
    face = MathML()
    lines = []
    cut = rows(chains, SCREEN)
    for row in cut:
        left = face.said(row.left) if row.left is not None else ""
        sign, *rest = [_infix(part) if isinstance(part, str) else face.side(part) for part in row.parts]
        indent = f'<mspace width="{_INDENT}em"/>' if row.continues else ""
        lines.append(f"<mtr><mtd>{left}</mtd><mtd>{indent}{sign}{''.join(rest)}</mtd></mtr>")
    spoken = escape("; ".join(plain_chain(chain) for chain in chains))
    table = f'<mtable displaystyle="true" columnalign="right left">{"".join(lines)}</mtable>'
    return f'<math display="block" class="lines e{_step(cut)}" alttext="{spoken}">{table}</math>'


def _step(cut: Sequence[Row]) -> int:
    """The step of `STEPS` that a display is surely no wider than."""
    lead = max((side_ems(row.left) for row in cut if row.left is not None), default=0)
    behind = (sum(_SIGN if isinstance(part, str) else side_ems(part) for part in row.parts) for row in cut)
    indents = (_INDENT if row.continues else 0 for row in cut)
    wide = _SURE * (lead + max((wide + indent for wide, indent in zip(behind, indents, strict=True)), default=0))
    return next((step for step in STEPS if wide <= step), STEPS[-1])


def _infix(sign: str) -> str:
    """A sign between two sides, also where it stands first or last in its element."""
    return f'<mo form="infix">{escape(_SIGNS.get(sign, sign))}</mo>'


def _one(content: str, count: int) -> str:
    return content if count == 1 else f"<mrow>{content}</mrow>"
