"""What the pages show of Python is a program that a checker of types finds nothing wrong with."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMPORT = "import symbolic_mem as sm\n"


def program(page: str) -> str:
    """The lines that a page gives to Python, block after block."""
    blocks = re.findall(
        r"^```(?:python|pycon)\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    lines = [line for block in blocks for line in block.splitlines()]
    typed = [line[4:] for line in lines if line.startswith((">>> ", "... "))]
    return "\n".join(typed) + "\n"


@pytest.mark.slow
def test_all_pages_pass_mypy(tmp_path, monkeypatch):
    api = pytest.importorskip("mypy.api", reason="mypy is in the extra `lint`")
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    pages = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    scripts = {page: program(page) for page in pages if IMPORT in program(page)}
    assert {"README.md", "docs/python.md", "docs/papers.md", "docs/sweep.md"} <= set(scripts)
    paths = []
    for page, script in scripts.items():
        paths.append(tmp_path / f"{Path(page).stem.lower()}_script.py")
        paths[-1].write_text(f"{script}reveal_type(sm.solve)\n", encoding="utf-8")
    options = ["--follow-imports=silent", "--cache-dir", str(tmp_path / "cache")]
    said, errors, _ = api.run([*options, *map(str, paths)])
    assert errors == ""
    *told, last = said.splitlines()
    assert last == f"Success: no issues found in {len(paths)} source files"
    assert len(told) == len(paths)  # what the package's functions are, and not that everything is of any type
    assert all("Memory" in revealed and "Bound" in revealed for revealed in told)
