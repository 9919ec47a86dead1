"""The numbers of an account that can be claimed: the kinds of memory, their sums, parameters and rates."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import number
from symbolic_mem.base.symbols import B, S
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

ACCOUNT = (*KINDS, "static", "total", "parameters", "bytes_per_parameter", "activations_per_token", "tokens")
_MEANINGS = {
    "static": "bytes of weights, gradients and optimizer state",
    "total": "bytes of everything that is counted",
    "parameters": "the number of parameters",
    "bytes_per_parameter": "bytes of state for one parameter",
    "activations_per_token": "bytes of activations for one token",
    "tokens": "the number of tokens in the batch",
}


class NoNumber(BadInput):
    """A line of an answer that has no number, because what it is made of has none."""


def kinds_of(name: str, counted: tuple[str, ...] = KINDS) -> tuple[str, ...]:
    """The kinds of memory that a number of the account adds up; none for a number that is no memory."""
    return {"static": STATIC, "total": counted}.get(name, (name,) if name in KINDS else ())


def account_formula(study: Study, name: str, counted: tuple[str, ...] = KINDS) -> sp.Expr:
    """The number of the account that is called `name`, as a formula."""
    match name:
        case "parameters":
            return study.model.parameters
        case "tokens":
            return B * S
        case "bytes_per_parameter":
            return study.memory.of(*STATIC).total / study.model.parameters
        case "activations_per_token":
            return study.memory.of("activations").total / (B * S)
    return study.memory.of(*kinds_of(name, counted)).total


def account_claim(study: Study, name: str, counted: tuple[str, ...] = KINDS) -> Claimed:
    """Return the number of the account that is called `name`; raises `MissingValue` for what it needs."""
    memory, meaning = study.memory, _MEANINGS.get(name, f"bytes of the {name}")
    match name:
        case "parameters":
            found = number(study.model.parameters, study.values, meaning)
            return Claimed(found, "number", meaning, unit="parameters")
        case "tokens":
            return Claimed(number(B * S, study.values, meaning), "count", meaning, unit="tokens")
        case "bytes_per_parameter":
            parameters = number(study.model.parameters, study.values, _MEANINGS["parameters"])
            return Claimed(
                Fraction(memory.of(*STATIC).at(study.numbers)) / parameters,
                "number",
                meaning,
                unit="bytes",
                of_one="parameter",
            )
        case "activations_per_token":
            tokens = number(B * S, study.values, name)
            each = Fraction(memory.of("activations").at(study.numbers)) / tokens
            return Claimed(each, "bytes", meaning, unit="bytes", of_one="token")
    if name == "cache" and study.recipe.trains:
        raise NoNumber(
            "the account is of a step of training, which keeps no cache of keys and values; claim a line of a question by its name, "
            "or take a recipe of inference"
        )
    return Claimed(memory.of(*kinds_of(name, counted)).at(study.numbers), "bytes", meaning, unit="bytes")


def counted_kinds(study: Study, question: Question | None) -> tuple[str, ...]:
    """The kinds that make up all memory: all there are; where one has no value, those that the question counts.

    Of a whole study, those that some question about memory counts.
    """
    try:
        study.memory.at(study.numbers)
    except MissingValue:
        pass
    else:
        return KINDS
    if question is not None:
        return question.counted if question.subject == "memory" else KINDS
    counted = {kind for asked in study.questions if asked.subject == "memory" for kind in asked.counted}
    return tuple(kind for kind in KINDS if kind in counted) or KINDS
