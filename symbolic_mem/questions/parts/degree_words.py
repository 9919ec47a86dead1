"""The sentences of an answer about a number of devices: how many are enough, or why none is and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.document.prose import Amount, Prose, apart, say
from symbolic_mem.document.words import about, listed, plural
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.parts.in_full import NOT_ENOUGH, remedy
from symbolic_mem.questions.parts.rules import rule_names
from symbolic_mem.questions.parts.tokens import TokensThatFit
from symbolic_mem.questions.parts.words import few_figures, reading_of
from symbolic_mem.solvers.bound import Solved
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.degree import Degree
from symbolic_mem.study.study import Study


def infeasible_words(solved: Solved, capacity: Capacity, lacking: TokensThatFit | None, study: Study) -> Prose:
    """Why no number of devices is enough, at an instant where the instants are known, and what would help."""
    fixed, room = apart(Amount(symbolic(solved.fixed), capacity.unit), Amount(symbolic(solved.capacity), capacity.unit))
    pieces: dict[str, Any] = {"fixed": fixed, "capacity": few_figures(capacity) or room}
    if study.at is not None:
        name, size = largest_in_full(solved, study)
        size = about(Amount(symbolic(size), capacity.unit))
        return full_at(**pieces, at=study.at.words, name=name, size=size, remedy=remedy(name))
    if lacking is not None:
        return full_of_tokens(**pieces, most=lacking.most)
    return full(**pieces, states=not solved.bound.memory.of("activations", "buffers", "cache").terms)


def full_at(**pieces: Any) -> Prose:
    """Why no number is enough `at` an instant: what each holds `fixed`, its `capacity`, the largest part with a `remedy`."""
    return say(NOT_ENOUGH["at"], **pieces)


def full_of_tokens(**pieces: Any) -> Prose:
    """Why no number is enough where `most` tokens on each device would leave room."""
    return say(
        "no number of devices is enough, because each holds {fixed} in full and has {capacity}; at most {most} "
        "tokens for each device leave room for a finite number of devices",
        **pieces,
    )


def full(*, states: bool, **pieces: Any) -> Prose:
    """Why no number is enough where `states` of the parameters are all that is counted, or activations are, too."""
    if states:
        return say(
            "no number of devices is enough, because each holds {fixed} in full and has {capacity}; divide more of the "
            "memory, take a larger device, or choose a smaller model",
            **pieces,
        )
    return say(
        "no number of devices is enough, because each holds {fixed} in full and has {capacity}; lower the batch or the "
        "sequence length, divide more of the memory, or recompute more of the activations",
        **pieces,
    )


def part_in_full(term: Term) -> str:
    """The name under which a term counts of what every device holds in full."""
    return "activations" if term.kind == "activations" and term.layer else term.whole_name


def largest_in_full(solved: Solved, study: Study) -> tuple[str, Number]:
    """The largest part of what every device holds in full: its name and its bytes."""
    parts: dict[str, Number] = {}
    for term in solved.bound.kept:
        name = part_in_full(term)
        parts[name] = parts.get(name, 0) + term.at(study.numbers)
    name = max(parts, key=lambda one: parts[one])
    return name, parts[name]


def answer_words(
    solved: Degree,
    placement: Mapping[str, Placed],
    capacity: Capacity,
    reason: Prose | None,
    held: Number | None,
    ideal: int | None,
    each: str = "what each keeps",
    ranks: int = 1,
    beside: str = "",
) -> Prose:
    """The answer in one sentence: the smallest degree and what each device then keeps, or why there is none.

    `held` is what `each` then is, and `ideal` the degree without rules. There are `ranks` devices for each of the degree,
    those over which a plan cuts the model; `beside` says of what they are, where there is more of it than is known.
    """
    reading, rules = reading_of(placement), listed(rule_names(solved)) if solved.steps else ""
    pieces: dict[str, Any] = {"reading": reading, "rules": rules, "n": solved.ideal.bound.symbol}
    if solved.value is None:
        return no_number(**pieces, why=reason or "", ideal=ideal or 0)
    assert held is not None, "there is a degree, so something is known of one device"
    share, counted = apart(Amount(symbolic(held), capacity.unit), Amount(capacity.counted, capacity.unit, beside=True))
    return enough(
        **pieces,
        placed=bool(placement),
        value=solved.value,
        number=solved.value * ranks,
        devices=devices_of(solved.value * ranks, capacity) + beside,
        share=share,
        counted=few_figures(capacity) or counted,
        each=each,
    )


def devices_of(number: int, capacity: Capacity) -> str:
    """The word for so many devices, with what they are."""
    devices = plural(number, "device", "devices")
    return f"{devices} ({capacity.device.title})" if capacity.device else devices


def no_number(*, reading: Any, rules: str, **pieces: Any) -> Prose:
    """That there is no such `n`, in a `reading` of the placement (None: there is one only), under `rules`, and `why`."""
    pieces |= {"reading": reading, "rules": rules}
    if not rules:
        if reading is not None:
            return say("With {reading}, there is no such {n}: {why}.", **pieces)
        return say("There is no such {n}: {why}.", **pieces)
    if reading is not None:
        return say(
            "With {reading}, there is no such {n} under the rules ({rules}): {why}. Without rules it is {ideal}.",
            **pieces,
        )
    return say("There is no such {n} under the rules ({rules}): {why}. Without rules it is {ideal}.", **pieces)


def enough(*, reading: Any, rules: str, placed: bool, **pieces: Any) -> Prose:
    """The smallest `n` and what `each` device then holds, in a `reading` of the placement, under `rules`."""
    pieces |= {"reading": reading, "rules": rules}
    if not placed and not rules:
        return say("Nothing is divided, and one device is enough: {each}, {share}, fits its {counted}.", **pieces)
    if rules and reading is not None:
        return say(
            "With {reading}, the smallest {n} under the rules ({rules}) is {value}: on {number} {devices} {each}, "
            "{share}, fits its {counted}.",
            **pieces,
        )
    if rules:
        return say(
            "The smallest {n} under the rules ({rules}) is {value}: on {number} {devices} {each}, {share}, fits "
            "its {counted}.",
            **pieces,
        )
    if reading is not None:
        return say(
            "With {reading}, the smallest {n} is {value}: on {number} {devices} {each}, {share}, fits its {counted}.",
            **pieces,
        )
    return say("The smallest {n} is {value}: on {number} {devices} {each}, {share}, fits its {counted}.", **pieces)
