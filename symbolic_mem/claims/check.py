"""`check`: a claimed number, right or wrong and by how much, and the slips that reproduce it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.case import Case, Result, read_off
from symbolic_mem.claims.catalogue import Slip, occurring
from symbolic_mem.claims.claim import Claim, read_claim
from symbolic_mem.claims.subjects import claim_of, known, questions_about
from symbolic_mem.document.prose import Prose
from symbolic_mem.questions.parts.assumptions import idle_degrees
from symbolic_mem.study.precedence import precedence
from symbolic_mem.study.question import Claimed
from symbolic_mem.study.study import Study

# How each measure can be misread: two such slips of a number that neither changes alone may change it together.
_READ_BY = {
    "bytes": ("shown", "cut"),
    "number": (),
    "count": ("cut",),
    "devices": ("rounding", "before", "cut"),
    "tokens": ("rounding", "per", "first", "cut"),
}


@dataclass(frozen=True)
class Explanation:
    """One slip, or a pair, that reproduces the claim: under it the quantity is exactly `value` (bytes, or a count)."""

    slips: tuple[Slip, ...]
    value: Fraction | None


@dataclass(frozen=True)
class Verdict:
    """A claim against the study: `expected` is the exact number (None: there is none, no number of devices is enough).

    `step` is the place to which the claim is the rounded truth: None when it is wrong, zero when it is exact.
    `explanations` are every single slip that gives the claim, or, only where there is none, every pair; the number
    alone cannot tell which of several was made. Empty for a wrong claim means: no known slip. `beside` are sentences
    about the study that a reader of the verdict needs.
    """

    claim: Claim
    claimed: Claimed
    question: str | None
    expected: Fraction | None
    quotient: Fraction | None
    step: Fraction | None
    explanations: tuple[Explanation, ...] = ()
    beside: tuple[Prose, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the claim is the exact number, or that number rounded to the figures of the claim."""
        return self.step is not None

    @property
    def rounded(self) -> bool:
        """Whether the claim is right and rounded."""
        return self.step is not None and self.step > 0

    @property
    def difference(self) -> Fraction | None:
        """Claim less truth, in bytes or devices; None where either is not a number."""
        value, truth = self.claim.value, self.truth
        return None if value is None or truth is None else value - truth

    @property
    def ratio(self) -> Fraction | None:
        """Claim over truth."""
        value, truth = self.claim.value, self.truth
        return None if value is None or not truth else value / truth

    @property
    def truth(self) -> Fraction | None:
        """What the claim is compared with: the whole number, or the quotient where the claim has decimals."""
        exact = self.claimed.whole and not self.claim.whole
        return self.quotient if exact and self.quotient is not None else self.expected


def check(study: Study, claim: str | Claim, *, question: str | None = None) -> Verdict:
    """Compare a claim such as ``n_fsdp=38`` or ``static=3276 GB`` with what the study answers.

    A number that a question answers is compared under each question that answers it, or under the one labelled
    `question`. Raises `BadInput` for an unknown quantity, an amount of memory without a unit, and a count with one.

    >>> from symbolic_mem.library.read import load_study
    >>> verdict = check(load_study("cs336-a2-xxl"), "static=3276 GB")
    >>> verdict.right, [slip.name for slip in verdict.explanations[0].slips]
    (False, ['GiB printed as GB'])
    """
    stated = read_claim(claim) if isinstance(claim, str) else claim
    names = known(study)
    if stated.name not in names:
        raise BadInput(f"unknown quantity {stated.name!r}; {nearest(stated.name, names)}")
    cases = []
    for seen, asked in questions_about(study, stated.name, question):
        case = Case(seen, asked)
        claimed = claim_of(case.study, case.question, stated.name)
        _check_unit(stated, claimed)
        found = read_off(claimed, case.misread)
        assert found is not None, "an answer that is read rightly has a meaning"
        step = _agrees(stated, claimed, found, case)
        verdict = Verdict(
            stated, claimed, question if asked is None else asked.label, found.value, found.quotient, step
        )
        if verdict.right:
            return replace(verdict, beside=_beside(case))
        cases.append((verdict, case))
    verdict, case = cases[0]
    explained = _explain(stated, case, verdict.claimed)
    return replace(verdict, explanations=explained, beside=_beside(case))


def _beside(case: Case) -> tuple[Prose, ...]:
    said = () if case.question is None else precedence(case.study, case.question)
    return (*said, *idle_degrees(case.study))


def _explain(claim: Claim, case: Case, truth: Claimed) -> tuple[Explanation, ...]:
    right = read_off(truth, case.misread)
    matter, singles = [], []
    for slip, slipped in _slipped(case):
        claimed = truth if _same_asked(slipped, case) else _claimed(claim, slipped)
        found = None if claimed is None else read_off(claimed, slipped.misread)
        if claimed is None or found is None or _untouched(claim, case, slipped, (truth, right), (claimed, found)):
            continue
        matter.append((slip, slipped, claimed))
        if _agrees(claim, claimed, found, slipped) is not None:
            singles.append(Explanation((slip,), found.value))
    if singles:
        return tuple(singles)
    pairs = []
    for (one, first, by_one), (other, _, by_other) in combinations(matter, 2):
        both = other.apply(first) if one.aspect != other.aspect else None
        if both is None:
            continue
        if _same_asked(both, first):
            claimed: Claimed | None = by_one
        else:
            claimed = by_other if _same_asked(first, case) else _claimed(claim, both)
        found = None if claimed is None else read_off(claimed, both.misread)
        if claimed is not None and found is not None and _agrees(claim, claimed, found, both) is not None:
            pairs.append(Explanation((one, other), found.value))
    return tuple(pairs)


def _slipped(case: Case) -> Iterator[tuple[Slip, Case]]:
    for slip in occurring(case):
        slipped = slip.apply(case)
        if slipped is not None:
            yield slip, slipped


def _same_asked(one: Case, other: Case) -> bool:
    """Whether two cases differ at most in how the number is read off."""
    return one.study is other.study and one.question is other.question


def _claimed(claim: Claim, slipped: Case) -> Claimed | None:
    """The number in a slipped case, asked of the question itself."""
    try:
        return claim_of(slipped.study, slipped.question, claim.name)
    except BadInput:
        return None  # what slipped leaves nothing to ask about


def _untouched(
    claim: Claim, case: Case, slipped: Case, before: tuple[Claimed, Result | None], after: tuple[Claimed, Result]
) -> bool:
    """Whether a slip leaves the number as it was, with all that it came from."""
    if before != after:
        return False
    names = ("shown",) if claim.name == "parameters" else _READ_BY[after[0].measures]
    return all(getattr(slipped.misread, name) == getattr(case.misread, name) for name in names)


def _agrees(claim: Claim, claimed: Claimed, found: Result, case: Case) -> Fraction | None:
    """The step to which the claim is the rounded number: zero when it is exact, None when it is another number."""
    if claim.number is None or found.value is None:
        return Fraction(0) if claim.number is None and found.value is None else None
    if claimed.whole:
        if claim.whole:
            return Fraction(0) if claim.number == found.value else None
        exact = found.quotient if found.quotient is not None else found.value
    else:
        exact = found.value / BYTES_PER.get(claim.unit, 1) * _unit_slip(claim, case)
    if exact == claim.number:
        return Fraction(0)
    return claim.agrees(exact, cut=case.misread.cut)


def _unit_slip(claim: Claim, case: Case) -> Fraction:
    """What the number is multiplied by when it counts the unit of the other kind; 1 where nothing slipped."""
    shown = case.misread.shown
    if shown == "as said":
        return Fraction(1)
    if claim.name == "parameters":
        return Fraction(10**9, 2**30) if shown == "binary" else Fraction(1)
    letters = claim.unit.replace("i", "")
    decimal = next((unit for unit in BYTES_PER if unit == letters), "B")
    binary = f"{letters[:-1].upper()}iB"
    if binary not in BYTES_PER or decimal == "B":
        return Fraction(1)
    if shown == "binary" and claim.unit == decimal:
        return Fraction(BYTES_PER[decimal], BYTES_PER[binary])
    if shown == "decimal" and claim.unit == binary:
        return Fraction(BYTES_PER[binary], BYTES_PER[decimal])
    return Fraction(1)


def _check_unit(claim: Claim, claimed: Claimed) -> None:
    if claim.number is None:
        if not claimed.whole:
            raise BadInput(f"claim {claim.name}={claim.text}: {claimed.meaning} is always a number; give one")
        return
    if claimed.measures == "bytes" and not claim.unit:
        raise BadInput(
            f"claim {claim.name}={claim.text} has no unit; write {claim.name}={claim.text} GB (10^9 bytes) or "
            f"{claim.name}={claim.text} GiB (2^30 bytes)"
        )
    if claimed.measures != "bytes" and claim.unit:
        raise BadInput(f"claim {claim.name}={claim.text} has a unit, and {claimed.meaning} has none; leave it out")
