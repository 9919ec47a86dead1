"""`Question`: what can be asked of a study: its keys, each read once, and how it answers, tells the way and says the answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import Field, field, fields, is_dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, Self

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.symbols import M_X, M_Y, B, C, S, W, W_dcn, X, Y, n_pod
from symbolic_mem.base.tomlfile import known_keys
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Prose, text
from symbolic_mem.document.steps import Block
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.plans.load import load
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import At, key, words, wrong_type
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

SENDING = (B, S, X, Y, M_X, M_Y, n_pod, C, W, W_dcn)  # the batch, the mesh and its rates


def _figures(given: Any, at: At) -> tuple[str, ...]:
    """Read the names of the figures that a question asks for; which there are says `Question.checked_figures`."""
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise wrong_type(given, at, 'a list of names, as in ["bound"]')
    return tuple(given)


@dataclass(frozen=True, repr=False)
class Question(ABC):
    """One question of a study: its label, and the keys of its type, each read and checked once.

    A type declares `ask` and its fields with `key` and `sets`; it answers, tells the way, and says the answer in one
    sentence. `claims` are the numbers that somebody may state of it.
    """

    ask: ClassVar[str]
    places: ClassVar[tuple[str, ...]] = ()  # the degrees that it divides memory over for itself
    solvable: ClassVar[bool] = False  # whether `solve` answers it: its answer has a `summary`
    of_training: ClassVar[bool] = False  # whether it has no meaning where nothing is trained
    drawn: ClassVar[tuple[str, ...]] = ()  # the figures that there are of its answer
    subject: ClassVar[str] = "memory"  # or "layers": what they compute and send; or "formulas": what a study writes out

    label: str
    where: str = ""
    title: str = key(words, "")
    text: str = key(words, "")
    figures: tuple[str, ...] | None = field(default=None, kw_only=True, metadata={"read": _figures, "key": ""})
    replaced: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)

    def __repr__(self) -> str:
        return f"<question {self.label}: {self.ask}>"

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys of this type in a study file, beside ``label`` and ``ask``."""
        return tuple(each.metadata["key"] or each.name for each in fields(cls) if cls._is_key(each))

    @classmethod
    def _is_key(cls, each: Field[Any]) -> bool:
        return "read" in each.metadata and (each.name != "figures" or bool(cls.drawn))

    @classmethod
    def read(cls, table: Mapping[str, Any], at: str | At, label: str) -> Self:
        """Read a question from its table; raises `BadInput` for an unknown key or a wrong value, with its place."""
        at = At(at) if isinstance(at, str) else at
        known_keys(table, ("label", "ask", *cls.keys()), at.where)
        return cls(label, at.where, **cls._values(table, at))._with_its_figures().checked()

    def given(self, table: Mapping[str, Any], where: str, options: Mapping[str, str] | None = None) -> Self:
        """The same question with the keys of `table` in place of its own; raises `BadInput` as `read` does.

        Where the keys come from `options` of a call, these are their places: by the name of the key, where it is another.
        """
        if not table:
            return self
        known_keys(table, self.keys(), where)
        values = self._values(table, At(where, options=options))
        own = {each.name: getattr(self, each.name) for each in fields(self) if each.name in values}
        lost = [
            each
            for each in fields(self)
            if own.get(each.name, each.default) not in (each.default, values.get(each.name))
        ]
        names = [each.metadata["key"] or each.name for each in lost]
        gone = [(name, _in_words(name, own[each.name])) for name, each in zip(names, lost, strict=True)]
        replaced = (*self.replaced, *gone)
        return replace(self, where=where, replaced=replaced, **values).checked()

    @classmethod
    def _values(cls, table: Mapping[str, Any], at: At) -> dict[str, Any]:
        read = {}
        for each in fields(cls):
            if "read" in each.metadata:
                name = each.metadata["key"] or each.name
                if name in table:
                    read[each.name] = each.metadata["read"](table[name], at.inside(name))
        return read

    def _with_its_figures(self) -> Self:
        """The question itself, where there is each figure that it asks for; else `BadInput`."""
        for name in self.figures or ():
            if name not in self.drawn:
                raise BadInput.unknown(f"{self.where}: figures: unknown figure {name!r}", name, self.drawn)
        return self

    def checked(self) -> Self:
        """The question itself, where its keys agree with each other; else `BadInput`."""
        return self

    @property
    def own(self) -> tuple[Change, ...]:
        """What the question sets for itself in the study, in the order of its fields."""
        return tuple(c for each in fields(self) if each.metadata.get("change") for c in getattr(self, each.name))

    @property
    def otherwise(self) -> tuple[Change, ...]:
        """What the question itself changes between two sides that it compares."""
        return ()

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The names of the symbols that the question solves for, or gives values to: a study may leave them open."""
        return ()

    @property
    def finds(self) -> tuple[str, ...]:
        """Those of the unknowns that the question finds or steps through, whatever value they have."""
        given = Counter(change.aspect for change in self.own)
        return tuple(Counter(self.unknowns) - given)

    def called(self, given: Mapping[sp.Symbol, sp.Rational], study: Study) -> Self:
        """The question with the values that a caller gives of a study, where they take the place of keys of its own."""
        return self

    @property
    def stepped(self) -> tuple[sp.Symbol, ...]:
        """The symbols that it steps through, each with several values."""
        return ()

    @property
    def weighed(self) -> bool:
        """Whether it compares memory with that of one device."""
        return False

    def fixed(self, study: Study) -> Mapping[str, int]:
        """The degrees to which a key of the question gives a value."""
        return {}

    @property
    def counted(self) -> tuple[str, ...]:
        """The kinds of memory that the question counts."""
        return KINDS

    def reads(self, study: Study) -> frozenset[str] | None:
        """The names of the symbols whose values its answer depends on; None where that may be any.

        A question about memory reads the symbols of the memory, of where it lives, and of its own keys; one about what layers
        compute and send reads those of their load, of the batch, of the mesh and of its rates.
        """
        if self.subject == "layers":
            return frozenset(map(str, {*symbols_in(load(study.model)), *SENDING, *symbols_in(self)})) | {*self.unknowns}
        if self.subject != "memory":
            return None
        used = {*study.memory.total.free_symbols, *symbols_in(self)}
        used = used.union(*(placed.degree.free_symbols for placed in study.placement.values()))
        return frozenset(map(str, used)) | {*self.unknowns, *self.places}

    def depends(self, study: Study) -> frozenset[str] | None:
        """Those of them that its answer depends on, without what only kinds of memory read that it does not count."""
        read = self.reads(study)
        if read is None or self.subject != "memory":
            return read
        counted = study.memory.of(*self.counted).total.free_symbols
        others = {str(symbol) for symbol in study.memory.total.free_symbols - counted}
        return read - (others - {*self.unknowns, *self.places, *map(str, self.stepped)})

    @abstractmethod
    def answer(self, study: Study) -> Any:
        """Answer the question about a `study` as the question sees it (see `Study.under`): a `Found`."""

    @abstractmethod
    def steps(self, found: Any) -> Iterable[Block]:
        """Tell the way to what was `found`: it places what the answer holds, and computes nothing."""

    @abstractmethod
    def sentence(self, found: Any) -> Prose:
        """Say the answer in one sentence."""

    def figure(self, found: Any, name: str, family: str) -> Figure | None:
        """Draw what was `found`, with bytes in a `family` of units (GiB or GB); None where there is nothing to draw."""
        return None

    def beside(self, found: Any) -> tuple[Prose, ...]:
        """What must be said before the steps, such as which instant of a training step is counted."""
        return ()

    @property
    def software_counted(self) -> tuple[str, ...]:
        """The names of what no tensor is and counts beside the answer."""
        return ()

    def beyond_tensors(self, found: Any) -> Any:
        """The answers that count what no tensor is, too, where the question names some of it; else None."""
        return None

    def advise(self, found: Any) -> Any:
        """What was `found`, with what is told where the question is asked alone: more than a document has room for."""
        return found

    def heading(self, found: Any) -> str:
        """The title of the part where the study gives none."""
        return self.title or type(self).__name__

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """The names of the numbers that somebody may claim of the answer."""
        return ()

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """Those numbers, for a `study` as the question sees it."""
        return {}

    def can_be(self, study: Study, name: str, value: Fraction) -> bool:
        """Whether one of those numbers can be that `value`; False is certain, and costs less than to find the number."""
        return True

    def grows(self, name: str) -> bool:
        """Whether that number never becomes larger where a device holds less at each instant, whatever the number is."""
        return False

    def unclaimable(self, study: Study, name: str) -> Prose:
        """Why `claims` lack a number that can be claimed, inside a sentence."""
        return text("a symbol that it is counted in has no value")


def _in_words(name: str, value: Any) -> str:
    """What a key says, as the end of a sentence: the rules of a degree in their words, a flag by its name.

    >>> from symbolic_mem.solvers.rules import MultipleOf
    >>> _in_words("multiple_of", (MultipleOf(8),)), _in_words("strict", True), _in_words("scheme", "fsdp")
    ('a multiple of 8', 'strict', 'scheme fsdp')
    """
    several, name = value if isinstance(value, tuple) else (value,), name.replace("_", " ")
    if all(isinstance(getattr(each, "words", None), str) for each in several):
        return ", ".join(each.words for each in several)
    if value is True or not all(isinstance(each, str | int) for each in several):
        return name
    return f"{name} {', '.join(map(str, several))}"


def symbols_in(given: Any) -> Iterator[sp.Basic]:
    """The symbols that stand anywhere in a value: in expressions, tables, lists and the fields of objects."""
    match given:
        case sp.Basic():
            yield from given.free_symbols
        case Mapping():
            yield from symbols_in(tuple(given.items()))
        case tuple() | list():
            for each in given:
                yield from symbols_in(each)
        case _ if is_dataclass(given):
            for each in fields(given):
                yield from symbols_in(getattr(given, each.name))


@contextmanager
def naming(label: str) -> Generator[None, None, None]:
    """Let a value that is missing inside name the question that needs it."""
    try:
        yield
    except MissingValue as absent:
        raise MissingValue(absent.symbols, f"question {label}") from None
