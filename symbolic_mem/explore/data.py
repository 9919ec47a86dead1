"""All that a page of play holds, as one value that JSON can write: accounts, choices, devices, sizes and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.symbols import C_mem, M_divided, M_fixed, P, lookup, table
from symbolic_mem.base.written import MAX_VALUE
from symbolic_mem.explore.choices import SINGLE, Under, choices, combined, possible
from symbolic_mem.explore.command import Command
from symbolic_mem.explore.held import groups, held, lengths
from symbolic_mem.explore.ledgers import Ledgers, definitions
from symbolic_mem.explore.words import amounts, devices, names, templates
from symbolic_mem.models.described import demands
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.min_degree import MinDegree
from symbolic_mem.questions.parts.asking import turned, usual
from symbolic_mem.questions.parts.unread import refuse_unread
from symbolic_mem.questions.parts.words import KIND_WORDS
from symbolic_mem.study.study import Study


def asked(study: Study, label: str | None = None) -> MinDegree:
    """Return the question of a study that a page answers: about the smallest degree, the first or that of the `label`.

    Where the study has none, it is asked as `solve` asks it. Raises `BadInput` for a question of another kind, for a study
    that asks about no memory, unless the caller says a recipe, and for what the caller sets and nothing reads.
    """
    found = [one for one in study.questions if isinstance(one, MinDegree)]
    if label is not None:
        chosen = study.question(label)
        if not isinstance(chosen, MinDegree):
            labels = ", ".join(repr(one.label) for one in found)
            known = labels or f"{study.name} has no such question, leave the label out"
            raise BadInput(f"question {label!r} asks for {chosen.ask}; a page of play answers min_degree: {known}")
    elif found:
        chosen = found[0]
    else:
        _need_memory(study)
        chosen = turned(next(iter(usual(study)), None), MinDegree, "solve", study.name)
    refuse_unread(study, (*study.questions, chosen))
    return chosen


def _need_memory(study: Study) -> None:
    """Raise `BadInput` for a study whose questions are all about something else, such as a cache: no page would show that."""
    if not study.questions or any(question.subject == "memory" for question in study.questions):
        return
    if not any(change.aspect == "recipe" for change in study.caller):
        raise BadInput(
            f"{study.name} asks nothing about the memory of training, and a page of play shows that alone; ask it with "
            f"homework or report, or give the recipe with which its model is trained, such as --recipe {study.recipe.name}"
        )


def data(study: Study, question: MinDegree, command: Command | None) -> Mapping[str, Any]:
    """Return what the page of one question holds, what is alike side by side.

    `command` are the first words of the command that solves it, and its options.

    Raises `BadInput` where the question has no answer of this kind, and `MissingValue` naming symbols without a value.
    """
    n = question.symbol
    whole = study.under(question)
    seen = whole.without(n)
    capacity = seen.capacity
    ledgers = Ledgers(question)
    ledgers.add(seen)
    _need_values(seen, ledgers)

    def make(one: Study) -> list[Any]:
        return ledgers.add(one.under(question).without(n))

    under = Under(study, make)
    offered = possible(choices(seen), under)
    made = list(combined(offered, under))
    named_parts = definitions(seen, ledgers)
    demanded = _demands(seen, ledgers)
    symbols = _symbols(seen, ledgers)
    _need_values(seen, ledgers)
    formulas = {
        str(one): [ledgers.nodes.add(expr), write_formula(expr)]
        for one, expr in seen.formulas.items()
        if one in symbols
    }
    bound = ledgers.tree(M_divided / (C_mem - M_fixed))
    return {
        "trees": ledgers.trees.listed,
        "nodes": ledgers.nodes.listed,
        "n": str(n),
        "strict": question.strict,
        "most": str(MAX_VALUE),
        "symbols": [[str(one), str(seen.values[one])] for one in symbols],
        "held": [[str(one), str(seen.values[one])] for one in held(seen, n)],
        "groups": groups(seen),
        "shows": None if n not in whole.values else str(whole.values[n]),
        "placements": ledgers.placements.listed,
        "formulas": formulas,
        "defined": named_parts,
        "bound": bound,
        "demands": demanded,
        "kinds": [KIND_WORDS[kind] for kind in KINDS],
        "kind names": list(KINDS),
        "reading": capacity.reading or "",
        "devices": list(devices(seen)),
        "ledgers": ledgers.ledgers.listed,
        "made": made,
        "single": SINGLE,
        "terms": ledgers.terms.listed,
        "instants": ledgers.instants.listed,
        "turns": ledgers.turns.listed,
        "counts": ledgers.counts.listed,
        "states": ledgers.states.listed,
        "ruled": ledgers.ruled.listed,
        "command": None if command is None else list(command),
        "names": names([*symbols, *held(seen, n), n, P, M_divided, M_fixed, C_mem]),
        "choices": [
            [one.name, one.head, one.option, [[option.name, option.words] for option in one.options]] for one in offered
        ],
        "words": ledgers.words.listed,
        "said": templates(n),
        "amounts": amounts(seen),
    }


def _need_values(study: Study, ledgers: Ledgers) -> None:
    """Raise `MissingValue` for symbols of the study's own accounts without a value."""
    missing = tuple(sorted(str(one) for one in _symbols(study, ledgers) if one not in study.values))
    if missing:
        raise MissingValue(missing, "a page of play")


def _symbols(study: Study, ledgers: Ledgers) -> list[sp.Symbol]:
    """The symbols that any account, any demand or any formula of a value uses, in the order of the table."""
    used = {node for node in ledgers.nodes.listed if isinstance(node, str)} - {str(ledgers.question.symbol)}
    order = [str(name.symbol) for name in table(given=True)] + [str(name.symbol) for name in study.names]
    every = {str(symbol): symbol for symbol in study.values}
    known = {name: every.get(name) or lookup(name) for name in used}
    found = [name for name in order if name in used]
    return [symbol for name in found if (symbol := known[name]) is not None]


def _demands(study: Study, ledgers: Ledgers) -> list[Any]:
    """What sizes must be to each other: the kind, two names with their nodes, and how the first is written."""
    a = study.built.architecture
    if a is None:
        return []
    add = ledgers.nodes.add
    told = (one for one in demands(a) if one.kind != "whole" or not one.size.is_Atom)
    found = [[one.kind, one.name, add(one.size), one.of, add(one.other), str(one.size)] for one in told]
    return [*lengths(study, ledgers.nodes), *found]
