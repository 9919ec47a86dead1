"""Gradients that do not persist: the backward pass and the optimizer step must both fit, so the larger one answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Any

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import number
from symbolic_mem.document.prose import Prose, text
from symbolic_mem.document.steps import Paragraph, Section
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.largest import unknown
from symbolic_mem.questions.parts.assumptions import MOMENT_WORDS, counted_moment
from symbolic_mem.questions.parts.facts import Found, FoundLargest
from symbolic_mem.solvers.powers import contained
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

Derive = Callable[[Study, Question], tuple[Section, Any]]
DECIDED = ("device_count", "min_degree", "largest", "recompute")


def at_the_larger(derive: Derive, study: Study, question: Question) -> tuple[Section, Any]:
    """Derive the answer at the moment that needs more, and say what the other one would need.

    Stages count states alone, which are most at the step. The other questions keep the moment of the study, and say so.
    """
    at_step = replace(study, moment="step")
    if question.ask == "stages":
        return _saying(derive(at_step, question), at_step)
    if "gradients" not in (question.get("kinds") or KINDS):
        return derive(study, question)
    if question.ask == "largest" and _lacks_the_unknown(at_step, question):
        _need_room(at_step, question)
        return _saying(derive(study, question), study)
    if question.ask not in DECIDED:
        return _saying(derive(study, question), study)
    answers = {moment: derive(one, question) for moment, one in (("backward", study), ("step", at_step))}
    larger = "step" if _hardness(answers["step"][1]) > _hardness(answers["backward"][1]) else "backward"
    other = "backward" if larger == "step" else "step"
    section, found = answers[larger]
    said = text(
        f"Gradients do not persist between micro-batches, so two moments must fit. The one that decides is counted: "
        f"{MOMENT_WORDS[larger]}. The other, {MOMENT_WORDS[other]}, gives {_given(answers[other][1])}."
    )
    return _opened(section, said), _told(found, replace(study, moment=larger))


def _saying(answered: tuple[Section, Any], study: Study) -> tuple[Section, Any]:
    section, found = answered
    return _opened(section, *counted_moment(study)), _told(found, study)


def _opened(section: Section, *said: Prose) -> Section:
    return replace(section, blocks=(*map(Paragraph, said), *section.blocks))


def _told(found: Any, study: Study) -> Any:
    """The facts with the moment among their assumptions, where they have any."""
    if not isinstance(found, Found | FoundLargest):
        return found
    return replace(found, assumptions=(*found.assumptions, *counted_moment(study)))


def _value(found: Found | FoundLargest) -> int | None:
    if isinstance(found, FoundLargest):
        return found.upper.value
    return found.answer.value if found.degree is None else found.degree.value


def _hardness(found: Found | FoundLargest) -> float:
    value = _value(found)
    if value is None:
        return float("inf")
    return -value if isinstance(found, FoundLargest) else value


def _given(found: Found | FoundLargest) -> str:
    value = _value(found)
    return "no such number" if value is None else f"{value:,}"


def _lacks_the_unknown(study: Study, question: Question) -> bool:
    memory = study.under(question).placed(question.get("rest"), tuple(question.get("kinds") or KINDS))
    whole = replace(study, moment="backward").memory
    return str(unknown(question, whole)) not in contained(memory)


def _need_room(study: Study, question: Question) -> None:
    study = study.under(question)
    kept = study.placed(question.get("rest"), tuple(question.get("kinds") or KINDS)).total
    study.need(kept, f"question {question.label}")
    size, room = number(kept, study.values), study.capacity(question).counted
    if size > room or (question.get("strict", False) and size == room):
        raise BadInput(
            f"the optimizer step, with all gradients, takes {ceil(size):,} bytes of the {int(room):,} on each "
            f"device, which does not fit, whatever {question.get('for', 'B')} is; divide more, for example over a larger "
            "n_fsdp"
        )
