"""Where pages end in tables, by both routes: no row is left alone, neither the first, nor the last, nor that of totals."""

from __future__ import annotations

import re
import subprocess
from collections import Counter

import pytest

from symbolic_mem.document.prose import text
from symbolic_mem.document.steps import Column, Paragraph, Section, Table
from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.render import tex
from symbolic_mem.render.jinja import render_text
from symbolic_mem.render.pdf import pdf

pytestmark = pytest.mark.system
WORD = re.compile(r'xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)" yMax="[\d.]+">(.*?)</word>')
ROWS, TABLES = 16, 45  # more rows than are kept on a page by the template, at as many heights as a page has lines


def table(number: int, *, totals: bool) -> Table:
    rows = tuple((text(f"row {number}"), text("b")) for _ in range(ROWS))
    return Table(text("a table"), (Column(text("a")), Column(text("b"), "right")), rows, totals=totals)


@pytest.mark.parametrize("totals", [False, True])
@pytest.mark.parametrize("route", ["tex", "typst"])
def test_no_row_of_a_long_table_is_alone_on_a_page(needs, route, totals, tmp_path):
    needs("pdftotext", "pdflatex")
    line = Paragraph(text("A line of its own."))
    blocks = [block for number in range(TABLES) for block in (line, line, line, table(number, totals=totals))]
    document = Derivation("Tables", "and lines", (Section(text("All"), tuple(blocks)),))
    (tmp_path / "x.pdf").write_bytes(pdf(render_text(document, "homework", tex.FACE), route=route))
    said = subprocess.run(["pdftotext", tmp_path / "x.pdf", "-"], capture_output=True, text=True, check=True).stdout
    pages = [Counter(re.findall(r"row \d+", page)) for page in said.split("\f")]
    assert sum(page.total() for page in pages) == ROWS * TABLES
    cut = [rows for page in pages for rows in page.values() if rows < ROWS]
    assert len(cut) > TABLES / 3  # many of them run over two pages
    assert min(cut) > 1


@pytest.mark.parametrize("route", ["tex", "typst"])
def test_what_stands_under_a_row_is_on_its_page(needs, route, tmp_path):
    needs("pdftotext", "pdflatex")
    columns = (Column(text("a")), Column(text("b"), "right"), Column(text("c")), Column(text("why"), "under"))
    rows = tuple((text(f"row {n}"), text("b"), text("of the table"), text(f"below {n}")) for n in range(ROWS))
    line = Paragraph(text("A line of its own."))
    blocks = (line, line, line, Table(text("a table"), columns, rows)) * TABLES
    document = Derivation("Tables", "and lines", (Section(text("All"), blocks),))
    (tmp_path / "x.pdf").write_bytes(pdf(render_text(document, "homework", tex.FACE), route=route))
    said = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "x.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    pages = said.split("\f")
    above, below = ([re.findall(rf"{word} \d+", page) for page in pages] for word in ("row", "below"))
    assert sum(map(len, above)) == sum(map(len, below)) == ROWS * TABLES
    assert [[name.split()[1] for name in page] for page in above] == [
        [name.split()[1] for name in page] for page in below
    ]
    assert sum(len(page) % ROWS > 0 for page in above) > TABLES / 3  # many of them run over two pages


def test_the_hyphens_of_an_option_are_two_and_the_sign_of_a_further_row_stands_off(needs, tmp_path):
    needs("pdftotext")
    body = r"""Keep some free (-{}-reserve).
\[\begin{aligned}
P &= 2 \\
 &\qquad + 3
\end{aligned}\]"""
    document = f"\\documentclass{{article}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "x.pdf").write_bytes(pdf(document, route="typst"))
    said = subprocess.run(["pdftotext", "-bbox", tmp_path / "x.pdf", "-"], capture_output=True, text=True, check=True)
    words = {word: (float(left), float(right)) for left, right, word in WORD.findall(said.stdout)}
    assert "(--reserve)." in words
    left, right = words["+3"]
    assert right - left > 15  # points; the signs themselves are 14.06 wide
