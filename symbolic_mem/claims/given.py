"""Values that a study gives, as numbers that can be claimed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symbolic_mem.base.symbols import named, table
from symbolic_mem.claims.lines import exactly
from symbolic_mem.study.answered import seen_by
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study


def given_claim(study: Study, name: str) -> Claimed | None:
    """A value that a study gives; None where it gives none of that name."""
    symbol = next((one for one in study.values if one.name == name), None)
    if symbol is None:
        return None
    known = next((one for one in (*table(given=True), *study.names) if one.symbol == symbol), named(symbol))
    value = exactly(study.values[symbol])
    whole = known.whole and value.denominator == 1
    return Claimed(value, "count" if whole else "number", known.meaning or name, unit=known.unit, given=True)


def givens(study: Study, chosen: Sequence[Question], name: str) -> Iterator[tuple[Study, Question | None, str]]:
    """The values of that name which the study gives, or its questions for themselves."""
    told: list[Claimed] = []
    for seen in (study, *(seen_by(study, question) for question in chosen)):
        given = given_claim(seen, name)
        if given is not None and given not in told:
            told.append(given)
            yield seen, None, name
