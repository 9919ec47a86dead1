"""`Setting`: what is trained, with what, on what; `Change`: something of it set otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import field, replace
from functools import cached_property
from typing import Any, Self

import sympy as sp

from symbolic_mem.accounts.account import account, states_of
from symbolic_mem.accounts.cluster import cluster_timeline
from symbolic_mem.accounts.instant import Instant
from symbolic_mem.accounts.mistaken import Mistaken
from symbolic_mem.accounts.passes import passes
from symbolic_mem.accounts.schedule import converting
from symbolic_mem.accounts.terms import Memory
from symbolic_mem.accounts.timeline import timeline
from symbolic_mem.base.errors import BadInput, MissingValue, at_place
from symbolic_mem.base.exact import Numbers, missing
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import Name
from symbolic_mem.base.values import dataclass
from symbolic_mem.hardware.catalogue import device
from symbolic_mem.models.adapters import check_trained
from symbolic_mem.models.built import Built
from symbolic_mem.models.tensors import Model
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.placement import Placed
from symbolic_mem.plans.plan import Plan
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.solvers.capacity import Capacity, capacity_from, capacity_of
from symbolic_mem.study.derived import Formulas


@dataclass(frozen=True)
class OneDevice:
    """The memory of one device as it is asked for: a catalogue `name` in a `reading`, or an `amount` with its unit.

    The reading "" is the nearest to what a run has. `reserved` bytes are kept free, and the fraction `usable` of the others counts.
    """

    name: str | None = None
    amount: str | None = None
    reading: str = "binary"
    reserved: Number = 0
    usable: sp.Rational = sp.S.One

    @property
    def known(self) -> bool:
        """Whether it says which memory counts."""
        return self.name is not None or self.amount is not None


@dataclass(frozen=True)
class Change:
    """Something set otherwise: `words` say it, `apply` does it, and a later change of the same `aspect` wins.

    Where it was given, in `where`, is said of what the model turns out not to have.
    """

    aspect: str
    words: str
    apply: Callable[[Any], Any] = field(compare=False)
    where: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A model, a recipe, the values of symbols, where memory lives, and the device; all that a `Change` can change.

    `instant` is the moment of a step at which what is kept is counted; `at` is one of `timeline`, with all that is there.
    `mistaken` is what a slip makes of the timeline, where one is asked after.
    `formulas` are values that follow from others. `names` are symbols that only this study has, and `plan` is where its placement comes from, if it has a name.
    Where the plan cuts a dimension that does not come out, the rank has the `part` of that number.
    """

    name: str
    built: Built
    recipe: Recipe
    values: Mapping[sp.Symbol, sp.Rational]
    placement: Mapping[str, Placed] = field(default_factory=dict)
    plan: Plan | None = None
    device: OneDevice = OneDevice()
    devices: str | None = None
    network: Network | None = None
    part: int = 0
    instant: str = "backward"
    at: Instant | None = None
    mistaken: Mistaken | None = field(default=None, compare=False)
    names: tuple[Name, ...] = ()
    formulas: Formulas = field(default_factory=dict)
    numbers: Numbers = field(default_factory=lambda: Numbers({}), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the numbers found so far, which changed studies share as long as they have the same values."""
        if self.numbers.values_given is not self.values:
            object.__setattr__(self, "numbers", Numbers(self.values))

    @cached_property
    def rank(self) -> Built:
        """What one rank has of the model: all of it, unless the plan cuts dimensions of it.

        Raises `BadInput` for adapters on modules that its engine has fused with others.
        """
        cut = None if self.plan is None else self.plan.cut(self.values, self.built, self.part)
        built = converting(self.built, self.recipe, self.placement)
        if cut is None:
            return built
        made = built.on(cut)
        if cut.fused and made.trained.modules:
            with at_place(f"plan {self.plan.name!r}" if self.plan else ""):
                check_trained(made.trained, made.model, "all-linear in their place, or plan torch-tp")
        return made

    @property
    def model(self) -> Model:
        """What is trained, as one rank has it."""
        return self.rank.model

    @cached_property
    def memory(self) -> Memory:
        """The memory of the whole training at its instant, before it is placed: see `account` and `timeline`."""
        if self.at is not None:
            return self.at.memory
        return account(self.model, self.recipe, self.instant, self._apart)

    @property
    def _apart(self) -> tuple[str, ...]:
        """The kinds that routed experts have placed in another way."""
        return tuple(kind for kind, placed in self.placement.items() if placed.experts is not None)

    @cached_property
    def timeline(self) -> tuple[Instant, ...]:
        """The instants of a step that there are at its values; none where only a sum of what is kept is known."""
        self.need_degrees()
        mistaken = self.mistaken or Mistaken()
        if not self.recipe.trains:
            step = mistaken.chosen(passes(self.rank, self.recipe, self.plan, self.numbers))
        elif self.plan is not None and self.plan.engine:
            step = mistaken.chosen(cluster_timeline(self.plan, self.rank, self.recipe, self.numbers))
        elif self.recipe.schedule and (self.built.architecture is None or self.built.architecture.mtp == 0):
            replicas = self.plan is None or self.plan.replicas
            step = timeline(
                self.rank, self.recipe, self.placement, self.numbers, self.keep, mistaken.only, replicas=replicas
            )
        else:
            return ()
        return mistaken.left(step)

    @property
    def keep(self) -> sp.Rational:
        """The share of gathered weights that stays on a device after the forward pass, at its values: see `Plan.kept`."""
        return sp.S.Zero if self.plan is None else self.plan.kept(self.values)

    def seen_at(self, instant: Instant | None) -> Self:
        """The setting at an instant of a step, or at none; its timeline is not built again."""
        if instant is self.at:
            return self
        seen = copy(self)
        seen.__dict__.update(at=instant)
        seen.__dict__.pop("memory", None)
        return seen

    def on_device(self, device: OneDevice) -> Self:
        """The setting with another memory of one device; nothing of its step is made again."""
        other = copy(self)
        other.__dict__.update(device=device)
        return other

    def without(self, symbol: sp.Symbol) -> Self:
        """The setting without a value of that symbol."""
        if symbol not in self.values:
            return self
        return replace(self, values={known: value for known, value in self.values.items() if known != symbol}, at=None)

    def placed(self, kinds: tuple[str, ...] = ()) -> Memory:
        """The memory of one device; `kinds` keeps only some."""
        self.need_degrees()
        return (self.memory.of(*kinds) if kinds else self.memory).placed(self.placement)

    def at_least(self, kinds: tuple[str, ...]) -> Memory:
        """What one device holds of some kinds at every instant, weights or optimizer; it costs less than an instant."""
        self.need_degrees()
        return states_of(self.model, self.recipe, kinds, self._apart).placed(self.placement)

    def need_degrees(self) -> None:
        """Refuse to count under a plan that needs another value of a degree which a question has not found yet."""
        if self.plan is not None and self.plan.finds:
            replace(self.plan, finds=()).check(self.values, self.built, trains=self.recipe.trains)

    @property
    def as_given(self) -> Self:
        """The setting at the degrees that it has, also those that a question has not found yet."""
        if self.plan is None or not self.plan.finds:
            return self
        return replace(self, plan=replace(self.plan, finds=()))

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
