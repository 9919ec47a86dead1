"""The pages that Typst sets: nothing sticks out of the margins, and they have the signs that TeX's have."""

from __future__ import annotations

import re
import subprocess
import unicodedata

import pytest

from symbolic_mem.document.prose import text
from symbolic_mem.document.steps import Paragraph, Section
from symbolic_mem.documents.derivation import Derivation
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render import tex
from symbolic_mem.render.jinja import render_text
from symbolic_mem.render.pdf import pdf

pytestmark = pytest.mark.system
A4, MARGIN, ROUNDED = 595.28, 24 * 72 / 25.4, 1.0  # points
HANGING = dict.fromkeys(".,-\N{EN DASH}\N{SOFT HYPHEN}:;", 2.5)  # how far Typst sets a sign in the margin
STUDIES = sorted(bundled())
# The same sign in the fonts of the two routes, and what pdftotext makes of pieces of tall fences.
ALIKE = str.maketrans("\N{MIDDLE DOT}\N{ASTERISK OPERATOR}\N{N-ARY SUMMATION}\N{HYPHEN}\N{MICRO SIGN}", "⋅∗Σ-μ")


def made(build, name, route):
    document = build(load_study(name))
    return pdf(render_text(document, build.__name__, tex.FACE), document.figures, route=route)


def edges(data: bytes, folder) -> list[tuple[float, float, str]]:
    """Where each word begins and ends on its line."""
    (folder / "x.pdf").write_bytes(data)
    said = subprocess.run(
        ["pdftotext", "-bbox", folder / "x.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    words = re.findall(r'xMin="(-?[\d.]+)" yMin="-?[\d.]+" xMax="(-?[\d.]+)" yMax="-?[\d.]+">(.*?)</word>', said)
    return [(float(left), float(right), word) for left, right, word in words]


def outside(data: bytes, folder) -> list[str]:
    found = edges(data, folder)
    assert len(found) > 100
    ends = [(left, right - HANGING.get(word[-1], 0), word) for left, right, word in found]
    return [word for left, right, word in ends if left < MARGIN - ROUNDED or right > A4 - MARGIN + ROUNDED]


def test_this_test_sees_a_word_that_sticks_out(needs, tmp_path):
    needs("pdftotext")
    line = "word " * 200 + r"\[ " + " + ".join(["M_{\\mathrm{device}}".replace("\\\\", "\\")] * 30) + r" \]"
    body = f"\\documentclass{{article}}\n\\begin{{document}}\n{line}\n\\end{{document}}\n"
    assert outside(pdf(body, route="typst"), tmp_path)


def last_page(data: bytes, folder) -> float:
    """Where the last line of the last page ends, as a part of the height of its text."""
    (folder / "x.pdf").write_bytes(data)
    said = subprocess.run(
        ["pdftotext", "-bbox", folder / "x.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    ends = sorted(float(end) for end in re.findall(r'yMax="([\d.]+)"', said.split("<page ")[-1]))
    top, bottom, millimetre = 18, 22, 72 / 25.4
    return (ends[-2] / millimetre - top) / (297 - top - bottom)  # below it stands the number of the page


@pytest.mark.parametrize("build", [homework, report])
@pytest.mark.parametrize("name", STUDIES)
def test_no_word_of_a_bundled_study_stands_outside_the_margins_and_no_page_is_almost_empty(
    needs, name, build, tmp_path
):
    needs("pdftotext")
    document = made(build, name, "typst")
    assert outside(document, tmp_path) == []
    assert last_page(document, tmp_path) > 0.08


@pytest.mark.parametrize("build", [homework, report])
@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-8b", "deepseek-v3", "korthikanti", "fits-and-computes"])
def test_no_last_page_is_almost_empty_by_tex_either(needs, name, build, tmp_path):
    needs("pdftotext", "pdflatex")
    assert last_page(made(build, name, "tex"), tmp_path) > 0.08


@pytest.mark.parametrize("route", ["tex", "typst"])
def test_a_line_of_a_last_page_is_given_to_the_pages_before_it_and_half_a_page_stays(needs, route, tmp_path):
    needs("pdftotext", "pdflatex")
    line = Paragraph(text("A line of its own."))

    def lines_of_pages(count: int) -> list[int]:
        document = Derivation("A document", "of lines", (Section(text("Lines"), (line,) * count),))
        (tmp_path / "x.pdf").write_bytes(pdf(render_text(document, "homework", tex.FACE), route=route))
        said = subprocess.run(["pdftotext", tmp_path / "x.pdf", "-"], capture_output=True, text=True, check=True)
        return [page.count("A line of its own.") for page in said.stdout.split("\f")[:-1]]

    first = lines_of_pages(60)[0]
    assert lines_of_pages(first + 1) == [first + 1]
    assert lines_of_pages(first + 12) == [first, 12]


# Tall fences are in a font of TeX's whose pieces pdftotext reads as other signs.
FENCES = set("⌈⌉⌊⌋()[]'&")


def signs(data: bytes, folder) -> set[str]:
    """The signs of a page that are no letters, digits or spaces; ligatures, quotes and dashes are one with what they stand for."""
    (folder / "x.pdf").write_bytes(data)
    said = subprocess.run(["pdftotext", folder / "x.pdf", "-"], capture_output=True, text=True, check=True).stdout
    plain = unicodedata.normalize("NFKC", said).translate(ALIKE)
    return {sign for sign in plain if unicodedata.category(sign)[0] in "SP" or "GREEK" in unicodedata.name(sign, "")}


@pytest.mark.parametrize("name", STUDIES[::4])
def test_both_routes_print_the_same_signs(needs, name, tmp_path):
    needs("pdftotext", "pdflatex")
    by_tex, by_typst = (signs(made(homework, name, route), tmp_path) for route in ("tex", "typst"))
    assert len(by_tex) > 10
    assert by_tex - FENCES == by_typst - FENCES


def on_its_pages(body: str, folder) -> list[list[str]]:
    """The lines of each page of a document that Typst sets."""
    document = f"\\documentclass{{article}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (folder / "x.pdf").write_bytes(pdf(document, route="typst"))
    said = subprocess.run(["pdftotext", folder / "x.pdf", "-"], capture_output=True, text=True, check=True).stdout
    return [page.split("\n") for page in said.split("\f")[:-1]]


def test_a_caption_stays_with_its_table_and_a_small_table_whole(needs, tmp_path):
    needs("pdftotext")
    table = (
        r"\begin{longtable}{@{}ll@{}}\caption{caption %d} \\ \toprule a & b \\ \midrule\endhead "
        r"first %d & b \\ middle & b \\ last %d & b \\ \bottomrule\end{longtable}"
    )
    pages = on_its_pages("\n\n".join("word " * 40 + "\n\n" + table % (n, n, n) for n in range(24)), tmp_path)
    assert len(pages) > 2
    for n in range(24):
        assert [n for page in pages if {f"caption {n}", f"first {n}", f"last {n}"} & {*page}] == [n]


def test_a_long_table_runs_over_pages_with_its_caption_above_its_first_row(needs, tmp_path):
    needs("pdftotext")
    rows = " ".join(rf"row {n} & b \\" for n in range(120))
    table = rf"\begin{{longtable}}{{@{{}}ll@{{}}}}\caption{{long}} \\ \toprule a & b \\ \midrule\endhead {rows} \bottomrule\end{{longtable}}"
    pages = on_its_pages("word " * 900 + "\n\n" + table, tmp_path)
    assert ["row 0" in page for page in pages] == ["long" in page for page in pages]
    assert sum(any(line.startswith("row ") for line in page) for page in pages) > 1


def test_a_line_does_not_end_between_a_number_and_the_sign_that_it_is_rounded(needs, tmp_path):
    needs("pdftotext")
    lines = [line for page in on_its_pages(r"word \(\approx 93.857\) " * 200, tmp_path) for line in page]
    assert len(lines) > 20
    assert not [line for line in lines if line.rstrip().endswith("≈")]


def test_a_column_that_wraps_is_as_wide_as_it_says_without_its_gaps(needs, tmp_path):
    needs("pdftotext")
    row = r"{} & b \\"
    words = "nothing wraps for a guess"  # between 0.24 and 0.25 of the line
    table = rf"\begin{{longtable}}{{@{{}}p{{0.26\textwidth}}l@{{}}}}\caption{{c}} \\ \toprule a & b \\ \midrule\endhead {row.format(words)} \bottomrule\end{{longtable}}"
    assert words in on_its_pages(table, tmp_path)[0]


def test_a_formula_wider_than_its_column_is_not_set_over_the_next_one(needs, tmp_path):
    needs("pdftotext")
    factors = (
        "2",
        "B",
        "S",
        "L",
        r"d_{\mathrm{model}}",
        r"(d_{\mathrm{ff}} + 2)",
        r"\min(n_{\mathrm{pp}}, 8)",
        "L/(n_{0} n_{1})",
    )
    cell = r" \, \allowbreak ".join(factors)
    table = rf"\begin{{longtable}}{{@{{}}p{{0.16\textwidth}}r@{{}}}}\caption{{c}} \\ \toprule a & b \\ \midrule\endhead \({cell}\) & 4383047680 \\ \bottomrule\end{{longtable}}"
    document = f"\\documentclass{{article}}\n\\begin{{document}}\n{table}\n\\end{{document}}\n"
    words = edges(pdf(document, route="typst"), tmp_path)
    (number,) = [left for left, _, word in words if word == "4383047680"]
    assert max(right for _, right, word in words if word not in ("4383047680", "b")) < number
