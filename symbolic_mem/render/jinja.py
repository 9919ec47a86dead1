"""Documents set by templates: finished pieces are placed, and everything a user wrote is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.version import __version__
from symbolic_mem.document.prose import Amount, Chain, Long, Prose, Put, Total
from symbolic_mem.document.steps import Document, Section, Table
from symbolic_mem.render import html
from symbolic_mem.render.arrange import arrange, arrange_prose, arrange_table
from symbolic_mem.render.face import Face
from symbolic_mem.render.templates import template_folder

if TYPE_CHECKING:
    from jinja2 import Environment


def render_text(derivation: Document, layout: str, face: Face, templates: str | Path | None = None) -> str:
    """Write a derivation as text: LaTeX, HTML or Markdown, as its `face` is."""
    from jinja2 import TemplateError

    folder, ending = Path(templates) if templates is not None else None, face.ending
    if folder is not None and not folder.is_dir():
        raise BadInput(f"--templates {str(folder)!r} is not a folder; give one that holds {layout}.{ending}.j2")
    try:
        template = _environment(face, folder).get_template(f"{layout}.{ending}.j2")
        return template.render(document=arrange(derivation), version=__version__).strip() + "\n"
    except TemplateError as error:
        name = getattr(error, "name", None) or f"{layout}.{ending}.j2"
        line = getattr(error, "lineno", None)
        place = f"{name}, line {line}" if line else name
        raise BadInput(f"template {place}: {error.message or type(error).__name__}") from None


def fragment_html(derivation: Document) -> str:
    """Write a derivation as a piece of HTML for a notebook."""
    return _fragment(derivation.title, arrange(derivation).sections)


def table_html(table: Table) -> str:
    """Write one table as a piece of HTML for a notebook."""
    return _fragment("", (Section(Prose(()), (arrange_table(table),)),))


def _fragment(title: str, sections: tuple[Section, ...]) -> str:
    template = _environment(html.FACE, None).get_template("_fragment.html.j2")
    return template.render(document={"title": title, "sections": sections})


@cache
def _environment(face: Face, folder: Path | None) -> Environment:
    from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    def finalize(value: object) -> Markup:
        match value:
            case Markup():
                return value
            case Prose():
                return Markup(face.prose(arrange_prose(value)))
            case sp.Expr() | Amount() | Put() | Total() | Long() | Chain():
                return Markup(face.prose(arrange_prose(Prose((value,)))))
            case None:
                raise TypeError("a template printed nothing (None)")
        return Markup(face.escape(str(value)))

    folders = [path for path in (folder, template_folder()) if path is not None]
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(path) for path in folders]),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **face.marks,
    )
    environment.filters["display"] = lambda chains: Markup(face.display(chains))
    environment.filters["draw"] = lambda figure: Markup(face.draw(figure))
    environment.filters["kind"] = lambda block: type(block).__name__.lower()
    environment.globals.update(face.names)
    return environment
