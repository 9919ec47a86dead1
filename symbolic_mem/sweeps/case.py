"""`Case`: configurations that the same polynomials answer; it holds plain numbers alone, so that it travels to a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from symbolic_mem.base.values import dataclass
from symbolic_mem.solvers.rules import Allowed
from symbolic_mem.sweeps.binding import binding
from symbolic_mem.sweeps.polynomial import Polynomial


@dataclass(frozen=True)
class Held:
    """What one device holds: a name, the bytes that are divided by the degree and those that are not, scaled."""

    name: str
    divided: Polynomial
    fixed: Polynomial


@dataclass(frozen=True)
class Seconds:
    """How long one device sends in a step: (fixed + divided/n)/below at a degree n of more than one, one/below at one; whole factors.

    Where the degree is given it is one of the generators, and nothing is divided.
    """

    fixed: Polynomial
    divided: Polynomial
    one: Polynomial
    below: Polynomial


@dataclass(frozen=True)
class Case:
    """Configurations with the same formulas: one choice of names, and those positions of the leading axes.

    Bytes are multiplied by `scaled`, so that all factors are whole; `capacity`, too, unless no device is asked about.
    `one` answers of a step on one device, where that has other instants: nothing is divided there, and its answer counts where it is 1.
    `columns` are the values of the generators: of each leading one at every position of `lead`, of the others along
    their own axis. `terms` are the parts of each instant and `sends` is how long a device sends, where they are asked for.
    """

    choice: tuple[int, ...]
    lead: Sequence[int]
    leading: Mapping[int, Sequence[int]]
    trailing: tuple[tuple[int, Mapping[int, Sequence[int]]], ...]
    degree: int | None
    instants: tuple[Held, ...]
    terms: tuple[tuple[Held, ...], ...]
    scaled: Polynomial
    capacity: Polynomial | None
    strict: bool
    allowed: Allowed | None
    sends: Seconds | None = None
    one: Case | None = None

    @property
    def named(self) -> tuple[Held, ...]:
        """All instants, with those of a step on one device."""
        return self.instants if self.one is None else (*self.instants, *self.one.instants)

    @cached_property
    def never(self) -> bool:
        """Whether some instant of which nothing is divided fits at no configuration."""
        lowest, largest = self.lowest, self.largest
        if self.capacity is None or min(lowest, default=1) < 0:
            return False
        room = self.capacity.most(largest)
        return any(one.fixed.least(lowest, largest) > room for one in self.instants if not one.divided)

    @cached_property
    def largest(self) -> list[int]:
        """The largest absolute value of each generator."""
        return self._corner(lambda values: max(abs(int(max(values))), abs(int(min(values)))))

    @cached_property
    def lowest(self) -> list[int]:
        """The smallest value of each generator."""
        return self._corner(lambda values: int(min(values)))

    def _corner(self, of: Any) -> list[int]:
        columns = dict(self.leading)
        for _, own in self.trailing:
            columns.update(own)
        return [of((v[0], v[-1]) if isinstance(v, range) else v) for _, v in sorted(columns.items())]

    @cached_property
    def most(self) -> int:
        """What no number on the way to an answer exceeds: the corner bound of what is held and of the capacity."""
        largest = self.largest
        held = max(one.divided.most(largest) + one.fixed.most(largest) for one in self.instants)
        room = 0 if self.capacity is None else self.capacity.most(largest)
        return held + room + self.scaled.most(largest) + (0 if self.degree is None else largest[self.degree])

    @cached_property
    def binding(self) -> list[int]:
        """The instants that can hold most at some configuration."""
        parts = [one.divided for one in self.instants], [one.fixed for one in self.instants]
        return binding(*parts, self.lowest, self.largest)

    @property
    def roundings(self) -> int:
        """How often a float is rounded at most on the way to one of the numbers."""
        every = [p for one in self.instants for p in (one.divided, one.fixed)]
        return 8 + max(
            len(p.terms) + max((sum(power for _, power in term) for term in p.terms), default=0) for p in every
        )
