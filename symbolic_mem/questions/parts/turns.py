"""At which value of one symbol, all others as they are, another instant takes over as the fullest; it needs no SymPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

Number = int | Fraction
LEAST = {"B": 1, "S": 1, "V": 1, "n_fsdp": 2}
"""The symbols of which it is asked, and how small they may be: a step on one device has other instants."""
MOST = {"S": "n_pos"}
"""The symbols that another one limits: a table of positions has rows for so many tokens."""


class Turn(NamedTuple):
    """From the `value` of a `symbol` on, up where that is `above` the present one and down where it is not, an `instant` is the fullest."""

    symbol: str
    value: int
    above: bool
    instant: str

    @property
    def record(self) -> dict[str, Any]:
        """The same as a program reads it."""
        side = "above" if self.above else "below"
        return {"symbol": self.symbol, "value": self.value, "side": side, "instant": self.instant}

    @property
    def alone(self) -> bool:
        """Whether there is no other value on its side."""
        return not self.above and self.value == LEAST[self.symbol]


class Turns(NamedTuple):
    """The turns that there are, and the `symbols` of which they were asked."""

    symbols: tuple[str, ...]
    found: tuple[Turn, ...]


def turns(
    powers: Mapping[str, int | None],
    values: Mapping[str, Any],
    amounts: Callable[[Mapping[str, int]], Sequence[Number]],
    words: Sequence[str],
    fullest: str,
) -> Turns:
    """Return the next turns below and above the value of each symbol: the bytes of one device are `amounts`, at other values.

    They are polynomials of at most those `powers` of a symbol, -1 for u + p/symbol; of one in which they are none, nothing is
    said. Instants have `words`, and one of the `fullest` decides.
    """
    from symbolic_mem.solvers.takeover import takeovers

    here = amounts({})
    most = max(here, default=0)
    first = next((place for place, one in enumerate(here) if one == most and words[place] == fullest), None)
    asked, found = [], list[Turn]()
    for symbol, least in LEAST.items():
        value, power = values.get(symbol), powers.get(symbol)
        if first is None or power not in (1, 2, -1) or type(value) is not int or value < least:
            continue
        asked.append(symbol)

        def at(x: int, symbol: str = symbol, value: int = value) -> Sequence[Number]:
            return here if x == value else amounts({symbol: x})

        below, above = takeovers(at, words, first, value, power, least)
        if above is not None and above.value > values.get(MOST.get(symbol, ""), above.value):
            above = None
        found += [Turn(symbol, one.value, one is above, words[one.place]) for one in (below, above) if one is not None]
    return Turns(tuple(asked), tuple(found))
