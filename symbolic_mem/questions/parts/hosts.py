"""What is said of the memory of the hosts, where it is a second capacity of a question about a degree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sympy as sp

from symbolic_mem.base.rational import Number, rounded_up, symbolic
from symbolic_mem.base.symbols import local
from symbolic_mem.document.prose import Amount, Chain, Prose, Total, amount, apart, say, text
from symbolic_mem.document.steps import Block
from symbolic_mem.document.words import plural
from symbolic_mem.document.work import Work
from symbolic_mem.solvers.host import HostHolds
from symbolic_mem.study.question import Claimed

if TYPE_CHECKING:
    from symbolic_mem.solvers.degree import Applied, Degree


def of_host(degree: Degree) -> Applied | None:
    """What the rule of the host changed, where there is one and a degree was left for it."""
    return next((step for step in degree.steps if isinstance(step.rule, HostHolds)), None)


def host_decides(degrees: Sequence[Degree]) -> bool:
    """Whether the host asks for more than the device does at any of the instants."""
    found = [of_host(degree) for degree in degrees]
    return all(step is not None and step.changed for step in found)


def _numbers(degree: Degree) -> HostHolds:
    found = degree.allowed.host
    assert found is not None, "the rule was applied with its numbers"
    return found


def host_words(degrees: Sequence[Degree]) -> tuple[Prose, ...]:
    """Say which of the two memories decides, and what a host then holds."""
    step = of_host(degrees[0])
    if step is None or step.after is None:
        return ()
    rule = _numbers(degrees[0])
    held, room = beside_room(rule.held(step.after), rule.room)
    pieces: dict[str, Any] = {"held": held, "room": room, "devices": devices_words(rule.on_one(step.after))}
    if not host_decides(degrees):
        return (say("The device decides: a host with {devices} then holds {held} of its {room}.", **pieces),)
    more, beyond = beside_room(rule.held(step.before), rule.room)
    pieces |= {"more": more, "beyond": beyond, "before": step.before, "n": degrees[0].ideal.bound.symbol}
    pieces["there"] = devices_words(rule.on_one(step.before))
    pieces["what"] = "the device asks for" if len(degrees[0].rules) == 1 else "the device and the other rules ask for"
    return (
        say(
            "The host decides: with {n} = {before}, which {what}, a host with {there} would hold {more}, more than its {beyond}; "
            "with {after} it holds {held}.",
            after=step.after,
            **pieces,
        ),
    )


def host_rows(degrees: Sequence[Degree]) -> Iterator[tuple[str, Prose]]:
    """What a host holds at the answer, at a glance."""
    step = of_host(degrees[0])
    if step is not None and step.after is not None:
        rule = _numbers(degrees[0])
        held, room = beside_room(rule.held(step.after), rule.room)
        pieces: dict[str, Any] = {"held": held, "room": room, "devices": devices_words(rule.on_one(step.after))}
        yield "host", say("{held} of {room} on a host with {devices}", **pieces)


def host_facts(degrees: Sequence[Degree]) -> Mapping[str, Any]:
    """The host as ``solve --json`` prints it: nothing where none is asked about."""
    rule = next((rule for rule in degrees[0].rules if isinstance(rule, HostHolds)), None)
    if rule is None:
        return {}
    told: dict[str, Any] = {"capacity_bytes": int(rule.room), "devices_per_host": rule.shared}
    step, value = of_host(degrees[0]), degrees[0].value
    if step is not None and value is not None:
        found = _numbers(degrees[0])
        told |= {
            "devices": found.on_one(value),
            "bytes": rounded_up(found.held(value)),
            "decides": "host" if host_decides(degrees) else "device",
        }
    return {"host": told}


def host_claim(degrees: Sequence[Degree]) -> Claimed:
    """What one host holds at the answer, as it can be claimed: nothing where no degree is enough."""
    hardest = max(degrees, key=lambda one: one.demand)
    step = of_host(hardest)
    held = None if step is None or hardest.value is None else _numbers(hardest).held(hardest.value)
    return Claimed(held, "bytes", "bytes that the devices of one host keep there", unit="bytes")


def host_step(step: Applied, degree: Degree, work: Work) -> Block:
    """Show what a host holds at the degree before the rule and after it, against its memory."""
    rule, n = _numbers(degree), degree.ideal.bound.symbol
    room = local("C", "host")
    work.define(room, symbolic(rule.room))
    tried = [(step.before, ">")] if step.changed else []
    tried += [] if step.after is None else [(step.after, "≤")]
    chains = [_held(rule, value, relation, room, work) for value, relation in tried]
    chains.append(Chain(room, (amount(symbolic(rule.room), "bytes", digits=14),)))
    pieces = {"devices": devices_words(rule.shared), "n": n, "before": step.before, "after": step.after or 0}
    statement = say(
        "What is offloaded lives in the memory of hosts, with {devices} on each. A host must hold the parts of its devices, in bytes:",
        **pieces,
    )
    if step.after is None:
        reason = say("From {n} = {before} on, there is no number at which it does.", **pieces)
    elif step.changed:
        reason = say("With {n} = {before} it does not; the first number at which it does is {after}.", **pieces)
    else:
        reason = say("It does at {after}: the device decides.", **pieces)
    return work.step(statement, *chains, reason=reason)


def _held(rule: HostHolds, n: int, relation: str, room: sp.Symbol, work: Work) -> Chain:
    """The bytes of one host at degree n, written out: so many devices, each with what is whole and what is divided."""
    total = symbolic(rule.held(n))
    symbol = local("M", f"host {n}")
    work.define(symbol, total)
    devices = sp.Integer(rule.on_one(n))
    fixed = sp.Mul(devices, symbolic(rule.fixed), evaluate=False)
    share = sp.Mul(devices, symbolic(rule.divided), sp.Pow(n, -1, evaluate=False), evaluate=False)
    sides = [side for side, part in ((fixed, rule.fixed), (share, rule.divided)) if part]
    written = Total(tuple(sides)) if len(sides) > 1 else sides[0]
    return Chain(symbol, (("=", written), amount(total, digits=14), (relation, room)))


def devices_words(number: int) -> Prose:
    """So many devices."""
    return text(f"{number} {plural(number, 'device', 'devices')}")


def beside_room(held: Number, room: Number) -> tuple[Amount, Amount]:
    """Two amounts with digits enough to tell one from the other."""
    return apart(Amount(symbolic(held), "GiB"), Amount(symbolic(room), "GiB"))
