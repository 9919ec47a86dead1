"""A claim held against every number that it may be about by its name, without a word on slips."""

from __future__ import annotations

import re

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.claims.account import NoNumber, counted_kinds
from symbolic_mem.claims.case import Case, Result, read_off
from symbolic_mem.claims.claim import Claim, NotABound
from symbolic_mem.claims.formulas import Compared, compare_formula, counts_otherwise
from symbolic_mem.claims.measures import IN_BYTES
from symbolic_mem.claims.parts import SUMS
from symbolic_mem.claims.rule import right_to
from symbolic_mem.claims.shares import share_meant
from symbolic_mem.claims.stated import Stated
from symbolic_mem.claims.subjects import ASKED, called, claim_of, questions_about
from symbolic_mem.claims.verdict import Verdict
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.study import Study

_SHORT = re.compile(r"[0-9.,]+(?:[kKMGT]|[kKMGTB] (?:bytes?|param(?:eter)?s?|tokens?))")  # millions, say, not a symbol
_WORDS = re.compile(r"[a-z]{2,}(?:[ -][a-z]{2,})*")
_SYMBOL = re.compile(r"P(?: \w+)?|[kBEPT] bytes?")  # parameters, tokens, ..., where they are no 10^15 or 10^12


def compared_with(study: Study, read: Claim, question: str | None, *, whole: bool = True) -> list[tuple[Verdict, Case]]:
    """The verdicts of all that the claim may be about, without slips; the last is that for which it is right, if there is one.

    If not `whole`, a question after the first whose number the claim cannot be is not answered, and left out.
    """
    name = called(study, read.name, question)
    name = share_meant(study, name, read.of, read.stated) if read.percent else name
    name = "weights" if name == "parameters" and read.in_bytes else name
    verdicts: list[tuple[Verdict, Case]] = []
    absent: BadInput | None = None
    unasked: BadInput | None = None
    for seen, asked, called_there in questions_about(study, name, question):
        label = question if asked is None else asked.label if asked.where != ASKED else None
        chosen = study.question(question) if asked is None and question is not None else asked
        case = Case(seen, asked, counted=counted_kinds(study, chosen))
        if verdicts and not whole and not _may_be(verdicts[0][0], called_there, case):
            continue
        try:
            verdict = _judged(read, called_there, case, label)
        except (MissingValue, NoNumber, NotABound) as missing:
            absent = absent or missing
            continue
        except BadInput as refused:
            if asked is not None and asked.where == ASKED:
                unasked = unasked or refused  # what the study gives may be meant
            elif not (read.formula and verdicts):
                raise
            continue  # another question has no formula of it
        if verdict.right:
            return [*verdicts, (verdict, case)]
        verdicts.append((verdict, case))
    if not verdicts:
        raise (
            unasked
            or absent
            or BadInput(f"question {question!r} has no {read.name}; ask another, or leave --question out")
        )
    return verdicts


def _may_be(first: Verdict, name: str, case: Case) -> bool:
    """Whether the number that was held against the first question may be that of another one."""
    value = first.value
    if case.question is None or value is None or first.compared is not None or first.name != name:
        return True
    try:
        return case.question.can_be(case.study, name, value)
    except BadInput:
        return True  # why not, its answer tells


def _judged(claim: Claim, name: str, case: Case, label: str | None) -> Verdict:
    """Hold the claim against the number of one case, or a formula against that of the quantity."""
    if claim.formula:
        try:
            compared = compare_formula(claim.formula, case.study, case.question, name, case.counted)
        except BadInput as error:
            raise BadInput(f"claim {claim.stated}: {error}", error.known) from None
        try:
            claimed = (
                None if compared.value is None else claim_of(case.study, case.question, name, case.counted, kept=True)
            )
        except BadInput:
            claimed = None  # a formula needs no number
        if claimed is None:
            return _without_number(claim, name, label, compared)
        return _with_number(claim, name, case, label, claimed, compared)
    try:
        claimed = claim_of(case.study, case.question, name, case.counted, kept=True)
    except (NoNumber, MissingValue):
        product = _product(claim, name, case)
        if product is None:
            raise
        return _without_number(claim, name, label, product)
    return _with_number(claim, name, case, label, claimed, None)


def _without_number(claim: Claim, name: str, label: str | None, compared: Compared) -> Verdict:
    """The verdict on a formula of what has no number."""
    figures = compared.rounded if compared.same else None
    return Verdict(claim, name, Claimed(None, "number", name), label, Stated(None), None, None, figures, compared)


def _with_number(
    claim: Claim, name: str, case: Case, label: str | None, claimed: Claimed, compared: Compared | None
) -> Verdict:
    stated = Stated(None)
    if compared is None and claim.spelled is not None:
        try:
            scale = claim.scale(claimed)
            claimed = claim.before_rounding(scale, claimed)
            stated = Stated(claim.within(scale, claimed), scale, claim.spelled.unit)
        except BadInput:
            compared = _product(claim, name, case)
            if compared is None:
                raise
        found = _read_rightly(claimed, case)
        if _SYMBOL.fullmatch(claim.spelled.unit) and stated.agrees(claimed, found, case.misread) is None:
            compared = compared or _product(claim, name, case)
    elif compared is None and not (claimed.whole or claimed.value is None):
        raise BadInput(f"claim {claim.stated}: {claimed.meaning} is always a number; give one")
    if compared is not None:
        claim.refuse_each(claimed)
    if claim.never:
        claim.refuse_infinite(claimed)
    found = _read_rightly(claimed, case)
    if compared is not None:
        stated = Stated(compared.value, computed=True)
        figures = compared.rounded if compared.same or counts_otherwise(compared, claimed) else None
        figures = None if figures and claimed.whole else figures
    else:
        figures = stated.agrees(claimed, found, case.misread)
        if figures and claim.spelled is not None and stated.number is not None and found.value is not None:
            shown = right_to(found.value / stated.scale, stated.number, least=claim.spelled.shown)  # 47.0 has three
            figures = figures if shown is None else max(figures, shown)
    return Verdict(claim, name, claimed, label, stated, found.value, found.quotient, figures, compared)


def _read_rightly(claimed: Claimed, case: Case) -> Result:
    found = read_off(claimed, case.misread)
    assert found is not None, "an answer that is read rightly has a meaning"
    return found


def _product(claim: Claim, name: str, case: Case) -> Compared | None:
    """A number with something after it that is no unit, read as a product: 16 P; None where it is none."""
    if claim.spelled is None or claim.spelled.unit in ("", *IN_BYTES) or _SHORT.fullmatch(claim.text):
        return None
    if _WORDS.fullmatch(claim.spelled.unit) and claim.spelled.unit not in (*KINDS, *SUMS):
        return None  # 7 blocks are no product of 7 and their number
    try:
        said, things = claim.text, claim.spelled.unit.partition(" ")[2]
        said = said.removesuffix(things) if _SYMBOL.fullmatch(claim.spelled.unit) else said  # 14 P FLOPs
        return compare_formula(said, case.study, case.question, name, case.counted)
    except BadInput:
        return None
