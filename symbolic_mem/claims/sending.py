"""Bytes that are sent and seconds, as `comms` prints them: along each axis of a plan in a step, and in one pass of a block."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.base.rational import Number
from symbolic_mem.base.shown import shown
from symbolic_mem.claims.lines import exactly
from symbolic_mem.claims.of_a_rank import sent_by_a_rank, times_of
from symbolic_mem.claims.printed import BYTES, SECONDS, Printed
from symbolic_mem.document.prose import percent
from symbolic_mem.document.words import gib
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.study.answered import answer_to, shown_by
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

IN_A_STEP = ("what one rank sends in a step", "how long one rank sends in a step", "how long that is of computing")
IN_A_PASS = ("what is sent in a pass of a block", "how long that takes in a pass of a block")


def sent_in_a_step(study: Study) -> tuple[Printed, ...]:
    """What one rank sends in a step along each axis, and how long at the rates of a chip; none where that is not known.

    >>> from symbolic_mem.library.read import load_study
    >>> [(one.name, one.shown.plain) for one in sent_in_a_step(load_study("cluster-gpt-3-175b"))]
    [('n_tp', '315 GiB'), ('n_pp', '2.25 GiB')]
    """
    found = sent_by_a_rank(study)
    if found is None:
        return ()
    took = times_of(study, found)
    sent = [_bytes(str(axis), IN_A_STEP[0], size, volume) for axis, (volume, size) in found.axes.items()]
    if took is None:
        return tuple(sent)
    timed = [_seconds(str(axis), IN_A_STEP[1], seconds) for axis, seconds in took.sends.items()]
    parts = ((axis, percent(seconds, took.computes, 4)) for axis, seconds in took.sends.items())
    return (
        *sent,
        *timed,
        *(Printed(str(axis), IN_A_STEP[2], exactly(one.value), one.shown, unit="%") for axis, one in parts),
    )


def sent_in_a_pass(study: Study, question: Question) -> tuple[Printed, ...]:
    """What a question about the batch says to be sent, of the weights and of the inputs of a block, and how long; none of another question."""
    if not isinstance(question, ComputeBound):
        return ()
    return shown_by(study, question, "sent", lambda seen: _rows(seen, question))


def _rows(seen: Study, question: Question) -> Iterator[Printed]:
    for row in answer_to(seen, question).communication["times"]:
        if row.get("bytes") is not None:
            yield _bytes(row["name"], IN_A_PASS[0], row["bytes"], row["volume_formula"])
        if row["seconds"] is not None:
            yield _seconds(row["name"], IN_A_PASS[1], row["seconds"], row["formula"])


def _bytes(name: str, where: str, size: sp.Expr | Number, formula: sp.Expr) -> Printed:
    amount = gib(size)
    return Printed(name, where, exactly(amount.value), amount.shown, unit=BYTES, formula=formula)


def _seconds(name: str, where: str, time: sp.Expr, formula: sp.Expr | None = None) -> Printed:
    value = exactly(time)
    return Printed(name, where, value, shown(value, SECONDS, 6), unit=SECONDS, formula=formula)
