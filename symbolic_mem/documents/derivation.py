"""`Derivation`: a whole document as data."""

from __future__ import annotations

from dataclasses import dataclass

from symbolic_mem.document.prose import Prose
from symbolic_mem.document.steps import Answer, Section
from symbolic_mem.render.jinja import fragment_html
from symbolic_mem.study.question import Found


@dataclass(frozen=True)
class Derivation:
    """A whole document as data; `found` carries what the questions found, as values for programs."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    found: tuple[Found, ...] = ()

    @property
    def answers(self) -> tuple[Prose, ...]:
        """The closing sentence of every part, in order."""
        return tuple(b.prose for section in self.sections for b in section.blocks if isinstance(b, Answer))

    def _repr_html_(self) -> str:
        return fragment_html(self)
