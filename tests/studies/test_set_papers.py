"""Every given value of the studies of papers and books, set to another one, changes every answer, or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from plain_clusters import PEAKS, TUNED
from plain_formulas import RECOMPUTED as HANDOUTS
from plain_models import ACCOUNTS
from plain_papers import RECOMPUTED
from sampled import sampled
from test_problem_sets import RECOMPUTED as SETS
from test_set import asked, close, flat, given, plain, says, settable

from symbolic_mem.library.bundled import bundled

FACTORS = (2, Fraction(1, 2), Fraction(5, 2))
REFUSALS = ("is fixed in", "nothing that")


def numbers(question: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every number of an answer by the name that the plain formulas give it."""
    for cell in question.get("cells", ()):
        row = next(name for name in cell if name.startswith("n_"))
        yield f"stage {cell['stage']}, {cell[row]}", cell["value"]
    yield from flat({name: value for name, value in question.items() if name != "cells"})


def differing(name: str, **called: Any) -> list[str]:
    """The numbers in which the answers differ from the plain formulas, and those of an answer that no sentence says."""
    status, document = asked(name, **called)
    assert status == 0, document
    values = {symbol: plain(value) for symbol, value in given(name).items()}
    wanted = RECOMPUTED[name](values, called)
    assert [question["question"] for question in document["questions"]] == list(wanted)
    wrong = []
    for question, sentence in zip(document["questions"], document["answers"], strict=True):
        found = dict(numbers(question))
        for number, right in wanted[question["question"]].items():
            if number not in found or not close(found[number], right):
                wrong.append(f"{question['question']}: {number} = {found.get(number)}, not {right}")
        wrong += [f"no plain formula of {number}" for number in found if number not in wanted[question["question"]]]
        value = question.get("value")
        if isinstance(value, int) and not says(sentence, value):
            wrong.append(f"{question['question']}: {value} is not in {sentence!r}")
    return wrong


@pytest.mark.parametrize("name", RECOMPUTED)
def test_a_study_as_it_stands_answers_what_the_plain_formulas_say(name):
    assert differing(name) == []


@pytest.mark.parametrize(
    ("name", "symbol"), sampled([(name, symbol) for name in RECOMPUTED for symbol in settable(name)], 13)
)
def test_another_value_changes_every_answer_or_is_refused(name, symbol):
    value = plain(settable(name)[symbol])
    for other in (
        value * factor for factor in FACTORS if Fraction(value * factor).denominator == 1 or isinstance(value, Fraction)
    ):
        status, said = asked(name, **{symbol: other})
        if status == 0:
            assert differing(name, **{symbol: other}) == []
            return
        if not any(
            words in str(said) for words in ("does not divide", "give at most that many")
        ):  # heads, learned positions
            assert symbol in str(said) and any(refusal in str(said) for refusal in REFUSALS), said
            return
    pytest.fail(f"no other value of {symbol} fits")


def test_a_value_between_whole_numbers_is_taken_as_it_is():
    assert differing("scaling-book-training", u=Fraction(1, 3)) == []


def test_every_bundled_study_has_its_plain_formulas():
    assert set(bundled()) == {*RECOMPUTED, *HANDOUTS, *ACCOUNTS, *PEAKS, *TUNED, *SETS}
