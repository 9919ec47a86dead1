"""Parts of the account by their names: kinds of memory, sums of kinds, rows of its table."""

from __future__ import annotations

import re

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.claims.names import spellings
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.study.study import Study

SUMS = ("static", "total")


def kinds_of(name: str, counted: tuple[str, ...] = KINDS) -> tuple[str, ...]:
    """The kinds of memory that a number of the account adds up; none for a number that is no memory."""
    return {"static": STATIC, "total": counted}.get(name, (name,) if name in KINDS else ())


def part_name(study: Study, words: str) -> str | None:
    """The name of a part of the account that is a row of its table, or of kinds that are added: "activations and buffers".

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> part_name(study, "adamw moments"), part_name(study, "weights + optimizer states"), part_name(study, "speed")
    ('AdamW moments', 'weights and optimizer', None)
    """
    parts = [each for each in re.split(r"\s*[,+]\s*|\s+and\s+", words.strip().lower()) if each]
    kinds = [next((kind for kind in spellings(each, KINDS) if kind in KINDS), "") for each in parts]
    if len(kinds) > 1 and all(kinds):
        return " and ".join(dict.fromkeys(kinds))
    return next((term.name for term in study.memory if term.name.lower() == words.strip().lower()), None)


def memory_called(study: Study, words: str) -> str | None:
    """The name of the memory that somebody calls so: a kind, a sum of kinds or a row; None where it is none.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> [memory_called(study, words) for words in ("optimizer states", "M_act", "Master weights", "tokens")]
    ['optimizer', 'activations', 'master weights', None]
    """
    names = (*KINDS, *SUMS)
    row = None if words.strip() in names else part_name(study, words)
    return row or next((each for each in spellings(words, names) if each in names), None)


def parts_of_account(study: Study) -> tuple[str, ...]:
    """The rows of the table of the memory, and what of it is no state, where that is more than one kind."""
    rest = " and ".join(kind for kind in study.memory.kinds if kind not in STATIC)
    return (*(term.name for term in study.memory), *((rest,) if " and " in rest else ()))


def part_of(study: Study, name: str) -> Memory:
    """The terms of a row, or of kinds that are added; none for what is neither."""
    kinds = name.split(" and ")
    if len(kinds) > 1 and all(each in KINDS for each in kinds):
        return study.memory.of(*kinds)
    return Memory(tuple(term for term in study.memory if term.name == name), study.memory.definitions)


def memory_of(study: Study, name: str, counted: tuple[str, ...] = KINDS) -> Memory:
    """The memory of that name: of a kind, of a sum of kinds, of a row."""
    kinds = kinds_of(name, counted)
    return study.memory.of(*kinds) if kinds else part_of(study, name)
