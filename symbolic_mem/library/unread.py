"""What a study file gives a value and nothing in it reads: it is refused where the file is read, for every face alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput, SymbolicMemError
from symbolic_mem.base.symbols import lookup, n_pod
from symbolic_mem.questions.parts.unread import read_beside
from symbolic_mem.study.question import SENDING, symbols_in
from symbolic_mem.study.study import Study


def refuse_idle(study: Study, given: Iterable[str], where: str) -> None:
    """Raise `BadInput` for the first of the names `given` a value in the file that neither a question nor the account reads.

    A value counts as read where one question, one variant, one instant of a step, the plan, the network or another value
    needs it. What cannot be asked yet, because it lacks a value or is refused, may read any.

    >>> from symbolic_mem.library.read import load_study
    >>> refuse_idle(load_study("headroom"), ["B", "E"], "my.toml [values]")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    symbolic_mem.base.errors.BadInput: my.toml [values]: nothing in this study reads E; it reads ...; take E out, or add what reads it
    """
    left, known = list(given), set[str]()
    try:
        for read in _read(study):
            known |= set(map(str, read))
            left = [name for name in left if name not in known]
            if not left:
                return
    except SymbolicMemError:
        return
    names = ", ".join(sorted(known)) or "no value"
    raise BadInput(
        f"{where}: nothing in this study reads {left[0]}; it reads {names}; take {left[0]} out, or add what reads it"
    )


def _read(study: Study) -> Iterator[Iterable[Any]]:
    """What is read, the cheapest first: a file whose values are all read is rarely asked for more than its memory."""
    for formula in study.formulas.values():
        yield formula.free_symbols
    yield symbols_in(study.questions)
    for question in study.questions:
        yield {*question.unknowns, *question.places}
    yield {
        *SENDING,
        n_pod,
        *symbols_in(study.network),
    }  # what `comms` reads, of the network or of a device that is named
    yield from _of(study)
    for question in study.questions:
        seen = study.under(question)
        if question.subject != "formulas":
            yield question.reads(seen) or ()
        yield from _of(seen)
    others = {  # variants of values alone read what the study reads
        tuple(change.words for change in variant if lookup(change.aspect) is None): number
        for number, variant in enumerate(study.variants, start=1)
    }
    for words, number in others.items():
        if words:
            yield from _of(study.varied(number))


def _of(study: Study) -> Iterator[Iterable[sp.Basic]]:
    yield study.memory.total.free_symbols
    yield symbols_in(tuple(study.placement.values()))
    yield symbols_in(study.model.layers)
    yield study.model.forward_flops.free_symbols
    if study.plan is not None:
        from symbolic_mem.plans.pipeline import SYMBOLS
        from symbolic_mem.questions.parts.assumptions import used_by_plan

        yield used_by_plan(study, study.plan)
        yield SYMBOLS if study.plan.pipelined else ()  # its schedule checks them, whether or not memory depends on them
    yield read_beside(study)
