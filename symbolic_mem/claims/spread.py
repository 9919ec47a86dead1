"""Slips about how many devices an amount is of: what one of them holds for what all hold, and the reverse."""

from __future__ import annotations

from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.case import Case
from symbolic_mem.questions.parts.found_degree import FoundDegree
from symbolic_mem.study.answered import answer_to, claims_of, seen_by
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


def numbers_of_devices(case: Case) -> tuple[int, ...]:
    """The numbers of devices that an amount may be spread over: what the question answers, or each question about memory.

    >>> from symbolic_mem.library.read import load_study
    >>> numbers_of_devices(Case(load_study("cs336-a2-xxl"), None))
    (68, 46, 49)
    """
    if case.question is not None:
        return _answered(case.study, case.question)
    asked = (question for question in case.study.questions if question.subject == "memory")
    return tuple(dict.fromkeys(n for one in asked for n in _answered(seen_by(case.study, one), one)))


def take_one(case: Case, tensor: int) -> Case | None:
    """Take the even share of one device for an amount of all."""
    return case.reading(spread=Fraction(1, tensor)) if case.question is None else None


def take_all(case: Case, tensor: int) -> Case | None:
    """Take what all devices hold together for what one holds."""
    return case.reading(spread=Fraction(tensor)) if case.question is not None else None


def _answered(seen: Study, question: Question) -> tuple[int, ...]:
    """The number of devices that a question answers, or at which its lines say what one device holds; one is no other."""
    try:
        found, claimed = answer_to(seen, question), claims_of(seen, question)
    except BadInput:
        return ()
    degree = next((one for one in claimed.values() if one.measures == "devices" and one.value is not None), None)
    if degree is None:
        return ()
    there = found.held_at if isinstance(found, FoundDegree) else degree.value
    number = int(there or degree.value) * degree.each
    return (number,) if number > 1 else ()
