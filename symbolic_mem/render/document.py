"""A derivation in a file format: finished pieces placed by templates, everything a user wrote escaped."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem import __version__
from symbolic_mem.base.errors import BadInput
from symbolic_mem.document.prose import Amount, Chain, Prose, Put, Total
from symbolic_mem.document.steps import Document
from symbolic_mem.render.templates import template_folder

if TYPE_CHECKING:
    from jinja2 import Environment

FORMATS = ("tex", "pdf", "html", "md", "json")
_TEX_DELIMITERS = {
    "block_start_string": "<%",
    "block_end_string": "%>",
    "variable_start_string": "<<",
    "variable_end_string": ">>",
    "comment_start_string": "<#",
    "comment_end_string": "#>",
}
_FACES = {"tex": "latex", "html": "html", "md": "markdown"}


@dataclass(frozen=True)
class Face:
    """How one format writes plain text, sentences and displays."""

    escape: Callable[[str], str]
    prose: Callable[[Prose], str]
    display: Callable[[Any], str]


def render(derivation: Document, layout: str, ending: str, templates: str | Path | None = None) -> bytes:
    """Write a derivation as a file: `layout` is ``homework`` or ``report``, `ending` one of `FORMATS`.

    Templates in the folder `templates` come before the bundled ones. Returns the content of the file; raises
    `BadInput` for an unknown ending or a faulty template, `MissingProgram` when a PDF cannot be made.
    """
    if ending not in FORMATS:
        raise BadInput(f"unknown ending .{ending}; write one of {', '.join('.' + name for name in FORMATS)}")
    if ending == "json":
        from symbolic_mem.render.json import document_json

        return (json.dumps(document_json(derivation), indent=2, ensure_ascii=False) + "\n").encode()
    if ending == "pdf":
        from symbolic_mem.render.pdf import pdf

        return pdf(render_text(derivation, layout, "tex", templates))
    return render_text(derivation, layout, ending, templates).encode()


def render_text(derivation: Document, layout: str, ending: str, templates: str | Path | None = None) -> str:
    """Write a derivation as text: LaTeX, HTML or Markdown."""
    from jinja2 import TemplateError

    folder = Path(templates) if templates is not None else None
    if folder is not None and not folder.is_dir():
        raise BadInput(f"--templates {str(folder)!r} is not a folder; give one that holds {layout}.{ending}.j2")
    try:
        template = _environment(ending, folder).get_template(f"{layout}.{ending}.j2")
        return template.render(document=derivation, version=__version__).strip() + "\n"
    except TemplateError as error:
        name = getattr(error, "name", None) or f"{layout}.{ending}.j2"
        line = getattr(error, "lineno", None)
        place = f"{name}, line {line}" if line else name
        raise BadInput(f"template {place}: {error.message or type(error).__name__}") from None


def fragment_html(derivation: Document) -> str:
    """Write a derivation as a piece of HTML for a notebook."""
    return _environment("html", None).get_template("_fragment.html.j2").render(document=derivation)


@cache
def face(ending: str) -> Face:
    """Return how a format writes text and mathematics."""
    module = import_module(f"symbolic_mem.render.{_FACES[ending]}")
    return Face(module.escape, module.prose, module.display)


@cache
def _environment(ending: str, folder: Path | None) -> Environment:
    from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    written = face(ending)

    def finalize(value: object) -> Markup:
        match value:
            case Markup():
                return value
            case Prose():
                return Markup(written.prose(value))
            case sp.Expr() | Amount() | Put() | Total() | Chain():
                return Markup(written.prose(Prose((value,))))
            case None:
                raise TypeError("a template printed nothing (None)")
        return Markup(written.escape(str(value)))

    folders = [path for path in (folder, template_folder()) if path is not None]
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(path) for path in folders]),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **(_TEX_DELIMITERS if ending == "tex" else {}),
    )
    environment.filters["display"] = lambda chains: Markup(written.display(chains))
    environment.filters["kind"] = lambda block: type(block).__name__.lower()
    if ending == "html":
        from symbolic_mem.render.html import math_font

        environment.globals["math_font"] = math_font  # ty: ignore[invalid-assignment]
    return environment
