"""What the pages show of Python is a program that a checker of types finds nothing wrong with."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "docs/python.md"]


def program(page: str) -> str:
    """The lines that a page gives to Python, block after block."""
    blocks = re.findall(
        r"^```(?:python|pycon)\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    lines = [line for block in blocks for line in block.splitlines()]
    typed = [line[4:] for line in lines if line.startswith((">>> ", "... "))]
    return "\n".join(typed) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_passes_mypy(page, tmp_path, monkeypatch):
    api = pytest.importorskip("mypy.api", reason="mypy is in the extra `lint`")
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    script = tmp_path / "script.py"
    script.write_text(f"{program(page)}reveal_type(sm.solve)\n", encoding="utf-8")
    said, errors, _ = api.run(["--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"), str(script)])
    assert errors == ""
    *told, revealed, last = said.splitlines()
    assert (told, last) == ([], "Success: no issues found in 1 source file")
    assert "Memory" in revealed and "Bound" in revealed  # and not that everything is of any type
