"""`Study`: what a file declares, frozen; what a question sets wins over it, and what a caller sets over both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from symbolic_mem.base.errors import BadInput
from symbolic_mem.study.changes import changes
from symbolic_mem.study.precision import agreed
from symbolic_mem.study.setting import Change, Setting


class Asked(Protocol):
    """A question as a study carries it: its label, what it asks, and what it sets for itself."""

    @property
    def label(self) -> str:
        """How the study and the caller name the question."""

    @property
    def ask(self) -> str:
        """The type of the question."""

    @property
    def subject(self) -> str:
        """What it is about: ``memory``, ``layers`` or ``formulas``."""

    @property
    def own(self) -> tuple[Change, ...]:
        """What the question sets for itself, over the study and under the caller."""

    @property
    def replaced(self) -> tuple[str, ...]:
        """The keys of its own in whose place a caller gave others."""

    @property
    def finds(self) -> tuple[str, ...]:
        """The names of the symbols that it finds or sets itself, whatever values they have."""

    @property
    def otherwise(self) -> tuple[Change, ...]:
        """What the question itself changes between two sides that it compares."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Study(Setting):
    """A setting with what is asked of it and where it is from; `caller` are the changes that a caller made.

    `variants` are other settings of the same questions, and `variant` says which of them this is; 0 is none.
    `made` is the Python that makes it again, call by call; empty where nobody knows.
    `author`, `course` and `date` stand below the title of its documents, as they are given or not at all.
    `questions` are `Asked`: objects of the types in `questions/`, which stand above a study and are not known here.
    """

    title: str
    questions: tuple[Any, ...] = ()
    source: str = ""
    text: str = ""
    notes: tuple[str, ...] = ()
    caller: tuple[Change, ...] = ()
    variants: tuple[tuple[Change, ...], ...] = ()
    variant: int = 0
    made: tuple[str, ...] = field(default=(), compare=False)
    author: str = ""
    course: str = ""
    date: str = ""

    def __repr__(self) -> str:
        return f"<study {', '.join((self.name, *(change.words for change in self.caller)))}>"

    def changed(self, changes: Iterable[Change], where: str = "--set") -> Study:
        """The study with all `changes` applied in order.

        Its precision (see `agreed`) and the sizes of its model are checked once, at the end; `where` they come from is
        said of sizes that no such model can have.
        """
        changes = tuple(changes)
        study = self.seen_at(None)
        for change in changes:
            study = change.apply(study)
        if study.recipe is not self.recipe or study.built is not self.built:
            last = [change.aspect for change in changes if change.aspect in ("recipe", "profile")]
            study = agreed(study, asked=last[-1:] == ["profile"])
        if study.plan is not None:
            study.plan.check(study.values, study.built)
        if study.values is not self.values or study.built is not self.built:
            study.built.check(study.values, where)
        return study

    def change(
        self,
        *,
        values: Mapping[str, object] | None = None,
        place: Mapping[str, object] | None = None,
        **named: Any,
    ) -> Study:
        """The study with what a caller sets otherwise by name, as on the command line (see `changes`).

        >>> from symbolic_mem.library.read import load_study
        >>> [change.words for change in load_study("cs336-a2-xxl").change(values={"B": 64}, rest="kept").caller]
        ['B = 64', 'the rest is kept']
        """
        given = {"values": values, "place": place, **named}
        return self._made(self.called(changes(values=values, place=place, **named)), "change", given)

    def called(self, changes: Iterable[Change]) -> Study:
        """The study with what a caller changes; each change is kept, so that it also wins over a question's own."""
        changes = tuple(changes)
        return replace(self.changed(changes), caller=(*self.caller, *changes), made=() if changes else self.made)

    def under(self, question: Asked) -> Study:
        """The study as a question sees it: with what the question sets for itself, and the caller's changes over that."""
        return self.changed((*question.own, *self.caller), f"question {question.label}") if question.own else self

    def lost(self, question: Asked) -> tuple[tuple[Change, Change], ...]:
        """What the question sets for itself and the caller sets otherwise, in pairs."""
        last = {change.aspect: change for change in self.caller if change.aspect not in question.finds}
        sets = (*question.own, *question.otherwise)
        pairs = ((own, last[own.aspect]) for own in sets if own.aspect in last)
        return tuple((own, other) for own, other in pairs if own.words != other.words)

    def only(self, *labels: str) -> Study:
        """The study with the questions of these labels alone, in its own order; raises `BadInput` for one it lacks.

        >>> from symbolic_mem.library.read import load_study
        >>> [question.label for question in load_study("cs336-a2-xxl").only("c", "b").questions]
        ['b', 'c']
        """
        chosen = [self.question(label) for label in labels]
        kept = replace(self, questions=tuple(asked for asked in self.questions if asked in chosen))
        return self._made(kept, "only", {}, *labels)

    def signed(self, author: str | None = None, course: str | None = None, date: str | None = None) -> Study:
        """The study with what stands below the title of its documents; None leaves what it has.

        >>> from symbolic_mem.library.read import load_study
        >>> load_study("cs336-a2-xxl").signed(author="A. Student").author
        'A. Student'
        """
        given = {"author": author, "course": course, "date": date}
        for name, line in given.items():
            if line is not None and not line.isprintable():
                raise BadInput(f"{name} holds a line break or a control character; give one line of text")
        lines = {name: line.strip() for name, line in given.items() if line is not None}
        return self._made(replace(self, **lines), "signed", lines)

    def _made(self, study: Study, method: str, named: Mapping[str, Any], *plain: object) -> Study:
        """The study that a method has made of this one, which knows so."""
        given = [*map(repr, plain), *(f"{name}={_plain(value)!r}" for name, value in named.items() if value)]
        call = (f".{method}({', '.join(given)})",) if given else ()
        return replace(study, made=(*self.made, *call) if self.made else ())

    def varied(self, number: int) -> Study:
        """The variant of that number, counted from 1; raises `BadInput` where there is none."""
        if not self.variants:
            raise BadInput(f"study {self.name!r} has no variants; add a [variants] table")
        if not 1 <= number <= len(self.variants):
            raise BadInput(f"study {self.name!r} has no variant {number}; give a number from 1 to {len(self.variants)}")
        chosen = replace(self.called(self.variants[number - 1]), variant=number)
        return self._made(chosen, "varied", {}, number)

    def question(self, label: str) -> Any:
        """Return the question of that label; raises `BadInput` naming those there are."""
        for asked in self.questions:
            if asked.label == label:
                return asked
        quoted = ", ".join(repr(asked.label) for asked in self.questions) or "none"
        raise BadInput(f"study {self.name!r} has no question {label!r}; known: {quoted}")


def _plain(value: Any) -> Any:
    """A value of a caller as Python writes it: the names of symbols stand for them."""
    return {str(name): each for name, each in value.items()} if isinstance(value, Mapping) else value
