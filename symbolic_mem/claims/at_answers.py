"""At which answers of a study's questions one device holds what is claimed of an instant of a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.given import with_its_own
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.device_count import DeviceCount
from symbolic_mem.questions.parts.found_instants import FoundAtInstants
from symbolic_mem.study.answered import answer_to, seen_by
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


def has_peak(question: Question) -> bool:
    """Whether a question is about what one device holds of a step: not where it spreads memory evenly or counts some kinds alone."""
    return (
        question.subject == "memory" and not isinstance(question, DeviceCount) and set(question.counted) == set(KINDS)
    )


def at_answers(study: Study, chosen: Sequence[Question], label: str | None) -> Iterator[Study]:
    """The run as it is given, and at the answer to each question that counts the instants of a step."""
    if label is None:
        yield study
    for question in chosen:
        found = _at_answer(study, question) if has_peak(question) else None
        if found is not None:
            yield found


def _at_answer(study: Study, question: Question) -> Study | None:
    """The study as a question sees it, at what it finds; None where that is nothing that one device holds something at."""
    seen = seen_by(study, question)
    if question.fixed(seen):
        return with_its_own(study, question)
    try:
        found = answer_to(seen, question)
    except BadInput:
        return None
    if not isinstance(found, FoundAtInstants) or found.held_at is None:
        return None
    return replace(seen, values={**seen.values, found.symbol: sp.Integer(found.held_at)}, at=None).as_given
