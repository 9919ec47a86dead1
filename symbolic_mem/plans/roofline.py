"""`Roofline`: the time of the mathematics of a pass beside the time of what it sends, and who wins."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Values, evaluate
from symbolic_mem.base.symbols import t_comm, t_fsdp, t_pods, t_tp
from symbolic_mem.base.values import dataclass
from symbolic_mem.plans.collectives import Collective
from symbolic_mem.plans.network import Network
from symbolic_mem.plans.schemes import Pass
from symbolic_mem.plans.words import OVERLAPS

TIME_OF = {"X": t_fsdp, "Y": t_tp, "pods": t_pods}


@dataclass(frozen=True)
class Roofline:
    """A pass on a network; every time is in seconds. Collectives on one axis share its links, so their times add."""

    work: Pass
    network: Network

    @property
    def math(self) -> sp.Expr:
        """Time of the matrix products at the full rate of the chips.

        >>> from symbolic_mem.plans.schemes import scheme
        >>> from symbolic_mem.plans.load import load
        >>> from symbolic_mem.plans.network import Network
        >>> from symbolic_mem.models.ffn import ffn
        >>> Roofline(scheme("fsdp", load(ffn())).forward, Network("both-ways")).math
        4*T*d_ff*d_model/(C*X)
        """
        return self.work.flops / (self.work.chips * self.network.flops)

    @property
    def each(self) -> tuple[tuple[Collective, sp.Expr], ...]:
        """Every collective with its time."""
        return tuple((collective, collective.time(self.network)) for collective in self.work.collectives)

    @property
    def by_axis(self) -> dict[str, sp.Expr]:
        """The time of what is sent along each mesh axis.

        >>> from symbolic_mem.plans.schemes import scheme
        >>> from symbolic_mem.plans.load import load
        >>> from symbolic_mem.plans.network import Network
        >>> from symbolic_mem.models.ffn import ffn
        >>> Roofline(scheme("fsdp+tp", load(ffn())).forward, Network("both-ways")).by_axis
        {'X': 4*d_ff*d_model/(M_X*W*Y), 'Y': 4*T*d_model/(M_Y*W*X)}
        """
        return {
            axis: sp.Add(*(time for collective, time in self.each if collective.axis == axis))
            for axis in self.work.axes
        }

    def on(self, values: Values) -> Roofline:
        """The same pass without the collectives over a single chip, which send nothing."""
        kept = tuple(c for c in self.work.collectives if sp.sympify(c.over).xreplace(dict(values)) != 1)
        return replace(self, work=replace(self.work, collectives=kept))

    def communication(self, overlap: str) -> sp.Expr:
        """The time of all that is sent: the longest axis (``max``) or all axes added (``sum``)."""
        times = self.by_axis.values()
        return sp.Max(*times) if checked(overlap) == "max" and times else sp.Add(*times)

    def winner(self, values: Values, overlap: str) -> str:
        """What the pass waits for at numbers: ``math``, or ``X``, ``Y``, ``pods`` (``max``) or ``communication``.

        At equal times it is the mathematics.
        """
        math = evaluate(self.math, values, "the time of the mathematics")
        if checked(overlap) == "sum":
            total = evaluate(self.communication("sum"), values, "the time of the communication")
            return "communication" if total > math else "math"
        times = {axis: evaluate(time, values, "the roofline") for axis, time in self.by_axis.items()}
        slowest = max(times, key=lambda axis: times[axis], default="math")
        return slowest if slowest in times and times[slowest] > math else "math"


def checked(overlap: str) -> str:
    """Return `overlap` when it is known: whether the axes send together is a choice that nobody can guess."""
    if overlap not in OVERLAPS:
        raise BadInput.unknown(f"unknown overlap {overlap!r}", overlap, OVERLAPS)
    return overlap


def symbol_of(axis: str) -> sp.Symbol:
    """The symbol of the time spent along a mesh axis."""
    return TIME_OF.get(axis, t_comm)
