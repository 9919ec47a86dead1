"""`Derivation`: a whole document as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Prose
from symbolic_mem.document.steps import Section
from symbolic_mem.render.document import save
from symbolic_mem.render.files import checked_outputs
from symbolic_mem.render.jinja import fragment_html
from symbolic_mem.study.question import Found


@dataclass(frozen=True, repr=False)
class Derivation:
    """A whole document as data; `found` carries what the questions found, as values for programs.

    `layout` is how it is laid out: as ``homework`` or as a ``report``. `author`, `course` and `date` stand below its title,
    each as it was given, or not at all. `code` is the Python that makes its study again, for a notebook.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    found: tuple[Found, ...] = ()
    layout: str = "homework"
    author: str = ""
    course: str = ""
    date: str = ""
    code: str = ""

    @property
    def answers(self) -> tuple[Prose, ...]:
        """The answer to every question in one sentence, in order."""
        return tuple(section.answer for section in self.sections if section.answer is not None)

    @property
    def parts(self) -> tuple[Section, ...]:
        """The sections that derive an answer, each with the label and the wording of its question."""
        return tuple(section for section in self.sections if section.answer is not None)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures that stand in it, in order."""
        return tuple(b for section in self.sections for b in section.blocks if isinstance(b, Figure))

    def __repr__(self) -> str:
        return f"<{self.subtitle.lower()}: {self.title}>"

    def save(self, path: str | Path, templates: str | Path | None = None) -> None:
        """Write the document to a file, whole or not at all; the ending says the format.

        Templates in the folder `templates` come before the bundled ones. Raises `BadInput` for an unknown ending or a
        folder that cannot be written, and `MissingProgram` when a PDF cannot be made: its LaTeX source is written then.

        >>> from symbolic_mem.documents.documents import homework
        >>> from symbolic_mem.library.read import load_study
        >>> homework(load_study("cs336-a2-xxl")).save("solution.doc")
        Traceback (most recent call last):
        symbolic_mem.base.errors.BadInput: 'solution.doc': the ending says the format, and '.doc' is unknown; use .tex, .pdf, .html, .md, .ipynb, .json
        """
        for _ in save(self, self.layout, checked_outputs([str(path)], ""), templates, ""):
            pass

    def _repr_html_(self) -> str:
        return fragment_html(self)
