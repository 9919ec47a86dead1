"""The numbers of an account that can be claimed: the kinds of memory, their sums, parameters and rates."""

from __future__ import annotations

import re
from fractions import Fraction

import sympy as sp

from symbolic_mem.accounts.cached import cached_per_token
from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import number
from symbolic_mem.base.symbols import B, S
from symbolic_mem.claims.at_instants import PEAK, at_instant, instant_called
from symbolic_mem.models.counts import active_parameters, trainable_parameters
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.questions.parts.hosted import hosted
from symbolic_mem.questions.parts.peaks import peak_bytes
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

PER_TOKEN, HOST = "kv_cache_per_token", "host"
ACTIVE, TRAINABLE = "active_parameters", "trainable_parameters"
PARAMETERS = ("parameters", ACTIVE, TRAINABLE)
ACCOUNT = (
    *KINDS,
    *("static", "total", *PARAMETERS, "bytes_per_parameter", "activations_per_token", PER_TOKEN, "tokens", PEAK, HOST),
)
_MEANINGS = {
    "static": "bytes of weights, gradients and optimizer state",
    "total": "bytes of everything that is counted",
    "parameters": "the number of parameters",
    ACTIVE: "the number of parameters that one token visits",
    TRAINABLE: "the number of parameters that are trained",
    "bytes_per_parameter": "bytes of state for one parameter",
    "activations_per_token": "bytes of activations for one token",
    PER_TOKEN: "bytes that one token of a sequence leaves in the caches of all layers",
    "tokens": "the number of tokens in the batch",
    HOST: "bytes that the host holds for one device",
    PEAK: "bytes of one device at the fullest instant of a step",
}


class NoNumber(BadInput):
    """A line of an answer that has no number, because what it is made of has none."""


def kinds_of(name: str, counted: tuple[str, ...] = KINDS) -> tuple[str, ...]:
    """The kinds of memory that a number of the account adds up; none for a number that is no memory."""
    return {"static": STATIC, "total": counted}.get(name, (name,) if name in KINDS else ())


def account_name(study: Study, words: str) -> str | None:
    """The name of a part of the account that is a row of its table, or of kinds that are added: "activations and buffers".

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> account_name(study, "adamw moments"), account_name(study, "weights + gradients"), account_name(study, "speed")
    ('AdamW moments', 'weights and gradients', None)
    """
    kinds = [each for each in re.split(r"\s*[,+]\s*|\s+and\s+", words.strip().lower()) if each]
    if len(kinds) > 1 and all(each in KINDS for each in kinds):
        return " and ".join(dict.fromkeys(kinds))
    return next((term.name for term in study.memory if term.name.lower() == words.strip().lower()), None)


def parts_of_account(study: Study) -> tuple[str, ...]:
    """The rows of the table of the memory, and what of it is no state, where that is more than one kind."""
    rest = " and ".join(kind for kind in study.memory.kinds if kind not in STATIC)
    return (*(term.name for term in study.memory), *((rest,) if " and " in rest else ()))


def in_account(study: Study, name: str) -> bool:
    """Whether a name is that of a number of the account, or of a part of it."""
    return name in ACCOUNT or bool(_part(study, name)) or instant_called(study, name) == name


def _part(study: Study, name: str) -> Memory:
    kinds = name.split(" and ")
    if len(kinds) > 1 and all(each in KINDS for each in kinds):
        return study.memory.of(*kinds)
    return Memory(tuple(term for term in study.memory if term.name == name), study.memory.definitions)


def account_formula(study: Study, name: str, counted: tuple[str, ...] = KINDS) -> sp.Expr:
    """The number of the account that is called `name`, as a formula."""
    match name:
        case "parameters" | "active_parameters" | "trainable_parameters":
            return _parameters(study, name)
        case "tokens":
            return B * S
        case "bytes_per_parameter":
            return study.memory.of(*STATIC).total / study.model.parameters
        case "activations_per_token":
            return study.memory.of("activations").total / (B * S)
        case "kv_cache_per_token":
            return cached_per_token(study.model, _caching(study).recipe)
        case "host":
            return _offloading(study).total
        case "peak":
            raise BadInput("peak is no formula here, but the largest of several; claim a number")
    if name not in ACCOUNT and not _part(study, name):
        return at_instant(study, name).total
    return _memory(study, name, counted).total


def _memory(study: Study, name: str, counted: tuple[str, ...]) -> Memory:
    return study.memory.of(*kinds_of(name, counted)) if name in ACCOUNT else _part(study, name)


def account_claim(study: Study, name: str, counted: tuple[str, ...] = KINDS) -> Claimed:
    """Return the number of the account that is called `name`; raises `MissingValue` for what it needs."""
    memory, meaning = study.memory, _MEANINGS.get(name, f"bytes of the {name}")
    match name:
        case "parameters" | "active_parameters" | "trainable_parameters":
            found = number(_parameters(study, name), study.values, meaning)
            return Claimed(found, "number", meaning, unit="parameters", of_one="token" if name == ACTIVE else "")
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
        case "kv_cache_per_token":
            found = number(cached_per_token(study.model, _caching(study).recipe), study.values, meaning)
            return Claimed(found, "bytes", meaning, unit="bytes", of_one="token")
        case "host":
            return Claimed(_offloading(study).at(study.numbers), "bytes", meaning, unit="bytes", of_one="device")
        case "peak":
            return Claimed(peak_bytes(study), "bytes", meaning, unit="bytes", of_one="device")
    if name == "cache":
        _caching(study)
    if name not in ACCOUNT and not _part(study, name):
        held = at_instant(study, name).at(study.numbers)
        return Claimed(held, "bytes", f"bytes of one device at {name}", unit="bytes", of_one="device")
    return Claimed(_memory(study, name, counted).at(study.numbers), "bytes", meaning, unit="bytes")


def _parameters(study: Study, name: str) -> sp.Expr:
    """All parameters, those that one token visits, or those that are trained."""
    if name == ACTIVE:
        return active_parameters(study.model, study.built.architecture, study.built.visited or sp.S.One)
    if name == TRAINABLE and not study.recipe.trains:
        raise NoNumber("the account is of inference, which trains no parameters; take a recipe of training")
    return trainable_parameters(study.model) if name == TRAINABLE else study.model.parameters


def _caching(study: Study) -> Study:
    """The study, where its recipe keeps caches."""
    if study.recipe.trains:
        raise NoNumber(
            "the account is of a step of training, which keeps no cache of keys and values; claim a line of a question by its name, "
            "or take a recipe of inference"
        )
    return study


def _offloading(study: Study) -> Memory:
    """What the host holds for one device, where something is offloaded to it."""
    if not study.recipe.offload:
        raise NoNumber("nothing is offloaded, so that the host holds nothing; add --offload KINDS")
    return hosted(study)


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
