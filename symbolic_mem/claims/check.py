"""`check`: a claimed number or formula, right or wrong and by how much, and the slips that reproduce it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from symbolic_mem.base.errors import BadInput, MissingValue, clipped
from symbolic_mem.base.rational import rational
from symbolic_mem.claims.account import NoNumber, counted_kinds
from symbolic_mem.claims.as_printed import as_printed
from symbolic_mem.claims.at_instants import PEAK
from symbolic_mem.claims.bare import batch_above, given_in_its_unit, in_cases, quantities
from symbolic_mem.claims.beside import beside, repeats_given
from symbolic_mem.claims.case import Case, Result, read_off
from symbolic_mem.claims.claim import Claim, NotABound, read_claim
from symbolic_mem.claims.device_words import of_device
from symbolic_mem.claims.explain import Search
from symbolic_mem.claims.follow import Earlier, following
from symbolic_mem.claims.formulas import Compared, compare_formula, counts_otherwise, equivalent
from symbolic_mem.claims.measures import IN_BYTES, known_unit
from symbolic_mem.claims.own_account import is_another, own_number
from symbolic_mem.claims.pinned import held, pinned
from symbolic_mem.claims.rule import right_to
from symbolic_mem.claims.shares import share_meant
from symbolic_mem.claims.stated import Stated
from symbolic_mem.claims.subjects import ASKED, called, claim_of, questions_about
from symbolic_mem.claims.verdict import Unread, Verdict
from symbolic_mem.document.prose import Prose
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.study import Study, of_study

_SHORT = re.compile(r"[0-9.,]+(?:[kKMGT]|[kKMGTB] (?:bytes?|param(?:eter)?s?|tokens?))")  # millions, say, not a symbol
MAX_NEAR = 4  # numbers of one name whose slips are looked for
_WORDS = re.compile(r"[a-z]{2,}(?:[ -][a-z]{2,})*")
_ALIKE, _SAME_SYMBOLS, _OTHER_SYMBOLS = range(3)
_TOGETHER = ("static", "total")
_SYMBOL = re.compile(r"P(?: \w+)?|[kBEPT] bytes?")  # parameters, tokens, ..., where they are no 10^15 or 10^12


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
        try:
            read = _named(study, read, quantities(study, read, question), question)
        except BadInput:
            given_there = tuple(given_in_its_unit(study, read, question))
            if not given_there:
                raise
            read = _named(study, read, given_there, question)
    elif not read.formula and (cases := (*batch_above(read), *in_cases(study, read.name, question))):
        read = _named(study, read, (read.name, *cases), question)
    before = [
        Earlier(one.name, f"{one.claim.name} = {one.claim.text}", one.value, one.expected, one.right)
        for one in earlier
        if one.value is not None and one.expected is not None
    ]
    verdicts = _compared(study, read, question, whole=bool(before))
    own, (verdict, case) = verdicts[0], verdicts[-1]
    if verdict.right:
        if question is not None or not is_another(study, own, (verdict, case)):
            return replace(verdict, beside=_beside(case, verdict))
        if _follows(*own, before) and not read.bare:
            return _explained(*own, before)
        return replace(verdict, beside=(*_beside(case, verdict), own_number(study, own[0], (verdict, case))))
    near = _nearest(verdicts)
    verdict, case = next((one for one in verdicts if _at_given(*one)), near[0])
    if not verdict.claimed.given and (again := as_printed(study, given, question)) is not None:
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
    if verdict.compared is not None or not (line or size or verdict.claimed.given or verdict.name == PEAK):
        return [verdicts[0]]
    return sorted((one for one in verdicts if (one[0].ratio or 0) > 0), key=lambda one: _off(one[0])) or [verdicts[0]]


def _off(verdict: Verdict) -> Fraction:
    """How many times the number is the claim, or the claim the number."""
    ratio = verdict.ratio or Fraction(1)
    return max(ratio, 1 / ratio)


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


def _compared(study: Study, read: Claim, question: str | None, *, whole: bool = True) -> list[tuple[Verdict, Case]]:
    """The verdicts of all that the claim may be about, without slips; the last is that for which it is right, if there is one.

    If not `whole`, a question after the first whose number the claim cannot be is not answered, and left out.
    """
    name = called(study, read.name, question)
    name = share_meant(study, name, read.of, read.stated) if read.percent else name
    verdicts: list[tuple[Verdict, Case]] = []
    absent: BadInput | None = None
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
        except BadInput:
            if not (read.formula and verdicts):
                raise
            continue  # another question has no formula of it
        if verdict.right:
            return [*verdicts, (verdict, case)]
        verdicts.append((verdict, case))
    if not verdicts:
        raise absent or BadInput(f"question {question!r} has no {read.name}; ask another, or leave --question out")
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


def _named(study: Study, read: Claim, names: Iterable[str], question: str | None) -> Claim:
    """A claim of one of several quantities, of that which it is right of; else of the nearest that has its unit.

    A formula is nearest to one of which it is a multiple, then to one in the same symbols.
    """
    nearest: tuple[tuple[int, Fraction], Claim] | None = None
    no_bound: BadInput | None = None
    refused: BadInput | None = None
    for name in names:
        claim = replace(read, name=name)
        try:
            verdicts = _compared(study, claim, question)
        except NotABound as error:
            no_bound = no_bound or error
            continue
        except BadInput as error:
            refused = refused or error
            continue  # it has no number here, or is counted in something else
        for verdict, _ in verdicts:
            if verdict.right:
                return claim
            if (verdict.ratio or 0) > 0:
                off = (_unlike(verdict), _off(verdict))
                nearest = min(nearest or (off, claim), (off, claim), key=lambda each: each[0])
    if read.bare and read.formula and question is None and (nearest is None or nearest[0][0] == _OTHER_SYMBOLS):
        raise BadInput(
            f"claim {read.text!r} does not say of what it is; give the name of its quantity, as in static = {read.text}, or the "
            "question that it answers, with --question"
        )
    if nearest is None and not read.bare:
        return read  # why it is none of them, its own name tells
    if nearest is None and read.formula and refused is not None:
        raise refused
    if nearest is None:
        known_unit(read.text, read.unit)
        if no_bound is not None:
            raise no_bound
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
    except NoNumber:
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
    if _WORDS.fullmatch(claim.spelled.unit) and claim.spelled.unit not in (*KINDS, *_TOGETHER):
        return None  # 7 blocks are no product of 7 and their number
    try:
        said, things = claim.text, claim.spelled.unit.partition(" ")[2]
        said = said.removesuffix(things) if claim.spelled.unit.startswith("P ") else said  # 14 P FLOPs
        return compare_formula(said, case.study, case.question, name, case.counted)
    except BadInput:
        return None


def _beside(case: Case, verdict: Verdict) -> tuple[Prose, ...]:
    return beside(case, verdict.name, verdict.claimed, None if verdict.right else verdict.value)
