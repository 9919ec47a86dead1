"""The output formats: each one's ending, how its files are made, and how it writes text, sentences and displays.

The endings are known without SymPy or Jinja2: what a format needs is imported when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbolic_mem.document.prose import Chain, Prose
    from symbolic_mem.document.steps import Document

Templates = str | Path | None


@dataclass(frozen=True)
class Face:
    """How one format writes plain text, sentences and displays, and what its templates are given.

    `marks` are the signs around what Jinja2 reads, where they are not its own; `names` is known in every template.
    """

    escape: Callable[[str], str]
    prose: Callable[[Prose], str]
    display: Callable[[tuple[Chain, ...]], str]
    marks: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Format:
    """An output format: the content of a file from a derivation, a layout and a folder of templates.

    `face` is there for a format whose documents are set by templates.
    """

    write: Callable[[Document, str, Templates], bytes]
    face: Callable[[], Face] | None = None


def _latex() -> Face:
    from symbolic_mem.render import latex

    opening = {"block_start_string": "<%", "variable_start_string": "<<", "comment_start_string": "<#"}
    closing = {"block_end_string": "%>", "variable_end_string": ">>", "comment_end_string": "#>"}
    return Face(latex.escape, latex.prose, latex.display, marks=opening | closing)


def _html() -> Face:
    from symbolic_mem.render import html

    return Face(html.escape, html.prose, html.display, names={"math_font": html.math_font})


def _markdown() -> Face:
    from symbolic_mem.render import markdown

    return Face(markdown.escape, markdown.prose, markdown.display)


def _text_in(ending: str) -> Callable[[Document, str, Templates], bytes]:
    def write(derivation: Document, layout: str, templates: Templates) -> bytes:
        from symbolic_mem.render.document import render_text

        return render_text(derivation, layout, ending, templates).encode()

    return write


def _pdf(derivation: Document, layout: str, templates: Templates) -> bytes:
    from symbolic_mem.render.document import render_text
    from symbolic_mem.render.pdf import pdf

    return pdf(render_text(derivation, layout, "tex", templates))


def _json(derivation: Document, layout: str, templates: Templates) -> bytes:
    import json

    from symbolic_mem.render.json import document_json

    return (json.dumps(document_json(derivation), indent=2, ensure_ascii=False) + "\n").encode()


FORMATS: dict[str, Format] = {
    "tex": Format(_text_in("tex"), _latex),
    "pdf": Format(_pdf),
    "html": Format(_text_in("html"), _html),
    "md": Format(_text_in("md"), _markdown),
    "json": Format(_json),
}
