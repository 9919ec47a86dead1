"""Templates of a user: a fault is one line with its place, and none can run away, read elsewhere or print what it is not given."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.documents.documents import homework, report
from symbolic_mem.library.read import load_study
from symbolic_mem.render import own_templates
from symbolic_mem.render.document import render
from symbolic_mem.render.formats import FORMATS
from symbolic_mem.render.templates import template_folder

DOCUMENT = homework(load_study("cs336-a2-buckets"))
NAME = "homework.md.j2"
FAULTS = {
    "{{ 1/0 }}": "line 2: ZeroDivisionError",
    "{{ 1 + 'a' }}": "line 2: TypeError: unsupported operand",
    "{{ version() }}": "line 2: TypeError: 'str' object is not callable",
    "{{ 1 | display }}": "line 2: TypeError",
    "{{ 'x' | round }}": "line 2: TypeError",
    "{{ none }}": "line 2: TypeError: a template printed nothing",
    "{{ document.titel }}": "line 2: .*has no attribute 'titel'",
    "{{ document.title": "line 2: unexpected end of template",
    "{% include 'homework.md.j2' %}": "line 2: it calls or includes itself without an end",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}": "line 2: it calls or includes itself without an end",
    "{{ range(10**9) | list }}": "line 2: OverflowError",
    "{{ 'x' * 10**10 }}": "line 2: it needs more memory than a template has",
    "{{ ''.__class__.__mro__ }}": "line 2: access to attribute '__class__' of 'str' object is unsafe",
    "{% include '../secret.md' %}": "../secret.md",
    "{% include '/etc/hostname' %}": "/etc/hostname",
}


@pytest.fixture
def written(tmp_path):
    """Give `written(template)`: the document as that template of a user sets it."""

    def write(template: str | bytes) -> str:
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        (tmp_path / "secret.md").write_text("CONFIDENTIAL")
        content = template if isinstance(template, bytes) else f"first\n{template}\n".encode()
        (folder / NAME).write_bytes(content)
        return render(DOCUMENT, "homework", "md", folder).decode()

    return write


@pytest.fixture
def filled_here(written, monkeypatch):
    """Give `filled_here(template)`: as `written`, but in this process, where a fault is as long as it is and nothing is limited."""

    def here(given, written, layout, ending, folder):
        return own_templates._filled(given, layout, ending, folder)

    monkeypatch.setattr(own_templates, "filled", here)
    return written


def one_fault(fill, template):
    with pytest.raises(BadInput, match=FAULTS[template]) as caught:
        fill(template)
    assert str(caught.value).startswith("template ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("template", [one for one in FAULTS if "10**10" not in one])
def test_a_fault_is_one_line_that_names_file_and_line(filled_here, template):
    one_fault(filled_here, template)


@pytest.mark.parametrize("template", ["{{ 1/0 }}", "{{ 'x' * 10**10 }}"])
def test_a_fault_in_its_process_is_that_line(written, template):
    one_fault(written, template)


def test_a_fault_in_an_included_template_names_that_one(filled_here, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "part.j2").write_text("a\nb\n{{ 1/0 }}\n")
    with pytest.raises(BadInput, match=r"template part\.j2, line 3: ZeroDivisionError"):
        filled_here("{% include 'part.j2' %}")


def test_a_template_that_is_not_text(filled_here):
    with pytest.raises(BadInput, match="is not UTF-8 text"):
        filled_here(b"\xff\xfe")
    with pytest.raises(BadInput, match="holds a control character"):
        filled_here("a\x1b[31m")


def test_a_template_that_does_not_end_is_stopped(written, monkeypatch):
    monkeypatch.setattr(own_templates, "COMPUTING", 2)
    start = time.monotonic()
    with pytest.raises(BadInput, match="was not done in time and was stopped; a loop in it is too long"):
        own = "{% for i in range(99999) %}{% for j in range(99999) %}{% set x = i * j %}{% endfor %}{% endfor %}"
        written(own)
    assert time.monotonic() - start < 50


def test_a_template_that_prints_too_much_is_stopped(written):
    with pytest.raises(BadInput, match="it prints more than 20,000,000 characters"):
        written("{% for i in range(90000) %}{{ 'x' * 1000 }}{% endfor %}")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_template_outside_its_folder_is_not_read(filled_here, tmp_path):
    (tmp_path / "mine").mkdir()
    os.mkfifo(tmp_path / "mine" / "pipe")
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "secret.md")
    (tmp_path / "mine" / "folder").symlink_to("/etc")
    (tmp_path / "mine" / "inside").symlink_to(tmp_path / "mine" / "_same.j2")
    (tmp_path / "mine" / "_same.j2").write_text("the same folder")
    for name in ("link", "folder/hostname"):
        with pytest.raises(BadInput, match=f"template {name}: it is a link to a file outside its folder"):
            filled_here(f"{{% include '{name}' %}}")
    with pytest.raises(BadInput, match="pipe is no regular file"):
        filled_here("{% include 'pipe' %}")
    assert "the same folder" in filled_here("{% include 'inside' %}")


@pytest.mark.parametrize("folder", ["", "no-such-folder"])
def test_a_folder_that_is_none(folder):
    with pytest.raises(BadInput, match="is not a folder"):
        render(DOCUMENT, "homework", "md", folder)


@pytest.mark.parametrize("ending", sampled(sorted({"tex", "html", "md", "ipynb"} & set(FORMATS)), 4))
def test_the_bundled_templates_as_a_users_own_give_the_same(ending, tmp_path):
    for path in filter(Path.is_file, template_folder().iterdir()):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    document = report(load_study("cs336-a2-xxl"))
    assert render(document, "report", ending, tmp_path) == render(document, "report", ending)
