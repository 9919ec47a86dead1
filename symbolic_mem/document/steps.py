"""`Step`, `Table`, `Section`: the blocks of a derivation as data without markup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from symbolic_mem.document.prose import Chain, Prose


@dataclass(frozen=True)
class Step:
    """One step: what is stated, the lines that are displayed, and why."""

    statement: Prose
    chains: tuple[Chain, ...] = ()
    reason: Prose | None = None


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of prose."""

    prose: Prose


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[Prose, ...]


@dataclass(frozen=True)
class Column:
    """The head of a column and how its cells are set: ``left``, ``right``, or ``text`` for sentences that wrap."""

    head: Prose
    align: str = "left"


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


Block = Step | Paragraph | Bullets | Table | Answer


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
