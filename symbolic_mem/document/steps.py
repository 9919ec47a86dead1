"""`Step`, `Table`, `Section`: the blocks of a derivation as data without markup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Chain, Prose


@dataclass(frozen=True)
class Step:
    """One step: what is stated, the lines that are displayed, and why.

    A `brief` one is an aside: it is left out where one of its formulas is too long for a line.
    """

    statement: Prose
    chains: tuple[Chain, ...] = ()
    reason: Prose | None = None
    brief: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of prose."""

    prose: Prose


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[Prose, ...]


Role = Literal["left", "right", "text", "note", "formula", "name", "phrase"]


@dataclass(frozen=True)
class Column:
    """The head of a column and what its cells are.

    ``left`` and ``right`` cells stay on one line, ``text`` is sentences that wrap, ``note`` a few words that wrap in a
    narrow column. ``formula``, ``name`` and ``phrase`` depend on the cells: formulas and phrases are set ``left`` while all
    are short and else ``text``, names ``left`` and else ``note``. A template sees the first four only.

    >>> from symbolic_mem.document.prose import text
    >>> Column(text("bytes"), "right").align
    'right'
    """

    head: Prose
    align: Role = "left"


@dataclass(frozen=True)
class Table:
    """Rows of cells under heads, with a caption; `totals` says that the last row sums the others."""

    caption: Prose
    columns: tuple[Column, ...]
    rows: tuple[tuple[Prose, ...], ...]
    totals: bool = False


@dataclass(frozen=True)
class Answer:
    """The one sentence that closes a part."""

    prose: Prose


Block = Step | Paragraph | Bullets | Table | Figure | Answer


@dataclass(frozen=True)
class Section:
    """A titled part of a derivation."""

    title: Prose
    blocks: tuple[Block, ...]


class Answered(Protocol):
    """What a question found, as a program reads it: names and values."""

    @property
    def record(self) -> Mapping[str, Any]:
        """Names and values, in order."""


class Document(Protocol):
    """A document with what its questions found."""

    @property
    def title(self) -> str:
        """The title."""

    @property
    def subtitle(self) -> str:
        """The kind of document."""

    @property
    def answers(self) -> tuple[Prose, ...]:
        """The closing sentence of every part."""

    @property
    def found(self) -> tuple[Answered, ...]:
        """What each question found."""

    @property
    def sections(self) -> tuple[Section, ...]:
        """The parts."""
