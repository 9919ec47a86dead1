"""`Derivation`: a whole document as data."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import Written, writing
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Prose
from symbolic_mem.document.steps import Answer, Answers, Section
from symbolic_mem.render.document import save
from symbolic_mem.render.files import checked_outputs
from symbolic_mem.render.formats import UNSET
from symbolic_mem.render.jinja import fragment_html
from symbolic_mem.render.notebook import bundle
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.found import Found


@dataclass(frozen=True, repr=False)
class Derivation:
    """A whole document as data; `found` carries what the questions found, as values for programs.

    `layout` is how it is laid out: as ``homework`` or as a ``report``. `author`, `course` and `date` stand below its title,
    each as it was given, or not at all. Some symbols are `written` otherwise than by their names. `code` is the Python
    that makes its study again, for a notebook.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    found: tuple[Found, ...] = ()
    layout: str = "homework"
    author: str = ""
    course: str = ""
    date: str = ""
    written: Written = ()
    code: str = ""

    @property
    def answers(self) -> tuple[Prose, ...]:
        """The answer to every question in one sentence, in order; that in front where no part derives it."""
        derived = tuple(section.answer for section in self.sections if section.answer is not None)
        front = (block for section in self.sections for block in section.blocks if isinstance(block, Answers))
        return derived or tuple(entry.prose for block in front for entry in block.entries)

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

    def part(self, label: str) -> Part:
        """The part that answers the question of that label; raises `BadInput` naming the labels there are."""
        parts = {section.label: section for section in self.parts}
        if label not in parts:
            raise BadInput.unknown(f"no question {label!r} in this document", label, parts)
        section = parts[label]
        told = any(isinstance(block, Answer) for block in section.blocks)
        answer = () if told or section.answer is None else (Answer(section.answer),)
        return Part(section.title, (*section.blocks, *answer))

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
        outputs = checked_outputs([str(path)], "")
        if templates is not None and outputs[0][1] in UNSET:
            raise BadInput(f"{str(path)!r}: no template sets a .{outputs[0][1]}; leave templates out")
        for _ in save(self, self.layout, outputs, templates, ""):
            pass

    def _repr_html_(self) -> str:
        with writing(self.written):
            return fragment_html(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


class Part(Section):
    """A part of a document, which shows itself in a notebook."""

    @classmethod
    def of(cls, section: Section) -> Part:
        """The section as one that shows itself."""
        return cls(**{each.name: getattr(section, each.name) for each in fields(section)})

    def __repr__(self) -> str:
        return f"<part {plain_prose(self.title)}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return bundle(repr(self), self.blocks, plain_prose(self.title))
