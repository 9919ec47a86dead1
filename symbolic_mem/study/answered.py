"""What many faces ask of one study, found once for that very study: how a question sees it, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from symbolic_mem.base.errors import BadInput
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

_What = TypeVar("_What")


def seen_by(study: Study, question: Question) -> Study:
    """The study as a question sees it.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> seen_by(study, study.question("b")) is seen_by(study, study.question("b"))
    True
    """
    return once_for(study, question, "seen", lambda: study.under(question))


def found_for(study: Study, question: Question) -> Any:
    """The answer to a question about a study, which it sees with what it sets for itself.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> found_for(study, study.question("b")) is found_for(study, study.question("b"))
    True
    """
    return answer_to(seen_by(study, question), question)


def answer_to(seen: Study, question: Question) -> Any:
    """The answer to a question about a study as it sees it.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> answer_to(seen_by(study, study.question("b")), study.question("b")).value
    46
    """
    return once_for(seen, question, "answer", lambda: question.answer(seen))


def claims_of(seen: Study, question: Question) -> Mapping[str, Claimed]:
    """What can be claimed of that answer.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cs336-a2-xxl")
    >>> claims_of(seen_by(study, study.question("b")), study.question("b"))["n_fsdp"].value
    46
    """
    return once_for(seen, question, "claims", lambda: question.claims(seen))


def once_for(study: Study, question: Question, what: str, find: Callable[[], _What]) -> _What:
    """What is found for that very study and question, by a word for it; both are kept with it, so that no other has their identities."""
    _, found = study.numbers.once(study, lambda _: (question, find()), (what, id(question)))
    return found


def shown_by(
    study: Study, question: Question, what: str, find: Callable[[Study], Iterable[_What]]
) -> tuple[_What, ...]:
    """All that is found for the study as a question sees it, by a word for it; nothing where the question is refused."""
    seen = seen_by(study, question)
    try:
        return once_for(seen, question, what, lambda: tuple(find(seen)))
    except BadInput:
        return ()
