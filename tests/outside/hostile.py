"""Texts that would act if a format obeyed them, and a study that has one of them in every place for a text."""

from __future__ import annotations

from typing import Any

TEXTS = (
    *(r"\input{/etc/passwd}", r"\write18{touch x}", r"\end{document}", r"\catcode`\%=12", r"\csname end\endcsname"),
    *(
        r"^^5cinput x",
        "}}}{{{",
        "{x} {0} {}",
        "{{ 1/0 }}",
        "{% raw %}",
        "<% x %>",
        "<< x >>",
        "<# x #>",
        "%s %d",
        "$x$ $$y$$",
    ),
    *(
        r"\(x\) \[y\]",
        r"\def\x{}",
        "a_b^c",
        "a & b",
        "50 % of # 1",
        "``quoted''",
        "-- --- ,,",
        "'' \"\" `",
        "a ~ b",
        "!`?`",
    ),
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "&lt;b&gt; &amp;",
        "</title></head><body>",
        "<!-- x -->",
    ),
    *('" onmouseover="x', "javascript:alert(1)", "]]><x/>", "<svg/onload=alert(1)>"),
    *(
        "- item",
        "+ item",
        "* item",
        "1. first",
        "1) first",
        "---",
        "***",
        "===",
        "# heading",
        "> quote",
        "    code",
        "```code```",
    ),
    *(
        "[x](http://x)",
        "![x](x)",
        "<http://x.org>",
        "https://x.org/a_b",
        "www.x.org/a_b",
        "a_b@x.org",
        "| a | b |",
        ": definition",
        "[^1]: note",
        ":tada:",
    ),
    *("@name", "~~~", "a\\", "\\\\", "**bold** _it_", "Term\n: x", "abc\n---", "abc\n===", "a  \nb", "- [ ] x"),
    *(
        "= heading",
        "/ term: x",
        '#read("x")',
        '#import "x"',
        "#show: x => []",
        '#eval("1")',
        "<label> @ref",
        "$ x $ _y_",
    ),
    *(
        "=1+1",
        "+1",
        "@SUM(A1)",
        "a,b;c",
        "a\tb",
        "10 > 5 < 7",
        "a|b",
        "façade, 10 µs, Ω ≠ ∞, 10⁻³ m²",
        "αβγ ≈≤≥ →⇒ x₁₂",
    ),
)
HARMLESS = "harmless words"


def study(words: str) -> dict[str, Any]:
    """A study with those words wherever a study has words that are printed as they are."""
    line = {"name": "a", "formula": "2*L", "unit": words, "statement": words, "note": words}
    return {
        "title": words,
        "source": words,
        "text": words,
        "notes": [words],
        "editions": {"v1": words},
        "model": {"kind": "ffn"},
        "values": {"d_model": 8, "d_ff": 32, "L": 2, "B": 4, "S": 16},
        "given": {"t_x": {"value": 3, "unit": words, "meaning": words}},
        "recipe": {"preset": "cs336"},
        "placement": {"weights": {"over": "n_fsdp"}},
        "question": [
            {
                "label": words,
                "ask": "min_degree",
                "title": words,
                "text": words,
                "capacity": "300 kB",
                "printed": {"figure": "1", "edition": "v1", "computes": "1", "slip": words},
                "printed_note": words,
            },
            {"label": "c", "ask": "evaluate", "title": words, "text": words, "steps": [line | {"formula": "t_x*L"}]},
            {
                "label": "d",
                "ask": "evaluate",
                "title": words,
                "steps": [line],
                "cases": [{"name": words, "L": 3}, {"name": "other", "L": 4}],
            },
        ],
    }


def lines_of(text: str) -> str:
    """A text as a page has it: its lines joined."""
    return " ".join(text.split())
