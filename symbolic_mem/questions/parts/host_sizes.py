"""The memory of a host as a second capacity of the largest batch, length, depth or width: what it allows and how that is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number, fraction, rounded_up, symbolic
from symbolic_mem.base.symbols import B, S, T, local, n_replica
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Brief, Chain, Prose, Total, amount, say
from symbolic_mem.document.steps import Block
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.assumptions import ranks_beside
from symbolic_mem.questions.parts.host_keys import Host, offloaded
from symbolic_mem.questions.parts.hosts import beside_room, devices_words
from symbolic_mem.questions.parts.size_rules import size_rules
from symbolic_mem.questions.parts.within import largest_within
from symbolic_mem.solvers.inverse import Upper
from symbolic_mem.solvers.powers import contains
from symbolic_mem.solvers.rules import AtMost, MultipleOf
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.study import Study


@dataclass(frozen=True, repr=False)
class OnHost:
    """What a `host` allows: the parts of the `devices` on it, each at most an equal share, at a value of the unknown.

    So many devices have a host where there are enough of them: `shared`. It `decides` where the device alone allows more.
    """

    upper: Upper
    host: Host
    devices: int
    shared: int
    decides: bool = False

    @property
    def rule(self) -> AtMost:
        """The largest value that the host holds, as a rule for what the device allows."""
        return AtMost(self.upper.value or 1, f"a host of {self.host.written} holds no more")

    def held(self, value: int) -> Number:
        """Exact bytes on one host at a value of the unknown."""
        return self.devices * fraction(self.upper.per_device(value))

    def claim(self, value: int | None) -> Claimed:
        """What one host holds at the answer, as it can be claimed."""
        held = None if value is None else self.held(value)
        return Claimed(held, "bytes", "bytes that the devices of one host keep there", unit="bytes")

    def _pieces(self, at: int, **more: Any) -> dict[str, Any]:
        held, room = beside_room(self.held(at), self.host.bytes)
        return {
            "held": held,
            "room": room,
            "devices": devices_words(self.devices),
            "x": self.upper.bound.symbol,
            **more,
        }

    def words(self, value: int | None) -> tuple[Prose, ...]:
        """Say which of the two memories decides, and what a host then holds."""
        if value is None:
            return ()
        pieces = self._pieces(value, value=value)
        if not self.decides:
            return (say("The device decides: a host with {devices} then holds {held} of its {room}.", **pieces),)
        above = self.upper.above
        more, beyond = beside_room(self.held(above), self.host.bytes)
        return (
            say(
                "The host decides: with {x} = {above} a host with {devices} would hold {more}, more than its {beyond}; with {value} "
                "it holds {held}.",
                above=above,
                more=more,
                beyond=beyond,
                **pieces,
            ),
        )

    @property
    def reason(self) -> Prose:
        """Why a host holds no value of the unknown, and what would help."""
        least = self.upper.smallest or 1
        return say(
            "even {x} = {value} leaves a host with {devices} {held}, and it has {room}; put fewer devices on a host, offload less, or "
            "divide the memory over more devices",
            **self._pieces(least, value=least),
        )

    def rows(self, value: int | None) -> Iterator[tuple[str, Prose]]:
        """The bound of the host, and what it holds at the answer, at a glance."""
        bound = self.upper.bound
        if bound.degree and bound.quotient is not None:
            short = say("a quotient that --json has in full")
            yield "host bound", say("{x} ≤ {q}", x=bound.symbol, q=Brief(bound.quotient, otherwise=short))
        if value is not None:
            yield "host", say("{held} of {room} on a host with {devices}", **self._pieces(value))

    def facts(self, value: int | None) -> Mapping[str, Any]:
        """The host as ``solve --json`` prints it."""
        bound = self.upper.bound
        told: dict[str, Any] = {"capacity_bytes": int(self.host.bytes), "devices_per_host": self.shared}
        told |= {"formula": bound.formula if bound.degree else None}
        if value is not None:
            told |= {"devices": self.devices, "bytes": rounded_up(self.held(value))}
            told |= {"decides": "host" if self.decides else "device"}
        elif self.decides:
            told |= {"decides": "host"}
        return {"host": told}

    def block(self, value: int | None, work: Work) -> Block:
        """Show what a host holds at the answer, and with one more where it decides, against its memory."""
        room = local("C", "host")
        work.define(room, symbolic(self.host.bytes))
        tried = [] if value is None else [(value, "≤")]
        if self.decides:
            tried.append((self.upper.above if value is not None else self.upper.smallest or 1, ">"))
        chains = [self._filled(each, relation, room, work) for each, relation in tried]
        chains.append(Chain(room, (amount(symbolic(self.host.bytes), "bytes", digits=14),)))
        return work.step(
            say(
                "What is offloaded lives in the memory of hosts. One must hold the parts of the {devices} on it, in bytes:",
                devices=devices_words(self.devices),
            ),
            *chains,
            reason=self._decided(value),
        )

    def _decided(self, value: int | None) -> Prose:
        x = self.upper.bound.symbol
        if value is None:
            return say("It does not at the smallest {x}.", x=x)
        if self.decides:
            return say("The largest {x} at which it does is {value}.", x=x, value=value)
        return say("It does at {value}: the device decides.", value=value)

    def _filled(self, value: int, relation: str, room: sp.Symbol, work: Work) -> Chain:
        """The bytes of one host at a value: so many devices, each with a part for each power of the unknown."""
        symbol = local("M", f"host {value}")
        total = symbolic(self.held(value))
        work.define(symbol, total)
        parts = [
            sp.Mul(
                sp.Integer(self.devices),
                symbolic(size),
                *([sp.Pow(sp.Integer(value), k, evaluate=False)] if k else []),
                evaluate=False,
            )
            for k, size in sorted(self.upper.coefficients, reverse=True)
            if size
        ]
        written = Total(tuple(parts)) if len(parts) > 1 else parts[0]
        return Chain(symbol, (("=", written), amount(total, digits=14), (relation, room)))


def on_host(study: Study, symbol: sp.Symbol, host: Host, shared: int, turn: MultipleOf | None = None) -> OnHost:
    """Return what the memory of a host allows of `symbol`, with `shared` devices on it, or all of fewer.

    Raises `BadInput` where nothing is offloaded, under pipelines, and where what a host holds is no polynomial in the symbol.
    """
    free = study.without(symbol)
    memory = offloaded(free)
    inside = {B, S} if symbol == T else {symbol}
    if not contains(memory, symbol) and memory.total.free_symbols & inside:
        raise BadInput(
            f"{study.name}: what a host holds does not follow from {symbol} alone; leave the host out, or ask for another symbol"
        )
    unknown = study.plan is not None and study.plan.replicas and n_replica not in study.values
    devices = shared if unknown else min(ranks_beside(study, symbol), shared)
    share = Limit(fraction(host.bytes) / devices)
    return OnHost(largest_within(study, memory, symbol, share, size_rules(free, symbol), turn), host, devices, shared)


def none_fits(upper: Upper) -> Upper:
    """The same answer where something else than the device allows no value."""
    return replace(upper, feasible=False, value=None, unbounded=False, next_value=None)
