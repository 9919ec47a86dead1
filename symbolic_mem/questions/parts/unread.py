"""What a caller gives and nothing that is asked reads: it is refused, and it is said what is read, or who fixes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import symbols_of
from symbolic_mem.base.symbols import lookup
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.assumptions import DEGREES
from symbolic_mem.questions.parts.hosted import hosted
from symbolic_mem.study.changed_values import PLACEMENTS
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

# What a change of each aspect needs in order to count, and how a refusal says that.
_DEVICE = dict.fromkeys(("device", "reading", "reserved", "usable"), "the memory of a device")
_KEPT = dict.fromkeys(("recipe", "profile", "optimizer", "plan", "gradients", "offload", "copies", "rest"), "memory")
_ACTIVATIONS = dict.fromkeys(("recompute", "kernel", "loss"), "what is kept for the backward pass")


def refuse_unread(
    study: Study, questions: Sequence[Question] | None = None, also: frozenset[str] = frozenset()
) -> None:
    """Raise `BadInput` for what the caller gives and none of the `questions` reads: those of the study, without others.

    What is read `also` are names of symbols that what is asked reads beside. Degrees are not refused where memory is asked for: what divides nothing is said beside the answer.

    >>> from symbolic_mem.library.read import load_study
    >>> refuse_unread(load_study("llama-3.1-8b").change(values={"E": 4}))
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: E = 4: nothing that llama-3.1-8b asks reads E; it reads B, L, S, V, d_ff, d_head, d_model, n_fsdp, n_heads, n_kv
    >>> refuse_unread(load_study("kv-cache").change(device="h100-80gb"))
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: device NVIDIA H100 SXM 80 GB: nothing that kv-cache asks is about the memory of a device; leave it out
    """
    asked = study.questions if questions is None else questions
    if not asked or not study.caller:
        return
    _refuse_aspects(study, asked)
    refuse_values(study, [also, *(question.reads(study.under(question)) for question in asked)], asked)


def refuse_values(study: Study, read: Iterable[frozenset[str] | None], asked: Sequence[Question] = ()) -> None:
    """Raise `BadInput` for a value that the caller gives and that is not among the names that are `read`; None reads any."""
    names = list(read)
    if any(each is None for each in names):
        return
    known = set().union(*(each for each in names if each is not None))
    known |= {str(symbol) for formula in study.formulas.values() for symbol in formula.free_symbols}
    said = not asked or any(question.subject == "memory" for question in asked)
    for change in study.caller:
        name = change.aspect
        if name in known or not _is_value(study, name) or (said and lookup(name) in DEGREES):
            continue
        if any(at_instants(study, question, lookup(name)) for question in asked):
            continue
        fixing = [question.label for question in asked if name in question.finds]
        if fixing:
            raise BadInput(
                f"{change.words}: {name} is fixed in {study.name}: question {fixing[0]!r} gives or finds it itself; "
                f"what can be set: {_listed(known)}"
            )
        raise BadInput(f"{change.words}: nothing that {study.name} asks reads {name}; it reads {_listed(known)}")


def _refuse_aspects(study: Study, asked: Sequence[Question]) -> None:
    memory = [question for question in asked if question.subject == "memory"]
    there = {
        "the memory of a device": any(question.weighed for question in memory),
        "memory": bool(memory),
        "what is kept for the backward pass": any("activations" in question.counted for question in memory),
    }
    for change in study.caller:
        aspect = change.aspect
        needs = "memory" if aspect in PLACEMENTS else (_DEVICE | _KEPT | _ACTIVATIONS).get(aspect)
        if needs is not None and not there[needs]:
            raise BadInput(f"{change.words}: nothing that {study.name} asks is about {needs}; leave it out")


def at_instants(study: Study, question: Question, symbol: sp.Symbol | None) -> bool:
    """Whether an instant of a step reads a symbol that the sum of what is kept may not, of a block that is recomputed, or the host does.

    >>> from symbolic_mem.base.symbols import k
    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cluster-deepseek-v3")
    >>> at_instants(study, study.question("a"), k), k in study.memory.total.free_symbols
    (True, False)
    """
    seen = study.under(question)
    if question.subject != "memory" or set(question.counted) != set(KINDS):
        return False
    return symbol in read_beside(seen)


def read_beside(study: Study) -> set[sp.Basic]:
    """Return the symbols that the instants of a step read, and what of it the host's memory holds."""
    memories = (*(one.memory for one in study.timeline), hosted(study))
    return set().union(*(symbols_of(memory.total) for memory in memories))


def _is_value(study: Study, name: str) -> bool:
    symbol = lookup(name)
    return symbol is not None or any(str(own.symbol) == name for own in study.names)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "no value"
