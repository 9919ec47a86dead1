"""Expressions and displayed lines in LaTeX, within the part of it that both TeX and pandoc read."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.symbols import Name
from symbolic_mem.base.told import grouped
from symbolic_mem.document.prose import Amount, Chain, Prose, Reference, Side, Total
from symbolic_mem.render import latex_digits
from symbolic_mem.render.arrange import PAPER, Measure
from symbolic_mem.render.rows import Row, rows
from symbolic_mem.render.signs import MATHEMATICS, RAISED, composed
from symbolic_mem.render.typeset import Typesetter

_SIGNS = {"-": "-", "·": r"\cdot ", "≈": r"\approx ", "≤": r"\le ", "≥": r"\ge ", "⇔": r"\Longleftrightarrow "}
_FENCES = {"(": "(", ")": ")", "⌈": r"\lceil ", "⌉": r"\rceil ", "⌊": r"\lfloor ", "⌋": r"\rfloor "}
_GREEK = {"α": r"\alpha ", "β": r"\beta ", "τ": r"\tau ", "φ": r"\varphi ", "Ψ": r"\Psi "}
_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': r"\textquotedbl{}",
        "`": r"\textasciigrave{}",
        "\N{NO-BREAK SPACE}": "~",
        "\N{SOFT HYPHEN}": r"\-",
    }
    | {sign: f"${written}$" for sign, written in MATHEMATICS.items()}
    | RAISED
)
_IN_MATHEMATICS = {r"\textquotedbl{}": '"', r"\textasciigrave{}": "`", r"\textquotesingle{}": "'", r"\-": ""}
_IN_MATHEMATICS |= {r"\textless{}": "}{<}\\text{", r"\textgreater{}": "}{>}\\text{", r"\textbar{}": r"}\vert\text{"}
_SET_IN_TEXT = re.compile(r"(?<!\\)\$([^$]+)\$|\\textsuperscript(\{[^}]*\})")
_KEPT = "\N{NO-BREAK SPACE}\N{SOFT HYPHEN}"  # signs that are no space, and that Python does not call printable
LONGEST_SIGN = 6  # of a unit; a longer one is a word, which a line may begin with
_OPENING = re.compile(r"(?:(?<=[\s(\[])|^(?!'s\b))'(?=[^'\s][^']*'(?:$|[\s.,;:!?)\]]))")  # of words in single quotes
_SIZE = re.compile(r"(?<=\d) (?=(?:[KMGTP]i?)?B\b|bytes?\b)")  # no line ends between a number and its unit
_LIGATURES = re.compile(r"([-,])(?=\1)")  # TeX sets two of them as a dash or as a quotation mark


def escape(text: str) -> str:
    r"""Write plain text so that TeX prints it and runs nothing of it.

    >>> escape(r"\\input{x} & 50%"), escape("plan 'cp', the ranks' share"), escape("1 GiB is 2 of them")
    ('\\textbackslash{}\\textbackslash{}input\\{x\\} \\& 50\\%', "plan `cp', the ranks' share", '1~GiB is 2 of them')
    """
    printable = "".join(c if c.isprintable() or c in _KEPT else " " for c in composed(text))
    printable = _SIZE.sub("\N{NO-BREAK SPACE}", printable)
    apart = _LIGATURES.sub(r"\1{}", printable.translate(_ESCAPES))
    apart = _OPENING.sub("`", apart)
    return apart.replace("''", r"\textquotesingle{}\textquotesingle{}").replace(r"}\textsuperscript{", "")


def text_in_mathematics(text: str) -> str:
    r"""Write plain text inside a formula; what would be set there as mathematics ends the text and begins it anew.

    >>> text_in_mathematics("µs > 10²"), text_in_mathematics("GB")
    ('\\text{µs }{>}\\text{ 10}^{2}', '\\text{GB}')
    """
    inner = escape(text)
    for written, set_there in _IN_MATHEMATICS.items():
        inner = inner.replace(written, set_there)
    inner = _SET_IN_TEXT.sub(lambda m: f"}}^{m[2]}\\text{{" if m[2] else f"}}{{{m[1]}}}\\text{{", inner)
    return f"\\text{{{inner}}}".replace(r"\text{}", "")


class Latex(Typesetter):
    """LaTeX mathematics: upright subscripts, grouped digits."""

    def digits(self, text: str) -> str:
        return latex_digits.digits(text)

    def scientific(self, mantissa: str, exponent: int) -> str:
        return latex_digits.scientific(mantissa, exponent)

    def name(self, name: Name, exponent: str = "") -> str:
        base = _GREEK.get(name.base, name.base).strip()
        if len(name.base) > 1:
            base = rf"\mathrm{{{escape(name.base)}}}"
        upright = name.sub.isascii() and not set(" -") & set(name.sub) and escape(name.sub) == name.sub
        shown = rf"\mathrm{{{name.sub}}}" if upright else text_in_mathematics(name.sub)
        below = f"_{{{shown}}}" if name.sub else ""
        return base + below + (f"^{{{exponent}}}" if exponent else "")

    def words(self, text: str) -> str:
        space = "~" if text.startswith("\N{NO-BREAK SPACE}") else ""
        return (
            rf"{space}\mathrm{{{text.strip()}}}"
            if text.strip().isalpha() and text.strip().isascii()
            else f"{space}{text_in_mathematics(text.strip())}"
        )

    def operator(self, sign: str) -> str:
        return f" {_SIGNS.get(sign, sign).strip()} "

    def mark(self) -> str:
        return r"\approx "

    def product(self, factors: Sequence[str], dotted: bool) -> str:
        return (r" \cdot " if dotted else r" \, ").join(factors)

    def row(self, parts: Sequence[str]) -> str:
        return "".join(parts)

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def coefficient(self, above: str, below: str) -> str:
        return rf"\tfrac{{{above}}}{{{below}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{{{base}}}^{{{exponent}}}"

    def root(self, radicand: str) -> str:
        return rf"\sqrt{{{radicand}}}"

    def fenced(self, left: str, inner: str, right: str) -> str:
        if left == "(" and r"\frac" not in inner:  # lines may break inside plain brackets, not inside growing ones
            return f"({inner})"
        return rf"\left{_FENCES[left]}{inner}\right{_FENCES[right]}"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        return rf"\{function}\left({', '.join(arguments)}\right)"


class InlineLatex(Latex):
    """The same on one line of text or of a table: fractions are written with a stroke, for lines stand close there."""

    def fraction(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def coefficient(self, above: str, below: str) -> str:
        return super().fraction(above, below)

    def quotient(self, above: sp.Expr, below: sp.Expr) -> str:
        over = self.fenced("(", self.expr(above), ")") if isinstance(above, sp.Add) else self.expr(above)
        under = self.expr(below)
        single = (
            below.is_Symbol or (below.is_Integer and r"\times" not in under) or isinstance(below, sp.ceiling | sp.floor)
        )
        plain = single or (isinstance(below, sp.Pow) and below.base.is_Symbol and below.exp.is_Integer)
        return self.fraction(over, under if plain else self.fenced("(", under, ")"))


def latex(side: Side) -> str:
    r"""Write one expression, amount or sum in LaTeX.

    >>> from symbolic_mem.base.symbols import L, d_model, d_ff
    >>> latex(2 * L * d_model * d_ff)
    '2 \\, L \\, d_{\\mathrm{model}} \\, d_{\\mathrm{ff}}'
    """
    return Latex().side(side)


def latex_sum(exprs: Sequence[sp.Expr]) -> str:
    """Write a sum in the order given."""
    return Latex().side(Total(tuple(exprs))) if exprs else "0"


def display(chains: Sequence[Chain], measure: Measure = PAPER) -> str:
    """Write chains as one aligned display, its rows as wide as a `measure` allows."""
    return aligned(rows(chains, measure))


def aligned(cut: Sequence[Row]) -> str:
    """Write rows as one aligned display."""
    face = Latex()
    lines = []
    for row in cut:
        sign, *rest = [face.operator(part).strip() if isinstance(part, str) else face.side(part) for part in row.parts]
        lead = face.said(row.left) if row.left is not None else ""
        indent = r"\qquad " if row.continues else ""
        lines.append(f"{lead} &{indent}{sign} {' '.join(rest)}".strip())
    body = " \\\\\n".join(lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def inline_chain(chain: Chain) -> str:
    """Write a chain on one line, for use inside a sentence."""
    face = InlineLatex()
    return face.said(chain.left) + "".join(face.operator(rel) + face.side(side) for rel, side in chain.links)


def unit_in_words(number: Amount) -> str:
    """The unit of a number in a sentence, with the space before it, where it is a word or a percent sign; else nothing."""
    unit = number.shown.unit
    if unit == "%":
        return "\N{NO-BREAK SPACE}%"
    return f" {unit}" if len(unit) > LONGEST_SIGN else ""


def bare_figures(number: Amount) -> str:
    """A number in a sentence without its unit, marked where it is rounded."""
    face = InlineLatex()
    return ("" if number.shown.exact else face.mark()) + face.digits(grouped(number.shown.figures))


def prose(sentence: Prose) -> str:
    r"""Write a sentence with its mathematics, escaped.

    >>> from symbolic_mem.base.symbols import B, L, n_fsdp
    >>> from symbolic_mem.document.prose import say
    >>> prose(say("{share} each", share=(B + L) / (2 * n_fsdp)))
    '\\((B + L)/(2 \\, n_{\\mathrm{fsdp}})\\) each'
    """
    face = InlineLatex()
    written = []
    for part in sentence.parts:
        match part:
            case str():
                written.append(escape(part))
            case Chain():
                written.append(rf"\({inline_chain(part)}\)")
            case Amount() if unit_in_words(part):
                figures, unit = bare_figures(part), escape(unit_in_words(part))
                written.append(rf"\({figures}\){unit}")
            case Reference():
                written.append(rf"\hyperref[{part.target}]{{{escape(part.words)}}}")
            case _:
                written.append(rf"\({face.said(part)}\)")
    return "".join(written)
