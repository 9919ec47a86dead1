"""The account's own number, where a claim by its name is right of a question alone that has another one."""

from __future__ import annotations

from symbolic_mem.claims.account import in_account
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.verdict import Verdict
from symbolic_mem.claims.verdicts import exact_words
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.study.answered import seen_by
from symbolic_mem.study.study import Study


def is_another(study: Study, own: tuple[Verdict, Case], right: tuple[Verdict, Case]) -> bool:
    """Whether a claim that is wrong of the study's own account is right of a question that has another number of that name."""
    verdict, case = own
    of_account = case.question is None and case.study is study and in_account(study, verdict.name)
    known = verdict.stated.number is not None and verdict.expected is not None
    return not verdict.right and of_account and known and bool(_label(study, *right))


def own_number(study: Study, own: Verdict, right: tuple[Verdict, Case]) -> Prose:
    """What the number of the study's own account is, and, where the verdict does not say it, of which question that is that a claim is right of.

    >>> from symbolic_mem.claims.check import check
    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.render.text import plain_prose
    >>> plain_prose(check(load_study("cs336-a2-xxl"), "total=4599 GiB").beside[-1])
    'In the account of the study itself it is 5418 GiB.'
    """
    n = exact_words(own, own.expected)
    if right[0].question is not None:
        return say("In the account of the study itself it is {n}.", n=n)
    label = text(_label(study, *right))
    return say(
        "That is the number of question {label}; in the account of the study itself it is {n}.", label=label, n=n
    )


def _label(study: Study, verdict: Verdict, case: Case) -> str:
    """The question that a claim is right of, or the first that sees the study as its case does; empty where it is none."""
    if verdict.question is not None or case.study is study:
        return verdict.question or ""
    return next((one.label for one in study.questions if seen_by(study, one) is case.study), "")
