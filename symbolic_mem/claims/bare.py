"""A claim without a name, such as "46 devices": the quantities of a study that it may be about, by its unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.account import ACTIVE, TRAINABLE
from symbolic_mem.claims.claim import Claim
from symbolic_mem.claims.given import given_claim
from symbolic_mem.claims.measures import factor
from symbolic_mem.claims.names import ALIASES, one_word, same_symbol
from symbolic_mem.claims.parts import SUMS, parts_of_account
from symbolic_mem.claims.shares import shares
from symbolic_mem.claims.subjects import degrees, known, lines_of
from symbolic_mem.claims.things import plainly
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.questions.evaluate import Evaluate
from symbolic_mem.questions.flops import Flops
from symbolic_mem.questions.headroom import Headroom
from symbolic_mem.questions.parts.batch_claims import BOUNDS, NAMES
from symbolic_mem.study.answered import seen_by
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

_BATCH_SIZE = re.compile(r"(?:[a-z]+_)*batch(?:_size)?")
_OF_SHARE = re.compile(r"^(?:the_)?(?:share_of_)?(?:the_)?")
_FORMULAS = ("parameters", *KINDS, *SUMS)  # of the account, what people write formulas of


def quantities(study: Study, claim: Claim, label: str | None) -> Iterator[str]:
    """Yield the names of what a number may be claimed of: answers first, then the account, then the lines of answers.

    With `label` those of that question; a number without a unit can then only be its answer. Whether a quantity has the
    unit of the claim is seen when it is compared, except of lines, which tell theirs. A formula may be that of any line of
    the question; without one, of an answer and of the account. Raises `BadInput` for a number without a unit or a question.

    >>> from symbolic_mem.claims.read import read_claim
    >>> from symbolic_mem.library.read import load_study
    >>> list(quantities(load_study("cs336-a2-xxl"), read_claim("46"), "b"))
    ['n_fsdp']
    """
    chosen = study.questions if label is None else (study.question(label),)
    found = dict.fromkeys(name for question in chosen for name in question.claimable)
    answers = tuple(
        sorted(found, key=lambda name: name == "devices")
    )  # a degree says more than how many devices that is
    if claim.formula:
        if label is None:
            yield from dict.fromkeys((*_FORMULAS, *parts_of_account(study), *answers))
            return
        yield from dict.fromkeys((*answers, *(str(entry.line.symbol) for entry in lines_of(study, chosen[0]))))
        return
    if not claim.unit:
        if label is None and claim.never:
            raise BadInput(
                f"claim {claim.text!r} does not say of what there is none; give its name, as in n_fsdp={claim.text}, or the question that "
                "it answers, with --question"
            )
        if label is None:
            raise BadInput(
                f"claim {claim.text!r} does not say of what it is; give its unit, as in '{claim.text} devices', its name, as "
                f"in n_fsdp={claim.text}, or the question that it answers, with --question"
            )
        yield from _asked_for(chosen[0], answers)
        return
    yield from answers
    counts = {"devices", *map(str, degrees(study))}
    answered = label is not None and not counts.isdisjoint(answers)  # then no other question counts devices
    said = {*answers, ACTIVE, TRAINABLE}  # which parameters are meant, a claim about some of them says
    yield from (name for name in known(study) if name not in said and not (answered and name in counts))
    if claim.unit in BYTES_PER:
        yield from parts_of_account(study)
    if claim.percent:
        yield from shares(study, claim.of)
    for question in chosen:
        for entry in lines_of(study, question):
            line = entry.line
            unit = "bytes" if line.unit in BYTES_PER else line.unit
            if _counted_in(
                claim, Claimed(1, "bytes" if unit == "bytes" else "number", "", unit=unit, of_one=line.of_one)
            ):
                yield str(line.symbol)
    things = (name for name, given in _given(study, chosen) if not given.unit and plainly(claim.unit, given.meaning))
    yield from dict.fromkeys(things)


def given_in_its_unit(study: Study, claim: Claim, label: str | None) -> Iterator[str]:
    """The values of a study that are counted in the unit of a claim: what it is about where nothing else has that unit.

    >>> from symbolic_mem.claims.read import read_claim
    >>> from symbolic_mem.library.read import load_study
    >>> list(given_in_its_unit(load_study("llama-3.1-8b"), read_claim("2 sequences"), None))
    ['B']
    """
    chosen = study.questions if label is None else (study.question(label),)
    found = (
        name
        for name, given in _given(study, chosen)
        if claim.unit and (_counted_in(claim, given) or plainly(claim.unit, given.meaning))
    )
    yield from dict.fromkeys(found)


def _given(study: Study, chosen: Sequence[Question]) -> Iterator[tuple[str, Claimed]]:
    """The values that the study gives, or one of its questions for itself."""
    for seen in (study, *(seen_by(study, question) for question in chosen)):
        for symbol in seen.values:
            given = given_claim(seen, str(symbol))
            if given is not None:
                yield str(symbol), given


def _asked_for(question: Question, answers: tuple[str, ...]) -> tuple[str, ...]:
    """What a question is for, of all that it has lines of: what a worked problem calls its answer, every count of a batch, each largest size."""
    if isinstance(question, Evaluate):
        asked = [line.symbol for line in question.lines if line.name in question.asked] or [question.lines[-1].symbol]
        names = {str(each) for one in asked for each in (one, *(case.of(one) for case in question.cases))}
        return tuple(name for name in answers if name in names)
    return answers if isinstance(question, ComputeBound | Headroom | Flops) else answers[:1]


def in_cases(study: Study, claim: Claim, label: str | None) -> Iterator[str]:
    """What a line is called that has such a name in each of several models or sizes, or that documents call so in words.

    In per cent that may be the share of what is named.

    >>> from symbolic_mem.library.read import load_study
    >>> from symbolic_mem.claims.read import read_claim
    >>> list(in_cases(load_study("utilisation"), read_claim("u_model = 44 %"), None))[:2]
    ['u_model, 22B', 'u_model, 175B']
    >>> list(in_cases(load_study("cs336-a1-transformer"), read_claim("Feed-forward layers = 67 %"), "b"))
    ['F_mlp', 'share_mlp']
    """
    name = claim.name
    said = one_word(name).lower()
    meant = {said, *((f"{said}_share", f"share_{_OF_SHARE.sub('', said)}") if claim.percent else ())}
    for question in study.questions if label is None else (study.question(label),):
        if isinstance(question, Evaluate):
            for line in question.lines:
                if same_symbol(line.symbol, name) or one_word(study.plain(line.statement)).lower() == said:
                    names = [case.of(line.symbol) for case in question.cases] or [line.symbol]
                    yield from (str(each) for each in names if str(each) != name)
        elif isinstance(question, Flops):
            for entry in lines_of(study, question):
                symbol = str(entry.line.symbol)
                called = (one_word(symbol.split(", ")[0]).lower(), one_word(entry.line.says).lower())
                if symbol != name and not meant.isdisjoint(called):
                    yield symbol


def batch_beside(claim: Claim) -> Iterator[str]:
    """What else may be claimed by the symbols of a batch.

    A whole number by that of the tokens that a batch must exceed is the smallest batch above them; one that is not whole by T
    is the tokens that it must exceed.

    >>> from symbolic_mem.claims.read import read_claim
    >>> [list(batch_beside(read_claim(text))) for text in ("T_min = 20445", "T_min = 20444.4", "T = 20444.4")]
    [['batch_tokens'], [], ['T_min']]
    """
    if claim.unit in ("token", "tokens") and _BATCH_SIZE.fullmatch(one_word(claim.name).lower()):
        whole = claim.number is not None and claim.number.denominator == 1
        several = ("batch_tokens", "tokens") if whole else ("T_min",)
        yield from ("batch_tokens_per_chip", "T_min_per_chip") if claim.each else several
        return
    if claim.each and ALIASES.get(claim.name, claim.name) == "tokens":
        yield from ("batch_tokens_per_chip", "T_min_per_chip")
    if claim.number is None or claim.unit not in ("", "token", "tokens"):
        return
    if claim.number.denominator != 1:
        yield from tuple(BOUNDS)[:1] if ALIASES.get(claim.name) == "tokens" else ()
    else:
        yield from (count for bound, count in zip(BOUNDS, NAMES, strict=False) if same_symbol(bound, claim.name))


def _counted_in(claim: Claim, claimed: Claimed) -> bool:
    try:
        factor(claim.unit, claimed, "", "")
    except BadInput:
        return False
    return bool(claimed.unit)
