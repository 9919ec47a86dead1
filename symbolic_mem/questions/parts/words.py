"""Words for numbers, kinds and placements, so that every document says the same thing in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.symbols import C_mem, M_activations, M_buffers, M_gradients, M_optimizer, M_weights, local
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
}
KIND_WORDS = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "optimizer state",
    "activations": "activations",
    "buffers": "buffers",
}
READING_WORDS = {
    "marketed": "the label read as decimal gigabytes (1 GB = 10⁹ bytes)",
    "binary": "the label read as binary gigabytes (1 GiB = 2³⁰ bytes)",
    "reported": "the bytes that software reports",
}


def placement_sentences(kinds: Sequence[str], placement: Mapping[str, Placed]) -> tuple[Prose, ...]:
    """Say where each of the `kinds` lives, those that share a fate in one sentence."""
    fates: dict[Placed | None, list[str]] = {}
    for kind in kinds:
        fates.setdefault(placement.get(kind), []).append(KIND_WORDS[kind])
    return tuple(_fate(words, placed) for placed, words in fates.items())


def reading_words(placement: Mapping[str, Placed]) -> str:
    """Begin an answer with the reading that it rests on, where part of a kind is not divided; ends in the letter t.

    >>> from symbolic_mem.base.symbols import n_fsdp
    >>> reading_words({"activations": Placed(n_fsdp, sp.Rational(1, 2), "dropped")})
    'With the undivided half of the activations dropped, t'
    """
    parts = []
    for kind, placed in placement.items():
        if 0 < placed.fraction < 1:
            rest = fraction_words(1 - placed.fraction)
            fate = "kept on every device" if placed.rest == "kept" else "dropped"
            parts.append(f"the undivided {rest} of the {KIND_WORDS[kind]} {fate}")
    return f"With {listed(parts)}, t" if parts else "T"


def _fate(words: list[str], placed: Placed | None) -> Prose:
    names, are = listed(words), "is" if words == [KIND_WORDS["optimizer"]] else "are"
    if placed is None or (placed.fraction == 0 and placed.rest == "kept"):
        return text(f"The {names} {are} whole on every device.")
    if placed.fraction == 0:
        return text(f"The {names} {are} dropped: no device keeps any of it.")
    if placed.fraction == 1:
        return say(f"The {names} {are} divided over {{n}} devices.", n=placed.degree)
    rest = "half" if placed.fraction == sp.Rational(1, 2) else "part"
    fate = "stays whole on every device" if placed.rest == "kept" else "is dropped: no device keeps it"
    share = fraction_words(placed.fraction).capitalize()
    return say(f"{share} of the {names} {are} divided over {{n}} devices; the other {rest} {fate}.", n=placed.degree)


def capacity_words(capacity: Capacity) -> Prose:
    """Say which memory of which device counts, and in which reading of its label."""
    counted = Amount(capacity.counted, "bytes")
    if capacity.device is None:
        start = say("Each device has {amount}", amount=Amount(sp.Integer(capacity.nominal), capacity.unit))
    elif capacity.reading == "reported":
        by = f" ({capacity.device.reported_by})" if capacity.device.reported_by else ""
        start = text(f"Each {capacity.device.title} is counted with {READING_WORDS['reported']}{by}")
    else:
        label = Amount(sp.Integer(capacity.nominal), capacity.unit)
        start = say(f"Each {capacity.device.title} is counted with {{label}}", label=label)
        start = Prose((*start.parts, f", {READING_WORDS[capacity.reading or 'binary']}"))
    limits = []
    if capacity.reserved:
        limits.append(
            say(", less {reserved} that are reserved", reserved=Amount(sp.Integer(capacity.reserved), "bytes"))
        )
    if capacity.usable != 1:
        limits.append(say(", of which the fraction {usable} is usable", usable=capacity.usable))
    parts = (*start.parts, *(part for limit in limits for part in limit.parts), ": ", counted, ".")
    return Prose(parts)


def nominal(capacity: Capacity) -> Capacity:
    """The capacity before anything is taken off."""
    return replace(capacity, reserved=0, usable=sp.S.One)


def limits_words(capacity: Capacity) -> Prose | None:
    """Say what of a capacity does not count; None where all of it does."""
    said = []
    if capacity.reserved:
        said.append(say("{r} of it are reserved", r=Amount(sp.Integer(capacity.reserved), "GiB")))
    if capacity.usable != 1:
        left = "what is left" if capacity.reserved else "it"
        said.append(say(f"the fraction {{u}} of {left} is usable", u=capacity.usable))
    if not said:
        return None
    words = said[0] if len(said) == 1 else say("{one}, and {other}", one=said[0], other=said[1])
    return say("Not all of that counts: {words}.", words=words)


def capacity_chain(capacity: Capacity, work: Work) -> Chain:
    """Take off what is reserved and what is not usable."""
    label, reserved, usable = local("C", "label"), local("C", "reserved"), local("u", "")
    work.values |= {label: sp.Integer(capacity.nominal), reserved: sp.Integer(capacity.reserved)}
    work.values[usable] = capacity.usable
    room = label - reserved if capacity.reserved else label
    formula = usable * room if capacity.usable != 1 else room
    links = (("=", formula), ("=", work.put(formula)))
    return Chain(C_mem, (*links, amount(capacity.counted, "bytes", digits=14), amount(capacity.counted, "GiB")))


def capacity_blocks(capacity: Capacity, work: Work) -> list[Block]:
    """Say which memory counts, then take off what is reserved and what is not usable, as a step of its own."""
    work.define(C_mem, capacity.counted)
    blocks: list[Block] = [Paragraph(capacity_words(nominal(capacity)))]
    if (limits := limits_words(capacity)) is not None:
        blocks.append(work.step(say("{limits} So", limits=limits), capacity_chain(capacity, work)))
    return blocks
