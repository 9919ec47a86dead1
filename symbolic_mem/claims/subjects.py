"""What a claim can be about: the account of a study, and the answer to each of its questions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.exact import number
from symbolic_mem.base.symbols import B, S
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.questions.device_count import DeviceCount
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.batch_claims import NAMES as BATCH
from symbolic_mem.questions.parts.keys import OnDevice
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.question import Claimed, Question
from symbolic_mem.study.study import Study

ACCOUNT = (*KINDS, "static", "total", "parameters", "bytes_per_parameter", "activations_per_token")
_MEANINGS = {
    "static": "bytes of weights, gradients and optimizer state",
    "total": "bytes of everything that is counted",
    "parameters": "number of parameters",
    "bytes_per_parameter": "bytes of state for one parameter",
    "activations_per_token": "bytes of activations for one token",
}


def account_claim(study: Study, name: str) -> Claimed:
    """Return the number of the account that is called `name`; raises `MissingValue` for what it needs."""
    memory, meaning = study.memory, _MEANINGS.get(name, f"bytes of the {name}")
    match name:
        case "parameters":
            return Claimed(number(study.model.parameters, study.values, "the number of parameters"), "number", meaning)
        case "bytes_per_parameter":
            parameters = number(study.model.parameters, study.values, "the number of parameters")
            return Claimed(Fraction(memory.of(*STATIC).at(study.numbers)) / parameters, "number", meaning)
        case "activations_per_token":
            tokens = number(B * S, study.values, name)
            return Claimed(Fraction(memory.of("activations").at(study.numbers)) / tokens, "bytes", meaning)
    kinds = {"static": STATIC, "total": KINDS}.get(name, (name,))
    return Claimed(memory.of(*kinds).at(study.numbers), "bytes", meaning)


def known(study: Study) -> tuple[str, ...]:
    """Name everything that can be claimed of a study."""
    names = dict.fromkeys((*ACCOUNT, "devices", *map(str, degrees(study))))
    for question in study.questions:
        names |= dict.fromkeys(question.claimable)
    return (*names, *(BATCH if study.network is not None else ()))


def degrees(study: Study) -> tuple[sp.Symbol, ...]:
    """The degrees that some kind of memory is divided over."""
    found = (symbol for placed in study.placement.values() for symbol in sorted(placed.degree.free_symbols, key=str))
    return tuple(dict.fromkeys(symbol for symbol in found if isinstance(symbol, sp.Symbol)))


def questions_about(study: Study, name: str, label: str | None = None) -> Iterator[Question | None]:
    """Yield the questions of a study that a claim about `name` can mean; None for the account itself.

    With `label` that question alone. Where the study asks nothing of the kind, the question that the claim itself asks.
    """
    chosen = study.questions if label is None else (study.question(label),)
    asked = [question for question in chosen if name in question.claimable]
    if asked:
        yield from asked
    elif name in ACCOUNT:
        yield None
    elif name in BATCH:
        yield ComputeBound("check", "check")
    else:
        yield _asked(study, name, chosen[0] if label is not None else None)


def _asked(study: Study, name: str, named: Question | None) -> Question:
    """The question that a claim about a number of devices asks, on the device of the question that was named."""
    keys = ("device", "reading", "capacity", "reserved", "usable") if isinstance(named, OnDevice) else ()
    device: dict[str, Any] = {each: getattr(named, each) for each in keys}
    if not study.device.known and not any(device.values()):
        raise BadInput(f"the study does not ask for {name}: say on which device, for example 80 GiB")
    label = "check" if named is None else named.label
    if name == "devices":
        return DeviceCount(label, **device)
    if name not in map(str, degrees(study)):
        raise BadInput(f"unknown quantity {name!r}; {nearest(name, known(study))}")
    symbol = next(symbol for symbol in degrees(study) if str(symbol) == name)
    strict = named.strict if isinstance(named, OnDevice) else False
    return MinDegree(label, symbol=symbol, strict=strict, **device)


def claim_of(study: Study, question: Question | None, name: str) -> Claimed:
    """The number that is called `name`, of the account or of the answer to a question about a study as it sees it."""
    if question is None:
        return account_claim(study, name)
    found = question.claims(study).get(name)
    if found is None:
        why = plain_prose(question.unclaimable(study, name))
        raise BadInput(f"question {question.label} has no {name} here: {why}")
    return found
