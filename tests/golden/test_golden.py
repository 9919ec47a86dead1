"""The whole worked solution as LaTeX, line by line: a change of it is seen in review.

After a change that is meant: `SYMBOLIC_MEM_UPDATE=1 python -m pytest tests/golden`.
"""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

import pytest

from symbolic_mem.documents import documents
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render

HERE = Path(__file__).parent


@pytest.mark.parametrize("layout", ["homework", "report"])
def test_the_latex_of_the_bundled_study(layout):
    golden = HERE / f"cs336-a2-xxl.{layout}.tex"
    found = render(getattr(documents, layout)(load_study("cs336-a2-xxl")), layout, "tex")
    if os.environ.get("SYMBOLIC_MEM_UPDATE") == "1":
        golden.write_bytes(found)
    expected = golden.read_text(encoding="utf-8")
    changed = list(unified_diff(expected.splitlines(), found.decode().splitlines(), "golden", "now", n=0, lineterm=""))
    if changed:
        pytest.fail("\n".join([*changed[:40], "If this is meant: SYMBOLIC_MEM_UPDATE=1 python -m pytest tests/golden"]))
