"""A notebook as nbclient runs it: valid, without an error from top to bottom, and with its numbers in its outputs."""

from __future__ import annotations

import os

import pytest

from symbolic_mem.documents.documents import homework
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render


@pytest.fixture
def jupyter():
    try:
        import ipykernel  # noqa: F401 (the kernel that nbclient starts)
        import nbclient
        import nbformat
    except ImportError:
        if os.environ.get("SYMBOLIC_MEM_NO_SKIP") == "1":
            pytest.fail("needs nbclient and ipykernel, and SYMBOLIC_MEM_NO_SKIP=1 forbids skipping")
        pytest.skip("nbclient and ipykernel are not installed")
    return nbformat, nbclient


@pytest.mark.filterwarnings("default")  # those of the kernel's own packages
def test_a_notebook_runs_from_top_to_bottom(jupyter, tmp_path):
    nbformat, nbclient = jupyter
    document = homework(load_study("cs336-a2-xxl"))
    read = nbformat.reads(render(document, "homework", "ipynb").decode(), as_version=4)
    nbformat.validate(read)
    done = nbclient.NotebookClient(read, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = [
        output["data"]["text/plain"]
        for cell in done["cells"]
        for output in cell.get("outputs", ())
        if output["output_type"] == "execute_result"
    ]
    assert len(said) == 1 + len(document.parts)
    assert any("46" in line for line in said)
