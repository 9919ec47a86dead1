"""Documents set by templates: finished pieces are placed, and everything a user wrote is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.version import __version__
from symbolic_mem.document.prose import Amount, Chain, Long, Prose, Put, Total
from symbolic_mem.document.steps import Block, Document, Section, Table
from symbolic_mem.document.words import in_brackets
from symbolic_mem.render.arrange import arrange, arrange_prose, arrange_section, arrange_table
from symbolic_mem.render.columns import hung
from symbolic_mem.render.face import Face
from symbolic_mem.render.templates import LOOKS, compiled_folder, template_folder
from symbolic_mem.render.text import plain_prose

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment


def render_text(derivation: Document, layout: str, face: Face) -> str:
    """Write a derivation by the bundled templates as text: LaTeX, HTML or Markdown, as its `face` is."""
    template = environment(face).get_template(f"{layout}.{face.ending}.j2")
    return template.render(document=arrange(derivation), version=__version__).strip() + "\n"


def section_texts(derivation: Document, face: Face) -> list[str]:
    """Write each section of a derivation by the bundled templates as a text of its own."""
    template = environment(face).get_template(f"_section.{face.ending}.j2")
    return [template.render(section=section, version=__version__).strip() for section in arrange(derivation).sections]


def faces() -> dict[str, Face]:
    """Return the faces of the formats that templates set, by the ending of their files."""
    from symbolic_mem.render import html, markdown, tex

    return {face.ending: face for face in (tex.FACE, html.FACE, markdown.FACE)}


def compile_templates(folder: Path) -> None:
    """Write the bundled templates of all formats into a folder as Python, so that a wheel need not compile them at each run."""
    from jinja2 import FileSystemLoader

    for ending, face in faces().items():
        own = (f".{ending}.j2", *([".css.j2"] if ending == "html" else []))
        environment(face).overlay(loader=FileSystemLoader(template_folder())).compile_templates(
            folder, filter_func=lambda name, own=own: name.endswith(own) and not name.startswith(LOOKS), zip=None
        )


def fragment_html(derivation: Document) -> str:
    """Write a derivation as a piece of HTML for a notebook."""
    return _fragment(derivation.title, arrange(derivation).sections)


def table_html(table: Table) -> str:
    """Write one table as a piece of HTML for a notebook."""
    return _fragment("", (Section(Prose(()), (arrange_table(table),)),))


def blocks_html(blocks: Sequence[Block], title: str = "") -> str:
    """Write a few blocks as a piece of HTML for a notebook."""
    return _fragment(title, (arrange_section(Section(Prose(()), tuple(blocks))),))


def _fragment(title: str, sections: tuple[Section, ...]) -> str:
    from symbolic_mem.render import html

    template = environment(html.FACE).get_template("_fragment.html.j2")
    return template.render(document={"title": title, "sections": sections})


def _narrow(block: Block, width: str) -> str:
    """A block as LaTeX for a column that is narrower than a page."""
    from symbolic_mem.render.piece import column_tex, points

    return column_tex(block, points(width, "narrow"))


@cache
def environment(face: Face, own: BaseLoader | None = None) -> Environment:
    """Return the environment of the templates of a format: the bundled ones, after those of a loader of a user's `own`."""
    from jinja2 import ChoiceLoader, FileSystemLoader, ModuleLoader, StrictUndefined, nodes
    from jinja2.compiler import CodeGenerator
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from markupsafe import Markup

    class Generator(CodeGenerator):
        def _output_child_to_const(self, node: Any, frame: Any, finalize: Any) -> str:
            """Leave constants to the time when a template runs: what they print goes through `finalize`, too."""
            if not isinstance(node, nodes.TemplateData):
                raise nodes.Impossible
            return super()._output_child_to_const(node, frame, finalize)

    class Sandbox(ImmutableSandboxedEnvironment):
        code_generator_class = Generator

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

    first = ModuleLoader(compiled_folder()) if own is None else own
    made = Sandbox(
        loader=ChoiceLoader([first, FileSystemLoader(template_folder())]),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **face.marks,
    )
    made.filters["display"] = lambda chains: Markup(face.display(chains))
    made.filters["draw"] = lambda figure: Markup(face.draw(figure))
    made.filters["plain"] = lambda prose: plain_prose(arrange_prose(prose))
    if face.ending == "tex":
        made.filters["narrow"] = lambda block, width: Markup(_narrow(block, width))
    made.filters["hung"] = hung
    made.filters["bracketed"] = in_brackets
    made.filters["kind"] = lambda block: type(block).__name__.lower()
    made.globals.update(face.names)
    return made
