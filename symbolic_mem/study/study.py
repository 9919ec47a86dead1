"""`Study`: what a file declares, frozen; what a question sets wins over it, and what a caller sets over both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import field, replace
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from symbolic_mem.base.errors import BadInput, at_place, clipped
from symbolic_mem.base.symbols import L, L_dense, Written, n_fsdp, table
from symbolic_mem.base.told import grouped
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.marked import marked, unmarked
from symbolic_mem.document.prose import Prose
from symbolic_mem.document.words import listed
from symbolic_mem.study.changes import changes, plain
from symbolic_mem.study.derived import derive, refuse_followed
from symbolic_mem.study.filled import filled
from symbolic_mem.study.packed import as_stored
from symbolic_mem.study.precision import agreed
from symbolic_mem.study.setting import Change, Setting
from symbolic_mem.study.tuning import tuned

F = TypeVar("F", bound=Callable[..., Any])


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
    def replaced(self) -> tuple[tuple[str, str], ...]:
        """The keys of its own in whose place a caller gave others, each with how the question has it."""

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The names of the symbols that it solves for, or gives values to."""

    @property
    def of_training(self) -> bool:
        """Whether it has no meaning where nothing is trained."""

    @property
    def finds(self) -> tuple[str, ...]:
        """The names of the symbols that it finds or sets itself, whatever values they have."""

    @property
    def otherwise(self) -> tuple[Change, ...]:
        """What the question itself changes between two sides that it compares."""

    @property
    def counted(self) -> tuple[str, ...]:
        """The kinds of memory that it counts."""

    @property
    def weighed(self) -> bool:
        """Whether it compares memory with that of one device."""

    def depends(self, study: Study) -> frozenset[str] | None:
        """The names of the symbols that its answer depends on; None where that may be any."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Study(Setting):
    """A setting with what is asked of it and where it is from; `caller` are the changes that a caller made.

    Some symbols are `written` otherwise than by their names.
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
    written: Written = ()
    variants: tuple[tuple[Change, ...], ...] = ()
    variant: int = 0
    made: tuple[str, ...] = field(default=(), compare=False)
    author: str = ""
    course: str = ""
    date: str = ""

    def __repr__(self) -> str:
        return f"<study {', '.join((self.name, *(change.words for change in self.caller)))}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from symbolic_mem.base.symbols import named
        from symbolic_mem.document.prose import Amount, say, text
        from symbolic_mem.document.steps import Block, Column, Paragraph, Table
        from symbolic_mem.render.notebook import bundle, facts

        rows = [
            (say("{s}", s=symbol), text(named(symbol).meaning), say("{v}", v=Amount(value)))
            for symbol, value in self.values.items()
        ]
        heads = (Column(text("symbol")), Column(text("meaning"), "text"), Column(text("value"), "right"))
        set_otherwise = "; ".join(change.words for change in self.caller)
        asked = [
            (each.label, self.under(each).said(each.title) if each.title else text(each.ask)) for each in self.questions
        ]
        blocks: list[Block] = [Paragraph(text(f"Recipe {self.recipe.name}: {self.recipe.title}."))]
        blocks += [Paragraph(text(f"Changed: {set_otherwise}."))] if set_otherwise else []
        blocks += [Table(text("What is given"), heads, tuple(rows))] if rows else []
        blocks += [facts("What is asked", asked)] if asked else []
        return bundle(repr(self), blocks, self.heading)

    def said(self, words: str) -> Prose:
        """Words of the study as a sentence, with its values in their places: what stands between two `$` is mathematics."""
        return marked(filled(words, self), {name.symbol.name: name.symbol for name in self.names})

    def plain(self, words: str) -> str:
        """Words of the study in plain text, with its values in their places, and without the `$` around its formulas."""
        return unmarked(filled(words, self), {name.symbol.name: name.symbol for name in self.names})

    def listed(self, changes: Iterable[Change], between: str = "; ") -> Prose:
        """Changes in words, values of symbols as mathematics."""
        known = {name.symbol.name for name in (*table(), *self.names)}
        return self.said(between.join(f"${one.words}$" if one.aspect in known else one.words for one in changes))

    @property
    def heading(self) -> str:
        """The title in plain text, with the sizes of the model that a caller gives: it may name a model that has others."""
        title = self.plain(self.title)
        drawn = self.variants[self.variant - 1] if self.variant else ()
        given = {one.aspect for one in self.caller if one not in drawn}
        sizes = [one for one in self.values if one.name in given and one in self.built.model.parameters.free_symbols]
        told = [f"{size} = {grouped(str(self.values[size]))}" for size in sizes]
        return f"{title}, with {listed(told)}" if told else title

    def changed(self, changes: Iterable[Change], where: str = "--set") -> Study:
        """The study with all `changes` applied in order.

        Its precision (see `agreed`) and the sizes of its model are checked once, at the end; `where` they come from is
        said of sizes that no such model can have.
        """
        changes = tuple(changes)
        study = replace(self.seen_at(None), made=()) if changes else self.seen_at(None)
        for change in changes:
            study = change.apply(study)
        if study.formulas and study.values is not self.values:
            study = replace(study, values=derive(study.formulas, study.values, where))
        if self.recipe.trains and not study.recipe.trains:
            study = _of_inference(study)
        blocks = any(study.values.get(number) != self.values.get(number) for number in (L, L_dense))
        moved = blocks or study.plan is not self.plan
        moved = moved and bool(study.recipe.tuned.trained.modules)
        if study.recipe is not self.recipe or study.built is not self.built or moved:
            last = [change.aspect for change in changes if change.aspect in ("recipe", "profile")]
            given = {change.aspect for change in (*self.caller, *changes)}
            study = agreed(study, asked=last[-1:] == ["profile"])
            places = [change.where for change in changes if change.aspect == "adapters"]
            with at_place(places[-1]) if places else nullcontext():
                study = tuned(study, self.recipe.tuned, given)
            study = as_stored(study)
        if study.plan is not None:
            study.plan.check(study.values, study.built, trains=study.recipe.trains)
            if not study.recipe.trains:
                study.plan.check_inference()
        if study.values is not self.values or study.built is not self.built:
            lossy = where == "--set" and any(change.aspect == "loss" for change in changes)
            study.built.check(study.values, where, "--loss" if lossy else "")
        return study

    def change(
        self,
        *,
        values: Mapping[Any, object] | None = None,
        place: Mapping[str, object] | None = None,
        **named: Any,
    ) -> Study:
        """The study with what a caller sets otherwise by name, as on the command line (see `changes`).

        Values are given by symbol or by name.

        >>> from symbolic_mem.library.read import load_study
        >>> [change.words for change in load_study("cs336-a2-xxl").change(values={"B": 64}, rest="kept").caller]
        ['B = 64', 'the rest is kept']
        """
        given: dict[str, Any] = {"values": values, "place": place, **named}
        return self.called(changes(**given), given)

    def called(self, changes: Iterable[Change], said: Mapping[str, Any] | None = None) -> Study:
        """The study with what a caller changes; each change is kept, so that it also wins over a question's own.

        What the caller `said` are the words of `change` that make the same; without them nobody knows how to make it again.
        """
        changes = tuple(changes)
        if not changes:
            return self.seen_at(None)
        caller = (*self.caller, *changes)
        study, aspects = self.changed(changes), {change.aspect for change in caller}
        given = {symbol: value for symbol, value in study.values.items() if symbol.name in aspects}
        questions = tuple(question.called(given, study) for question in study.questions)
        known = self.made if said is not None else ()
        called = replace(study, caller=caller, questions=questions, made=known)
        return called._made(called, "change", said or {})

    def under(self, question: Asked) -> Study:
        """The study as a question sees it: with what the question sets for itself, and the caller's changes over that."""
        refuse_followed(self.formulas, question.unknowns, f"question {question.label}")
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

    def _made(self, study: Study, method: str, named: Mapping[str, Any], *positional: object) -> Study:
        """The study that a method has made of this one, which knows so where Python can write all that it was given."""
        told = {name: plain(value) for name, value in named.items() if value}
        given = [*map(repr, positional), *(f"{name}={value!r}" for name, value in told.items())]
        call = (f".{method}({', '.join(given)})",) if given else ()
        known = self.made and not any(value is None for value in told.values())
        return replace(study, made=(*self.made, *call) if known else ())

    def varied(self, number: int) -> Study:
        """The variant of that number, counted from 1; raises `BadInput` where there is none."""
        if not self.variants:
            raise BadInput(f"study {self.name!r} has no variants; add a [variants] table")
        if not 1 <= number <= len(self.variants):
            raise BadInput(f"study {self.name!r} has no variant {number}; give a number from 1 to {len(self.variants)}")
        with at_place(f"variant {number}"):
            chosen = replace(self.called(self.variants[number - 1]), variant=number)
        return self._made(chosen, "varied", {}, number)

    @property
    def names_device(self) -> bool:
        """Whether it names a device, of the catalogue or a caller's file: itself, a question, a variant, or its network.

        >>> from symbolic_mem.library.read import load_study
        >>> load_study("cs336-a2-xxl").names_device, load_study("kv-cache").names_device
        (True, False)
        """
        sets = (change for each in (*(one.own for one in self.questions), *self.variants) for change in each)
        asked = any(one.aspect == "device" and one.apply(self).device.name for one in sets)
        return asked or self.device.name is not None or (self.network is not None and bool(self.network.device))

    def question(self, label: str) -> Any:
        """Return the question of that label; raises `BadInput` naming those there are."""
        for asked in self.questions:
            if asked.label == label:
                return asked
        labels = [asked.label for asked in self.questions]
        quoted = ", ".join(map(repr, labels)) or "none"
        raise BadInput(f"study {self.name!r} has no question {label!r}; known: {quoted}", labels)


def of_study(make: F) -> F:
    """Let a public function of a study refuse what is none, as the name of one is, with what to give instead.

    >>> from symbolic_mem.documents.documents import homework
    >>> homework("gpt2-xl")
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: homework takes a study, and 'gpt2-xl' is a text; give load_study('gpt2-xl')
    """

    @wraps(make)
    def checked(*args: Any, **named: Any) -> Any:
        given = args[0] if args else named.get("study")
        if (args or "study" in named) and not isinstance(given, Study):
            name = clipped(given) if isinstance(given, str) else "NAME"
            what = f"{name} is a text" if isinstance(given, str) else f"{clipped(str(given))} is none"
            raise BadInput(f"{checked.__name__} takes a study, and {what}; give load_study({name})")
        return make(*args, **named)

    return cast("F", checked)


def _of_inference(study: Study) -> Study:
    """A study of training with a recipe of inference: what it says and asks of training is left out.

    No kind is divided over data-parallel devices, each of which answers sequences of its own.
    """
    over = set().union(*(placed.degree.free_symbols for placed in study.placement.values()))
    questions = tuple(
        asked
        for asked in study.questions
        if not asked.of_training and (n_fsdp in over or n_fsdp.name not in asked.unknowns)
    )
    return replace(study, title=f"{study.name}: the memory of inference", text="", questions=questions)
