"""The numbers of an account that can be claimed: the kinds of memory, their sums, parameters and rates."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from symbolic_mem.accounts.cached import cached_per_token
from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.exact import number
from symbolic_mem.base.symbols import B, S
from symbolic_mem.claims.at_instants import PEAK, at_instant, instant_called
from symbolic_mem.claims.parts import memory_of, part_of
from symbolic_mem.claims.shares import is_share, share_claim, share_formula
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


def in_account(study: Study, name: str) -> bool:
    """Whether a name is that of a number of the account, or of a part of it."""
    found = name in ACCOUNT or bool(part_of(study, name)) or is_share(study, name)
    return found or instant_called(study, name) == name


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
    if is_share(study, name):
        return share_formula(study, name, counted)
    if name not in ACCOUNT and not part_of(study, name):
        return at_instant(study, name).total
    return memory_of(study, name, counted).total


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
    if is_share(study, name):
        return share_claim(study, name, counted)
    if name not in ACCOUNT and not part_of(study, name):
        held = at_instant(study, name).at(study.numbers)
        return Claimed(held, "bytes", f"bytes of one device at {name}", unit="bytes", of_one="device")
    return Claimed(memory_of(study, name, counted).at(study.numbers), "bytes", meaning, unit="bytes")


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
