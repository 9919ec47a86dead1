"""Amounts and shares that an answer shows, in its lines, tables and sentences: a claim may repeat them as they are printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import takewhile
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Numbers, at
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.shown import FAMILIES, ONE_OF, Shown, shown
from symbolic_mem.base.values import dataclass
from symbolic_mem.claims.claim import Claim
from symbolic_mem.claims.device_words import names_device
from symbolic_mem.claims.left import same_left
from symbolic_mem.claims.lines import exactly
from symbolic_mem.claims.measures import IN_BYTES, PERCENT, factor, is_time
from symbolic_mem.claims.names import one_word
from symbolic_mem.claims.rule import right_to
from symbolic_mem.document.prose import Amount, Brief, Chain, Prose
from symbolic_mem.document.steps import Answer, Block, Bullets, Paragraph, Step, Table
from symbolic_mem.document.words import gib
from symbolic_mem.hardware.devices import Device
from symbolic_mem.models.tensors import KINDS
from symbolic_mem.questions.parts.assumptions import assumptions, placements
from symbolic_mem.questions.parts.instants import kept_instants
from symbolic_mem.questions.parts.peaks import margin, step_of
from symbolic_mem.questions.parts.readings import every_reading
from symbolic_mem.questions.parts.uncounted import beyond_instants, uncounted_lines
from symbolic_mem.render.text import plain, plain_prose
from symbolic_mem.study.answered import answer_to, shown_by
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

MANY_FIGURES = 5  # with more that are right a number is no other one by chance
OF_ONE = "one device"
BYTES, SECONDS = "bytes", "s"
THINGS = ("", *ONE_OF.keys() - {"bytes", "elements", "parameters"}, *ONE_OF.values())  # counted exactly
_SAID = "a number of its sentences"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Printed:
    """An amount in bytes, or another `unit`, as an answer shows it: `name` is the left side of a line, or the head of a row `under` a column.

    What the label of a `device` says is given, and is called by any of its names. A `formula` is printed beside it. A share
    in a sentence has what is `said` there.
    """

    name: str
    under: str
    value: Fraction
    shown: Shown
    device: Device | None = None
    unit: str = BYTES
    formula: sp.Expr | None = None
    said: str = ""

    @property
    def given(self) -> bool:
        """Whether it is no number of the answer, but one that it starts from."""
        return self.device is not None

    @property
    def of_one(self) -> bool:
        """Whether it is the part of one device in what its name says."""
        return self.under == OF_ONE

    @property
    def place(self) -> str:
        """The words of its row and of its column, or the left side of its line."""
        return f"{self.name}, {self.under}" if self.under else self.name

    def is_called(self, name: str) -> bool:
        """Whether `name` is that of its row, of its line or of its device."""
        if self.device is not None:
            return names_device(name, self.device)
        return not self.of_one and same_left(self.name, name)

    def is_of_one(self, claim: Claim) -> bool:
        """Whether it is what one device holds of what the claim names, and the claim says that it is of one."""
        return bool(claim.each) and self.of_one and one_word(self.name).lower() == one_word(claim.name).lower()

    def can_be(self, claim: Claim) -> bool:
        """Whether a claim is a number in such a unit. Without a name that says little of anything but memory, time and shares."""
        unit = self._unit(claim)
        if not unit and self.unit == BYTES:
            return claim.is_in_bytes(self.value)
        if self.unit == BYTES or unit in IN_BYTES:
            return self.unit == BYTES and unit in IN_BYTES
        if is_time(self.unit) or is_time(unit):
            return is_time(self.unit) and is_time(unit)
        if self.unit in PERCENT and self.under and not claim.percent:
            return False  # a cell of a table of bytes
        if claim.percent and not self._is_share_of(claim.of):
            return False
        if claim.bare and not (claim.percent and self.unit in PERCENT):
            return False
        try:
            self._each(unit)
        except BadInput:
            return False
        return True

    def _is_share_of(self, whole: str) -> bool:
        """Whether the words for a whole stand in this order in the sentence, or in the head of the column; so do no words at all."""
        there = iter(_WORD.findall(f"{self.under} {self.said}".lower()))
        return all(word in there for word in _WORD.findall(whole.lower()))

    def is_repeated(self, claim: Claim) -> bool:
        """Whether a claim has the figures that are printed, in either family of units, or is the exact number."""
        assert claim.spelled is not None, "only a number is printed"
        stated = claim.spelled.number * self._each(self._unit(claim))
        return stated in self._told or (self.figures(claim) or 0) > MANY_FIGURES

    @cached_property
    def _told(self) -> tuple[Fraction, ...]:
        """The exact number, and what its figures say in each family of units."""
        families = FAMILIES if self.unit == BYTES else ()
        told = (self.shown, *(shown(self.value, family) for family in families))
        return self.value, *(Fraction(one.figures) * self._each(one.unit) for one in told)

    def figures(self, claim: Claim) -> int | None:
        """To how many figures a claim is right of it, by the rule; None where it is another number."""
        assert claim.spelled is not None, "only a number is printed"
        if self.claimed.whole:
            return 0 if self.value == claim.spelled.number * self._each(self._unit(claim)) else None
        exact, number = self.value / self._each(self._unit(claim)), claim.spelled.number
        figures = right_to(exact, number)
        as_shown = right_to(exact, number, least=claim.spelled.shown) if figures else None  # 12.530 has five
        return figures if as_shown is None else as_shown

    def is_for(self, claim: Claim) -> bool:
        """Whether it is counted for one device, where the claim says that it is."""
        return not claim.each or self.of_one or " per " in self.unit

    def _unit(self, claim: Claim) -> str:
        """The unit of a claim, with what it is for one of where that belongs to the unit of the amount: tokens per chip."""
        assert claim.spelled is not None, "only a number is printed"
        each = f" {claim.each}" if claim.each and " per " in self.unit else ""
        return f"{claim.spelled.unit}{each}".strip()

    def _each(self, unit: str) -> Fraction:
        """What one of another unit is in that of the amount."""
        return Fraction(IN_BYTES[unit or BYTES]) if self.unit == BYTES else factor(unit, self.claimed, "", self.name)

    @property
    def claimed(self) -> Claimed:
        """The amount as a number that can be claimed."""
        things = self.value.denominator == 1 and self.unit in THINGS
        measures = BYTES if self.unit == BYTES else "count" if things else "number"
        of_one = "device" if self.of_one else ""
        return Claimed(self.value, measures, self.place, unit=self.unit, given=self.given, of_one=of_one)


def printed(study: Study, question: Question) -> tuple[Printed, ...]:
    """The amounts that an answer shows, and what it leaves out; none where the question cannot be answered.

    Formulas that a study writes out have names, line by line, and beside them stands what editions of a source compute: none
    of these are claimed so.

    >>> from symbolic_mem.library.read import load_study
    >>> study = load_study("cluster-gpt-3-175b")
    >>> next(one.shown.plain for one in printed(study, study.question("b")) if one.is_called("Adam moments"))
    '≈ 20.844 GiB'
    """
    if question.subject == "formulas":
        return shown_by(study, question, "recorded", lambda seen: _recorded(answer_to(seen, question).record))
    return shown_by(study, question, "printed", lambda seen: _shown(seen, question))


def _shown(seen: Study, question: Question) -> Iterator[Printed]:
    found = question.advise(answer_to(seen, question))
    for head, said in found.summary:
        yield from _under(head, said)
    said = (question.sentence(found), *found.cautions)
    yield from _amounts((*question.steps(found), *map(Paragraph, said)))
    yield from _recorded(found.record)
    if question.subject == "memory":
        for one in beyond_instants(seen):
            size = one.at(Numbers.of(seen.values))
            if size is not None:
                yield _printed(one.words, "", gib(size))
    if question.weighed and (device := seen.capacity.device) is not None and device.label:
        number, unit = device.label.split()
        yield Printed(
            f"the label of {device.title}", "", Fraction(number) * IN_BYTES[unit], Shown(number, unit, True), device
        )
        for read in every_reading(seen.capacity):
            counted, name = gib(read.nominal), str(read.reading)
            own = device if read.reading == seen.capacity.reading else None
            yield from (
                Printed(name, "", exactly(counted.value), counted.shown, one) for one in dict.fromkeys((None, own))
            )


def _recorded(record: Mapping[str, Any]) -> Iterator[Printed]:
    """The numbers of an answer by the names that its record has for them."""
    for name, value in record.items():
        if isinstance(value, int | Fraction | sp.Rational) and not isinstance(value, bool):
            unit = "GiB" if name.endswith("_bytes") else ""
            yield _printed(name, "", Amount(symbolic(exactly(value)), unit))


def in_account(study: Study) -> Iterator[Printed]:
    """The amounts that the account of a study shows beside its terms: its instants, what it leaves out, terms on one device."""
    step = step_of(study)
    yield from (_printed(one.words, "", gib(one.bytes)) for one in step)
    ahead = margin(step) if step else None
    if ahead:
        yield from (_printed(name, "", gib(ahead)) for name in ("over the next instant", "margin_bytes"))
    if study.built.stored is not None:
        yield _printed("published_weight_bytes", "", gib(study.built.stored))
    seen = [study.seen_at(step[0].study.at)] if step else []  # what no instant of a step counts
    for one in (study, *seen):
        for head, said in uncounted_lines(one, study.values):
            yield from _under(head, said)
    for one in kept_instants(study, KINDS):
        held = at(one.placed().total, study.values)
        if held is not None:
            yield _printed("what is kept", OF_ONE, gib(held))
    for said in (*assumptions(study), *placements(study)):
        yield from (_printed("an assumption", "", one) for one in _inside(said))
    for term in study.placed():
        held = at(Memory((term,)).total, study.values)
        if held is not None:
            yield _printed(term.name, OF_ONE, gib(held))


def _under(head: str, said: Prose) -> Iterator[Printed]:
    """The amounts of a line at a glance, which has a head."""
    return (_printed(f"what stands under “{head}”", "", one) for one in _inside(said))


def _amounts(blocks: Iterable[Block]) -> Iterator[Printed]:
    """The amounts of lines and tables, then those of sentences."""
    said: list[Prose] = []
    for block in blocks:
        match block:
            case Step():
                for chain in block.chains:
                    yield from _of_line(chain)
                said += [block.statement, *(() if block.reason is None else (block.reason,))]
            case Table():
                for row in block.rows:
                    name = plain_prose(row[0]) or "together"
                    for column, cell in zip(block.columns[1:], row[1:], strict=True):
                        yield from (_printed(name, plain_prose(column.head), one) for one in _inside(cell))
                said += [block.caption, *(column.head for column in block.columns), *(row[0] for row in block.rows)]
            case Paragraph() | Answer():
                said.append(block.prose)
            case Bullets():
                for item in block.items:
                    head = plain_prose(Prose(tuple(takewhile(lambda part: isinstance(part, str), item.parts))))
                    if head.endswith(": "):
                        yield from (_printed(head.removesuffix(": "), "", one) for one in _inside(item))
                    said.append(item)
    for sentence in said:
        for one in _inside(sentence):
            share = one.shown.unit in PERCENT
            yield _printed(_SAID, "", one, said=plain_prose(sentence) if share else "")


def _of_line(chain: Chain) -> Iterator[Printed]:
    """The amounts that a line says its left side to be, and no other that it is held against."""
    for relation, side in chain.links:
        if relation not in ("=", "≈") or chain.asked:
            return
        if isinstance(side, Amount) and _is_told(side):
            yield _printed(plain(chain.left), "", side)


def _inside(words: Prose) -> Iterator[Amount]:
    for part in words.parts:
        if isinstance(part, Amount) and _is_told(part):
            yield part
        elif isinstance(part, Chain):
            yield from (side for _, side in part.links if isinstance(side, Amount) and _is_told(side))
        elif isinstance(part, Brief) and isinstance(part.shown, Prose):
            yield from _inside(part.shown)


def _is_told(amount: Amount) -> bool:
    return amount.shown.unit in (*IN_BYTES, *PERCENT) and bool(amount.value.is_number)


def _printed(name: str, under: str, amount: Amount, said: str = "") -> Printed:
    unit = BYTES if amount.shown.unit in IN_BYTES else amount.shown.unit
    return Printed(name, under, exactly(amount.value), amount.shown, unit=unit, said=said)
