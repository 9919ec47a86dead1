"""Figures: their numbers are those of the answer, and nothing in them stands over anything else, in any format."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from functools import cache
from itertools import combinations, pairwise
from xml.etree import ElementTree

import derived
import pytest
from pypdf import PdfReader

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import rounded_up
from symbolic_mem.base.symbols import T
from symbolic_mem.document.figure import Band, Curve, Figure, Patch
from symbolic_mem.documents.documents import answer, homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.render.document import render
from symbolic_mem.render.inks import LEVELS, SERIES, luminance
from symbolic_mem.render.measure import measured
from symbolic_mem.render.plot import NARROWEST, Box, Words, plot
from symbolic_mem.render.svg import svg
from symbolic_mem.render.text import plain_prose

COLUMN = 3.3 * 72


@cache
def figures(study: str) -> dict[str, Figure]:
    return {figure.name: figure for figure in derived.report(study).figures}


@pytest.fixture(scope="module")
def drawn() -> list[tuple[str, Figure]]:
    """Every figure of every bundled study."""
    return [(f"{name}: {label}", figure) for name in bundled() for label, figure in figures(name).items()]


@pytest.mark.parametrize(("study", "label"), [("cs336-a2-xxl", "b"), ("llama-3.1-8b", "b"), ("llama-3.1-405b", "c")])
def test_the_numbers_of_the_figures_are_those_of_the_answer(study, label):
    found = answer(load_study(study), label)
    value, facts, shown = found.value, found.facts, figures(study)
    parts = dict(shown[f"{label}-device"].rows)
    assert rounded_up(parts.pop("together")) == facts["peak_bytes"] == facts["per_device_bytes"]
    assert parts.pop("capacity") == facts["capacity_bytes"]
    assert rounded_up(sum(parts.values())) == facts["peak_bytes"]
    patches = [mark for mark in shown[f"{label}-device"].marks if isinstance(mark, Patch)]
    assert patches[-1].right == sum(parts.values())
    curve = {number: (size, fits) for number, size, fits in shown[f"{label}-bound"].rows}
    assert rounded_up(curve[value][0]) == facts["per_device_bytes"]
    assert rounded_up(curve[value - 1][0]) == facts["at_value_minus_one_bytes"]
    assert curve[value][1] == "yes" and curve[value - 1][1] == "no"
    (band,) = [mark for mark in shown[f"{label}-bound"].marks if isinstance(mark, Band)]
    assert band.low == value


def test_the_curve_passes_through_the_numbers_of_its_rows():
    for study in ("cs336-a2-xxl", "llama-3.1-8b", "deepseek-v3"):
        shown = figures(study)["b-bound"]
        (curve,) = [mark for mark in shown.marks if isinstance(mark, Curve)]
        assert {(number, size) for number, size, _ in shown.rows} <= set(curve.points)
        assert list(curve.points) == sorted(curve.points)


@pytest.mark.parametrize("study", ["llama-3.1-8b", "llama-3.1-405b"])
def test_the_columns_of_a_step_are_its_instants_and_the_highest_is_the_peak(study):
    found, shown = answer(load_study(study), "b"), figures(study)["b-step"]
    sums = {row[1]: row[-1] for row in shown.rows}
    assert len(shown.rows) == len(found.everywhere) <= len(load_study(study).timeline)
    for each in found.facts["instants"]:
        assert rounded_up(sums[each["instant"]]) >= each["bytes"]
    assert rounded_up(max(row[-1] for row in shown.rows)) == found.facts["peak_bytes"]
    words = [row[1] for row in shown.rows]
    turns = (
        "forward pass",
        "loss",
        "of the last block",
        "last block but one",
        "second block",
        "first block",
        "optimizer",
    )
    places = [max(i for i, said in enumerate(words) if turn in said) for turn in turns]
    assert places == sorted(places), "the columns stand in the order of a step"
    for row in shown.rows:
        assert sum(row[2:-1]) == row[-1]


def test_where_nothing_fits_the_curve_stays_above_the_capacity():
    shown = figures("deepseek-v3")["b-bound"]
    assert {fits for _, _, fits in shown.rows} == {"no"}
    assert not [mark for mark in shown.marks if isinstance(mark, Band)]


def test_the_numbers_come_back_from_the_csv():
    shown = figures("cs336-a2-xxl")["b-bound"]
    head, *lines = csv.reader(io.StringIO(shown.csv))
    assert head == list(shown.heads)
    assert [(int(number), float(size), fits) for number, size, fits in lines] == [
        (number, float(size), fits) for number, size, fits in shown.rows
    ]


def areas(shown: Figure, width: float) -> list[tuple[str, float, float, float, float]]:
    """The words of a drawing with their left, right, upper and lower edges."""
    drawing, found = plot(shown, width), []
    for shape in drawing.shapes:
        if isinstance(shape, Words) and shape.prose.parts:
            wide = measured(shape.prose, drawing.size)
            left = shape.x - {"start": 0, "middle": wide / 2, "end": wide}[shape.anchor]
            top, low = shape.y - 0.72 * drawing.size, shape.y + 0.2 * drawing.size
            found.append((str(shape.prose), left, left + wide, top, low))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("width", [COLUMN, 330.0])
def test_no_words_stand_over_others_or_outside(drawn, width):
    assert len(drawn) > 20
    for name, shown in drawn:
        drawing = plot(shown, width)
        found = areas(shown, width)
        for words, left, right, top, low in found:
            assert left >= -0.5 and right <= drawing.width + 0.5 and top >= -0.5 and low <= drawing.height + 0.5, (
                name,
                words,
            )
        for one, other in combinations(found, 2):
            beside = one[2] <= other[1] + 0.01 or other[2] <= one[1] + 0.01
            assert beside or one[4] <= other[3] + 0.01 or other[4] <= one[3] + 0.01, (name, one, other)


@pytest.mark.slow
def test_every_shape_lies_inside(drawn):
    for name, shown in drawn:
        drawing = plot(shown)
        for shape in drawing.shapes:
            if isinstance(shape, Box):
                assert shape.width > 0 and shape.height > -0.01, (name, shape)
                assert shape.x >= 0 and shape.x + shape.width <= drawing.width + 0.01, (name, shape)
                assert shape.y >= 0 and shape.y + shape.height <= drawing.height + 0.01, (name, shape)


@pytest.mark.parametrize("colours", [SERIES, LEVELS])
def test_what_differs_differs_in_grey(colours):
    shades = sorted(map(luminance, colours))
    least = 0.12 if colours is SERIES else 0.09
    assert min(b - a for a, b in pairwise(shades)) >= least


@pytest.mark.slow
def test_a_figure_is_an_xml_file_with_a_title_and_a_description(drawn):
    for name, shown in drawn:
        root = ElementTree.fromstring(svg(shown))
        space = "{http://www.w3.org/2000/svg}"
        assert root.findtext(f"{space}title") and root.findtext(f"{space}desc"), name


def test_too_narrow_a_figure_is_refused_with_the_least_width():
    with pytest.raises(BadInput, match=rf"at least {NARROWEST:g}pt "):
        plot(figures("cs336-a2-xxl")["b-bound"], 100)


def test_a_report_draws_what_there_is_and_homework_what_a_question_asks_for():
    study = load_study("cs336-a2-xxl")
    assert [figure.name for figure in homework(study).figures] == ["b-bound"]
    assert {"b-device", "b-literally-bound"} <= set(figures("cs336-a2-xxl"))


def test_an_unknown_figure_is_refused_with_those_there_are():
    with pytest.raises(BadInput, match=r"unknown figure 'pie'.*bound, device, step"):
        MinDegree.read({"ask": "min_degree", "figures": ["pie"]}, "here", "b")
    with pytest.raises(BadInput, match="list of names"):
        MinDegree.read({"ask": "min_degree", "figures": "bound"}, "here", "b")
    assert MinDegree.read({"ask": "min_degree", "figures": []}, "here", "b").figures == ()


@pytest.mark.parametrize("ending", ["tex", "html", "md", "json"])
def test_every_format_shows_the_figures_with_their_captions(ending):
    shown = render(report(load_study("cs336-a2-xxl")), "report", ending).decode()
    assert shown.count("What one device keeps at") == 1
    assert {"tex": r"\begin{picture}", "html": '<svg class="drawing"', "md": "| part | bytes |"}.get(
        ending, ""
    ) in shown


def test_the_bytes_are_the_same_in_every_process():
    code = (
        "import sys; from symbolic_mem.documents.documents import report; from symbolic_mem.library.read import load_study\n"
        "from symbolic_mem.render.svg import svg\n"
        "sys.stdout.write(''.join(map(svg, report(load_study('llama-3.1-8b')).figures)))"
    )
    made = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1] and made[0].count(b"<svg") == 3


@pytest.mark.system
def test_both_routes_to_a_pdf_draw_the_figures_in_embedded_outlines(needs, tmp_path):
    needs("pdflatex", "pdffonts", "pdftotext")
    from symbolic_mem.render import tex
    from symbolic_mem.render.jinja import render_text
    from symbolic_mem.render.pdf import pdf

    document = report(load_study("cs336-a2-xxl"))
    source = render_text(document, "report", tex.FACE)
    for route in ("tex", "typst"):
        path = tmp_path / f"{route}.pdf"
        path.write_bytes(pdf(source, document.figures, route=route))
        fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
        assert fonts and not any("Type 3" in line for line in fonts)
        assert all(re.search(r" yes yes ", line) for line in fonts)
        words = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
        assert "AdamW moments: ≈" in words.replace("\n", " ") and "fits" in words


def test_a_pdf_made_without_tex_says_each_figure_to_who_cannot_see_it(tmp_path):
    from symbolic_mem.render import tex
    from symbolic_mem.render.jinja import render_text
    from symbolic_mem.render.pdf import pdf

    document = report(load_study("cs336-a2-xxl"))
    made = pdf(render_text(document, "report", tex.FACE), document.figures, route="typst")

    def spoken(node: object) -> list[str]:
        node = node.get_object() if hasattr(node, "get_object") else node
        if isinstance(node, list):
            return [said for each in node for said in spoken(each)]
        if not isinstance(node, dict):
            return []
        return ([str(node["/Alt"])] if "/Alt" in node else []) + spoken(node.get("/K"))

    said = spoken(PdfReader(io.BytesIO(made)).trailer["/Root"]["/StructTreeRoot"])
    assert said == [plain_prose(figure.said) for figure in document.figures]


@pytest.mark.system
def test_in_a_browser_no_words_of_a_figure_stand_over_others(tab, tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes(render(report(load_study("llama-3.1-8b")), "report", "html"))
    for width in (320, 390, 1000):
        page = tab(path, width=width)
        over = page.value("""[...document.querySelectorAll('svg.drawing')].flatMap(drawing => {
            const words = [...drawing.querySelectorAll('text')].map(w => [w.textContent, w.getBoundingClientRect()]);
            const frame = drawing.getBoundingClientRect();
            const out = words.filter(([, w]) => w.left < frame.left - 2 || w.right > frame.right + 2).map(([t]) => t);
            return out.concat(words.flatMap(([t, a], i) => words.slice(i + 1).filter(([, b]) =>
                a.left < b.right - 1 && b.left < a.right - 1 && a.top + 3 < b.bottom - 3 && b.top + 3 < a.bottom - 3)
                .map(([u]) => t + ' / ' + u)));
        })""")
        assert over == []
        assert page.value("document.documentElement.scrollWidth") <= width


REGION = """
title = "Where it fits"
[model]
kind = "ffn"
[values]
d_model = 16384
d_ff = 53248
L = 126
B = 128
S = 1024
[recipe]
preset = "cs336"
[placement]
weights = { fraction = "1", over = "n_fsdp" }
gradients = { fraction = "1", over = "n_fsdp" }
optimizer = { fraction = "1", over = "n_fsdp" }
activations = { fraction = "1/2", over = "n_fsdp", rest = "kept" }
[[question]]
label = "a"
ask = "insight"
device = "tpu-v5p"
rows = { B = [1, 8, 64] }
columns = { S = [128, 1024] }
figures = ["region"]
[[question]]
label = "b"
ask = "largest"
for = "B"
device = "tpu-v5p"
values = { n_fsdp = 128 }
figures = ["bound", "device"]
"""


def test_the_cells_of_a_region_are_the_entries_of_its_table_and_shade_with_them(tmp_path):
    path = tmp_path / "region.toml"
    path.write_text(REGION)
    study = load_study(str(path))
    region, bound, device = homework(study).figures
    entries = answer(study, "a").facts["region"]["entries"]
    assert [entry for _, _, entry in region.rows] == [entry for line in entries for entry in line]
    cells = [mark for mark in region.marks if isinstance(mark, Patch)]
    shades = {entry: cell.level for cell, (_, _, entry) in zip(cells, region.rows, strict=True)}
    assert shades.pop(None) is None and sorted(shades.values()) == [shades[entry] for entry in sorted(shades)]
    largest = answer(study, "b")
    sizes = {number: (size, fits) for number, size, fits in bound.rows}
    assert rounded_up(sizes[largest.value][0]) == largest.facts["per_device_bytes"] and sizes[largest.value][1] == "yes"
    assert rounded_up(sizes[largest.value + 1][0]) == largest.facts["at_value_plus_one_bytes"]
    assert sizes[largest.value + 1][1] == "no" and device.rows[-2][1] == sizes[largest.value][0]


def test_the_times_are_those_of_the_answer_and_cross_at_its_batch():
    found, shown = answer(load_study("cs336-a2-xxl"), "c"), figures("cs336-a2-xxl")["c-times"]
    at = {tokens: times for tokens, *times in shown.rows}
    before, after = (at[tokens] for tokens in (max(t for t in at if t < found.value), found.value))
    assert before[0] < max(before[1:]) and after[0] >= max(after[1:])
    for tokens, (math, *sent) in at.items():
        put = {**found.known, T: tokens}
        assert math == found.times.math.xreplace(put)
        assert sent == [each.time.xreplace(put) for each in found.times.sent]
