"""Texts of a user act in no format: what comes out has the shape that harmless words have, and holds the text as it was written."""

from __future__ import annotations

import json
import re
import subprocess
import unicodedata
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hostile import HARMLESS, TEXTS, lines_of, study
from sampled import sampled
from walked import toml

from symbolic_mem.base.tomlfile import parse_toml
from symbolic_mem.claims.table import check_rows, read_claims, written
from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import load_study, read_study
from symbolic_mem.render.document import render
from symbolic_mem.render.typst import pandoc_program

LAYOUTS = {"homework": homework, "report": report}
OF = {"homework": TEXTS[::2], "report": TEXTS[1::2]}  # which texts are tried in which document


@cache
def document(words: str, layout: str) -> Derivation:
    return LAYOUTS[layout](read_study(parse_toml(toml(study(words)), "my.toml"), "my.toml", "my", Path()))


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes, and its text without spaces."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[object] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs if name != "class")))  # of a width

    def handle_endtag(self, tag):
        self.elements.append(tag)

    def handle_comment(self, data):
        self.elements.append("comment")

    def handle_data(self, data):
        self.text += data


def outside_formulas(elements: list[object]) -> list[object]:
    """The elements without those inside formulas, whose rows depend on the words in them."""
    kept, depth = [], 0
    for each in elements:
        if isinstance(each, tuple) and each[0] == "math":
            depth += 1
        if depth == 0:
            kept.append(each)
        if each == "math":
            depth -= 1
    return kept


@pytest.mark.parametrize("layout", sampled(LAYOUTS, len(LAYOUTS)))
def test_no_text_adds_an_element_to_a_page(layout):
    def page(words: str) -> Shape:
        return Shape(render(document(words, layout), layout, "html").decode())

    usual = page(HARMLESS)
    for words in OF[layout]:
        shape = page(words)
        assert outside_formulas(shape.elements) == outside_formulas(usual.elements), words
        assert {each for each in shape.elements if isinstance(each, tuple)} <= {
            *(each for each in usual.elements if isinstance(each, tuple)),
            *(("msup", ()), ("msub", ()), ("mtext", ())),
        }, words
        assert lines_of(shape.text).count(lines_of(words)) >= 20, words


def tree(markdown: bytes) -> list:
    """What pandoc reads in Markdown as GitHub writes it."""
    command = [str(pandoc_program()), "--from=gfm+tex_math_dollars", "--to=json"]
    return json.loads(subprocess.run(command, input=markdown, capture_output=True, check=True).stdout)["blocks"]


def shape(node: object) -> object:
    """The kinds of blocks and of marks in a tree; words and formulas without what they say."""
    if isinstance(node, list):
        kinds = [found for each in node if (found := shape(each)) is not None]
        return [kind for i, kind in enumerate(kinds) if kind != "words" or i == 0 or kinds[i - 1] != "words"]
    if isinstance(node, dict) and "t" in node:
        if node["t"].startswith(("Align", "ColWidth")):  # which depend on how wide words are
            return None
        if node["t"] in ("Str", "Space", "SoftBreak", "Quoted", "Math"):  # a short unit stands in the formula
            return "words"
        return (node["t"], shape(node["c"]) if node["t"] != "Header" and "c" in node else None)
    return None


def said(node: object) -> str:
    """The words of a tree."""
    if isinstance(node, list):
        return "".join(map(said, node))
    if isinstance(node, dict):
        kind = node.get("t")
        if kind == "Str":
            return node["c"]
        return " " if kind in ("Space", "SoftBreak") else said(node.get("c"))
    return ""


@pytest.mark.parametrize("layout", sampled(LAYOUTS, len(LAYOUTS)))
def test_no_text_is_a_mark_of_markdown(layout):
    usual = shape(tree(render(document(HARMLESS, layout), layout, "md")))
    for words in OF[layout]:
        read = tree(render(document(words, layout), layout, "md"))
        assert shape(read) == usual, words
        assert lines_of(said(read)).count(lines_of(words).strip()) >= 10, words


COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)")


@pytest.mark.parametrize("layout", sampled(LAYOUTS, len(LAYOUTS)))
def test_no_text_is_a_command_of_tex(layout):
    def commands(words: str) -> set[str]:
        return set(COMMAND.findall(render(document(words, layout), layout, "tex").decode()))

    allowed = commands(HARMLESS) | {
        *(rf"\{sign}" for sign in "{}$&#%_-"),
        *(rf"\text{name}" for name in ("backslash", "asciicircum", "asciitilde", "less", "greater", "bar", "quotedbl")),
        *(r"\textasciigrave", r"\textquotesingle", r"\textsuperscript", r"\vert", r"\Omega", r"\ne", r"\infty"),
        *(r"\alpha", r"\beta", r"\gamma", r"\approx", r"\le", r"\ge", r"\to", r"\Rightarrow"),
    }
    for words in OF[layout]:
        assert commands(words) <= allowed, words


SET = [words for words in TEXTS if "    " not in words]


@pytest.mark.parametrize("route", ["typst", pytest.param("tex", marks=pytest.mark.system)])
def test_every_text_comes_out_of_a_pdf_as_it_was_written(route, needs, tmp_path):
    needs("pdftotext", *(["pdflatex", "latexmk"] if route == "tex" else []))
    steps = [
        {"name": f"a_{i}", "formula": "2*L", "unit": f"u{i} {words}", "statement": f"(start {i}) {words} (end {i})"}
        for i, words in enumerate(map(lines_of, SET))
    ]
    content = study(HARMLESS) | {"question": [{"label": "a", "ask": "evaluate", "steps": steps}]}
    tex = render(homework(read_study(content, "my.toml", "my", Path())), "homework", "tex").decode()
    from symbolic_mem.render.pdf import pdf

    (tmp_path / "x.pdf").write_bytes(pdf(tex, route=route))
    done = subprocess.run(["pdftotext", "-raw", "x.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    page = bare(done.stdout.decode())
    for i, words in enumerate(SET):
        match = re.search(rf"\(start{i}\)(.*?)\(end{i}\)", page, re.DOTALL)
        assert match is not None, words
        assert match[1] == bare(words), words


def bare(text: str) -> str:
    """A text without spaces, and with one form of the signs that fonts write in several."""
    for sign, plain in {"\N{SOFT HYPHEN}": "", "’": "'", "‘": "'", "\N{COMBINING LONG SOLIDUS OVERLAY}=": "≠"}.items():
        text = text.replace(sign, plain)
    return "".join(unicodedata.normalize("NFKC", text).replace("−", "-").split())


def test_no_text_is_a_formula_of_a_spreadsheet(tmp_path):
    path = tmp_path / "claims.csv"
    for words in (*TEXTS, "-1+1", "\t=1+1", "\r=1+1"):
        if '"' in words or "\n" in words or "\r" in words:
            continue
        path.write_text(f'person,name,claim\n"{words}",n_fsdp,46\n"Ann",n_fsdp,"{words}"\n', encoding="utf-8")
        rows = written(check_rows(load_study("cs336-a2-xxl"), read_claims(str(path)))).splitlines()[1:]
        assert not [cell for row in rows for cell in row.split(",") if cell.lstrip('" \t')[:1] in ("=", "@")], words
        number = re.fullmatch(r"[+-]\d+", rows[0].split(",")[0])
        assert number or rows[0].lstrip('"')[:1] not in "+-\t", words
