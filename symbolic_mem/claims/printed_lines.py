"""Lines of a derivation: the numbers, but for memory, and the formulas that a line says its left side to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_formula
from symbolic_mem.claims.formulas import Compared, equivalent, pythonic
from symbolic_mem.claims.lines import exactly
from symbolic_mem.claims.measures import IN_BYTES
from symbolic_mem.claims.names import one_word, written
from symbolic_mem.claims.printed import Printed
from symbolic_mem.document.prose import Amount, Brief, Chain, Long, Side, Total
from symbolic_mem.document.steps import Step
from symbolic_mem.render.text import plain
from symbolic_mem.study.answered import answer_to, shown_by
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


def numbers_of_lines(study: Study, question: Question) -> tuple[Printed, ...]:
    """The numbers that lines say their left sides to be, but for memory.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> [one.shown.plain for one in numbers_of_lines(study, study.question("d")) if one.name == "T_min"][:2]
    ['≈ 20,444.4 tokens', '≈ 40,888.9 tokens']
    """
    return tuple(
        Printed(plain(chain.left), "", exactly(side.value), side.shown, unit=side.shown.unit)
        for chain in _chains(study, question)
        for side in _said_of(chain)
        if isinstance(side, Amount) and side.shown.unit not in IN_BYTES and side.value.is_number
    )


def formulas_of_lines(study: Study, question: Question, name: str, formula: str) -> Iterator[Compared]:
    """A claimed formula beside those that lines print of `name`, in the symbols that are printed; none where it has another symbol.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("llama-3.1-8b")
    >>> [one.same for one in formulas_of_lines(study, study.question("b"), "M_fix", "M_buffers + M_act")][0]
    True
    """
    said = pythonic(formula)
    for chain in _chains(study, question):
        if one_word(plain(chain.left)).lower() != one_word(name).lower():
            continue
        for side in _said_of(chain):
            printed = _formula(side)
            if printed is None or not printed.free_symbols:
                continue
            names = {each: cast(sp.Expr, one) for one in printed.free_symbols for each in written(one)}
            try:
                claimed = read_formula(said, names, "formula")
            except BadInput:
                continue
            yield Compared(claimed, printed, {}, equivalent(claimed, printed), None)


def _chains(study: Study, question: Question) -> tuple[Chain, ...]:
    if question.subject == "formulas":
        return ()  # its lines have names of their own, and beside them stands what editions of a source compute
    return shown_by(study, question, "lines", lambda seen: _all(seen, question))


def _all(seen: Study, question: Question) -> Iterator[Chain]:
    for block in question.steps(question.advise(answer_to(seen, question))):
        if isinstance(block, Step):
            yield from (one for one in block.chains if not one.asked)


def _said_of(chain: Chain) -> Iterator[Side]:
    """What a line says its left side to be, and not what it is held against."""
    for relation, side in chain.links:
        if relation not in ("=", "≈"):
            return
        yield side


def _formula(side: object) -> sp.Expr | None:
    """The formula of a side that is one, without numbers put in."""
    match side:
        case Long():
            return _formula(side.expr)
        case Brief():
            return _formula(side.shown)
        case Total():
            parts = [_formula(one) for one in side.sides]
            return None if None in parts else sp.Add(*(part for part in parts if part is not None))
        case sp.Expr():
            return side
    return None
