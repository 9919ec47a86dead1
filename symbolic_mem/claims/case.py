"""`Case`: everything that a number of a study depends on, so that a slip is one replacement in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.accounts.account import account
from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.exact import evaluate, fraction, number
from symbolic_mem.models.tensors import KINDS, Model
from symbolic_mem.plans.placement import Placed
from symbolic_mem.recipes.recipe import Recipe
from symbolic_mem.solvers.capacity import Capacity

if TYPE_CHECKING:
    from symbolic_mem.study.study import Study

Pairs = tuple[tuple[sp.Symbol, sp.Expr], ...]


@dataclass(frozen=True)
class Case:
    """A study as numbers are computed from it; the fields after `kinds` say how, and a slip changes one of them.

    `without` kinds are forgotten, `rounding` is what happens to a count, `before` what happens to amounts before they
    are divided, `cut` whether figures are cut off, and `shown` how an amount gets its unit. The last ones are for the compute-bound
    batch: `overlap` and `axes` as in `comms_report`, the unit `per` which it is counted (empty: as asked) and the one
    in which it is rounded `first`.
    """

    model: Model
    recipe: Recipe
    values: Pairs
    placement: tuple[tuple[str, Placed], ...] = ()
    capacity: Capacity | None = None
    strict: bool = False
    kinds: tuple[str, ...] = KINDS
    without: frozenset[str] = frozenset()
    rounding: str = "up"
    before: str = "exact"
    cut: bool = False
    shown: str = "as said"
    study: Study | None = field(default=None, compare=False, repr=False)
    scheme: tuple[Any, ...] = ()
    overlap: str = "max"
    axes: str = "given"
    per: str = ""
    first: str = ""

    @property
    def at(self) -> dict[sp.Symbol, sp.Expr]:
        """The values by symbol."""
        return dict(self.values)

    @property
    def parameters(self) -> Fraction:
        """Number of parameters."""
        return _parameters(self.model, self.values)

    def bytes_of(self, *kinds: str) -> Fraction:
        """Bytes of the given kinds before they are divided, without those that are forgotten."""
        counted = (kind for kind in kinds if kind in self.present)
        return sum((_amount(self.model, self.recipe, self.values, kind) for kind in counted), Fraction(0))

    @property
    def present(self) -> tuple[str, ...]:
        """The kinds that there are and that are not forgotten."""
        return tuple(kind for kind in _memory(self.model, self.recipe).kinds if kind not in self.without)

    def over(self, degree: sp.Symbol) -> tuple[Fraction, Fraction]:
        """Bytes that `degree` divides, and bytes that every device keeps."""
        placed = dict(self.placement)
        divided = fixed = Fraction(0)
        for kind in self.kinds:
            amount = self.bytes_of(kind)
            place = placed.get(kind)
            if place is None:
                fixed += amount
                continue
            share = fraction(place.fraction)
            kept = (1 - share) * amount if place.rest == "kept" else Fraction(0)
            if place.degree.has(degree):
                divided += share * amount / number(place.degree / degree, self.at, f"the claim about {degree}")
                fixed += kept
            else:
                fixed += kept + share * amount / number(place.degree, self.at, f"the claim about {degree}")
        return divided, fixed

    @property
    def counted(self) -> Fraction | None:
        """Bytes of one device that count."""
        return None if self.capacity is None else fraction(self.capacity.counted)


@lru_cache(maxsize=1024)
def _memory(model: Model, recipe: Recipe) -> Memory:
    return account(model, recipe)


@lru_cache(maxsize=4096)
def _amount(model: Model, recipe: Recipe, values: Pairs, kind: str) -> Fraction:
    return fraction(number(_memory(model, recipe).of(kind).total, dict(values), f"an amount of {kind}"))


@lru_cache(maxsize=1024)
def _parameters(model: Model, values: Pairs) -> Fraction:
    return fraction(evaluate(model.parameters, dict(values), "the number of parameters"))
