"""`Study`: everything that a TOML file declares, checked key by key: model, recipe, values, placement, questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.accounts.terms import Memory, place
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import missing
from symbolic_mem.base.formula import read_number
from symbolic_mem.hardware import device
from symbolic_mem.models.build import Built
from symbolic_mem.models.tensors import Model
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.solvers.capacity import Capacity, capacity_from, capacity_of
from symbolic_mem.study.question import Question
from symbolic_mem.study.values import read_values

if TYPE_CHECKING:
    from symbolic_mem.plans.network import Network


@dataclass(frozen=True)
class Study:
    """What a study file declares; `overridden` is what the caller changed, for the document to say.

    `moment` is that of the account, where gradients do not persist.
    """

    name: str
    title: str
    built: Built
    recipe: Recipe
    values: Mapping[sp.Symbol, sp.Rational]
    placement: Mapping[str, Placed] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    source: str = ""
    text: str = ""
    notes: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    devices: str | None = None
    network: Network | None = None
    moment: str = "backward"

    @property
    def model(self) -> Model:
        """What is trained."""
        return self.built.model

    @cached_property
    def memory(self) -> Memory:
        """The memory of the whole training at its `moment` (see `account`), before it is placed."""
        return account(self.model, self.recipe, self.moment)

    def placed(self, rest: str | None = None, kinds: tuple[str, ...] = ()) -> Memory:
        """The memory of one device; `rest` overrides what happens to undivided fractions, `kinds` keeps only some."""
        placement = self.placement
        if rest is not None:
            placement = {kind: replace(placed, rest=rest) for kind, placed in placement.items()}
        memory = self.memory.of(*kinds) if kinds else self.memory
        return place(memory, placement)

    def need(self, expr: sp.Expr, what: str) -> None:
        """Raise `MissingValue` when a symbol of `expr` has no value, other than a degree that is solved for."""
        absent = missing(expr, self.values)
        if absent:
            raise MissingValue(absent, what)

    def under(self, question: Question) -> Study:
        """The study with the values that the question gives for itself."""
        if "values" not in question.options:
            return self
        return replace(self, values={**self.values, **read_values(question.get("values"), f"{question.where} values")})

    def capacity(self, question: Question) -> Capacity:
        """The capacity that a question names: a device in a reading, or an amount with its unit."""
        limits: dict[str, Any] = {}
        if "reserved" in question.options:
            limits["reserved"] = capacity_from(str(question.options["reserved"])).nominal
        if "usable" in question.options:
            limits["usable"] = read_number(str(question.options["usable"]), "the usable fraction")
        if "capacity" in question.options:
            return capacity_from(str(question.options["capacity"]), **limits)
        if "device" in question.options:
            chosen = device(str(question.options["device"]), self.devices)
            return capacity_of(chosen, str(question.options.get("reading", "binary")), **limits)
        raise BadInput(f'{question.where}: no capacity; give device = "h100-80gb" or capacity = "80 GiB"')
