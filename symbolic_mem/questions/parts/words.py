"""Sentences about where memory lives and which memory of a device counts, said the same way by every question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy as sp

from symbolic_mem.base.rational import rational
from symbolic_mem.base.symbols import (
    C_mem,
    M_activations,
    M_buffers,
    M_cache,
    M_gradients,
    M_optimizer,
    M_weights,
    local,
)
from symbolic_mem.document.prose import Amount, Chain, Prose, amount, say, text
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.document.words import fraction_words, listed
from symbolic_mem.document.work import Work
from symbolic_mem.plans.placement import Placed
from symbolic_mem.solvers.capacity import Capacity

KIND_SYMBOLS = {
    "weights": M_weights,
    "gradients": M_gradients,
    "optimizer": M_optimizer,
    "activations": M_activations,
    "buffers": M_buffers,
    "cache": M_cache,
}
KIND_WORDS = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "optimizer state",
    "activations": "activations",
    "buffers": "buffers",
    "cache": "cache",
}
READING_WORDS = {
    "marketed": "the label read as decimal gigabytes (1 GB = 10⁹ bytes)",
    "binary": "the label read as binary gigabytes (1 GiB = 2³⁰ bytes)",
    "reported": "the bytes that software reports",
}
_SINGULAR = ("optimizer", "cache")


def placement_sentences(kinds: Sequence[str], placement: Mapping[str, Placed], whose: str = "") -> tuple[Prose, ...]:
    """Say where each of the `kinds` lives, those that share a fate in one sentence; `whose` they are, of one rank if so."""
    fates: dict[Placed | None, list[str]] = {}
    for kind in kinds:
        fates.setdefault(placement.get(kind), []).append(kind)
    return tuple(_fate(alike, placed, whose) for placed, alike in fates.items())


def _fate(kinds: Sequence[str], placed: Placed | None, whose: str) -> Prose:
    names = listed([KIND_WORDS[kind] for kind in kinds]) + whose
    are = "is" if len(kinds) == 1 and kinds[0] in _SINGULAR else "are"
    if placed is None or (placed.fraction == 0 and placed.rest == "kept"):
        where = "on each of its replicas" if whose else "on every device"
        return say("The {names} {are} whole {where}.", names=names, are=are, where=where)
    if placed.fraction == 0:
        return say("The {names} {are} dropped: no device keeps any of it.", names=names, are=are)
    if placed.fraction == 1:
        return say("The {names} {are} divided over {n} devices.", names=names, are=are, n=placed.degree)
    pieces = {
        "share": fraction_words(placed.fraction).capitalize(),
        "names": names,
        "are": are,
        "n": placed.degree,
        "rest": "half" if placed.fraction == sp.Rational(1, 2) else "part",
    }
    if placed.rest == "kept":
        return say(
            "{share} of the {names} {are} divided over {n} devices; the other {rest} stays whole on every device.",
            **pieces,
        )
    return say(
        "{share} of the {names} {are} divided over {n} devices; the other {rest} is dropped: no device keeps it.",
        **pieces,
    )


UNDIVIDED = {
    "kept": "the undivided {rest} of the {kind} kept on every device",
    "dropped": "the undivided {rest} of the {kind} dropped",
}


def reading_of(placement: Mapping[str, Placed]) -> Prose | None:
    """Name the reading that an answer rests on, where part of a kind is not divided; None where there is no such part.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> reading_of({"activations": Placed(n_fsdp, sp.Rational(1, 2), "dropped")}).parts
    ('the undivided half of the activations dropped',)
    """
    parts = []
    for kind, placed in placement.items():
        if 0 < placed.fraction < 1:
            rest = fraction_words(1 - placed.fraction)
            parts.append(UNDIVIDED[placed.rest].format(rest=rest, kind=KIND_WORDS[kind]))
    return text(listed(parts)) if parts else None


def capacity_words(capacity: Capacity) -> Prose:
    """Say which memory of which device counts, and in which reading of its label, before anything is kept free."""
    nominal = rational(capacity.nominal)
    counted = Amount(nominal, "bytes", digits=14)
    if capacity.device is None and capacity.unit in ("B", "bytes"):
        return amount_words(None, counted, in_bytes=True)
    if capacity.device is None:
        return amount_words(Amount(nominal, capacity.unit, fixed=True), counted, in_bytes=False)
    reading = capacity.reading or "binary"
    pieces = {"device": capacity.device.title, "reading": READING_WORDS[reading], "counted": counted}
    if reading != "reported":
        label = Amount(nominal, capacity.unit, fixed=True)
        return say("Each {device} is counted with {label}, {reading}: {counted}.", label=label, **pieces)
    by = capacity.device.reported_by
    if capacity.device.reported_as:
        return say(
            "Each {device} is counted with {reading} ({by}). They are printed as {printed}, so not all figures are known; "
            "{counted} are taken.",
            by=by,
            printed=capacity.device.reported_as,
            **pieces,
        )
    if by:
        return say("Each {device} is counted with {reading} ({by}): {counted}.", by=by, **pieces)
    return say("Each {device} is counted with {reading}: {counted}.", **pieces)


def amount_words(amount: Any, counted: Any, *, in_bytes: bool) -> Prose:
    """Say the memory of a device that has no name: the amount as it was given, and its bytes where those are not that."""
    if in_bytes:
        return say("Each device has {counted}.", counted=counted)
    return say("Each device has {amount}: {counted}.", amount=amount, counted=counted)


def few_figures(capacity: Capacity) -> Prose | None:
    """Return what counts as it is printed, where no more figures of it are known; None where all are."""
    few = capacity.device.few_figures(capacity.reading) if capacity.device is not None else ""
    return text(f"≈ {few}") if few and capacity.counted == capacity.nominal else None


def capacity_blocks(capacity: Capacity, work: Work) -> list[Block]:
    """Say which memory counts, then take off what is reserved and what is not usable, as a step of its own."""
    work.define(C_mem, capacity.counted)
    limits = limits_words(capacity)
    said: list[Block] = [Paragraph(capacity_words(capacity))]
    return said if limits is None else [*said, work.step(limits, capacity_chain(capacity, work))]


def capacity_summary(capacity: Capacity) -> Iterator[tuple[str, Prose]]:
    """The same at a glance."""
    limits = limits_words(capacity)
    yield "capacity", capacity_words(capacity)
    if limits is not None:
        yield "", say("{limits} {line}.", limits=limits, line=capacity_chain(capacity, Work({})))


def limits_words(capacity: Capacity) -> Prose | None:
    """Say what of a capacity does not count; None where all of it does."""
    kept_free, u = Amount(rational(capacity.reserved), "GiB"), capacity.usable
    if capacity.reserved and u != 1:
        return say(
            "Not all of that counts: {r} of it are reserved, and the fraction {u} of what is left is usable. So",
            r=kept_free,
            u=u,
        )
    if capacity.reserved:
        return say("Not all of that counts: {r} of it are reserved. So", r=kept_free)
    return None if u == 1 else say("Not all of that counts: the fraction {u} of it is usable. So", u=u)


def capacity_chain(capacity: Capacity, work: Work) -> Chain:
    """What counts of a capacity, from its label, what is reserved and what is usable."""
    label, reserved, usable = local("C", "label"), local("C", "reserved"), local("u", "")
    work.values |= {label: rational(capacity.nominal), reserved: rational(capacity.reserved)}
    work.values |= {usable: capacity.usable, C_mem: capacity.counted}
    room = label - reserved if capacity.reserved else label
    formula = usable * room if capacity.usable != 1 else room
    counted = capacity.counted
    links = (("=", formula), ("=", work.put(formula)), amount(counted, "bytes", digits=14), amount(counted, "GiB"))
    return Chain(C_mem, links)
