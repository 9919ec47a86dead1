"""Writes the pages of play of the main studies, an index, and the explainer with pages inside it: `python docs/gallery.py FOLDER`.

It needs the extra `documents`, whose pandoc turns the Markdown of the explainer and of the gallery into HTML.
"""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pypandoc
from markupsafe import Markup

from symbolic_mem.explore.page import HEIGHT, explorer
from symbolic_mem.library.read import load_study
from symbolic_mem.render import html
from symbolic_mem.render.jinja import environment

HERE = Path(__file__).parent
GALLERY = runpy.run_path(str(HERE / "generate.py"))["GALLERY"]
ELSEWHERE = re.compile(r"\[([^\]]+)\]\((?!explainer|gallery)[\w-]+\.md\)")
INSIDE = re.compile(r"<!-- explorer: (\S+) -->")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{% include "_base.css.j2" %}{% include "_page.css.j2" %}
h1 { margin-bottom: 1.2rem; }
iframe { width: min(74rem, 100vw - 2rem); margin: 1.5rem calc((100% - min(74rem, 100vw - 2rem)) / 2); border: 1px solid var(--hair); }
pre { overflow-x: auto; white-space: pre-wrap; font-size: .78rem; padding: .6rem .8rem; background: var(--tint); } td, th { vertical-align: top; }
</style></head><body><main class="symbolic-mem">{{ body }}</main></body></html>
"""


def framed(match: re.Match[str]) -> str:
    """The page of a study inside another, from the same folder."""
    title = f"Explorer: {load_study(match[1]).title}"
    return f'<iframe src="{match[1]}.html" title="{html.escape(title)}" height="{HEIGHT}"></iframe>'


def page(text: str) -> str:
    """Write a Markdown page of these docs as HTML, with pages of play where it names them, and links to them."""
    title = text.splitlines()[0].removeprefix("# ")
    text = INSIDE.sub(framed, ELSEWHERE.sub(r"\1", text))
    for name in GALLERY:
        text = text.replace(f"| {load_study(name).title} |", f"| [{load_study(name).title}]({name}.html) |")
    body = pypandoc.convert_text(text, "html", format="gfm")
    linked = re.sub(r'href="(?!http)([\w-]+)\.md"', r'href="\1.html"', body)
    return environment(html.FACE).from_string(PAGE).render(title=title, body=Markup(linked))


def write(folder: Path, studies: tuple[str, ...] = GALLERY) -> None:
    """Write all pages into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in studies:
        explorer(load_study(name)).save(folder / f"{name}.html")
    for name in ("explainer", "gallery"):
        (folder / f"{name}.html").write_text(page((HERE / f"{name}.md").read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python docs/gallery.py FOLDER")
    write(Path(sys.argv[1]))
