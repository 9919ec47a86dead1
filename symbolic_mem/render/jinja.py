"""Documents set by templates: finished pieces are placed, and everything a user wrote is escaped."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
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
from symbolic_mem.render.text import plain_prose

if TYPE_CHECKING:
    from jinja2 import Environment


def render_text(derivation: Document, layout: str, face: Face, templates: str | Path | None = None) -> str:
    """Write a derivation as text: LaTeX, HTML or Markdown, as its `face` is."""
    name = f"{layout}.{face.ending}.j2"
    folder = _folder(templates, name)
    with _placed(name):
        template = _environment(face, folder).get_template(name)
        return template.render(document=arrange(derivation), version=__version__).strip() + "\n"


def section_texts(derivation: Document, face: Face, templates: str | Path | None = None) -> list[str]:
    """Write each section of a derivation as a text of its own."""
    name = f"_section.{face.ending}.j2"
    folder = _folder(templates, name)
    with _placed(name):
        template = _environment(face, folder).get_template(name)
        return [template.render(section=section).strip() for section in arrange(derivation).sections]


def _folder(templates: str | Path | None, name: str) -> Path | None:
    if templates is not None and not Path(templates).is_dir():
        raise BadInput(f"--templates {str(templates)!r} is not a folder; give one that holds {name}")
    return None if templates is None else Path(templates)


@contextmanager
def _placed(name: str) -> Generator[None, None, None]:
    """Let a fault of a template name its place."""
    from jinja2 import TemplateError

    try:
        yield
    except TemplateError as error:
        file = getattr(error, "name", None) or name
        line = getattr(error, "lineno", None)
        place = f"{file}, line {line}" if line else file
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
    environment.filters["plain"] = lambda prose: plain_prose(arrange_prose(prose))
    environment.filters["kind"] = lambda block: type(block).__name__.lower()
    environment.globals.update(face.names)
    return environment
