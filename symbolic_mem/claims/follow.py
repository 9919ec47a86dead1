"""Follow-on errors: a number that is rightly made of another one, which the same person claimed and which is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.account import ACCOUNT, PARAMETERS, account_claim
from symbolic_mem.claims.amounts import scale_kinds
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.catalogue import Slip
from symbolic_mem.claims.names import ALIASES
from symbolic_mem.claims.parts import kinds_of
from symbolic_mem.claims.subjects import BATCH
from symbolic_mem.models.tensors import KINDS, STATIC

NAME = "right method from an earlier wrong number"
ROUNDED = "right method from an earlier rounded number"
_LINES = {"devices": "N_devices"}
_KINDS = {"parameters": STATIC, "bytes_per_parameter": STATIC, "activations_per_token": ("activations",)}


@dataclass(frozen=True)
class Earlier:
    """A number that was claimed before: of which quantity, as it was written, its `value`, and the `truth`; `right` where it is that, rounded."""

    name: str
    text: str
    value: Fraction
    truth: Fraction
    right: bool = False


def following(case: Case, name: str, earlier: Sequence[Earlier]) -> Iterator[tuple[Slip, Case]]:
    """Yield, for each earlier wrong number that this one can be made of, the case that starts from it; then from all.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> wrong = Earlier("static", "static = 3276 GB", Fraction(3276 * 10**9), Fraction(16 * 219848638464))
    >>> [slip.sentence for slip, _ in following(Case(study, study.question("a")), "devices", [wrong])]
    ['it follows from static = 3276 GB']
    """
    wrong = [one for one in earlier if one.value != one.truth and one.truth and one.name != name]
    scaled = [one for one in wrong if _kinds(one, case) and _of_memory(case, name) and not _same(one, name, case)]
    for one in scaled:
        yield _from([one], scale_kinds(case, _ratios([one], case)))
    apart = _apart(scaled, case)
    if len(apart) > 1:
        yield _from(apart, scale_kinds(case, _ratios(apart, case)))
    yield from _from_lines(case, name, wrong)


def _from(sources: Sequence[Earlier], slipped: Case) -> tuple[Slip, Case]:
    said = " and ".join(one.text for one in sources)
    name = ROUNDED if all(one.right for one in sources) else NAME
    return Slip(name, f"it follows from {said}", "", name, lambda _: slipped, seen=True), slipped


def _kinds(one: Earlier, case: Case) -> tuple[str, ...]:
    name = _in_account(one, case)
    return _KINDS.get(name) or kinds_of(name, case.counted)


def _in_account(one: Earlier, case: Case) -> str:
    """What the account calls a number that a question has a line of: its own name where the account has another number."""
    name = ALIASES.get(one.name, one.name)
    try:
        same = name in (*_KINDS, *KINDS, "static") and account_claim(case.study, name, case.counted).value == one.truth
    except BadInput:
        return one.name
    return name if same else one.name


def _of_memory(case: Case, name: str) -> bool:
    return name not in (*PARAMETERS, "tokens") if case.question is None else case.question.subject == "memory"


def _same(one: Earlier, name: str, case: Case) -> bool:
    """Whether an amount is no more than a part of the other, which would explain a part by its whole."""
    kinds = set(kinds_of(name, case.counted)) if name in ACCOUNT else set()
    return bool(kinds) and kinds < set(_kinds(one, case)) and _in_account(one, case) not in _KINDS


def _ratios(sources: Sequence[Earlier], case: Case) -> Mapping[str, Fraction]:
    return {kind: one.value / one.truth for one in sources for kind in _kinds(one, case)}


def _apart(scaled: Sequence[Earlier], case: Case) -> list[Earlier]:
    """As many of them as no kind of memory is in two of, the smallest amounts first."""
    taken: set[str] = set()
    apart = []
    for one in sorted(scaled, key=lambda each: len(_kinds(each, case))):
        if not taken & set(_kinds(one, case)):
            taken |= set(_kinds(one, case))
            apart.append(one)
    return apart


def _from_lines(case: Case, name: str, wrong: Sequence[Earlier]) -> Iterator[tuple[Slip, Case]]:
    """Start from an earlier line of the same answer, from the degree that it finds, or from another count of a batch."""
    if case.question is None:
        return
    try:
        ledger = case.question.answer(case.study).ledger if wrong else None
    except BadInput:
        return
    known = set() if ledger is None else {str(symbol) for symbol in (*ledger.values, *(x.symbol for x in ledger.lines))}
    batch = set(BATCH) if name in BATCH else set()
    lines = {one: _LINES.get(one.name, one.name) for one in wrong}
    usable = {one: line for one, line in lines.items() if line in known | batch}
    for one, line in usable.items():
        yield _from([one], replace(case, instead={line: one.value}))
    if len(usable) > 1:
        yield _from(tuple(usable), replace(case, instead={line: one.value for one, line in usable.items()}))
