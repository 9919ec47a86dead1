"""The signs that a PDF prints, whichever way it is made: those of text fonts, and those that are set as mathematics."""

from __future__ import annotations

import re
import unicodedata

_GREEK = {
    **dict(
        zip(
            "αβγδεζηθικλμνξπρστυφχψω",
            [
                "alpha",
                "beta",
                "gamma",
                "delta",
                "epsilon",
                "zeta",
                "eta",
                "theta",
                "iota",
                "kappa",
                "lambda",
                "mu",
                "nu",
                "xi",
                "pi",
                "rho",
                "sigma",
                "tau",
                "upsilon",
                "varphi",
                "chi",
                "psi",
                "omega",
            ],
            strict=True,
        )
    ),
    **dict(
        zip(
            "ΓΔΘΛΞΠΣΥΦΨΩ",
            ["Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"],
            strict=True,
        )
    ),
    "ϕ": "phi",
    "ϵ": "varepsilon",
    "ϑ": "vartheta",
    "ϱ": "varrho",
    "ς": "varsigma",
    "Ω": "Omega",
}
_SIGNS = {
    **dict(
        zip(
            "≈≤≥≠≡≪≫∼≃≅∝",
            ["approx", "le", "ge", "ne", "equiv", "ll", "gg", "sim", "simeq", "cong", "propto"],
            strict=True,
        )
    ),
    **dict(
        zip(
            "→←↔⇒⇐⇔↑↓",
            ["to", "leftarrow", "leftrightarrow", "Rightarrow", "Leftarrow", "Leftrightarrow", "uparrow", "downarrow"],
            strict=True,
        )
    ),
    **dict(
        zip(
            "∞∂∇∈∉∀∃∅∑∏∫",
            ["infty", "partial", "nabla", "in", "notin", "forall", "exists", "emptyset", "sum", "prod", "int"],
            strict=True,
        )
    ),
    **dict(
        zip(
            "∪∩⊂⊆∧∨⊕⊗⋅∙",
            ["cup", "cap", "subset", "subseteq", "wedge", "vee", "oplus", "otimes", "cdot", "bullet"],
            strict=True,
        )
    ),
    **dict(
        zip(
            "⌈⌉⌊⌋⟨⟩ℓ′×",
            ["lceil", "rceil", "lfloor", "rfloor", "langle", "rangle", "ell", "prime", "times"],
            strict=True,
        )
    ),
}
_RAISED = {**dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺ⁿ", "0123456789+n", strict=True)), "⁻": "-"}
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊", "0123456789+", strict=True)) | {"₋": "-"}

MATHEMATICS = {sign: rf"\{name}" for sign, name in (_GREEK | _SIGNS).items()} | {"−": "-"}
MATHEMATICS |= {sign: f"_{{{lowered}}}" for sign, lowered in _LOWERED.items()}
RAISED = {sign: rf"\textsuperscript{{{raised}}}" for sign, raised in _RAISED.items()}

# What the text fonts of both ways have: TeX's T1 and TS1 encodings with Latin Modern, and Typst's own fonts.
_UNPRINTED = re.compile(
    "[^\n\t -~\u00a0-\u0125\u0128-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e\u0192\u01c4-\u01d4\u01e2-\u01e3"
    "\u01e6-\u01eb\u01f0\u01f4-\u01f5\u0218-\u021b\u0232-\u0233\u0237\u02c6-\u02c7\u02d8-\u02d9\u02db-\u02dd\u0e3f"
    "\u1e02-\u1e03\u1e0d\u1e1e-\u1e21\u1e25\u1e30-\u1e31\u1e37\u1e43\u1e45\u1e47\u1e5b\u1e63\u1e6d\u1e8e-\u1e91\u1e9e"
    "\u1ef2-\u1ef3\u2010-\u2016\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030-\u2031\u2039-\u203b\u203d\u2044\u204e"
    "\u2052\u20a1\u20a4\u20a6\u20a9\u20ab-\u20ac\u20b1\u2103\u2116-\u2117\u211e\u2120\u2122\u2126-\u2127\u212e\u2190-\u2193"
    "\u2212\u2248\u2264-\u2265\u2329-\u232a\u2422-\u2423\u25e6\u25ef\u266a\u27e8-\u27e9]"
)


def composed(text: str) -> str:
    r"""Return a text with each letter and its accent as one sign, where there is such a sign.

    >>> composed("cafe\u0301") == "café"
    True
    """
    return unicodedata.normalize("NFC", text)


def unprinted(text: str) -> str:
    """Return the first sign of a text that no font of a PDF has, or "" where all are printed.

    >>> unprinted("façade, 10 µs"), unprinted("a 漢 b")
    ('', '漢')
    """
    match = _UNPRINTED.search(text)
    return match[0] if match else ""


def lacks(sign: str) -> str:
    """Say that a PDF has no such sign, and what to do."""
    from symbolic_mem.base.errors import name_of

    return (
        f"no font of the PDF has the sign {sign!r} ({name_of(sign)}); write it otherwise, or write .html or .md instead"
    )
