"""No line of a bundled study sticks out by more than a point: TeX's own log says so. Slow: it sets every study."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render

pytestmark = pytest.mark.system
PASSES = 2  # the widths of long tables settle in the second


def overfull(tex: str, folder) -> list[str]:
    """The boxes that are more than a point too wide."""
    (folder / "x.tex").write_text(tex, encoding="utf-8")
    command = ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
    for _ in range(PASSES):
        quiet = {**os.environ, "max_print_line": "10000"}
        subprocess.run(command, cwd=folder, env=quiet, stdout=subprocess.DEVNULL, check=True)
    log = (folder / "x.log").read_text(encoding="utf-8", errors="replace")
    return [
        line[0] for line in re.finditer(r"^Overfull \\hbox \(([\d.]+)pt.*", log, re.MULTILINE) if float(line[1]) > 1
    ]


def test_this_test_sees_a_box_that_is_too_wide(needs, tmp_path):
    needs("pdflatex")
    body = r"\documentclass{article}\begin{document}\noindent\rule{\dimexpr\textwidth+3pt}{1pt}\end{document}"
    assert len(overfull(body, tmp_path)) == 1


@pytest.mark.parametrize("build", [homework, report])
@pytest.mark.parametrize("name", sorted(bundled()))
def test_no_box_of_a_bundled_study_is_too_wide(needs, name, build, tmp_path):
    needs("pdflatex")
    assert overfull(render(build(load_study(name)), build.__name__, "tex").decode(), tmp_path) == []
