"""Where no number of devices is enough: how many tokens a device may hold so that one is, and a table of degrees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.base.ledger import Line
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import B, C_mem, S, T, local
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, amount, say, text
from symbolic_mem.document.steps import Block, Column, Table
from symbolic_mem.document.words import count, counted
from symbolic_mem.document.work import Work
from symbolic_mem.solvers.bound import Solved
from symbolic_mem.solvers.capacity import Capacity, capacity_of
from symbolic_mem.solvers.tokens import most_tokens
from symbolic_mem.study.study import Study

T_most = local("T", "most")


@dataclass(frozen=True)
class TokensThatFit:
    """The real number of tokens that fills a device (`limit`, a formula), the most whole ones, and degrees by tokens."""

    limit: sp.Expr
    most: int
    capacities: tuple[Capacity, ...]
    rows: tuple[tuple[int, tuple[int | None, ...]], ...]

    @property
    def line(self) -> Line:
        """The most whole tokens, by a name."""
        return Line(T_most, sp.Integer(self.most), "tokens", "the most tokens that leave room", of_one="device")


def tokens_that_fit(solved: Solved, study: Study, asked: tuple[int, ...] = ()) -> TokensThatFit | None:
    """Return how few tokens would leave room, with the degree at the numbers of tokens that are `asked` for.

    Without `asked` the table goes through powers of two. None where fewer tokens do not help.
    """
    bound, capacity = solved.bound, study.capacity
    limit = most_tokens(bound.fixed, C_mem)
    real = None if limit is None else limit.xreplace({**study.values, C_mem: capacity.counted})
    if limit is None or real is None or real <= 1:
        return None
    most = int(sp.ceiling(real)) - 1
    counts = asked or (*(2**k for k in range(max(most.bit_length() - 5, 0), most.bit_length())), most)
    capacities = _readings(capacity)
    bounds = [replace(bound, limit=Limit(other.counted, bound.strict)) for other in capacities]
    values: dict[sp.Symbol, Any] = dict(study.values)
    rows = tuple((number, tuple(each.at({**values, B: number, S: 1}).value for each in bounds)) for number in counts)
    return TokensThatFit(limit, most, capacities, rows)


def token_steps(lacking: TokensThatFit, solved: Solved, work: Work) -> Iterator[Block]:
    """Solve the condition for the tokens of one device, then tabulate the degrees."""
    n, real = solved.bound.symbol, work.number(lacking.limit)
    yield work.step(
        say(
            "What would help: fewer tokens on each device. What stays was that of the whole batch of the study, on every "
            "device; with {t} tokens on each device in its place, the condition says",
            t=T,
        ),
        Chain(T, (("<", lacking.limit), amount(real, "tokens", digits=7)), asked=True),
        reason=say(
            "So the most is {most}; the nearer to it, the more devices it takes.", most=counted(lacking.most, "tokens")
        ),
    )
    heads = [say("{n} at {c}", n=n, c=Amount(other.counted, other.unit)) for other in lacking.capacities]
    yield Table(
        say("The smallest {n} by the number of tokens that each device holds", n=n),
        (Column(text("tokens per device"), "right"), *(Column(head, "right") for head in heads)),
        tuple((count(number), *(count(degree) for degree in degrees)) for number, degrees in lacking.rows),
    )


def _readings(capacity: Capacity) -> tuple[Capacity, ...]:
    """The capacity under every reading of the label of its device."""
    device = capacity.device
    if device is None:
        return (capacity,)
    readings = [reading for reading in ("marketed", "binary") if getattr(device, reading) is not None]
    if capacity.reading not in readings:
        readings.append(capacity.reading or "binary")
    limits = {"reserved": capacity.reserved, "usable": capacity.usable}
    return tuple(capacity_of(device, reading, **limits) for reading in readings)
