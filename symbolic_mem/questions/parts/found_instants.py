"""`FoundAtInstants`: an answer at the instant that decides, and what one device keeps at every instant that must fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import sympy as sp

from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number, rounded_up, symbolic
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, say
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.questions.parts.instants import words_of
from symbolic_mem.questions.parts.peaks import Fullest
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.found import Found


@dataclass(frozen=True, repr=False)
class FoundAtInstants(Found):
    """An answer with `others` beside it: what one device keeps is what it keeps at the instant at which that is most.

    `capacity` is what counts of one device; `falls` says whether what it keeps falls as the unknown grows.
    """

    falls: ClassVar[bool] = True

    capacity: Capacity

    @property
    @abstractmethod
    def symbol(self) -> sp.Symbol:
        """The unknown."""

    @property
    @abstractmethod
    def known(self) -> Mapping[sp.Symbol, Any]:
        """The numbers of the study, with the answer in its place."""

    @property
    @abstractmethod
    def limit(self) -> Limit:
        """What one device may hold."""

    @property
    def fits_from(self) -> int | None:
        """The number at which what one device holds begins, or ceases, to fit."""
        return self.value

    @property
    def tried(self) -> tuple[str, ...]:
        """The symbol of the unknown where a value of it is given and tried."""
        return ()

    @property
    def held_at(self) -> int | None:
        """The value of the unknown at which a line says what one device holds."""
        return self.value

    @property
    @abstractmethod
    def fullest_instants(self) -> tuple[Fullest, ...]:
        """The fullest instant of each phase of a step at the answer; none where they are not known."""

    @abstractmethod
    def held_here(self, value: int) -> Number:
        """Exact bytes of one device at a value of the unknown, at the instant of this answer."""

    @property
    @abstractmethod
    def formula_here(self) -> sp.Expr:
        """The same as a formula."""

    @property
    @abstractmethod
    def powers_here(self) -> Mapping[int, Number] | None:
        """The factor of each power of the unknown in those bytes; None where they are cut into whole rows."""

    @property
    def held_of(self) -> Callable[[Term], Number] | None:
        """What one device holds of a term at the answer, where terms are cut into whole pieces; None where they are not."""
        return None

    @property
    def everywhere(self) -> tuple[FoundAtInstants, ...]:
        """The answer at each instant, that which decides first."""
        return (self, *(one for one in self.others if isinstance(one, FoundAtInstants)))

    def fullest(self, value: int) -> FoundAtInstants:
        """The answer at the instant at which one device keeps most."""
        return max(self.everywhere, key=lambda one: one.held_here(value))

    def held(self, value: int) -> Number:
        """Exact bytes of one device at a value of the unknown, at the instant at which that is most."""
        return self.fullest(value).held_here(value)

    def held_bytes(self, value: int | None) -> int | None:
        """Those bytes, rounded up to a whole byte; None without a value."""
        return None if value is None else rounded_up(self.held(value))

    @property
    def held_formula(self) -> sp.Expr:
        """What one device keeps, at the instant at which that is most, as a formula."""
        formulas = list(dict.fromkeys(one.formula_here for one in self._fullest_somewhere))
        return sp.Max(*formulas, evaluate=False) if len(formulas) > 1 else formulas[0]

    @property
    def _fullest_somewhere(self) -> list[FoundAtInstants]:
        """The answers at the instants that can be the fullest at some value: no other holds at least as much of each power.

        Where rows are cut, that which is the fullest at the answer.
        """
        if any(one.powers_here is None for one in self.everywhere):
            return [self if self.value is None else self.fullest(self.value)]
        kept: list[FoundAtInstants] = []
        for one in sorted(self.everywhere, key=lambda each: sum((each.powers_here or {}).values()), reverse=True):
            own = one.powers_here or {}
            if not any(_covers(other.powers_here or {}, own) for other in kept):
                kept.append(one)
        return kept

    @property
    def fuller(self) -> tuple[Prose, ...]:
        """Say at which instant one device keeps most, where that is not the one that decides."""
        if self.value is None or self.fullest(self.value) is self:
            return ()
        most = self.fullest(self.value)
        kept = Amount(symbolic(most.held_here(self.value)), "bytes", digits=14)
        return (say("One device then keeps most, {kept}, at {moment}.", kept=kept, moment=words_of(most.study)),)

    @property
    def fuller_blocks(self) -> Iterator[Block]:
        """That as paragraphs of the steps."""
        return map(Paragraph, self.fuller)


def _covers(one: Mapping[int, Number], other: Mapping[int, Number]) -> bool:
    """Whether one has at least as much of each power."""
    return all(one.get(power, 0) >= factor for power, factor in other.items())
