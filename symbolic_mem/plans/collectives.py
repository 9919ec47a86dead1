"""`Collective`: what one collective sends through each chip, and how long that takes."""

from __future__ import annotations

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass
from symbolic_mem.plans.network import Network

COLLECTIVES = ("all-gather", "reduce-scatter", "all-reduce", "all-to-all")
FABRICS = ("mesh", "pods")


@dataclass(frozen=True)
class Collective:
    """One collective over a group of `over` chips along the mesh axis named `axis`, laid over `axes` physical axes.

    `bytes` is the size of the array when it is whole: after an all-gather, before a reduce-scatter, on every chip of
    an all-reduce, over all chips of the group in an all-to-all. `fabric` is what carries it: the ``mesh`` or the
    network between ``pods``.
    """

    kind: str
    what: str
    bytes: sp.Expr
    over: sp.Expr
    axis: str
    axes: sp.Expr = sp.S.One
    fabric: str = "mesh"

    def __post_init__(self) -> None:
        if self.kind not in COLLECTIVES:
            raise BadInput.unknown(f"unknown collective {self.kind!r}", self.kind, COLLECTIVES)
        for count, what in ((self.axes, "mesh axes"), (self.over, "chips")):
            if sp.sympify(count).is_number and not count >= 1:
                raise BadInput(f"{self.kind} of the {self.what} over {count} {what}: give at least 1")

    def volume(self, network: Network) -> sp.Expr:
        """Bytes that each chip sends.

        Rings: (N - 1)/N of the array for an all-gather or a reduce-scatter, twice that for an all-reduce (Patarasuk
        and Yuan, 2009). An all-to-all sends (N - 1)/N of the N-th part that a chip holds, to every other chip over a
        switch; on a ring of an even number of chips that goes both ways it passes on a quarter of the array
        (Scaling Book, chapter Sharded matrices).

        >>> from symbolic_mem.plans.network import Network
        >>> from symbolic_mem.base.symbols import P, X
        >>> Collective("all-gather", "weights", 2 * P, X, "X").volume(Network("one-way", "exact"))
        2*P*(X - 1)/X
        """
        passed = network.passed(self.over)
        match self.kind:
            case "all-reduce":
                return 2 * self.bytes * passed
            case "all-to-all" if network.direction == "both-ways" and self.fabric == "mesh":
                return self.bytes / 4
            case "all-to-all":
                return self.bytes * passed / self.over
        return self.bytes * passed

    def time(self, network: Network) -> sp.Expr:
        """Seconds that the collective takes when its bandwidth is all that limits it.

        >>> from symbolic_mem.plans.network import Network
        >>> from symbolic_mem.base.symbols import M_X, P, X
        >>> Collective("reduce-scatter", "gradients", 2 * P, X, "X", M_X).time(Network("both-ways"))
        2*P/(M_X*W)
        """
        rate = network.pods if self.fabric == "pods" else network.bandwidth
        return self.volume(network) / (rate * self.axes)
