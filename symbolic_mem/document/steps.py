"""`Step`, `Table`, `Section`: the blocks of a derivation as data without markup."""

from __future__ import annotations

from dataclasses import dataclass

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
