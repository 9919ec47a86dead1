"""`FoundAtInstants`: an answer at the instant that decides, and what one device keeps at every instant that must fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from symbolic_mem.base.rational import Number, rounded_up, symbolic
from symbolic_mem.document.prose import Amount, Prose, say
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.questions.parts.instants import words_of
from symbolic_mem.study.question import Found


@dataclass(frozen=True, repr=False)
class FoundAtInstants(Found):
    """An answer with `others` beside it: what one device keeps is what it keeps at the instant at which that is most."""

    @abstractmethod
    def held_here(self, value: int) -> Number:
        """Exact bytes of one device at a value of the unknown, at the instant of this answer."""

    @property
    @abstractmethod
    def formula_here(self) -> sp.Expr:
        """The same as a formula."""

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
        formulas = [one.formula_here for one in self.everywhere]
        return sp.Max(*formulas) if len(formulas) > 1 else formulas[0]

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
