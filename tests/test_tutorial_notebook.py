"""The notebook of the docs: every cell runs, and what it shows is what stands in the file.

`SYMBOLIC_MEM_UPDATE=1 python -m pytest tests/test_tutorial_notebook.py` writes the outputs anew.
"""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[1] / "docs" / "tutorial.ipynb"
UPDATE = os.environ.get("SYMBOLIC_MEM_UPDATE") == "1"


def shown(source: str, names: dict[str, Any]) -> dict[str, str] | None:
    """Run a cell as a notebook does, and return what it shows of its last line."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(PATH), "exec"), names)  # noqa: S102 (a page of ours)
    if last is None:
        return None
    value = eval(compile(ast.Expression(last.value), str(PATH), "eval"), names)
    return value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {"text/plain": repr(value)}


def test_every_cell_shows_what_stands_in_the_file():
    notebook = json.loads(PATH.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        count += 1
        bundle = shown(cell["source"], names)
        made = [] if bundle is None else [_output(bundle, count)]
        if UPDATE:
            cell["outputs"], cell["execution_count"] = made, count
        assert cell["outputs"] == made, cell["source"]
    if UPDATE:
        PATH.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert count > 10


def _output(bundle: dict[str, str], count: int) -> dict[str, Any]:
    return {"data": bundle, "execution_count": count, "metadata": {}, "output_type": "execute_result"}
