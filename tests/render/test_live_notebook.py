"""A notebook as nbclient runs it and nbconvert exports it: without an error, its numbers in it, its page of play whole."""

from __future__ import annotations

import os
from html.parser import HTMLParser

import pytest

from symbolic_mem.documents.documents import homework
from symbolic_mem.explore.page import explorer
from symbolic_mem.library.read import load_study
from symbolic_mem.render.document import render


@pytest.fixture
def jupyter():
    try:
        import ipykernel  # noqa: F401 (the kernel that nbclient starts)
        import nbclient
        import nbconvert  # noqa: F401 (what exports a notebook)
        import nbformat
    except ImportError:
        if os.environ.get("SYMBOLIC_MEM_NO_SKIP") == "1":
            pytest.fail("needs nbclient, nbconvert and ipykernel, and SYMBOLIC_MEM_NO_SKIP=1 forbids skipping")
        pytest.skip("nbclient, nbconvert and ipykernel are not installed")
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


class Frames(HTMLParser):
    """Collects the attributes of every frame, as a browser reads them."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag == "iframe":
            self.found.append(dict(attrs))


@pytest.mark.filterwarnings("default")  # those of the kernel's own packages
def test_a_page_of_play_survives_the_export_of_its_notebook(jupyter, tmp_path):
    nbformat, nbclient = jupyter
    from nbconvert import HTMLExporter, MarkdownExporter

    code = 'import symbolic_mem as sm\nsm.explorer(sm.load_study("cs336-a2-xxl"))'
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    saved = nbformat.reads(nbformat.writes(book), as_version=4)
    page = explorer(load_study("cs336-a2-xxl"))
    for exporter in (HTMLExporter, MarkdownExporter):
        frames = Frames()
        frames.feed(exporter().from_notebook_node(saved)[0])
        (frame,) = frames.found
        assert frame["srcdoc"] == page.html, exporter.__name__
        assert frame["sandbox"] == "allow-scripts" and frame["title"].startswith("Explorer: ")
    # what a viewer without frames shows
    assert saved.cells[0].outputs[0].data["text/plain"] == repr(page)
