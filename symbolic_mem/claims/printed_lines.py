"""Lines of a derivation: the numbers and the formulas that a line says its left side to be, and what is only required."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import read_formula
from symbolic_mem.claims.formulas import Compared, equivalent, joined, pythonic
from symbolic_mem.claims.left import same_left
from symbolic_mem.claims.lines import exactly
from symbolic_mem.claims.measures import IN_BYTES
from symbolic_mem.claims.names import written
from symbolic_mem.claims.printed import BYTES, Printed
from symbolic_mem.document.prose import Amount, Brief, Chain, Long, Put, Side, Total
from symbolic_mem.document.steps import Step
from symbolic_mem.render.text import plain
from symbolic_mem.study.answered import answer_to, shown_by
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


def numbers_of_lines(study: Study, question: Question) -> tuple[Printed, ...]:
    """The numbers that lines say their left sides to be; memory alone of formulas that a study writes out, as `printed` has it of others.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> [one.shown.plain for one in numbers_of_lines(study, study.question("d")) if one.name == "T_min"][:2]
    ['≈ 20,444.4 tokens', '≈ 40,888.9 tokens']
    """
    written_out = question.subject == "formulas"
    return tuple(
        Printed(
            plain(chain.left),
            "",
            exactly(side.value),
            side.shown,
            unit=BYTES if side.shown.unit in IN_BYTES else side.shown.unit,
        )
        for chain in _chains(study, question)
        if not chain.asked
        for side in _said_of(chain)
        if isinstance(side, Amount) and (written_out or side.shown.unit not in IN_BYTES) and side.value.is_number
    )


def formulas_of_lines(
    study: Study, question: Question, name: str, formula: str, answer: object = None
) -> Iterator[Compared]:
    """A claimed formula beside those that lines print of `name`, in the symbols that are printed; none where it has another symbol.

    One of numbers alone is held against the number of the line. Of what the question asks for, whose `answer` is given, no
    line counts that has another number.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("llama-3.1-8b")
    >>> [one.same for one in formulas_of_lines(study, study.question("b"), "M_fix", "M_buffers + M_act")][0]
    True
    """
    for chain in _chains(study, question):
        if chain.asked or not _is_left(chain, name):
            continue
        number = next(
            (side.value for side in _said_of(chain) if isinstance(side, Amount) and side.value.is_number), None
        )
        if answer is not None and (number is None or exactly(number) != answer):
            continue
        claimed = _read(formula, chain)
        if claimed is None:
            continue
        if not claimed.free_symbols:
            if number is not None and claimed.is_number:
                value = exactly(claimed)
                yield Compared(claimed, number, {}, value == exactly(number), value)
            continue
        for printed in filter(None, map(_formula, _said_of(chain))):
            if printed.free_symbols:
                yield Compared(claimed, printed, {}, equivalent(claimed, printed), None)


def required(study: Study, question: Question, name: str, formula: str) -> bool:
    """Whether a derivation only requires a formula to be what is on its left, at what it solves for.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> [required(study, study.question("c"), "t_fsdp", each) for each in ("t_tp", "2 t_tp")]
    [True, False]
    """
    for chain in _chains(study, question):
        if chain.asked and _is_left(chain, name) and (claimed := _read(formula, chain)) is not None:
            sides = filter(None, map(_formula, _said_of(chain)))
            if any(equivalent(claimed, side) for side in sides):
                return True
    return False


def _read(formula: str, chain: Chain) -> sp.Expr | None:
    """A claimed formula in the symbols of a line; None where it has another name, or is none."""
    names = _names(chain)
    try:
        return read_formula(pythonic(joined(formula, names)), names, "formula")
    except BadInput:
        return None


def _names(chain: Chain) -> Mapping[str, sp.Expr]:
    """What may be written in a line: its symbols, by their names and as they are printed."""
    symbols = {symbol for side in (chain.left, *(side for _, side in chain.links)) for symbol in _symbols(side)}
    return {each: cast(sp.Expr, symbol) for symbol in symbols for each in written(symbol)}


def _symbols(side: object) -> Iterator[sp.Basic]:
    match side:
        case Long():
            yield from _symbols(side.expr)
        case Put():
            yield from side.expr.free_symbols
        case Brief():
            yield from _symbols(side.shown)
        case Total():
            for part in side.sides:
                yield from _symbols(part)
        case sp.Expr():
            yield from side.free_symbols


def _is_left(chain: Chain, name: str) -> bool:
    """Whether `name` is what stands on the left of a line, a symbol or a formula; a letter alone in its own case."""
    return same_left(plain(chain.left), name)


def _chains(study: Study, question: Question) -> tuple[Chain, ...]:
    return shown_by(study, question, "lines", lambda seen: _all(seen, question))


def _all(seen: Study, question: Question) -> Iterator[Chain]:
    for block in question.steps(question.advise(answer_to(seen, question))):
        if isinstance(block, Step):
            yield from block.chains


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
