"""At which instants of a step, and on how many devices, a claim is held against the answer to its question."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from symbolic_mem.accounts.mistaken import Mistaken
from symbolic_mem.base.symbols import M_device
from symbolic_mem.claims.at_instants import PEAK
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.names import same_symbol
from symbolic_mem.questions.parts.found_instants import FoundAtInstants
from symbolic_mem.questions.parts.peaks import peak, step_of
from symbolic_mem.study.answered import answer_to


def pinned(case: Case, name: str) -> Case:
    """The case at the instants that decide; of the bytes of one device, at that which is fullest at the answer."""
    if not case.study.timeline:
        return case
    if case.question is None:
        return _at_instant(case, name)
    found, there = answer_to(case.study, case.question), held(case, name)
    counted = (found, *found.others[:1]) if there is None else (there[0].fullest(there[1]),)
    deciding = tuple(one.study.at.called for one in counted if one.study.at is not None)
    if not deciding:
        return case
    case = replace(case, study=replace(case.study, mistaken=Mistaken(only=deciding)))
    if there is None:
        return case
    return replace(case, peak=True, instead={**case.instead, str(there[0].symbol): Fraction(there[1])})


def _at_instant(case: Case, name: str) -> Case:
    """The case of a claim about a run as it is given: at its fullest instant, or at that which is named."""
    if name == PEAK:
        found = step_of(case.study)
        there = peak(found).study.at if found else None
    else:
        there = next((one for one in case.study.timeline if one.words == name), None)
    if there is None:
        return case
    return replace(case, study=replace(case.study, mistaken=Mistaken(only=(there.called,))), peak=True)


def held(case: Case, name: str) -> tuple[FoundAtInstants, int] | None:
    """Of a claim about what one device holds, the answer, and the value of the unknown at which it holds that."""
    if case.question is None or not same_symbol(M_device, name):
        return None
    found = answer_to(case.study, case.question)
    return (found, found.held_at) if isinstance(found, FoundAtInstants) and found.held_at is not None else None
