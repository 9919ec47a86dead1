"""`Study`: what a file declares, frozen; `Change`: something set otherwise, in the order study < question < caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import Numbers, missing
from symbolic_mem.hardware.catalogue import device
from symbolic_mem.models.build import Built
from symbolic_mem.models.tensors import Model
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.solvers.capacity import Capacity, capacity_from, capacity_of


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
    def otherwise(self) -> tuple[Change, ...]:
        """What the question itself changes between two sides that it compares."""


@dataclass(frozen=True)
class OneDevice:
    """The memory of one device as it is asked for: a catalogue `name` in a `reading`, or an `amount` with its unit.

    `reserved` bytes are kept free, and the fraction `usable` of the others counts.
    """

    name: str | None = None
    amount: str | None = None
    reading: str = "binary"
    reserved: int = 0
    usable: sp.Rational = sp.S.One

    @property
    def known(self) -> bool:
        """Whether it says which memory counts."""
        return self.name is not None or self.amount is not None


@dataclass(frozen=True)
class Change:
    """Something set otherwise: `words` say it, `apply` does it, and a later change of the same `aspect` wins."""

    aspect: str
    words: str
    apply: Callable[[Study], Study] = field(compare=False)


@dataclass(frozen=True)
class Study:
    """What a study file declares, with what a `caller` changed; `instant` is the moment of a step that is counted.

    `questions` are `Asked`: objects of the types in `questions/`, which stand above a study and are not known here.
    """

    name: str
    title: str
    built: Built
    recipe: Recipe
    values: Mapping[sp.Symbol, sp.Rational]
    placement: Mapping[str, Placed] = field(default_factory=dict)
    questions: tuple[Any, ...] = ()
    source: str = ""
    text: str = ""
    notes: tuple[str, ...] = ()
    device: OneDevice = OneDevice()
    devices: str | None = None
    network: Network | None = None
    caller: tuple[Change, ...] = ()
    instant: str = "backward"
    numbers: Numbers = field(default_factory=lambda: Numbers({}), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the numbers found so far, which changed studies share as long as they have the same values."""
        if self.numbers.values_given is not self.values:
            object.__setattr__(self, "numbers", Numbers(self.values))

    @property
    def model(self) -> Model:
        """What is trained."""
        return self.built.model

    @cached_property
    def memory(self) -> Memory:
        """The memory of the whole training at its `instant` (see `account`), before it is placed."""
        return account(self.model, self.recipe, self.instant)

    def placed(self, kinds: tuple[str, ...] = ()) -> Memory:
        """The memory of one device; `kinds` keeps only some."""
        return (self.memory.of(*kinds) if kinds else self.memory).placed(self.placement)

    @property
    def capacity(self) -> Capacity:
        """The memory of one device that counts; raises `BadInput` where nothing says which device."""
        limits: dict[str, Any] = {"reserved": self.device.reserved, "usable": self.device.usable}
        if self.device.amount is not None:
            return capacity_from(self.device.amount, **limits)
        if self.device.name is not None:
            return capacity_of(device(self.device.name, self.devices), self.device.reading, **limits)
        raise BadInput(
            f"{self.name}: the memory of one device is not given; add --device NAME or --capacity AMOUNT, or to the "
            'question device = "h100-80gb" or capacity = "80 GiB"'
        )

    def need(self, expr: sp.Expr, what: str) -> None:
        """Raise `MissingValue` when a symbol of `expr` has no value."""
        absent = missing(expr, self.values)
        if absent:
            raise MissingValue(absent, what)

    def changed(self, changes: Iterable[Change]) -> Study:
        """The study with all `changes` applied in order; the sizes of the model are checked once, at the end."""
        study = self
        for change in changes:
            study = change.apply(study)
        if study.values is not self.values or study.built is not self.built:
            study.built.check(study.values, "--set")
        return study

    def called(self, changes: Iterable[Change]) -> Study:
        """The study with what a caller changes; each change is kept, so that it also wins over a question's own."""
        changes = tuple(changes)
        return replace(self.changed(changes), caller=(*self.caller, *changes))

    def under(self, question: Asked) -> Study:
        """The study as a question sees it: with what the question sets for itself, and the caller's changes over that."""
        return self.changed((*question.own, *self.caller)) if question.own else self

    def lost(self, question: Asked) -> tuple[tuple[Change, Change], ...]:
        """What the question sets for itself and the caller sets otherwise, in pairs."""
        last = {change.aspect: change for change in self.caller}
        sets = (*question.own, *question.otherwise)
        pairs = ((own, last[own.aspect]) for own in sets if own.aspect in last)
        return tuple((own, other) for own, other in pairs if own.words != other.words)

    def question(self, label: str) -> Any:
        """Return the question of that label; raises `BadInput` naming those there are."""
        for asked in self.questions:
            if asked.label == label:
                return asked
        quoted = ", ".join(repr(asked.label) for asked in self.questions) or "none"
        raise BadInput(f"study {self.name!r} has no question {label!r}; known: {quoted}")
