"""The instants of a step that a claim can name, in the words of documents, and the name of the largest."""

from __future__ import annotations

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.claims.names import one_word
from symbolic_mem.study.study import Study

PEAK = "peak"


def instant_called(study: Study, said: str) -> str | None:
    """The words of the instant that somebody calls so; None where a step has none of that name.

    >>> from symbolic_mem.library.read import load_study
    >>> instant_called(load_study("llama-3.1-8b"), "Optimizer step")
    'the optimizer step'
    """
    meant = _plain(said)
    try:
        step = study.timeline
    except BadInput:
        return None
    return next((one.words for one in step if not one.lasting and _plain(one.words) == meant), None)


def _plain(words: str) -> str:
    return one_word(words).lower().removeprefix("the_")


def at_instant(study: Study, words: str) -> Memory:
    """What one device holds at the instant of those words; raises `BadInput` where the step has none."""
    found = next((one for one in study.timeline if one.words == words), None)
    if found is None:
        raise BadInput(f"the step has no instant {words!r} here")
    return study.seen_at(found).placed()
