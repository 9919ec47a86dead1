"""Bytes that are sent, as `comms` prints them: along each axis of a plan in a step, and in one pass of a block."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.rational import Number
from symbolic_mem.base.symbols import X, Y
from symbolic_mem.claims.lines import exactly
from symbolic_mem.claims.printed import Printed
from symbolic_mem.document.words import gib
from symbolic_mem.questions.compute_bound import ComputeBound
from symbolic_mem.questions.parts.meshes import volumes
from symbolic_mem.study.answered import answer_to, once_for, seen_by
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

IN_A_STEP, IN_A_PASS = "what one rank sends in a step", "what is sent in a pass of a block"


def sent_in_a_step(study: Study) -> tuple[Printed, ...]:
    """What one rank sends in a step along each axis; none where that is not known.

    >>> from symbolic_mem.library.read import load_study
    >>> [(one.name, one.shown.plain) for one in sent_in_a_step(load_study("cluster-gpt-3-175b"))]
    [('n_tp', '315 GiB'), ('n_pp', '2.25 GiB')]
    """
    plan = study.plan
    if plan is None or not (plan.axes or (plan.sends and not {X, Y} & set(study.values))):
        return ()
    try:
        found = volumes(study)
    except BadInput:
        return ()  # such as stages that the memory of a rank is refused for
    sizes = {} if found is None else {str(axis): size for axis, (_, size) in found.axes.items()}
    return tuple(_sent(name, IN_A_STEP, size) for name, size in sizes.items())


def sent_in_a_pass(study: Study, question: Question) -> tuple[Printed, ...]:
    """What a question about the batch says to be sent, of the weights and of the inputs of a block; none of another question."""
    if not isinstance(question, ComputeBound):
        return ()
    seen = seen_by(study, question)
    try:
        return once_for(seen, question, "sent", lambda: tuple(_rows(seen, question)))
    except BadInput:
        return ()


def _rows(seen: Study, question: Question) -> Iterator[Printed]:
    for row in answer_to(seen, question).communication["times"]:
        if row.get("bytes") is not None:
            yield _sent(row["name"], IN_A_PASS, row["bytes"])


def _sent(name: str, where: str, size: sp.Expr | Number) -> Printed:
    amount = gib(size)
    return Printed(name, where, exactly(amount.value), amount.shown)
