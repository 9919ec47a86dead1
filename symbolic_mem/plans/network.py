"""`Network`: how fast a chip computes and sends; the direction of a bandwidth is part of it."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import C, W, W_dcn
from symbolic_mem.base.values import dataclass

DIRECTIONS = ("both-ways", "one-way")
RINGS = ("limit", "exact")
COUNTED = {
    "both-ways": "both directions of a link added, because a ring on a torus sends both ways round",
    "one-way": "what one chip sends, in one direction",
}


@dataclass(frozen=True)
class Network:
    """The rates of a chip: `flops` (FLOP/s), `bandwidth` (bytes/s along one mesh axis) and `pods` (bytes/s to others).

    `direction` says what `bandwidth` counts: ``both-ways`` (a link of a torus, both directions added, as the Scaling
    Book) or ``one-way`` (the egress of a chip, as CS336 2026); one is never turned into the other. `pods` is always
    one way out of a chip. A `ring` is ``exact``, (N - 1)/N of the array passes each chip, or its ``limit``, all of it. `device` is the one of the catalogue whose rates they are, where it is named.
    """

    direction: str
    ring: str = "limit"
    flops: sp.Expr = C
    bandwidth: sp.Expr = W
    pods: sp.Expr = W_dcn
    source: str = ""
    device: str = ""

    def __post_init__(self) -> None:
        if not self.direction:
            raise BadInput('the bandwidth has no direction; give direction = "both-ways" or "one-way"')
        if self.direction not in DIRECTIONS:
            raise BadInput.unknown(f"unknown direction {self.direction!r} of a bandwidth", self.direction, DIRECTIONS)
        if self.ring not in RINGS:
            raise BadInput.unknown(f"unknown ring {self.ring!r}", self.ring, RINGS)

    @property
    def intensity(self) -> sp.Expr:
        """FLOP that a chip does in the time in which it sends one byte along one axis."""
        return self.flops / self.bandwidth

    def passed(self, chips: sp.Expr) -> sp.Expr:
        """The part of an array that passes each chip of a ring of `chips`."""
        return (chips - 1) / chips if self.ring == "exact" else sp.S.One
