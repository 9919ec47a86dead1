"""What is said beside a verdict: of what the number is, where, and what of the study or the caller counts for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from symbolic_mem.claims.account import in_account
from symbolic_mem.claims.at_instants import PEAK, instant_called
from symbolic_mem.claims.case import Case
from symbolic_mem.claims.given import given_claim
from symbolic_mem.claims.pinned import held
from symbolic_mem.claims.subjects import degrees, read_as
from symbolic_mem.document.prose import Prose, say, text
from symbolic_mem.document.words import joined
from symbolic_mem.questions.parts.assumptions import idle_degrees
from symbolic_mem.questions.parts.instants import staged
from symbolic_mem.questions.parts.peaks import peak, step_of
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.found import Found
from symbolic_mem.study.precedence import precedence
from symbolic_mem.study.study import Study


def beside(case: Case, name: str, claimed: Claimed, wrong: Fraction | None) -> tuple[Prose, ...]:
    """What a reader of a verdict must know: how the claim is read, at which degree, and which values count for nothing.

    `wrong` is the value of a wrong claim.
    """
    if claimed.given:
        return ()
    if case.question is None:
        where = (
            _at_its_degrees(case.study, name)
            if name == PEAK or instant_called(case.study, name) == name
            else _whose(case.study, name)
        )
        return (*where, *idle_degrees(case.study))
    asked = read_as(case.study, case.question, claimed, name)
    crowded = _crowded(case) if wrong is None and (claimed.measures == "devices" or claimed.extreme == "most") else ()
    where = _where(case, name, claimed, wrong)
    return (*(() if asked is None else (asked,)), *where, *crowded, *idle_degrees(case.study))


def _crowded(case: Case) -> tuple[Prose, ...]:
    """That what is not counted may have no room at a right number at which something fits."""
    assert case.question is not None
    found: Found = answer_to(case.study, case.question)
    return found.crowded


def repeats_given(case: Case, name: str, wrong: Fraction | None) -> bool:
    """Whether a wrong claim is the value that the study itself gives to what a question looks for: no slip made it."""
    if wrong is None or case.question is None:
        return False
    own = given_claim(case.study, name)
    return own is not None and own.value == wrong


def _whose(study: Study, name: str) -> Iterator[Prose]:
    """Of which part of the model a number of the account is, where a plan cuts it."""
    if study.rank is study.built or name == "tokens" or not in_account(study, name):
        return
    if study.at is not None:
        yield say("That is {words}.", words=study.at.words)
    elif staged(study):
        yield say("That is counted of what one rank has of the model, in all stages of the pipeline together.")
    else:
        yield say("That is counted of what one rank has of the model.")


def _at_its_degrees(study: Study, name: str) -> Iterator[Prose]:
    """At which degrees one device holds what is claimed of it, and at which instant of a step that is the most."""
    axes = () if study.plan is None else study.plan.axes
    given = [n for n in dict.fromkeys((*degrees(study), *axes)) if n in study.values]
    at = (
        joined([say("{n} = {value}", n=n, value=study.values[n]) for n in given])
        if given
        else text("the values of the study")
    )
    if name != PEAK:
        yield say("One device holds that at {at}.", at=at)
        return
    found = step_of(study)
    if not found:
        yield say("One device keeps that at {at}; no instant of its step is known.", at=at)
        return
    yield say("One device holds that at {at}. The instant is {where}.", at=at, where=text(peak(found).words))


def _where(case: Case, name: str, claimed: Claimed, wrong: Fraction | None) -> Iterator[Prose]:
    """At which degree one device holds what is claimed of it, and what else of the caller counts."""
    assert case.question is not None
    tried: tuple[str, ...] = ()
    if (there := held(case, name)) is not None:
        found, degree = there
        tried = found.tried
        yield say("One device holds that at {n} = {value}.", n=found.symbol, value=degree)
    if repeats_given(case, name, wrong):
        yield say(
            "The study itself has {n} = {value}; the question asks for {what}.",
            n=text(name),
            value=text(str(wrong)),
            what=text(claimed.meaning),
        )
    yield from precedence(case.study, case.question, tried)
