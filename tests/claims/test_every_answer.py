"""What every bundled study answers, claimed as it is printed, is right in every unit and spelling; a neighbour is wrong."""

from fractions import Fraction
from functools import cache
from math import ceil

import pytest
from sampled import sampled

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.formula import write_formula
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.claims.case import Misreading, read_off
from symbolic_mem.claims.check import check
from symbolic_mem.claims.lines import exactly
from symbolic_mem.claims.names import one_word
from symbolic_mem.claims.read import MAX_LENGTH, read_claim
from symbolic_mem.claims.spelled import figures, spelled
from symbolic_mem.claims.stated import Stated
from symbolic_mem.claims.subjects import claim_of, lines_of
from symbolic_mem.document.prose import Amount
from symbolic_mem.document.words import about
from symbolic_mem.library.bundled import bundled
from symbolic_mem.library.read import load_study
from symbolic_mem.questions.registry import ASKS
from symbolic_mem.render.text import plain, plain_prose


@cache
def _study(name):
    return load_study(name)


def _answers():
    for name in bundled():
        for question in _study(name).questions:
            yield name, question.label


ANSWERS = list(_answers())
TRIED = set()  # an account is the same in several questions, and in several studies
IDS = [f"{name}, {label}" for name, label in ANSWERS]


def _claimable(study, question):
    """Every number that can be claimed of a question: what it declares, and the lines of its answer that have numbers."""
    seen = study.under(question)
    declared = question.claims(seen)
    yield from declared.items()
    for entry in lines_of(study, question):
        name = one_word(str(entry.line.symbol))
        if name not in map(one_word, declared) and entry.value is not None:
            yield name, claim_of(seen, question, str(entry.line.symbol))


def _printed(claimed):
    """The number as documents print it: in each unit, with more and fewer figures, with and without its unit."""
    value = symbolic(claimed.value)
    if claimed.measures == "bytes":
        units = [unit for unit, size in BYTES_PER.items() if abs(claimed.value) >= size]
        yield from (plain_prose(about(Amount(value, unit, digits))) for unit in units for digits in (3, 4, 5, 6))
        yield f"{plain(Amount(value, 'bytes'))}"
        return
    if claimed.whole:
        yield from (f"{int(value)}", f"{int(value)}.0", f"{int(value):,}", plain(Amount(value, claimed.unit)))
        return
    for digits in (3, 4, 5, 6):
        yield plain_prose(about(Amount(value, "", digits)))
        yield plain_prose(about(Amount(value, claimed.unit, digits)))


def _neighbours(claimed, text):
    """The numbers beside it in the last of its figures, as far as they have as many."""
    read = spelled(text.replace("−", "-"))
    if claimed.whole:
        yield from (f"{int(claimed.value) + 1}", f"{max(int(claimed.value) - 1, 0)}")
        return
    many = figures(read.number)
    step = Fraction(1)
    while (read.number / step).denominator != 1:
        step /= 10
    while (read.number / step / 10).denominator == 1 and read.number:
        step *= 10
    for other in (read.number - step, read.number + step):
        if claimed.measures == "bytes" and read.unit == "bytes" and other == ceil(claimed.value):
            continue  # a part of a byte takes one
        if figures(other) >= max(many, 2):
            sign, size = ("-" if other < 0 else ""), abs(other)
            whole, rest = divmod(size, 1)
            places = f"{rest.numerator * 10**12 // rest.denominator:012d}".rstrip("0")
            yield f"{sign}{whole}.{places} {read.unit}".strip() if places else f"{sign}{whole} {read.unit}".strip()


def _off(claimed, text):
    claim = read_claim(f"x={text}")
    return abs(claim.number * claim.scale(claimed) - claimed.value)


def _right(claimed, text):
    """The verdict of the rule alone, without asking the question again."""
    claim, truly = read_claim(text), Misreading()
    stated = Stated(claim.number, claim.scale(claimed), claim.spelled.unit)
    return stated.agrees(claimed, read_off(claimed, truly), truly) is not None


def _answered_once(monkeypatch, question):
    """Let a question give the answer that it gave before: here it is always asked about the same study."""
    for method in ("answer", "claims"):
        original, found = getattr(type(question), method), {}

        def once(self, study, original=original, found=found):
            if self.label not in found:
                found[self.label] = original(self, study)
            return found[self.label]

        monkeypatch.setattr(type(question), method, once)


@pytest.mark.usefixtures("verdicts_alone")
@pytest.mark.parametrize(("name", "label"), sampled(ANSWERS, 12), ids=IDS)
def test_the_printed_answer_is_right_in_every_spelling_and_a_neighbour_is_wrong(name, label, monkeypatch):
    study = _study(name)
    question = study.question(label)
    _answered_once(monkeypatch, question)
    for quantity, claimed in _claimable(study, question):
        if claimed.value is None:
            assert check(study, f"{quantity}=none", question=label).right, quantity
            continue
        for text in dict.fromkeys(_printed(claimed)):
            assert _right(claimed, f"{quantity}={text}"), (text, claimed.value)
        verdict = check(study, f"{quantity}={text}", question=label)
        assert verdict.right and verdict.question == label, (quantity, text, verdict.expected)
        for other in _neighbours(claimed, text):
            if not claimed.whole and _off(claimed, other) == _off(claimed, text):
                continue  # a half may be rounded either way
            assert not _right(claimed, f"{quantity}={other}")
            assert not check(study, f"{quantity}={other}", question=label).right, (quantity, other, claimed.value)


@pytest.mark.parametrize(("name", "label"), sampled(ANSWERS, 6), ids=IDS)
def test_the_printed_formula_is_right_and_twice_it_is_wrong(name, label, monkeypatch):
    study = _study(name)
    question = study.question(label)
    _answered_once(monkeypatch, question)
    for entry in lines_of(study, question):
        quantity = one_word(str(entry.line.symbol))
        if not entry.formula.free_symbols or (quantity, entry.formula) in TRIED:
            continue
        TRIED.add((quantity, entry.formula))
        texts = (write_formula(entry.formula), plain(entry.formula))
        written = texts[len(TRIED) % 2]
        if len(written) > MAX_LENGTH - 20:
            continue  # more than a claim may have
        try:
            verdict = check(study, f"{quantity}={written}", question=label)
        except BadInput as refused:  # a formula of many products is as large as one that only looks harmless
            assert "too large to be read" in str(refused) and len(written) > MAX_LENGTH // 2
            continue
        assert verdict.right, (quantity, written)
        if len(TRIED) % 5 == 0:
            wrong = check(study, f"{quantity}=2*({write_formula(entry.formula)})", question=label)
            assert not wrong.right
            if entry.value is not None:
                assert abs(wrong.ratio - 2) < Fraction(1, 10**30) and wrong.expected == exactly(entry.value)


def test_every_type_of_question_can_be_claimed():
    asked = {_study(name).question(label).ask: (name, label) for name, label in ANSWERS}
    assert set(asked) == set(ASKS)
    for name, label in asked.values():
        assert _study(name).question(label).claimable or list(_claimable(_study(name), _study(name).question(label)))
