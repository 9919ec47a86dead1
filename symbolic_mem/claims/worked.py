"""Slips about the lines of a worked problem: a share left out, or one line taken for another."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.ledger import Ledger
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.lines import exactly
from symbolic_mem.study.answered import answer_to


def shares(case: Case) -> tuple[str, ...]:
    """The given values between 0 and 1 that the lines of a worked problem are multiplied with or divided by.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a1-adamw")
    >>> question = study.question("d")
    >>> shares(Case(study.under(question), question))
    ('MFU',)
    """
    ledger = _ledger(case)
    if ledger is None:
        return ()
    read = {symbol for line in ledger.lines for symbol in line.expr.free_symbols}
    return tuple(str(symbol) for symbol in case.study.values if symbol in read and 0 < case.study.values[symbol] < 1)


def forget_share(case: Case, tensor: str) -> Case:
    """Leave a share out, as if it were 1."""
    values = {symbol: sp.S.One if str(symbol) == tensor else value for symbol, value in case.study.values.items()}
    return replace(case, study=replace(case.study, values=values))


def lines_before(case: Case) -> tuple[tuple[str, str], ...]:
    """Each line of a worked problem with a line of its unit that it is made of.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a1-adamw")
    >>> question = study.question("d")
    >>> lines_before(Case(study.under(question), question))
    (('F_forward', 'F_step'),)
    """
    ledger = _ledger(case)
    if ledger is None:
        return ()
    lines, found = {line.symbol: line for line in ledger.lines}, []
    for line in ledger.lines:
        made_of = [symbol for symbol in lines if line.expr.has(symbol)]
        found += [(str(symbol), str(line.symbol)) for symbol in made_of if lines[symbol].unit == line.unit]
    return tuple(found)


def stop_before(case: Case, tensor: tuple[str, str]) -> Case | None:
    """Take a line that another is made of for that other one, and go on from there."""
    ledger = _ledger(case)
    taken, line = tensor
    if ledger is None or line in case.instead:
        return None
    value = next(entry.value for entry in ledger if str(entry.line.symbol) == taken)
    return None if value is None else replace(case, instead={**case.instead, line: exactly(value)})


def _ledger(case: Case) -> Ledger | None:
    """The lines of the worked problem that a claim is about."""
    if case.question is None or case.question.subject != "formulas":
        return None
    try:
        return answer_to(case.study, case.question).ledger
    except BadInput:
        return None
