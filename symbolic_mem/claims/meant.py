"""What a claim is about that has no name, or one of several quantities: of all that have its unit, what it is right of, or the nearest."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import rational
from symbolic_mem.claims.bare import given_in_its_unit, quantities
from symbolic_mem.claims.claim import Claim, NotABound
from symbolic_mem.claims.formulas import equivalent
from symbolic_mem.claims.judged import compared_with
from symbolic_mem.claims.measures import known_unit
from symbolic_mem.claims.names import same_symbol
from symbolic_mem.claims.verdict import Verdict
from symbolic_mem.study.study import Study

_ALIKE, _SAME_SYMBOLS, _OTHER_SYMBOLS = range(3)


def read_as_one(study: Study, read: Claim, question: str | None) -> Claim:
    """A claim without a name, of what it is read as: of an answer or a number of the account, or of a value that the study gives.

    Such a value counts where no question asks for anything in its unit: if the claim is that value, or nothing else has the unit.
    """
    given_there = tuple(given_in_its_unit(study, read, question))
    try:
        found = named(study, read, quantities(study, read, question), question)
    except BadInput as refused:
        try:
            return named(study, read, given_there, question)
        except BadInput:
            raise refused from None
    chosen = study.questions if question is None else (study.question(question),)
    asked_for = any(same_symbol(each, found.name) for one in chosen for each in one.claimable)
    if not given_there or asked_for or _right(study, found, question):
        return found
    with suppress(BadInput):
        given = named(study, read, given_there, question)
        return given if _right(study, given, question) else found
    return found


def _right(study: Study, claim: Claim, question: str | None) -> bool:
    return any(verdict.right for verdict, _ in compared_with(study, claim, question))


def named(study: Study, read: Claim, names: Iterable[str], question: str | None) -> Claim:
    """A claim of one of several quantities, of that which it is right of; else of the nearest that has its unit.

    A formula is nearest to one of which it is a multiple, then to one in the same symbols.
    """
    unnamed = read.bare and bool(read.formula) and question is None
    nearest: tuple[tuple[int, Fraction], Claim] | None = None
    without: Claim | None = None
    no_bound: BadInput | None = None
    refused: BadInput | None = None
    for name in names:
        claim = replace(read, name=name)
        try:
            verdicts = compared_with(study, claim, question)
        except NotABound as error:
            no_bound = no_bound or error
            continue
        except BadInput as error:
            refused = refused or error
            continue  # it has no number here, or is counted in something else
        for verdict, _ in verdicts:
            if unnamed and verdict.compared is not None and not verdict.compared.expected:
                continue  # nought times anything is the formula of nothing in particular
            if verdict.right or read.never:
                return claim
            if verdict.expected is None and verdict.compared is None:
                without = without or claim  # there is no such number, which a number claims
            if (verdict.ratio or 0) > 0:
                far = (_unlike(verdict), off(verdict))
                nearest = min(nearest or (far, claim), (far, claim), key=lambda each: each[0])
    if unnamed and (nearest is None or nearest[0][0] == _OTHER_SYMBOLS):
        raise BadInput(
            f"claim {read.text!r} does not say of what it is; give the name of its quantity, as in static = {read.text}, or the "
            "question that it answers, with --question"
        )
    if nearest is None and without is not None:
        return without
    if nearest is None and not read.bare:
        return read  # why it is none of them, its own name tells
    if nearest is None and read.formula and refused is not None:
        raise refused
    if nearest is None:
        known_unit(read.text, read.unit)
        if no_bound is not None:
            raise no_bound
        if read.of:
            raise BadInput(
                f"claim {read.text!r}: of {read.of!r} the study gives no share; name a part of the account, or leave it out"
            )
        raise BadInput(
            f"claim {read.text!r}: nothing of the study is counted {f'in {read.unit}' if read.unit else 'without a unit'}; name a "
            "quantity, as in P=38"
        )
    return nearest[1]


def _unlike(verdict: Verdict) -> int:
    """How unlike the formula of the quantity a claimed one is: a multiple of it, another in its symbols, one in others."""
    compared = verdict.compared
    if compared is None:
        return _ALIKE
    if compared.claimed.free_symbols != compared.expected.free_symbols:
        return _OTHER_SYMBOLS
    times = rational(verdict.ratio or Fraction(1))
    return _ALIKE if equivalent(compared.claimed, times * compared.expected) else _SAME_SYMBOLS


def off(verdict: Verdict) -> Fraction:
    """How many times the number is the claim, or the claim the number."""
    ratio = verdict.ratio or Fraction(1)
    return max(ratio, 1 / ratio)
