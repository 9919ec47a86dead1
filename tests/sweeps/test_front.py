"""The figure of a front: its points are those that nothing beats, its line holds each until the next is reached."""

from __future__ import annotations

import re
from itertools import product

import pytest

np = pytest.importorskip("numpy")

from symbolic_mem.cli.main import main
from symbolic_mem.document.figure import Curve
from symbolic_mem.sweeps.front import front_figure
from symbolic_mem.sweeps.plan import plan
from symbolic_mem.sweeps.sweep import sweep

STUDY = "llama-3.1-8b"
GRID = ("--vary", "B=1:9", "--vary", "S=2048,4096,8192", "--vary", "L=8,16,32")
AXES = {"B": range(1, 9), "S": [2048, 4096, 8192], "L": [8, 16, 32]}


@pytest.fixture
def called(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        status = main(["sweep", STUDY, *GRID, *arguments])
        out = capsys.readouterr()
        return status, out.out, out.err

    return call


def best(one: str, other: str) -> list[tuple[int, int]]:
    """The pairs (the less of one, the more of the other) that no other pair of the grid beats, by comparing all of them."""
    found = sweep(STUDY, columns=["peak"], **AXES)
    every = {
        tuple(({"B": b, "S": s, "L": n} | found.at(B=b, S=s, L=n))[name] for name in (one, other))
        for b, s, n in product(*AXES.values())
        if found.at(B=b, S=s, L=n)["n_fsdp"]
    }
    return sorted(p for p in every if not any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in every))


@pytest.mark.parametrize(("one", "other"), [("n_fsdp", "L"), ("peak", "B"), ("peak", "L")])
def test_the_points_are_those_that_nothing_beats(called, tmp_path, one, other):
    status, out, err = called("--pareto", f"{one},-{other}", "-o", "front.svg")
    points = best(one, other)
    assert (status, out, err) == (0, f"front.svg: {len(points)} of 72 configurations\n", "")
    drawn = (tmp_path / "front.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<svg") and drawn.count("<polyline") >= 1
    assert f"<desc>{len(points)} configurations that no other beats in both" in drawn
    (line,) = [
        found for found in re.findall(r'<polyline points="([^"]*)"', drawn) if found.count(" ") == 2 * len(points) - 2
    ]
    assert line


def test_each_point_holds_until_the_next_is_reached():
    planned = plan(STUDY, axes={"B": [1, 2], "S": [1024]})
    figure = front_figure(planned, (("B", True), ("peak", False)), [(64, 9 * 2**30), (8, 5 * 2**30), (2, 2**30)])
    (curve,) = figure.marks
    assert isinstance(curve, Curve)
    gib = [(x, y // 2**30) for x, y in curve.points]
    assert gib == [(64, 9), (8, 9), (8, 5), (2, 5), (2, 1)]
    assert figure.x.log and not figure.y.log  # 64 is 32 times 2, and 9 GiB are 9 times 1 GiB
    assert figure.csv.splitlines()[1] == f"64,{9 * 2**30}"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "front.svg"), "an .svg file shows the front of two columns; add --pareto"),
        (("--pareto", "n_fsdp,-L", "--where", "L=8", "-o", "front.svg"), "of the two points that a figure needs"),
        (("--pareto", "n_fsdp,-L", "--where", "B>99", "-o", "front.svg"), "the front has 0 of the two points"),
    ],
)
def test_what_makes_no_figure_is_refused_and_nothing_is_left(called, tmp_path, options, said):
    status, _, err = called(*options)
    assert status == 2 and said in err and err.count("\n") == 1 and not list(tmp_path.iterdir())
