"""No sentence of a bundled study keeps a number that another given value changes.

A number is old where it stands in the answers as the study is, in those with the other value no longer, and a sentence
that is not the study's own text has it all the same: twice, for two other values, so that it is no coincidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from sampled import sampled
from test_set import NUMBER, RAISED, UNITS, asked, given, plain

from symbolic_mem.library.bundled import bundled

FACTORS = (2, Fraction(1, 2), 3, Fraction(5, 2), 5)
FIGURES, LEAST = 4, 128  # of a number of an answer, and of the value itself, from which no constant is met by chance
WORDS, TWO_WORDS = re.compile(r"[a-z]{2,}"), re.compile(r"[a-z] [a-z]")


def numbers(found: Any) -> Iterator[Fraction]:
    """Every number of the answers, whatever it is."""
    if isinstance(found, int | float) and not isinstance(found, bool):
        yield Fraction(found)
    elif isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            yield from numbers(one)


def sentences(found: Any) -> Iterator[str]:
    """Every text of some words that is no formula."""
    if isinstance(found, str):
        if len(WORDS.findall(found)) >= 4 and TWO_WORDS.search(found) and "=" not in found:
            yield found
    elif isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            yield from sentences(one)


def read(sentence: str) -> Iterator[tuple[str, Fraction, Fraction]]:
    """Each number of a sentence as it stands, its value, and half of the last figure that is shown."""
    for whole, decimals, power, unit in NUMBER.findall(sentence.replace("\N{NO-BREAK SPACE}", " ")):
        scale = Fraction(10) ** int(power.translate(RAISED) or 0) * UNITS.get(unit, 1)
        near = scale / 10 ** (len(decimals) - 1) / 2 if decimals else Fraction(0)
        yield whole + decimals, Fraction(whole.replace(",", "") + decimals) * scale, near


@cache
def as_it_stands(name: str) -> frozenset[Fraction]:
    return frozenset(numbers(asked(name)[1]["questions"]))


def old(name: str, symbol: str, other: Any) -> set[tuple[str, str]] | None:
    """The sentences with an old number where the symbol is set to another value; None where that is refused."""
    status, document = asked(name, **{symbol: other})
    if status:
        return None
    now, was = set(numbers(document["questions"])), plain(given(name)[symbol])
    gone = as_it_stands(name) - now
    written = files("symbolic_mem.library").joinpath(f"studies/{name}.toml").read_text(encoding="utf-8")

    def is_old(shown: str, value: Fraction, near: Fraction) -> bool:
        if shown in written or any(abs(value - one) <= near for one in now):
            return False
        long = len(re.sub("[,.]", "", shown).strip("0")) >= FIGURES
        return (value == was and value > LEAST) or (long and any(abs(value - one) <= near for one in gone))

    return {(shown, one) for one in sentences(document) for shown, *rest in read(one) if is_old(shown, *rest)}


CASES = [(name, symbol) for name in bundled() for symbol in given(name)]


@pytest.mark.parametrize(("name", "symbol"), sampled(CASES, every=97))
def test_no_sentence_keeps_a_number_that_another_value_changes(name, symbol):
    value = plain(given(name)[symbol])
    others = (value * factor for factor in FACTORS)
    found = (old(name, symbol, other) for other in others if isinstance(value, Fraction) or other.denominator == 1)
    taken = (each for each in found if each is not None)
    if once := next(taken, None):
        stays = {number for number, _ in next(taken, once)}
        assert [(number, sentence) for number, sentence in once if number in stays] == []
