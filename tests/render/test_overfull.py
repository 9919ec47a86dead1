"""No line of a bundled study sticks out by more than a point: TeX's own log says so. Slow: it sets every study."""

from __future__ import annotations

import pytest
from overfull import overfull

from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render

pytestmark = pytest.mark.system


def test_this_test_sees_a_box_that_is_too_wide(needs, tmp_path):
    needs("pdflatex")
    body = r"\documentclass{article}\begin{document}\noindent\rule{\dimexpr\textwidth+3pt}{1pt}\end{document}"
    assert len(overfull(body, tmp_path)) == 1


@pytest.mark.parametrize("build", [homework, report])
@pytest.mark.parametrize("name", sorted(bundled()))
def test_no_box_of_a_bundled_study_is_too_wide(needs, name, build, tmp_path):
    needs("pdflatex")
    assert overfull(render(build(load_study(name)), build.__name__, "tex").decode(), tmp_path) == []
