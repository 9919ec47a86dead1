"""The pages that Typst sets: nothing sticks out of the margins, and they have the signs that TeX's have."""

from __future__ import annotations

import re
import subprocess
import unicodedata

import pytest

from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render import tex
from symbolic_mem.render.jinja import render_text
from symbolic_mem.render.pdf import pdf

pytestmark = pytest.mark.system
A4, MARGIN, HANGING = 595.28, 24 * 72 / 25.4, 3.5  # points; punctuation hangs a little
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
    return [word for left, right, word in found if left < MARGIN - HANGING or right > A4 - MARGIN + HANGING]


def test_this_test_sees_a_word_that_sticks_out(needs, tmp_path):
    needs("pdftotext")
    line = "word " * 200 + r"\[ " + " + ".join(["M_{\\mathrm{device}}".replace("\\\\", "\\")] * 30) + r" \]"
    body = f"\\documentclass{{article}}\n\\begin{{document}}\n{line}\n\\end{{document}}\n"
    assert outside(pdf(body, route="typst"), tmp_path)


@pytest.mark.parametrize("build", [homework, report])
@pytest.mark.parametrize("name", STUDIES)
def test_no_word_of_a_bundled_study_stands_outside_the_margins(needs, name, build, tmp_path):
    needs("pdftotext")
    assert outside(made(build, name, "typst"), tmp_path) == []


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
