"""`Step`, `Table`, `Section`: the blocks of a derivation as data without markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, Protocol

import sympy as sp

from symbolic_mem.base.once import hashed_once
from symbolic_mem.base.symbols import Written
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Chain, Prose

Told = Literal["always", "in full", "in short"]
Detail = Literal["answer", "short", "full"]
DETAILS: tuple[Detail, ...] = ("answer", "short", "full")


@hashed_once
@dataclass(frozen=True)
class Step:
    """One step: what is stated, the lines that are displayed, and why.

    A `brief` one is an aside: it is left out where one of its formulas is too long for a line. `told` says whether it
    belongs to every derivation, to a full one alone, or stands in a short one for what is told in full otherwise.
    """

    statement: Prose
    chains: tuple[Chain, ...] = ()
    reason: Prose | None = None
    brief: bool = False
    told: Told = "always"


@hashed_once
@dataclass(frozen=True)
class Paragraph:
    """A paragraph of prose; `told` as in a `Step`."""

    prose: Prose
    told: Told = "always"


@hashed_once
@dataclass(frozen=True)
class Bullets:
    """A list of sentences; `told` as in a `Step`."""

    items: tuple[Prose, ...]
    told: Told = "always"


Role = Literal["left", "right", "text", "note", "under", "formula", "name", "phrase"]


@dataclass(frozen=True)
class Column:
    """The head of a column and what its cells are.

    ``left`` and ``right`` cells stay on one line, ``text`` is sentences that wrap, ``note`` a few words that wrap in a
    narrow column. ``under``, of the last column alone, is what stands below each row, from the second column on; an empty
    one is no line. ``formula``, ``name`` and ``phrase`` depend on the cells: formulas and phrases are set ``left`` while all
    are short and else ``text``, names ``left`` and else ``note``. A template sees the first five only, and the `width` of
    those that wrap, as a share of the line.

    >>> from symbolic_mem.document.prose import text
    >>> Column(text("bytes"), "right").align
    'right'
    """

    head: Prose
    align: Role = "left"
    width: float = 0


@hashed_once
@dataclass(frozen=True)
class Table:
    """Rows of cells under heads, with a caption; `totals` says that the last row sums the others; `told` as in a `Step`."""

    caption: Prose
    columns: tuple[Column, ...]
    rows: tuple[tuple[Prose, ...], ...]
    totals: bool = False
    told: Told = "always"

    @property
    def beside(self) -> int:
        """How many columns stand beside each other: all but one that is set ``under`` the rows."""
        return len(self.columns) - (bool(self.columns) and self.columns[-1].align == "under")


@dataclass(frozen=True)
class Answer:
    """The one sentence that closes a part."""

    prose: Prose


@dataclass(frozen=True)
class Entry:
    """An answer as it stands in front: whose it is, where it is derived (nowhere, without a `target`), the sentence."""

    label: str
    target: str
    prose: Prose


@dataclass(frozen=True)
class Answers:
    """The answers of all parts in one box, each with the way to its derivation."""

    entries: tuple[Entry, ...]


Block = Step | Paragraph | Bullets | Table | Figure | Answer | Answers
Kept = Step | Paragraph | Bullets | Table


@dataclass(frozen=True, repr=False)
class Section:
    """A titled part of a derivation; `target` is its name inside the document, for what refers to it.

    The part of a question has its `label`, its wording `asked` and its `answer`, too. A `fine` one is set in smaller type.
    """

    title: Prose
    blocks: tuple[Block, ...]
    target: str = ""
    label: str = ""
    asked: str = ""
    answer: Prose | None = None
    fine: bool = False

    def __repr__(self) -> str:
        words = "".join(str(part) for part in self.title.parts if isinstance(part, str | sp.Expr))
        return f"<section {words!r} of {len(self.blocks)} blocks>"


def in_full(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks as parts of a full derivation alone.

    >>> from symbolic_mem.document.prose import text
    >>> [block.told for block in in_full([Paragraph(text("an aside"))])]
    ['in full']
    """
    for block in blocks:
        yield replace(block, told="in full") if isinstance(block, Kept) else block


def in_short(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks as what stands in a short derivation for something longer."""
    for block in blocks:
        yield replace(block, told="in short") if isinstance(block, Kept) else block


def detailed(blocks: Iterable[Block], detail: Detail) -> Iterator[Block]:
    """Those of the blocks that a ``short`` or a ``full`` derivation tells.

    >>> from symbolic_mem.document.prose import text
    >>> told = [*in_full([Paragraph(text("long"))]), *in_short([Paragraph(text("brief"))])]
    >>> [block.prose.parts for block in detailed(told, "short")], len(list(detailed(told, "answer")))
    ([('brief',)], 0)
    """
    other = {"short": "in full", "full": "in short"}
    for block in blocks:
        if detail != "answer" and not (isinstance(block, Kept) and block.told == other[detail]):
            yield block


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
    def author(self) -> str:
        """Who wrote it, or nothing."""

    @property
    def course(self) -> str:
        """For which course, or nothing."""

    @property
    def date(self) -> str:
        """When, as it was given, or nothing."""

    @property
    def code(self) -> str:
        """The Python that makes its study again, or nothing."""

    @property
    def answers(self) -> tuple[Prose, ...]:
        """The answer to every question."""

    @property
    def parts(self) -> tuple[Section, ...]:
        """The sections that derive an answer."""

    @property
    def found(self) -> tuple[Answered, ...]:
        """What each question found."""

    @property
    def sections(self) -> tuple[Section, ...]:
        """The parts."""

    @property
    def written(self) -> Written:
        """The symbols that are written otherwise than by their names."""
