"""The verdict on a claim that repeats an amount of a derivation, or of what is sent, as it is printed there or by the name of its row."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from symbolic_mem.claims.claim import Claim
from symbolic_mem.claims.printed import Printed, in_account, in_memory, printed
from symbolic_mem.claims.sending import IN_A_STEP, sent_in_a_pass, sent_in_a_step
from symbolic_mem.claims.stated import Stated
from symbolic_mem.claims.verdict import Verdict
from symbolic_mem.document.prose import say, text
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.study import Study


def as_printed(study: Study, claim: Claim, label: str | None, *, nearest: bool = False) -> Verdict | None:
    """The verdict on an amount that an answer shows in a line or a table, where the claim repeats it.

    One with a name is held against the rows and lines of that name by the rule; if `nearest`, against the nearest of them where it is none.
    """
    if not in_memory(claim):
        return None
    wrong: list[tuple[Fraction, Verdict]] = []
    shown = [
        (asked.label, one)
        for asked in (study.questions if label is None else (study.question(label),))
        for one in (*printed(study, asked), *sent_in_a_pass(study, asked))
    ]
    if label is None:
        shown += [(None, one) for one in (*in_account(study), *sent_in_a_step(study))]
    for where, one in shown:
        if claim.each and not one.of_one:
            continue  # it is not said to be of one device
        if not (one.is_repeated(claim) if claim.bare else one.is_called(claim.name) or one.is_of_one(claim)):
            continue
        figures = one.figures(claim)
        verdict = _of_printed(claim, one, where, figures)
        if figures is not None:
            return verdict
        if verdict.ratio is not None and verdict.ratio > 0:
            wrong.append((max(verdict.ratio, 1 / verdict.ratio), verdict))
    return min(wrong, key=lambda each: each[0])[1] if wrong and nearest else None


def _of_printed(claim: Claim, one: Printed, label: str | None, figures: int | None) -> Verdict:
    claimed = Claimed(one.value, "bytes", one.place, unit="bytes", given=one.given, of_one="device" * one.of_one)
    named = replace(claim, name=one.place) if claim.bare else claim
    assert claim.spelled is not None, "only a number is printed"
    stated = Stated(claim.number, claim.scale(claimed), claim.spelled.unit)
    sent = say("That is {where} along {axis}.", where=text(one.under), axis=text(one.name))
    beside = (sent,) if one.under == IN_A_STEP and not claim.bare else ()
    return Verdict(named, one.place, claimed, label, stated, one.value, None, figures, beside=beside)
