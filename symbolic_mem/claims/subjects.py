"""What a claim can be about: the account of a study, the answer to each of its questions, and every line of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from math import ceil

import sympy as sp

from symbolic_mem.base.errors import BadInput, MissingValue
from symbolic_mem.base.ledger import Entry
from symbolic_mem.base.symbols import M_device, f_load, n_fsdp, table
from symbolic_mem.claims.account import (
    ACCOUNT,
    ACTIVE,
    PARAMETERS,
    NoNumber,
    account_claim,
    counted_kinds,
    in_account,
)
from symbolic_mem.claims.at_answers import at_answers, has_peak
from symbolic_mem.claims.at_instants import PEAK, instant_called
from symbolic_mem.claims.given import given_claim, givens, with_its_own
from symbolic_mem.claims.lines import exactly, line_claim, with_lines
from symbolic_mem.claims.names import ALIASES, one_word, same_symbol, spellings
from symbolic_mem.claims.of_a_rank import rank_claims
from symbolic_mem.claims.parts import kinds_of, part_name
from symbolic_mem.claims.shares import share_called
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.device_count import DeviceCount
from symbolic_mem.questions.parts.asking import turned, usual
from symbolic_mem.questions.parts.assumptions import SCHEDULED
from symbolic_mem.questions.parts.batch_claims import BOUNDS
from symbolic_mem.questions.parts.batch_claims import NAMES as COUNTS
from symbolic_mem.questions.parts.found_degree import FoundDegree
from symbolic_mem.questions.parts.instants import kept_instants, staged
from symbolic_mem.questions.parts.size_rules import size_rules
from symbolic_mem.questions.parts.tokens import T_most
from symbolic_mem.questions.registry import asking_for
from symbolic_mem.render.text import plain_prose
from symbolic_mem.study.answered import answer_to, claims_of, seen_by
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

BATCH = (*COUNTS, *BOUNDS)
ASKED = "check"
OF_TWO = ("difference", "gap", "first", "second")  # what `compare` prints of two accounts
_LINEAR = {"a": ("a_1",), "b": ("a_0",)}  # as a handout names the two factors of a B + b
_OF_ACCOUNT = {**ALIASES, T_most.name: "tokens"}
# What a question for the smallest batch calls T is what it asks for, not the tokens of the study.
_ASKED_FOR = {"tokens": "batch_tokens"}


def known(study: Study) -> tuple[str, ...]:
    """Name everything that can be claimed of a study, but for the lines of its answers."""
    names = dict.fromkeys((*ACCOUNT, "devices", *map(str, degrees(study))))
    for question in study.questions:
        names |= dict.fromkeys(question.claimable)
    return tuple(names | dict.fromkeys(BATCH if study.network is not None else ()))


def degrees(study: Study) -> tuple[sp.Symbol, ...]:
    """The degrees that some kind of memory is divided over."""
    found = (symbol for placed in study.placement.values() for symbol in sorted(placed.degree.free_symbols, key=str))
    return tuple(dict.fromkeys(symbol for symbol in found if isinstance(symbol, sp.Symbol)))


def called(study: Study, name: str, label: str | None = None) -> str:
    """Return the name under which a study knows what somebody calls `name`; a line of an answer has that of its symbol.

    Raises `BadInput` with the nearest name where there is none.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> called(study, "P"), called(study, "optimizer state"), called(study, "M_div")
    ('parameters', 'optimizer', 'M_divided')
    """
    return study.numbers.once(study, lambda _: _named(study, name, label), ("called", name, label))


def _named(study: Study, name: str, label: str | None) -> str:
    names = known(study)
    if name.strip() not in names and (row := part_name(study, name)) is not None:
        return row
    asked = study.questions if label is None else (study.question(label),)
    first = {each for question in asked for each in question.claimable}
    meant, alias = list(spellings(name, names)), ALIASES.get(one_word(name))
    if alias in names:  # M_act is no line that a study calls m_act
        meant = [each for each in meant if each == name.strip() or each.lower() != one_word(name).lower()]
    for among in (first, names):
        for each in meant:
            if each in among:
                return each
    lines: dict[str, Entry] = {}
    refused: list[str] = []
    for question in asked:
        try:
            lines |= {str(entry.line.symbol): entry for entry in lines_of(study, question)}
        except BadInput as error:
            refused.append(f"; what question {question.label!r} would show is not among them: {error}")
    meant += _LINEAR.get(name, ()) if "a_2" not in lines else ()
    for line, entry in lines.items():
        if any(same_symbol(entry.line.symbol, each) for each in meant):
            return line
    others = dict.fromkeys(
        (
            *solved_for(study),
            *(str(symbol) for one in asked for symbol in seen_by(study, one).values),
            *_of_a_rank(study),
        )
    )
    found = (
        part_name(study, name) or share_called(study, name) or next((each for each in meant if each in others), None)
    )
    found = found or instant_called(study, name)
    if found is None and one_word(name).lower() in OF_TWO:
        raise BadInput(
            f"{name!r} is a number of compare, which has two accounts, and check asks one: claim the total of each, with the options "
            "of that side, as in --recipe zero-16"
        )
    if found is None:
        raise BadInput.unknown(
            f"unknown quantity {name!r}", name, dict.fromkeys((*names, *lines, *others)), then="".join(refused[:1])
        )
    return found


def solved_for(study: Study) -> tuple[str, ...]:
    """The symbols that `solve --for` finds, if a question asks for them or not: sizes of the memory, the plan's axes, a load."""
    return study.numbers.once(study, lambda _: _solved_for(study), "solved for")


def _solved_for(study: Study) -> tuple[str, ...]:
    memory = study.memory.total.free_symbols
    sizes = [str(one.symbol) for one in table(given=True) if one.symbol in memory]
    axes = () if study.plan is None else study.plan.axes
    load = (f_load,) if size_rules(study, f_load) else ()
    return tuple(dict.fromkeys((*sizes, *map(str, (*axes, *load)))))


def _of_a_rank(study: Study) -> Mapping[str, Claimed]:
    """What `comms` says of one rank, found once for that very study."""
    return study.numbers.once(study, lambda _: rank_claims(study), "of a rank")


def lines_of(study: Study, question: Question) -> Iterator[Entry]:
    """Yield the lines of an answer; none where the question has no answer yet, because a value is missing."""
    try:
        yield from answer_to(seen_by(study, question), question).ledger
    except MissingValue:
        return


def questions_about(study: Study, name: str, label: str | None = None) -> Iterator[tuple[Study, Question | None, str]]:
    """Yield the questions that a claim about `name` can mean, each with the study as it sees it; None is the account.

    With `label` that question alone, and every line of its answer. Where the study asks nothing of the kind, the claim
    itself asks: with the device, the kinds, the values and the rules of the question that was named, or of the first that
    `solve` would answer. The third of each is what the number is called there.
    """
    chosen = study.questions if label is None else (study.question(label),)
    asked = [question for question in chosen if name in question.claimable]
    if asked:
        yield from ((seen_by(study, question), question, name) for question in asked)
        if name == "devices":
            yield from givens(study, chosen, name)
        if label is None and name in _OF_ACCOUNT and in_account(study, _OF_ACCOUNT[name]):
            yield study, None, _OF_ACCOUNT[name]
        return
    if name == PEAK:
        yield from _peaks(study, chosen, label)
        return
    if instant_called(study, name) == name:
        yield from ((one, None, name) for one in at_answers(study, chosen, label))
        return
    sought = _ASKED_FOR.get(name, "")
    batches = [(seen_by(study, question), question, sought) for question in chosen if sought in question.claimable]
    if label is not None and batches:
        yield from batches
        return
    if label is not None:
        yield from _lines_about(study, chosen[0], name)
    if in_account(study, name):
        yield from ((one, None, name) for one in _accounts(study if label is None else seen_by(study, chosen[0]), name))
        if label is None:
            about = [question for question in chosen if question.subject == "memory"]
            yield from ((other, None, name) for other in (seen_by(study, one) for one in about) if other is not study)
            for question in about:
                with suppress(BadInput):  # why it has no answer is no word about the account
                    yield from _lines_about(study, question, name)
            yield from batches
    elif name in BATCH and study.network is not None:
        from symbolic_mem.questions.compute_bound import ComputeBound

        yield study, ComputeBound("check", "check"), name
    elif name == "devices" or name in map(str, degrees(study)) or name in solved_for(study):
        try:
            question = _asked(study, name, label)
            yield seen_by(study, question), question, name
        except BadInput:
            if given_claim(study, name) is None:
                raise
        yield from givens(study, chosen, name)
    elif label is None:
        for question in chosen:
            yield from _lines_about(study, question, name)
        if name in _of_a_rank(study):
            yield study, None, name
        yield from givens(study, chosen, name)
    else:
        yield from givens(study, chosen, name)


def _accounts(study: Study, name: str) -> tuple[Study, ...]:
    """The accounts that a number may be of: where a plan cuts the model, that of one rank, of the whole model, and of each stage.

    Parameters are first those of the whole model, as its name says how many it has.
    """
    if study.plan is None or study.rank is study.built:
        return (study,)
    mesh = {*study.plan.axes, *SCHEDULED, f_load}
    values = {symbol: value for symbol, value in study.values.items() if symbol not in mesh}
    whole = replace(study, plan=None, values=values)
    if name in PARAMETERS:
        return (whole,) if name == ACTIVE else (whole, study)
    stages = kept_instants(study, KINDS) if staged(study) and kinds_of(name) else ()
    return study, whole, *stages


def _peaks(study: Study, chosen: Sequence[Question], label: str | None) -> Iterator[tuple[Study, Question | None, str]]:
    """What one device holds at its fullest: of the run as it is given, at the answer to each question, and with what one sets.

    A question that spreads memory evenly, or counts some kinds alone, has no peak.
    """
    if label is None:
        yield study, None, PEAK
    for question in chosen:
        if has_peak(question) and not question.fixed(seen_by(study, question)):
            with suppress(BadInput):  # why it has no answer is no word about the peak
                yield from _lines_about(study, question, M_device.name)
    for question in chosen:
        own = with_its_own(study, question)
        if question.subject == "memory" and (label is not None or own is not study):
            yield own, None, PEAK


def _lines_about(study: Study, question: Question, name: str) -> Iterator[tuple[Study, Question, str]]:
    """The line of an answer of that name; of a number of the account, where it is another one there."""
    seen = seen_by(study, question)
    for entry in lines_of(study, question):
        symbol = entry.line.symbol.name
        if symbol == name:
            yield seen, question, symbol
            if entry.line.symbol == M_device and (free := _at_answer(seen, question)) is not None:
                yield free, question, symbol
        elif name in ACCOUNT and _OF_ACCOUNT.get(symbol) == name:
            try:
                same = entry.value == account_claim(seen, name, counted_kinds(study, question)).value
            except MissingValue:
                same = False
            if not same:  # also an expression, in which the question may write a size otherwise
                yield seen, question, symbol


def _at_answer(seen: Study, question: Question) -> Study | None:
    """The study at the degree that answers, where its own is another: an answer says what one device holds at both."""
    found = answer_to(seen, question)
    given = found.given if isinstance(found, FoundDegree) else None
    return None if given is None or found.value in (None, given.value) else seen.without(given.symbol)


def _asked(study: Study, name: str, label: str | None) -> Question:
    """The question that a claim asks where the study does not: that of `solve --for`, otherwise like one of the study's own.

    It is like the one with `label`, or like those that `solve` would answer, and the same for that very study, so that it is
    answered once. Devices are those of the degree that the plan divides memory over; where it divides nothing, memory is
    spread evenly.
    """
    return study.numbers.once(study, lambda _: _made(study, name, label), (ASKED, name, label))


def _made(study: Study, name: str, label: str | None) -> Question:
    own = usual(study) if label is None else (study.question(label),)
    found = degrees(study)
    if name != "devices" or found:
        symbol = name if name != "devices" else str(n_fsdp if n_fsdp in found else found[0])
        question = asking_for(study, symbol, own, ASKED)
    else:
        question = turned(own[0] if own else None, DeviceCount, own[0].label if own else ASKED, ASKED)
    if not study.under(question).device.known:
        raise BadInput(
            f"the study does not ask for {name}: say on which device, as in --device h100-80gb or --capacity '80 GiB'"
        )
    return question


def read_as(study: Study, question: Question, claimed: Claimed, name: str) -> Prose | None:
    """Of a claim that asks for itself, how it is read: what is found, and like which question of the study."""
    if question.where != ASKED:
        return None
    if any(own.label == question.label for own in study.questions):
        return say(
            "No question asks for {name}: it is read as {meaning}, otherwise as in question {label}.",
            name=text(name),
            meaning=text(claimed.meaning),
            label=text(question.label),
        )
    return say("No question asks for {name}: it is read as {meaning}.", name=text(name), meaning=text(claimed.meaning))


def claim_of(
    study: Study,
    question: Question | None,
    name: str,
    counted: tuple[str, ...] = KINDS,
    instead: Mapping[str, Fraction] | None = None,
    *,
    kept: bool = False,
) -> Claimed:
    """The number that is called `name`, of the account or of the answer to a question about a study as it sees it.

    `instead` are numbers that take the place of other lines of the answer. The answer is `kept` for other claims: not where
    the study is one of very many. Raises `BadInput` where there is none.
    """
    if question is None and kept:
        return study.numbers.once(study, lambda _: _without_question(study, name, counted), ("claimed", name, counted))
    if question is None:
        return _without_question(study, name, counted)
    if name not in question.claimable:
        answer = answer_to(study, question) if kept else question.answer(study)
        return line_claim(answer.ledger, name, instead or {})
    found = (claims_of(study, question) if kept else question.claims(study)).get(name)
    if found is None:
        why = plain_prose(question.unclaimable(study, name))
        raise NoNumber(f"question {question.label} has no {name} here: {why}")
    return _rebased(found, question, study, name, instead) if instead else found


def _without_question(study: Study, name: str, counted: tuple[str, ...]) -> Claimed:
    """The number of the account, of what is given, or of one rank."""
    given = None if in_account(study, name) else given_claim(study, name) or rank_claims(study).get(name)
    return account_claim(study, name, counted) if given is None else given


def _rebased(found: Claimed, question: Question, study: Study, name: str, instead: Mapping[str, Fraction]) -> Claimed:
    """The number where others stand in the place of what it is made of: tokens of a batch, lines before it."""
    if found.measures == "tokens":
        other = next((each for each in COUNTS if each in instead and each != name), None)
        if other is None or COUNTS[other][0] not in found.per:
            return found
        tokens = instead[other] * found.per[COUNTS[other][0]]
        return replace(found, value=ceil(tokens / found.per[found.counted]), quotient=None, tokens=None)
    ledger = question.answer(study).ledger
    if not any(str(line.symbol) == name for line in ledger.lines):
        return found
    return replace(found, value=exactly(with_lines(ledger, instead)[name].value))
