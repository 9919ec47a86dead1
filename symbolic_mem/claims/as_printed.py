"""The verdict on a claim that repeats an amount of a derivation, or of what is sent, as it is printed there or by the name of its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.claim import Claim
from symbolic_mem.claims.formulas import compare_to
from symbolic_mem.claims.lines import exactly
from symbolic_mem.claims.measures import IN_BYTES, is_time
from symbolic_mem.claims.names import same_symbol
from symbolic_mem.claims.printed import Printed, in_account, printed
from symbolic_mem.claims.printed_lines import formulas_of_lines, numbers_of_lines, required
from symbolic_mem.claims.sending import IN_A_STEP, sent_in_a_pass, sent_in_a_step
from symbolic_mem.claims.stated import Stated
from symbolic_mem.claims.verdict import Verdict
from symbolic_mem.document.prose import say, text
from symbolic_mem.questions.registry import REPORT, depends
from symbolic_mem.study.answered import answer_to, claims_of, seen_by
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

_NO_NUMBER = "none"


def as_printed(study: Study, claim: Claim, label: str | None, *, nearest: bool = False) -> Verdict | None:
    """The verdict on an amount that an answer shows in a line or a table, where the claim repeats it.

    One with a name is held against the rows and lines of that name by the rule; if `nearest`, against the nearest of them where it is none.
    A formula is held against those that are printed beside the rows of its name.
    """
    if claim.formula:
        return None if claim.bare else _of_formulas(study, claim, label, nearest=nearest)
    if claim.spelled is None:
        return None
    if (product := _of_product(study, claim, label)) is not None:
        return product
    if _counts_what_is_asked(study, claim, label):
        return None
    wrong: list[tuple[Fraction, Verdict]] = []
    for asked, one in _rows(study, label, claim.name):
        if not one.is_for(claim) or not one.can_be(claim):
            continue
        if not (one.is_repeated(claim) if claim.bare else one.is_called(claim.name) or one.is_of_one(claim)):
            continue
        figures = one.figures(claim)
        verdict = _of_printed(claim, one, asked, figures)
        if figures is not None:
            return verdict
        if verdict.ratio is not None and verdict.ratio > 0:
            wrong.append((max(verdict.ratio, 1 / verdict.ratio), verdict))
    return min(wrong, key=lambda each: each[0])[1] if wrong and nearest else None


def _of_product(study: Study, claim: Claim, label: str | None) -> Verdict | None:
    """The verdict on a number with symbols after it that a line prints so: 16 Ψ."""
    if claim.unit in ("", *IN_BYTES) or claim.bare:
        return None
    found = _of_formulas(study, replace(claim, spelled=None, formula=claim.text), label, nearest=False)
    return found if found is not None and found.right else None


def _rows(study: Study, label: str | None, name: str) -> Iterator[tuple[Question | None, Printed]]:
    """The amounts of the questions, or of one of them, and without a label those of the account and of a step."""
    chosen = _chosen(study, label)
    for asked in chosen:
        yield from ((asked, one) for one in (*printed(study, asked), *sent_in_a_pass(study, asked)))
    for asked in _with_lines(chosen, name):
        yield from ((asked, one) for one in numbers_of_lines(study, asked))
    if label is None:
        yield from ((None, one) for one in (*in_account(study), *sent_in_a_step(study)))


def _chosen(study: Study, label: str | None) -> Sequence[Question]:
    """The questions, with what a report asks beside them; or one of them."""
    if label is not None:
        return (study.question(label),)
    beside = depends(study)
    return study.questions if beside is None else (*study.questions, beside)


def _label(asked: Question | None) -> str | None:
    """The label of a question of the study; none of the account, and of what a report asks beside."""
    return None if asked is None or asked.where == REPORT else asked.label


def _with_lines(chosen: Sequence[Question], name: str) -> Sequence[Question]:
    """The questions of which lines may be claimed by that name: none where one asks for what is called so, which has one answer."""
    return () if _asks_for(chosen, name) else chosen


def _asks_for(chosen: Sequence[Question], name: str) -> bool:
    return any(same_symbol(each, name) for one in chosen for each in one.claimable)


def _answer(study: Study, chosen: Sequence[Question], asked: Question, claim: Claim) -> object:
    """The number of what a question asks for, where the claim names that; None of any other name."""
    if not _asks_for(chosen, claim.name):
        return None
    claims = claims_of(seen_by(study, asked), asked)
    found = next((one for each, one in claims.items() if same_symbol(each, claim.name)), None)
    return _NO_NUMBER if found is None or found.value is None else exactly(found.value)


def _counts_what_is_asked(study: Study, claim: Claim, label: str | None) -> bool:
    """Whether it is a count by the name of what a question asks for: rows that are called so are of bytes or seconds."""
    unit = "" if claim.spelled is None else claim.spelled.unit
    return not (unit in IN_BYTES or is_time(unit)) and _asks_for(_chosen(study, label), claim.name)


def _of_formulas(study: Study, claim: Claim, label: str | None, *, nearest: bool) -> Verdict | None:
    """The verdict on a formula: that of a line or a row of its name; if `nearest`, of the first row that has another."""
    first: Verdict | None = None
    chosen = _chosen(study, label)
    for asked in chosen:
        for compared in formulas_of_lines(
            study, asked, claim.name, claim.formula, _answer(study, chosen, asked, claim)
        ):
            claimed, figures = Claimed(None, "number", claim.name), 0 if compared.same else None
            verdict = Verdict(claim, claim.name, claimed, _label(asked), Stated(None), None, None, figures, compared)
            if compared.same:
                return verdict
            first = first or verdict
    for asked in chosen:
        if required(study, asked, claim.name, claim.formula):
            raise BadInput(
                f"claim {claim.stated}: question {asked.label} requires that where it solves, and it does not hold at every value; "
                f"claim a line that does, or the answer"
            )
    if not nearest:
        return None
    for asked, one in _rows(study, label, claim.name):
        if one.formula is None or not one.is_called(claim.name):
            continue
        seen = study if asked is None else seen_by(study, asked)
        known = None if asked is None else answer_to(seen, asked)
        compared = compare_to(claim.formula, one.formula, seen, known)
        stated = Stated(compared.value, computed=True)
        verdict = Verdict(
            claim,
            one.place,
            one.claimed,
            _label(asked),
            stated,
            one.value,
            None,
            compared.rounded if compared.same else None,
            compared,
        )
        if compared.same:
            return verdict
        first = first or verdict
    return first


def _of_printed(claim: Claim, one: Printed, asked: Question | None, figures: int | None) -> Verdict:
    named = replace(claim, name=one.place) if claim.bare else claim
    assert claim.spelled is not None, "only a number is printed"
    stated = Stated(claim.number, claim.scale(one.claimed), claim.spelled.unit)
    sent = say("That is {where} along {axis}.", where=text(one.under), axis=text(one.name))
    beside = (sent,) if one.under in IN_A_STEP and not claim.bare else ()
    return Verdict(named, one.place, one.claimed, _label(asked), stated, one.value, None, figures, beside=beside)
