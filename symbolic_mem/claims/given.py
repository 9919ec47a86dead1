"""Values that a study gives, as numbers that can be claimed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sympy as sp

from symbolic_mem.base.symbols import n_fsdp, named, table
from symbolic_mem.claims.lines import exactly
from symbolic_mem.questions.parts.assumptions import ranks_beside
from symbolic_mem.study.answered import seen_by
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


def given_claim(study: Study, name: str) -> Claimed | None:
    """A value that a study gives, or all devices of the run that it gives; None where it gives none of that name."""
    if name == "devices":
        return _run(study)
    symbol = next((one for one in study.values if one.name == name), None)
    if symbol is None:
        return None
    known = next((one for one in (*table(given=True), *study.names) if one.symbol == symbol), named(symbol))
    value = exactly(study.values[symbol])
    whole = known.whole and value.denominator == 1
    return Claimed(value, "count" if whole else "number", known.meaning or name, unit=known.unit, given=True)


def _run(study: Study) -> Claimed | None:
    """All devices of a run where the study gives how many the memory is divided over."""
    if n_fsdp not in study.values:
        return None
    count = int(study.values[n_fsdp]) * ranks_beside(study, n_fsdp)
    return Claimed(count, "count", "all devices of the run", unit="devices", given=True)


def givens(study: Study, chosen: Sequence[Question], name: str) -> Iterator[tuple[Study, Question | None, str]]:
    """The values of that name which the study gives, or its questions for themselves."""
    told: list[Claimed] = []
    for seen in (study, *(with_its_own(study, question) for question in chosen)):
        given = given_claim(seen, name)
        if given is not None and given not in told:
            told.append(given)
            yield seen, None, name


def with_its_own(study: Study, question: Question) -> Study:
    """The study as a question sees it, with the degrees to which its keys give values."""
    seen = seen_by(study, question)
    fixed = question.fixed(seen).get(n_fsdp.name)
    return seen if fixed is None else replace(seen, values={**seen.values, n_fsdp: sp.Integer(fixed)})
