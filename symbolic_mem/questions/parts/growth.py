"""`Most` and `Unsolved`: how far one symbol can grow on a given number of devices, or why that is not found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.rational import Number, rounded_up, symbolic
from symbolic_mem.base.symbols import named
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, say
from symbolic_mem.document.words import inside_brackets
from symbolic_mem.questions.parts.powers import none_words
from symbolic_mem.solvers.inverse import Upper


@dataclass(frozen=True)
class Unsolved:
    """A symbol of which the memory does not say how far it can grow, its value `now`, and why."""

    symbol: sp.Symbol
    now: sp.Expr | None
    reason: Prose

    @property
    def closing(self) -> Prose:
        """That there is no answer, and why."""
        pieces: dict[str, Any] = {
            "x": self.symbol,
            "meaning": inside_brackets(named(self.symbol).meaning),
            "why": self.reason,
        }
        return say("How far {x} ({meaning}) can grow is not found: {why}.", **pieces)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The keys of a largest value, and why there is none."""
        keys = ("feasible", "value", "per_device_bytes", "at_value_plus_one_bytes", "one_more_needs_bytes")
        return {"symbol": str(self.symbol), "now": self.now, **dict.fromkeys(keys), "reason": self.reason}


@dataclass(frozen=True)
class Most:
    """The largest whole value of one symbol that still fits, the value `now`, and its coefficients as they are written.

    `everywhere` are the bounds at all instants: what one device keeps is what it keeps where that is most. `moment` is the
    instant that decides, where they are known.
    """

    upper: Upper
    now: sp.Expr | None
    written: Mapping[int, tuple[sp.Expr, ...]]
    with_p: bool
    everywhere: tuple[Upper, ...]
    what: str = "what is kept"
    moment: Prose | None = None

    @property
    def symbol(self) -> sp.Symbol:
        """What grows."""
        return self.upper.bound.symbol

    @property
    def value(self) -> int | None:
        """The largest whole value."""
        return self.upper.value

    @property
    def reason(self) -> Prose | None:
        """Why there is no largest value."""
        return None if self.value is not None else none_words(self.upper, self.what)

    @property
    def more_needs(self) -> Number | None:
        """Bytes that the next number would need on each device beyond those that it has."""
        return None if self.value is None else self.held(self.upper.above) - self.upper.capacity

    def held(self, value: int) -> Number:
        """Exact bytes of one device at a value, at the instant at which that is most."""
        return max(one.per_device(value) for one in self.everywhere)

    @property
    def closing(self) -> Prose:
        """The largest value and what one more would need, or why there is none."""
        pieces: dict[str, Any] = {"x": self.symbol, "meaning": inside_brackets(named(self.symbol).meaning)}
        if self.value is None or self.more_needs is None:
            pieces |= {"why": self.reason or ""}
            if self.upper.unbounded:
                return say("There is no largest {x} ({meaning}): {why}.", **pieces)
            return say("There is no such {x} ({meaning}): {why}.", **pieces)
        pieces |= {
            "most": Amount(sp.Integer(self.value)),
            "more": Amount(sp.Integer(self.upper.above)),
            "needs": Amount(symbolic(self.more_needs), "bytes", digits=14),
            "what": self.what,
        }
        return say(
            "The largest {x} ({meaning}) at which {what} fits is {most}: {more} would need {needs} more than each "
            "device has.",
            **pieces,
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """The largest value, and its neighbour in bytes."""
        return {
            "symbol": str(self.symbol),
            "now": self.now,
            "feasible": self.upper.feasible,
            "value": self.value,
            "per_device_bytes": None if self.value is None else rounded_up(self.held(self.value)),
            "at_value_plus_one_bytes": None if self.value is None else rounded_up(self.held(self.value + 1)),
            "one_more_needs_bytes": self.more_needs,
            "reason": self.reason,
        }
