"""`check`: a claimed number, right or wrong and by how much, and the slips that reproduce it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

import sympy as sp

from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.batches import batches
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.catalogue import Slip, occurring
from symbolic_mem.claims.claim import Claim, read_claim
from symbolic_mem.claims.quantities import Quantity, Result, quantities
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

_COUNT_BY = ("device_count",)
_DEGREE_BY = ("min_degree", "fits_and_computes")
_BATCH_BY = ("compute_bound",)


@dataclass(frozen=True)
class Explanation:
    """One slip, or a pair, that reproduces the claim: under it the quantity is exactly `value` (bytes, or a count)."""

    slips: tuple[Slip, ...]
    value: Fraction | None


@dataclass(frozen=True)
class Verdict:
    """A claim against the study: `expected` is the exact number (None: no number of devices is enough).

    `step` is the place to which the claim is the rounded truth: None when it is wrong, zero when it is exact.
    `explanations` are every single slip that gives the claim, or, only where there is none, every pair; the number
    alone cannot tell which of several was made. Empty for a wrong claim means: no known slip.
    """

    claim: Claim
    quantity: Quantity
    question: str | None
    expected: Fraction | None
    quotient: Fraction | None
    step: Fraction | None
    explanations: tuple[Explanation, ...] = ()

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
        value, truth = self.claim.value, self._truth
        return None if value is None or truth is None else value - truth

    @property
    def ratio(self) -> Fraction | None:
        """Claim over truth."""
        value, truth = self.claim.value, self._truth
        return None if value is None or not truth else value / truth

    @property
    def _truth(self) -> Fraction | None:
        exact = self.quantity.counted and not self.claim.whole
        return self.quotient if exact and self.quotient is not None else self.expected


def check(
    study: Study, claim: str | Claim, *, question: str | None = None, capacity: Capacity | None = None
) -> Verdict:
    """Compare a claim such as ``n_fsdp=38`` or ``static=3276 GB`` with what the study derives.

    A quantity that depends on a device is compared under each question of the study that asks for it, or under the
    one labelled `question`, or under `capacity`. Raises `BadInput` for an unknown quantity, an amount of memory
    without a unit, and a count with one.

    >>> from symbolic_mem.library.read import load_study
    >>> verdict = check(load_study("cs336-a2-xxl"), "static=3276 GB")
    >>> verdict.right, [slip.name for slip in verdict.explanations[0].slips]
    (False, ['GiB printed as GB'])
    """
    stated = read_claim(claim) if isinstance(claim, str) else claim
    known = quantities(_degrees(study)) | (batches() if study.network is not None else {})
    quantity = known.get(stated.name)
    if quantity is None:
        raise BadInput(f"unknown quantity {stated.name!r}; {nearest(stated.name, known)}")
    _check_unit(stated, quantity)
    verdicts = []
    for label, case in _cases(study, quantity, question, capacity):
        found = quantity.compute(case)
        step = _agrees(stated, quantity, found, case)
        verdicts.append((Verdict(stated, quantity, label, found.value, found.quotient, step), case))
        if step is not None:
            return verdicts[-1][0]
    verdict, case = verdicts[0]
    return replace(verdict, explanations=_explain(stated, quantity, case))


def _explain(claim: Claim, quantity: Quantity, case: Case) -> tuple[Explanation, ...]:
    plain = quantity.compute(case)
    matter, singles = [], []
    for slip in occurring(case):
        slipped = slip.apply(case)
        if slipped is None:
            continue
        found = quantity.compute(slipped)
        if found.inputs == plain.inputs:
            continue  # it does not touch this quantity
        matter.append(slip)
        if _agrees(claim, quantity, found, slipped) is not None:
            singles.append(Explanation((slip,), found.value))
    if singles:
        return tuple(singles)
    pairs = []
    for one, other in combinations(matter, 2):
        first = one.apply(case) if one.aspect != other.aspect else None
        both = other.apply(first) if first is not None else None
        if both is None:
            continue
        found = quantity.compute(both)
        if _agrees(claim, quantity, found, both) is not None:
            pairs.append(Explanation((one, other), found.value))
    return tuple(pairs)


def _agrees(claim: Claim, quantity: Quantity, found: Result, case: Case) -> Fraction | None:
    """The step to which the claim is the rounded number: zero when it is exact, None when it is another number."""
    if claim.number is None or found.value is None:
        return Fraction(0) if claim.number is None and found.value is None else None
    if quantity.counted:
        if claim.whole:
            return Fraction(0) if claim.number == found.value else None
        exact = found.quotient if found.quotient is not None else found.value
    else:
        exact = found.value / BYTES_PER.get(claim.unit, 1) * _unit_slip(claim, quantity, case)
    if exact == claim.number:
        return Fraction(0)
    return claim.agrees(exact, cut=case.cut)


def _unit_slip(claim: Claim, quantity: Quantity, case: Case) -> Fraction:
    """What the number is multiplied by when it counts the unit of the other kind; 1 where nothing slipped."""
    decimal, binary = claim.unit.replace("i", ""), f"{claim.unit.replace('i', '')[:-1].upper()}iB"
    if case.shown == "as said":
        return Fraction(1)
    if quantity.name == "parameters":
        return Fraction(10**9, 2**30) if case.shown == "binary" else Fraction(1)
    decimal = next((unit for unit in BYTES_PER if unit == decimal), "B")
    if binary not in BYTES_PER or decimal == "B":
        return Fraction(1)
    if case.shown == "binary" and claim.unit == decimal:
        return Fraction(BYTES_PER[decimal], BYTES_PER[binary])
    if case.shown == "decimal" and claim.unit == binary:
        return Fraction(BYTES_PER[binary], BYTES_PER[decimal])
    return Fraction(1)


def _check_unit(claim: Claim, quantity: Quantity) -> None:
    if claim.number is None:
        if not quantity.counted:
            raise BadInput(f"claim {claim.name}={claim.text}: {quantity.meaning} is always a number; give one")
        return
    if quantity.measures == "bytes" and not claim.unit:
        raise BadInput(
            f"claim {claim.name}={claim.text} has no unit; write {claim.name}={claim.text} GB (10^9 bytes) or "
            f"{claim.name}={claim.text} GiB (2^30 bytes)"
        )
    if quantity.measures != "bytes" and claim.unit:
        raise BadInput(f"claim {claim.name}={claim.text} has a unit, and {quantity.meaning} has none; leave it out")


def _degrees(study: Study) -> tuple[sp.Symbol, ...]:
    found: dict[sp.Symbol, None] = {}
    for placed in study.placement.values():
        for symbol in sorted(placed.degree.free_symbols, key=str):
            if isinstance(symbol, sp.Symbol):
                found[symbol] = None
    return tuple(found)


def _cases(
    study: Study, quantity: Quantity, label: str | None, capacity: Capacity | None
) -> list[tuple[str | None, Case]]:
    """The case of each question that the claim can be about, with the question's label."""
    if not quantity.counted:
        return [(None, _case(study, None, None))]
    asked = [question for question in study.questions if _asks(question, quantity)]
    if label is not None:
        chosen = [question for question in study.questions if question.label == label]
        if not chosen:
            raise BadInput(f"no question {label!r}; {nearest(label, [q.label for q in study.questions])}")
        asked = chosen
    if not quantity.needs_capacity:
        return [(question.label, _case(study, question, None)) for question in asked] or [
            (None, _case(study, None, None))
        ]
    if capacity is not None:
        return [(question.label, _case(study, question, capacity)) for question in asked[:1]] or [
            (None, _case(study, None, capacity))
        ]
    if not asked:
        raise BadInput(f"the study does not ask for {quantity.name}: say on which device, for example 80 GiB")
    return [(question.label, _case(study, question, study.capacity(question))) for question in asked]


def _asks(question: Question, quantity: Quantity) -> bool:
    if quantity.measures == "tokens":
        return question.ask in _BATCH_BY
    if quantity.name == "devices":
        return question.ask in _COUNT_BY
    return question.ask in _DEGREE_BY and question.get("for", "n_fsdp") == quantity.name


def _case(study: Study, question: Question | None, capacity: Capacity | None) -> Case:
    options = {} if question is None else question.options
    rest = options.get("rest")
    placement = {k: p if rest is None else replace(p, rest=rest) for k, p in study.placement.items()}
    return Case(
        model=study.model,
        recipe=study.recipe,
        values=tuple(study.values.items()),
        placement=tuple(placement.items()),
        capacity=capacity,
        strict=bool(options.get("strict", False)),
        kinds=tuple(options.get("kinds") or KINDS),
        study=study,
        scheme=(options.get("scheme"), options.get("pass", "forward"), options.get("chips")),
        overlap=options.get("overlap", "max"),
        axes=options.get("axes", "given"),
    )
