"""`check`: a claimed number or formula, right or wrong and by how much, and the slips that reproduce it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from symbolic_mem.base.errors import BadInput, clipped
from symbolic_mem.claims.as_printed import as_printed
from symbolic_mem.claims.at_instants import PEAK
from symbolic_mem.claims.bare import batch_beside, in_cases
from symbolic_mem.claims.beside import beside, repeats_given
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.claim import Claim
from symbolic_mem.claims.device_words import of_device
from symbolic_mem.claims.explain import Search
from symbolic_mem.claims.follow import Earlier, following
from symbolic_mem.claims.judged import compared_with
from symbolic_mem.claims.meant import named, off, read_as_one
from symbolic_mem.claims.own_account import is_another, own_number
from symbolic_mem.claims.pinned import held, pinned
from symbolic_mem.claims.read import read_claim
from symbolic_mem.claims.subjects import ASKED, claim_of
from symbolic_mem.claims.verdict import Unread, Verdict
from symbolic_mem.document.prose import Prose
from symbolic_mem.study.study import Study, of_study

MAX_NEAR = 4  # numbers of one name whose slips are looked for


def read_by_claims(study: Study) -> tuple[frozenset[str] | None, ...]:
    """The names of the symbols that claims about a study depend on: those of its memory, and of all its questions."""
    memory = frozenset(map(str, study.memory.total.free_symbols))
    places = {str(symbol) for placed in study.placement.values() for symbol in placed.degree.free_symbols}
    return (memory | places, *(question.reads(study.under(question)) for question in study.questions))


@of_study
def check(study: Study, claim: str | Claim, *, question: str | None = None, earlier: Sequence[Verdict] = ()) -> Verdict:
    """Compare a claim such as ``n_fsdp=38``, ``M_static=3276 GB`` or ``P=2*L*d_model*d_ff`` with what the study answers.

    A number that a question answers is compared under each question that answers it, or under the one labelled
    `question`; one without a name under all that have its unit. A wrong one that follows from an `earlier` wrong one of the same person is told so. Raises `BadInput` for
    an unknown quantity, an amount of memory without a unit, and a unit of something else.

    >>> from symbolic_mem.library.read import load_study
    >>> verdict = check(load_study("cs336-a2-xxl"), "static=3276 GB")
    >>> verdict.right, [slip.name for slip in verdict.explanations[0].slips]
    (False, ['GiB printed as GB'])
    """
    if not isinstance(claim, str | Claim):
        raise BadInput(f"a claim is text such as 'n_fsdp=38', and {clipped(str(claim))} is none; check one at a time")
    given = read_claim(claim) if isinstance(claim, str) else claim
    counted, labels = of_device(study, given, question)
    if labels:
        return _of_any(study, counted, labels, earlier)
    try:
        verdict = _about(study, given, question, earlier)
    except BadInput:
        again = as_printed(study, given, question, nearest=True)
        if again is None:
            raise
        return again
    return verdict


def _about(study: Study, read: Claim, question: str | None, earlier: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim about what has a name of its own, or is printed."""
    given = read
    if read.bare:
        read = read_as_one(study, read, question)
    elif not read.formula and (cases := (*batch_beside(read), *in_cases(study, read, question))):
        read = named(study, read, (read.name, *cases), question)
    before = [
        Earlier(one.name, f"{one.claim.name} = {one.claim.text}", one.value, one.expected, one.right)
        for one in earlier
        if one.value is not None and one.expected is not None
    ]
    verdicts = compared_with(study, read, question, whole=bool(before))
    own, (verdict, case) = verdicts[0], verdicts[-1]
    if verdict.right:
        if question is not None or not is_another(study, own, (verdict, case)):
            return replace(verdict, beside=_beside(case, verdict))
        if _follows(*own, before) and not read.bare:
            return _explained(*own, before)
        return replace(verdict, beside=(*_beside(case, verdict), own_number(study, own[0], (verdict, case))))
    near = _nearest(verdicts)
    verdict, case = next((one for one in verdicts if _at_given(*one)), near[0])
    if (given.bare or not verdict.claimed.given) and (again := as_printed(study, given, question)) is not None:
        return again
    if verdict.stated.number is None and not verdict.claim.never:
        return replace(verdict, beside=_beside(case, verdict))
    if verdict.claimed.given:
        return verdict
    if repeats_given(case, verdict.name, verdict.value):
        return replace(verdict, own=True, beside=_beside(case, verdict))
    verdict, case = next((one for one in verdicts if _follows(*one, before)), (verdict, case))
    told = _explained(verdict, case, before)
    others = near[1:MAX_NEAR] if (verdict, case) == near[0] and not _has_a_slip(told) else []
    return next((each for each in (_explained(*one, before) for one in others) if _has_a_slip(each)), told)


def _has_a_slip(verdict: Verdict) -> bool:
    """Whether one slip alone gives a wrong claim."""
    return any(len(one.slips) == 1 for one in verdict.explanations)


def _nearest(verdicts: Sequence[tuple[Verdict, Case]]) -> list[tuple[Verdict, Case]]:
    """Which of several numbers a wrong claim is held against: the first; of peaks, of lines, of sizes and of what is given, the nearest come first.

    What a question asks for is its own, and a formula is of the first.
    """
    verdict, case = verdicts[0]
    line = case.question is not None and verdict.name not in case.question.claimable
    size = case.question is not None and case.question.where == ASKED and verdict.claimed.extreme == "most"
    two = verdict.claimed.whole and len({each.name for each, _ in verdicts}) > 1  # a symbol that means two things
    if verdict.compared is not None or not (two or line or size or verdict.claimed.given or verdict.name == PEAK):
        return [verdicts[0]]
    return sorted((one for one in verdicts if (one[0].ratio or 0) > 0), key=lambda one: off(one[0])) or [verdicts[0]]


def _follows(verdict: Verdict, case: Case, before: Sequence[Earlier]) -> bool:
    """Whether a wrong claim follows from an earlier wrong one."""
    return bool(before) and _search(verdict, case).follows(following(case, verdict.name, before))


def _explained(verdict: Verdict, case: Case, before: Sequence[Earlier]) -> Verdict:
    """The wrong verdict with the slips that give it, and what is said beside it."""
    explained = _search(verdict, case).explanations(following(case, verdict.name, before))
    return replace(verdict, explanations=explained, beside=_beside(case, verdict))


def _of_any(study: Study, read: Claim, labels: Sequence[str], earlier: Sequence[Verdict]) -> Verdict:
    """The verdict of the first of some questions that it is right of, else of the first that has such a number."""
    found: list[Verdict] = []
    refused: list[BadInput] = []
    for label in labels:
        try:
            found.append(check(study, read, question=label, earlier=earlier))
        except BadInput as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return next((each for each in found if each.right), found[0])


def _search(verdict: Verdict, case: Case) -> Search:
    """The search for slips: a slipped number is that of the fullest instants of the true one, where there are any.

    Where the claim is a bound between two whole numbers, each is what it is before it is rounded.
    """
    held_at = pinned(case, verdict.name)
    if verdict.claim.bound and not verdict.claimed.whole:
        rounded = claim_of(case.study, case.question, verdict.name, case.counted, kept=True)
        if rounded.whole:
            return Search(verdict.stated, verdict.name, held_at.reading(rounding="none"), rounded)
    return Search(verdict.stated, verdict.name, held_at, verdict.claimed)


def _at_given(verdict: Verdict, case: Case) -> bool:
    """Whether the claim is about one device at a degree that the caller gave."""
    found = held(case, verdict.name)
    return found is not None and bool(found[0].tried)


def check_all(
    study: Study, claims: Iterable[tuple[str, str | None]], *, question: str | None = None
) -> list[Verdict | Unread]:
    """Check claims of one person, each with the label of its question or None; one that cannot be read stops no other.

    >>> from symbolic_mem.library.read import load_study
    >>> said = [("static=3276 GB", None), ("speed=3", None), ("devices=69", "a")]
    >>> good, bad, other = check_all(load_study("cs336-a2-xxl"), said)
    >>> type(bad).__name__, good.right, other.expected
    ('Unread', False, Fraction(68, 1))
    """
    found: list[Verdict | Unread] = []
    for text, label in claims:
        earlier = [one for one in found if isinstance(one, Verdict)]
        try:
            found.append(check(study, text, question=label or question, earlier=earlier))
        except BadInput as error:
            found.append(Unread(text, error))
    return found


def _beside(case: Case, verdict: Verdict) -> tuple[Prose, ...]:
    return beside(case, verdict.name, verdict.claimed, None if verdict.right else verdict.value)
