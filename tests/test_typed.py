"""What the pages show of Python is a program that a checker of types finds nothing wrong with."""

import json
import re
import subprocess
import sys
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


def scripts(folder: Path) -> list[Path]:
    """What each page shows of Python as a file, which also asks what a function of the package is."""
    pages = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    shown = {page: program(page) for page in pages if IMPORT in program(page)}
    assert {"README.md", "docs/python.md", "docs/papers.md", "docs/sweep.md"} <= set(shown)
    for page, script in shown.items():
        text = f"{script}reveal_type(sm.solve)\n"
        (folder / f"{Path(page).stem.lower()}_script.py").write_text(text, encoding="utf-8")
    return sorted(folder.glob("*_script.py"))


def assert_told(revealed: list[str], paths: list[Path]) -> None:
    """The functions are known for what they are, and not as of any type."""
    assert len(revealed) == len(paths)
    assert all("Memory" in words and "Bound" in words for words in revealed)


@pytest.mark.slow
def test_all_pages_pass_mypy(tmp_path, monkeypatch):
    api = pytest.importorskip("mypy.api", reason="mypy is in the extra `lint`")
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    paths = scripts(tmp_path)
    options = ["--follow-imports=silent", "--cache-dir", str(tmp_path / "cache")]
    said, errors, _ = api.run([*options, *map(str, paths)])
    assert errors == ""
    *told, last = said.splitlines()
    assert last == f"Success: no issues found in {len(paths)} source files"
    assert_told(told, paths)


@pytest.mark.slow
def test_all_pages_pass_pyright(tmp_path):
    pytest.importorskip("pyright", reason="pyright is in the extra `lint`")
    paths = scripts(tmp_path)
    settings = {"extraPaths": [str(ROOT)], "reportUnusedExpression": False}  # a prompt shows what it is given
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    revealed = [one["message"] for one in found if one["severity"] == "information"]
    assert [one for one in found if one["severity"] != "information"] == []
    assert_told(revealed, paths)
