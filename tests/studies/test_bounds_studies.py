"""The bundled studies about bounds: every published figure, recomputed, in both documents."""

from __future__ import annotations

import json
from pathlib import Path

import derived
import pytest

from symbolic_mem.library.read import load_study
from symbolic_mem.render.json import document_json

DATA = json.loads((Path(__file__).parents[1] / "data" / "bounds.json").read_text(encoding="utf-8"))
CASES = {case["id"]: case for case in DATA["cases"]}
STUDIES = (
    "cs336-a1-adamw",
    "cs336-a2-optimizer-sharding",
    "zero-table-1",
    "zero-table-2",
    "scaling-book-chips",
    "scaling-book-h100s",
)


def solved(name):
    return document_json(derived.homework(name))


@pytest.mark.parametrize("name", STUDIES)
def test_each_is_solved_and_reported(name):
    study = load_study(name)
    assert len(derived.homework(name).answers) == len(study.questions)
    assert len(derived.report(name).answers) == len(study.questions)


def test_adamw_accounting():
    for name, batches, last, unit in (
        ("cs336-a1-adamw", [2, 3], "t_days", 6583.6),
        ("cs336-a1-2026-adamw", [3, 3], "t_hours", 4850.1),
    ):
        found = {one["question"]: one for one in solved(name)["questions"]}
        assert [found[label]["value"] for label in ("b", "b, binary")] == batches
        assert float(found["d"]["values"][last]["value"]) == pytest.approx(unit, abs=0.05)
        assert found["c"]["values"]["F_adamw"]["value"] == 14 * found["c"]["values"]["P"]["value"]


def test_optimizer_state_sharding():
    cells = solved("cs336-a2-optimizer-sharding")["questions"][0]["cells"]
    parameters = CASES["cs336-a2-xl-params"]["value"]
    assert {(cell["stage"], cell["n_fsdp"]): cell["value"] for cell in cells if cell["n_fsdp"] in (1, 2)} == {
        (0, 1): 16 * parameters,
        (0, 2): 16 * parameters,
        (1, 1): 16 * parameters,
        (1, 2): 12 * parameters,
    }
    assert abs(16 * parameters / 2**30 - CASES["cs336-a2-xl-16P"]["value"]) <= 0.001


def test_zero_table_1_with_its_truncated_figures():
    questions = solved("zero-table-1")["questions"]
    table = DATA["zero_table_1"]["rows"]
    for question, rows in zip(questions, table.values(), strict=False):
        found = {(cell["n_fsdp"], cell["stage"]): float(cell["printed"]) for cell in question["cells"]}
        expected = {(int(n), i): figure for n, row in rows.items() for i, figure in enumerate(row, start=1)}
        assert found == expected
        for cell in question["cells"]:
            assert abs(cell["value"] / 10**9 - float(cell["printed"])) <= 1
    cut = [[c["value"] / 10**9 for c in q["cells"] if c["verdict"] == "truncated"] for q in questions]
    assert not any(c["verdict"] == "different" for q in questions for c in q["cells"])
    assert 4187.5 in cut[2] and 2218.75 in cut[2] and 513.5 in cut[1]


def test_zero_figure_1():
    cells = solved("zero-table-1")["questions"][3]["cells"]
    assert [cell["value"] / 10**9 for cell in cells] == [
        CASES[f"zero-fig1-stage{stage}"]["value"] for stage in range(4)
    ]


def test_zero_table_2():
    cells = solved("zero-table-2")["questions"][0]["cells"]
    for cell in cells:
        printed = DATA["zero_table_2"]["rows"][str(cell["n_tp"])][cell["stage"]]
        share = [16, 4 + 12 / 64, 2 + 14 / 64, 16 / 64][cell["stage"]]
        assert abs(cell["value"] - 32e9 * cell["n_tp"] / share) < 1
        assert cell["value"] / 10**9 == pytest.approx(printed, rel=0.025)
    assert {cell["printed"] for cell in cells if cell["verdict"] == "different"} >= {"30.4B", "121.6B"}


def test_225_printed_226_right():
    document = solved("scaling-book-chips")
    assert document["questions"][0]["value"] == 226
    assert CASES["sb-at-chips-rounded"]["printed"] == 225
    text = json.dumps(document, ensure_ascii=False)
    assert "commit 0819a7d of 18 February 2025); the exact answer is 226, 1 device more. That edition computes " in text
    assert document["questions"][1]["value"] == 117 and "when the page still had 225): it agrees." in text
    left = {one["devices"]: one["fits"] for one in document["questions"][2]["left_over"]}
    assert left == {225: False, 226: True, 8960: True}
    used = document["questions"][2]["left_over"][1]["used_bytes"] * 226
    assert used == pytest.approx(CASES["sb-at-mem"]["value"])


def test_nine_h100s_and_sixteen_in_nodes():
    plain, nodes = solved("scaling-book-h100s")["questions"]
    assert (plain["value"], nodes["value"]) == (CASES["sb-gpu-q5-9"]["value"], 16)
    assert nodes["at_largest_allowed_below_bytes"] == CASES["sb-gpu-q5-8way"]["value"]
