"""The figures that the script of a page draws, mark by mark: they are those of the documents, in the same numbers."""

from __future__ import annotations

import math
import re
from itertools import groupby, pairwise
from urllib.parse import urlencode

import pytest
from pages import changed, held_by, settings

from symbolic_mem.base.errors import BadInput
from symbolic_mem.document.charts import Told, cells
from symbolic_mem.document.figure import Band, Curve, Level, Patch
from symbolic_mem.document.prose import text
from symbolic_mem.explore.data import asked
from symbolic_mem.explore.first import first
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.parts.charts import step_chart
from symbolic_mem.render.text import plain_prose

pytestmark = pytest.mark.system
PIXEL = 0.6
DRAWN = """(() => {
    const numbers = (one, ...names) => names.map((name) => Number(one.getAttribute(name)));
    const of = (id, name, read) => [...document.querySelectorAll(`#${id} svg.plot ${name}`)].map((one) => [one.getAttribute('class'), ...read(one)]);
    return Object.fromEntries(['bar', 'curve', 'step', 'region'].map((id) => [id, {
        wide: document.querySelector(`#${id} svg.plot`)?.viewBox.baseVal.width,
        said: document.querySelector(`#${id} svg.plot`)?.getAttribute('aria-label'),
        boxes: of(id, 'rect', (one) => numbers(one, 'x', 'y', 'width', 'height')),
        lines: of(id, 'polyline', (one) => one.getAttribute('points').split(' ').map((point) => point.split(',').map(Number))),
        words: of(id, 'text', (one) => [one.textContent.replaceAll('\\u200b', ''), ...numbers(one, 'x', 'y')]),
        hidden: document.getElementById(id).closest('figure').hidden,
    }])); })()"""


def address(content, setting):
    """The link of a setting."""
    options = zip(content["choices"], setting["chosen"], strict=True)
    told = [*setting["values"].items(), ("device", setting["device"]), ("reading", setting["reading"])]
    told += [(option[2:], options[place][0]) for (_, _, option, options), place in options if place]
    return urlencode([*told, *([("shows", setting["shows"])] if "shows" in setting else [])])


def drawn(page, content, setting):
    """What the page draws at a setting."""
    page.follow(address(content, setting))
    page.value("dispatchEvent(new Event('scroll'))")
    return page.value(DRAWN)


def near(one, other):
    assert len(one) == len(other)
    assert all(abs(a - b) <= PIXEL for a, b in zip(one, other, strict=True)), (one, other)


def of_class(shapes, *names):
    return [shape[1:] for shape in shapes if shape[0] in names]


def is_bar(shown, figure):
    """Its parts in their order, and the capacity, on an axis to the same end."""
    scale = shown["wide"] / float(figure.x.high)
    patches = [mark for mark in figure.marks if isinstance(mark, Patch)]
    assert [one[0] for one in shown["boxes"]] == [f"series-{patch.series}" for patch in patches]
    near([one[1] for one in shown["boxes"]], [patch.left * scale for patch in patches])
    near([one[3] for one in shown["boxes"]], [(patch.right - patch.left) * scale for patch in patches])
    (limit,) = (mark for mark in figure.marks if isinstance(mark, Level))
    ((top, bottom),) = of_class(shown["lines"], "limit")
    near([top[0], bottom[0]], [limit.value * scale] * 2)
    assert [one[1] for one in shown["words"]] == [plain_prose(limit.words)]


def is_curve(shown, figure):
    """The curve, the capacity, the floor, the answer and the part that fits, on the same two axes."""
    (((left, at), (right, _)),) = of_class(shown["lines"], "limit")
    upright = [line for line in of_class(shown["lines"], "hair") if line[0][0] == line[1][0]]
    top, bottom = upright[0][0][1], upright[0][1][1]

    def x(number):
        return left + math.log(number) / math.log(figure.x.high) * (right - left)

    def y(size):
        return bottom - math.log(size / figure.y.low) / math.log(figure.y.high / figure.y.low) * (bottom - top)

    levels = {mark.role: mark for mark in figure.marks if isinstance(mark, Level)}
    near([at], [y(levels["limit"].value)])
    floors, answers = of_class(shown["lines"], "floor"), of_class(shown["lines"], "answer-line")
    near([line[0][1] for line in floors], [y(levels["floor"].value)] if "floor" in levels else [])
    near([line[0][0] for line in answers], [x(levels["answer"].value)] if "answer" in levels else [])
    bands = [mark for mark in figure.marks if isinstance(mark, Band)]
    tints = of_class(shown["boxes"], "tint")
    near(
        [edge for box in tints for edge in (box[0], box[0] + box[2])],
        [x(one) for band in bands for one in (band.low, band.high)],
    )
    (line,) = of_class(shown["lines"], "curve")
    (curve,) = (mark for mark in figure.marks if isinstance(mark, Curve))
    near([height(line, x(number)) for number, _ in curve.points], [y(size) for _, size in curve.points])
    words = [one[1] for one in shown["words"]]
    assert plain_prose(levels["limit"].words) in words
    beside = [one[1] for one in shown["words"] if one[0] == "quiet" and one[2] < left]
    assert beside == [plain_prose(tick.words) for tick in figure.y.ticks]
    below = [one[1] for one in shown["words"] if abs(one[3] - bottom - 16) < 1]
    ticks = [plain_prose(tick.words) for tick in figure.x.ticks]
    assert {*below} <= {*ticks} and {plain_prose(tick.words) for tick in figure.x.ticks if tick.asked} <= {*below}


def height(line, x):
    """Where a line is at an x."""
    for (x0, y0), (x1, y1) in pairwise(line):
        if x0 - PIXEL <= x <= x1 + PIXEL:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    raise AssertionError(x)


def are_columns(shown, figure):
    """Every instant with its parts in their order, each from where it begins to where it ends, and the capacity."""
    patches = [mark for mark in figure.marks if isinstance(mark, Patch)]
    expected = [list(group) for _, group in groupby(patches, key=lambda patch: patch.left)]
    found, column = [], []
    for look, *box in shown["boxes"]:
        if look == "hit":
            found.append(column)
            top, bottom, column = box[1], box[1] + box[3], []
        else:
            column.append((look, *box))
    scale = (bottom - top) / float(figure.y.high)
    assert [[one[0] for one in column] for column in found] == [
        [f"series-{one.series}" for one in column] for column in expected
    ]
    for boxes, parts in zip(found, expected, strict=True):
        near([box[2] for box in boxes], [bottom - part.top * scale for part in parts])
        near([box[2] + box[4] for box in boxes], [bottom - part.bottom * scale for part in parts])
    (limit,) = (mark for mark in figure.marks if isinstance(mark, Level))
    (line,) = of_class(shown["lines"], "limit")
    near([line[0][1]], [bottom - limit.value * scale])
    words = [one[1] for one in shown["words"]]
    ticks = [plain_prose(tick.words) for tick in figure.y.ticks]
    assert words[: len(ticks)] == ticks and words[-1] == plain_prose(limit.words)
    groups = [plain_prose(tick.words) for tick in figure.x.ticks]
    assert [one for one in groups if one in words[len(ticks) : -1]] == words[len(ticks) : -1] != []


def are_cells(shown, smallest, count):
    """The cells of a region: `smallest` gives Python's number for two sizes; `count` of them are asked."""
    down, across = re.search(r"at (\w+) = .*?\. (\w+) =", shown["said"]).groups()[::-1]
    columns = re.search(r" at \w+ = ([\d, ]+)\.", shown["said"])[1].split(", ")
    rows = re.findall(rf"{down} = (\d+): ([^.]+)", shown["said"])
    sizes = [[int(row) for row, _ in rows], [int(one) for one in columns]]
    told = [line.split(", ") for _, line in rows]
    entries = [[int(one) if one.isdigit() else None for one in line] for line in told]
    figure = cells(
        Told("f", text(""), text("")), (text(down), down, sizes[0]), (text(across), across, sizes[1]), entries
    )
    boxes = [one for one in shown["boxes"] if one[0] != "here"]
    looks = ["empty" if mark.level is None else f"level-{mark.level * 5}" for mark in figure.marks]
    assert [one[0] for one in boxes] == looks
    words = [one[1] for one in shown["words"] if one[0] == "on-dark" or one[0] == "on-light" or one[1] in "–·"]
    flat = [one for line in told for one in line]
    for said, mark, own in zip(words, figure.marks, flat, strict=True):
        assert said in {"·" if own == "not possible" else plain_prose(mark.words), said if "e" in said else ""}
        assert "e" not in said or float(said) == pytest.approx(int(own), rel=0.5)
    places = [(row, column) for row in range(len(rows)) for column in range(len(columns))]
    for row, column in places[:: max(1, len(places) // count)]:
        expected = smallest({down: sizes[0][row], across: sizes[1][column]})
        assert expected == told[row][column], (row, column)
    return len([one for one in flat if one.isdigit()])


def compared(tab, path, study, count, seed, several=7):
    """Compare the figures of so many settings; return how many of each kind there were."""
    question, content, page, seen = (
        asked(study),
        held_by(path),
        tab(path),
        dict.fromkeys(("bar", "curve", "step", "region"), 0),
    )
    own = {"values": dict(content["symbols"]), "device": content["devices"][0]["name"], "reading": content["reading"]}
    for setting in [own | {"chosen": [0] * len(content["choices"])}, *settings(content, count, seed)]:
        try:
            here = changed(study, content, setting)
            told = first(here, question)
        except BadInput:
            continue
        if "refused" in page.value(f"explorer.answer({setting!r})"):
            continue
        shown = drawn(page, content, setting)
        is_bar(shown["bar"], told.bar)
        is_curve(shown["curve"], told.curve)
        seen["bar"] += 1
        seen["curve"] += 1
        found = question.answer(here.under(question))
        counted = found.value is not None and found.given is None
        figure = step_chart(found, "step", found.capacity_unit or "GiB") if counted else None
        if figure is not None:
            are_columns(shown["step"], figure)
            seen["step"] += 1

        def smallest(sizes, setting=setting):
            moved = setting | {"values": setting["values"] | {name: str(size) for name, size in sizes.items()}}
            try:
                found = question.answer(changed(study, content, moved).under(question))
            except BadInput:
                return "not possible"
            return "none" if found.value is None else str(found.value)

        seen["region"] += are_cells(shown["region"], smallest, several) > 0
    return seen


STUDIES = {"cs336-a2-xxl": 12, "llama-3.1-8b": 20}


@pytest.mark.parametrize("name", STUDIES)
def test_every_figure_of_a_page_is_that_of_the_documents_mark_by_mark(tab, pages, name):
    seen = compared(tab, pages(name), load_study(name), STUDIES[name], seed=f"{name} figures", several=3)
    assert min(seen[kind] for kind in ("bar", "curve", "region")) > STUDIES[name] / 4
    assert (seen["step"] > 0) is (name != "cs336-a2-xxl")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cs336-a2-xxl", "llama-3.1-8b", "mixtral-8x7b", "deepseek-v3", "cluster-gpt-3-175b"])
def test_the_same_of_more_settings(tab, pages, name):
    seen = compared(tab, pages(name), load_study(name), 40, seed=f"{name} more figures")
    assert min(seen[kind] for kind in ("bar", "curve")) > 10
