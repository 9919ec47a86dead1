"""The meshes of whole axes that a worked solution tries, against plain arithmetic over all divisors."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symbolic_mem.documents import documents
from symbolic_mem.library.read import load_study
from symbolic_mem.render.json import document_json
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.answered import answer_to


@pytest.mark.parametrize("shape", [(16, 4), (8, 8), (12, 4), (4, 4)])
def test_the_best_mesh_of_whole_axes_is_found_among_all_of_them(shape):
    study = load_study("cs336-a2-xxl").change(values=dict(zip("XY", shape, strict=True)))
    found = document_json(documents.homework(study, "full"))
    section = next(one for one in found["sections"] if one["title"].startswith("(d)"))
    table = next(block for block in section["blocks"] if block["kind"] == "table")
    chips, width, peak, link, axes = shape[0] * shape[1], 53_248, 46 * 10**13, 18 * 10**10, 2
    tokens = {}
    for row in table["rows"]:
        x, y = int(row[0]), int(row[1])
        ratio = Fraction(width * link, y * peak)
        if y > 1:
            assert abs(read(row[2]) - ratio) <= ratio / 10**4
        if y == 1 or ratio > 1:
            tokens[x] = Fraction(x * peak, axes * link) if x > 1 else 0
            assert abs(read(row[3]) - tokens[x]) <= tokens[x] / 10**4
        else:
            assert row[3] == "–"
    assert [int(row[0]) for row in table["rows"]] == [x for x in range(1, chips + 1) if chips % x == 0]
    best = min(tokens, key=tokens.__getitem__)
    said = [block["statement"] for block in section["blocks"] if block["kind"] == "step"]
    assert any(
        one.startswith(f"{best} × {chips // best} is the best of the {len(table['rows'])} meshes") for one in said
    )


def read(cell):
    return Fraction(cell.replace("≈", "").replace(",", "").strip())


@pytest.mark.parametrize(("shape", "best"), [((16, 4), False), ((8, 8), False), ((4, 16), True)])
def test_a_mesh_that_is_the_best_already_is_not_said_to_be_a_way(shape, best):
    study = load_study("cs336-a2-xxl").change(values=dict(zip("XY", shape, strict=True)))
    question = study.question("d")
    found = answer_to(study.under(question), question)
    peak, link, width, chips = 46 * 10**13, 18 * 10**10, 53_248, shape[0] * shape[1]
    busy = [x for x in range(2, chips + 1) if chips % x == 0 and width * link * x > chips * peak]
    assert (min(busy) == shape[0]) is best
    words = plain_prose(question.sentence(found))
    assert ("the mesh as given is the best of whole axes" in words) is best
    assert ("on the best mesh of whole axes" in words) is not best


def test_the_best_shape_is_one_of_whole_axes_where_another_way_has_no_batch():
    study = load_study("cs336-a2-xxl").change(values={"X": 6, "Y": 8})  # six chips are not cut in four
    question = study.question("d")
    words = plain_prose(question.sentence(answer_to(study.under(question), question)))
    assert (
        "≈ 3833.3 tokens on the best mesh of whole axes, 3 × 16 (≈ 2943.6 at X ≈ 2.3037, which" in words
    )  # 3 4.6e14/3.6e11
