"""What a claim can be about: the account of a study, and the answer to each of its questions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.exact import number
from symbolic_mem.base.symbols import B, S
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.questions.device_count import DeviceCount
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.asking import turned, usual
from symbolic_mem.questions.parts.batch_claims import NAMES as BATCH
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
    return tuple(names | dict.fromkeys(BATCH if study.network is not None else ()))


def degrees(study: Study) -> tuple[sp.Symbol, ...]:
    """The degrees that some kind of memory is divided over."""
    found = (symbol for placed in study.placement.values() for symbol in sorted(placed.degree.free_symbols, key=str))
    return tuple(dict.fromkeys(symbol for symbol in found if isinstance(symbol, sp.Symbol)))


def questions_about(study: Study, name: str, label: str | None = None) -> Iterator[tuple[Study, Question | None]]:
    """Yield the questions that a claim about `name` can mean, each with the study as it sees it; None is the account.

    With `label` that question alone. Where the study asks nothing of the kind, the claim itself asks: with the device,
    the kinds, the values and the rules of the question that was named, or of the first that `solve` would answer.
    """
    chosen = study.questions if label is None else (study.question(label),)
    asked = [question for question in chosen if name in question.claimable]
    if asked:
        yield from ((study.under(question), question) for question in asked)
    elif name in ACCOUNT:
        yield (study if label is None else study.under(chosen[0])), None
    elif name in BATCH:
        yield study, ComputeBound("check", "check")
    else:
        question = _asked(study, name, chosen[0] if label is not None else next(iter(usual(study)), None))
        yield study.under(question), question


def _asked(study: Study, name: str, like: Question | None) -> Question:
    """The question that a claim about a number of devices asks, otherwise like another."""
    label = "check" if like is None else like.label
    symbol = next((symbol for symbol in degrees(study) if str(symbol) == name), None)
    if name == "devices":
        question: Question = turned(like, DeviceCount, label, "check")
    elif symbol is not None:
        question = turned(like, MinDegree, label, "check", symbol=symbol)
    else:
        raise BadInput(f"unknown quantity {name!r}; {nearest(name, known(study))}")
    if not study.under(question).device.known:
        raise BadInput(f"the study does not ask for {name}: say on which device, for example 80 GiB")
    return question


def claim_of(study: Study, question: Question | None, name: str) -> Claimed:
    """The number that is called `name`, of the account or of the answer to a question about a study as it sees it."""
    if question is None:
        return account_claim(study, name)
    found = question.claims(study).get(name)
    if found is None:
        why = plain_prose(question.unclaimable(study, name))
        raise BadInput(f"question {question.label} has no {name} here: {why}")
    return found
