"""Expressions and displayed lines in LaTeX, within the part of it that both TeX and pandoc read."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sympy as sp

from symbolic_mem.base.symbols import Name
from symbolic_mem.document.prose import Chain, Prose, Side, Total
from symbolic_mem.render.rows import rows
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
        "≈": r"$\approx$",
        "≤": r"$\le$",
        "≥": r"$\ge$",
        "×": r"$\times$",
        "Ψ": r"$\Psi$",
        "→": r"$\to$",
        "−": r"$-$",
    }
    | {digit: rf"\textsuperscript{{{value}}}" for value, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)
_LIGATURES = re.compile(r"([-,])(?=\1)")  # TeX sets two of them as a dash or as a quotation mark


def escape(text: str) -> str:
    r"""Write plain text so that TeX prints it and runs nothing of it.

    >>> escape(r"\\input{x} & 50%")
    '\\textbackslash{}\\textbackslash{}input\\{x\\} \\& 50\\%'
    """
    printable = "".join(c if c.isprintable() or c == "\N{NO-BREAK SPACE}" else " " for c in text)
    apart = _LIGATURES.sub(r"\1{}", printable.translate(_ESCAPES))
    return apart.replace("''", r"\textquotesingle{}\textquotesingle{}").replace(r"}\textsuperscript{", "")


class Latex(Typesetter):
    """LaTeX mathematics: upright subscripts, grouped digits."""

    def digits(self, text: str) -> str:
        return text.replace(",", r"\,")

    def scientific(self, mantissa: str, exponent: int) -> str:
        return f"{mantissa} \\times 10^{{{exponent}}}" if mantissa != "1" else f"10^{{{exponent}}}"

    def name(self, name: Name, exponent: str = "") -> str:
        base = _GREEK.get(name.base, name.base).strip()
        if len(name.base) > 1:
            base = rf"\mathrm{{{escape(name.base)}}}"
        style = "text" if " " in name.sub else "mathrm"
        below = rf"_{{\{style}{{{escape(name.sub)}}}}}" if name.sub else ""
        return base + below + (f"^{{{exponent}}}" if exponent else "")

    def words(self, text: str) -> str:
        space = "~" if text.startswith("\N{NO-BREAK SPACE}") else ""
        return (
            rf"{space}\mathrm{{{text.strip()}}}"
            if text.strip().isalpha()
            else rf"{space}\text{{{escape(text.strip())}}}"
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


def display(chains: Sequence[Chain]) -> str:
    """Write chains as one aligned display."""
    face = Latex()
    lines = []
    for row in rows(chains):
        sign, *rest = [face.operator(part).strip() if isinstance(part, str) else face.side(part) for part in row.parts]
        lead = face.said(row.left) if row.left is not None else ""
        indent = r"\qquad " if row.continues else ""
        lines.append(f"{lead} &{indent}{sign} {' '.join(rest)}".strip())
    body = " \\\\\n".join(lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def inline_chain(chain: Chain) -> str:
    """Write a chain on one line, for use inside a sentence."""
    face = Latex()
    return face.said(chain.left) + "".join(face.operator(rel) + face.side(side) for rel, side in chain.links)


def prose(sentence: Prose) -> str:
    """Write a sentence with its mathematics, escaped."""
    face = Latex()
    written = []
    for part in sentence.parts:
        match part:
            case str():
                written.append(escape(part))
            case Chain():
                written.append(rf"\({inline_chain(part)}\)")
            case _:
                written.append(rf"\({face.said(part)}\)")
    return "".join(written)
