"""The question `fits_and_computes`: degrees that hold the memory and keep the chips busy, or why there are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Values
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.rational import symbolic
from symbolic_mem.base.symbols import M_X, B, C, T, W, n_fsdp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, say, text
from symbolic_mem.document.steps import Block
from symbolic_mem.document.words import counted, sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.both_edge import at_first, edge, one_sequence
from symbolic_mem.questions.parts.both_steps import BETA, D0, D1, K0, K1, bounds, on_one, whose_tokens, window
from symbolic_mem.questions.parts.cautions import BESIDE, cautions_of_fit, crowded
from symbolic_mem.questions.parts.instants import bound_at, each_words, fitting, instants
from symbolic_mem.questions.parts.keys import OfKinds, degree, one_of, placements
from symbolic_mem.questions.parts.lines import capacity_line
from symbolic_mem.questions.parts.one_device import fewest, on_one_device
from symbolic_mem.questions.parts.setting import setting
from symbolic_mem.questions.parts.uncounted import uncounted_records
from symbolic_mem.questions.parts.words import capacity_blocks
from symbolic_mem.solvers.both import Both, Share, both
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.found import Found
from symbolic_mem.study.keys import At, key, sets
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

TOKENS = ("batch", "device")


def _fsdp(given: Any, at: At) -> sp.Symbol:
    symbol = degree(given, at)
    if symbol != n_fsdp:
        raise BadInput(f"{at.where} = {given!r}: computing is bounded for FSDP alone; give n_fsdp, or leave it out")
    return symbol


_EDGES = ("{}_most", "batch_tokens_least", "{}_at_batch_tokens_least", "tokens_each_least")


@dataclass(frozen=True, repr=False)
class FitsAndComputes(OfKinds):
    """The interval of degrees under both bounds at the study's batch, and the batch from which there is one.

    `tokens` says whose tokens are kept: those of the whole ``batch``, or of each ``device``.
    """

    ask = "fits_and_computes"
    of_training = True

    symbol: sp.Symbol = key(_fsdp, n_fsdp, name="for")
    place: tuple[Change, ...] = sets(placements)
    tokens: str = key(one_of(*TOKENS), "batch")

    @property
    def each(self) -> bool:
        """Whether a device keeps what its own tokens need."""
        return self.tokens == "device"

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The degree."""
        return (str(self.symbol),)

    def reads(self, study: Study) -> frozenset[str] | None:
        """The symbols of the memory, and those of the rates and of the mesh axes that FSDP is laid over."""
        memory = super().reads(study)
        return None if memory is None else memory | {str(symbol) for symbol in (C, W, M_X)}

    def limits(self, study: Study) -> tuple[Both, int]:
        """Both bounds over every instant that must fit, and the tokens of the study's batch: the engine of every face."""
        found = setting(study, "fsdp", "forward")
        asked = []
        for one in instants(study, self.counted):
            memory = one.placed(self.counted)
            study.need(memory.total.xreplace({self.symbol: sp.S.One}), f"question {self.label}")
            asked.append(bound_at(one, self.counted, self.symbol, strict=self.strict))
        assert found.tokens is not None, "the memory needs B and S, and both have values"
        alone = [
            bound_at(one, self.counted, self.symbol, strict=self.strict, alone=True)
            for one in on_one_device(study, self.counted, self.symbol, instants)
            if fewest(study, self.symbol) == 1
        ]
        limits = both(study.model, found.roofline.network, asked, study.values, own=self.each, alone=alone)
        return limits, int(found.tokens)

    def answer(self, study: Study) -> FoundBoth:
        """Put the bound of memory beside that of computing."""
        study = study.without(self.symbol)
        limits, tokens = self.limits(study)
        deciding = limits.deciding(tokens)
        return FoundBoth(
            study,
            self,
            capacity=study.capacity,
            limits=limits,
            share=deciding,
            tokens=tokens,
            least=limits.least(tokens),
            most=limits.most(tokens),
            interval=limits.interval(tokens),
            first=limits.first_batch(),
        )

    def steps(self, found: FoundBoth) -> Iterator[Block]:
        """Whose tokens count, each bound, the window at the study's batch, and the batch at the edge of both."""
        share = found.share
        known = {**found.study.values, T: sp.Integer(found.tokens), BETA: symbolic(found.limits.beta)}
        known |= {
            K0: symbolic(share.fixed),
            K1: symbolic(share.fixed_per_token),
            D0: symbolic(share.divided),
            D1: symbolic(share.divided_per_token),
        }
        work = Work(known)
        yield from capacity_blocks(found.capacity, work)
        yield whose_tokens(share, self.symbol)
        yield from bounds(found, work)
        yield from window(found, work)
        yield from on_one(found, work)
        if found.first is None or found.first[1] > 1:
            yield from edge(found, work)
        if found.first is None:
            yield one_sequence(found, work)
        else:
            yield from at_first(found, work, *found.first)

    def sentence(self, found: FoundBoth) -> Prose:
        """Say which degrees do both at the study's batch, and the smallest batch that lets one."""
        return sentences(_here(found, counted(found.tokens, "tokens")), _at_best(found))

    def beside(self, found: Any) -> tuple[Prose, ...]:
        """Say that several instants count."""
        return (each_words(self.counted_in(found.study)),) if len(found.limits.shares) > 1 else ()

    def heading(self, found: FoundBoth) -> str:
        """The title where the study gives none."""
        return self.title or f"The degrees that hold {fitting(self.counted_in(found.study))} and keep the chips busy"

    def counted_in(self, study: Study) -> Study:
        """The study at an instant that counts."""
        return instants(study, self.counted)[0]

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: the degree, the first and the last of the interval, and the edge of both bounds."""
        return (str(self.symbol), *(name.format(self.symbol) for name in _EDGES))

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The smallest and the largest degree that do both, and the smallest batch that lets a degree do both."""
        limits, tokens = self.limits(study.without(self.symbol))
        low, high = limits.interval(tokens) or (None, None)
        batch, there = limits.first_batch() or (None, None)
        each = None if batch is None or there is None else Fraction(batch, there)
        meaning, both = "the smallest degree that {}", "holds what is kept and keeps the chips busy"
        smallest = Claimed(low, "devices", meaning.format(both), quotient=limits.quotient(tokens), unit="devices")
        edges = (
            Claimed(high, "count", f"the largest degree that {both}", unit="devices", extreme="most"),
            Claimed(
                batch,
                "count",
                "tokens in the smallest batch that lets a degree do both",
                unit="tokens",
                extreme="least",
            ),
            Claimed(there, "count", "the degree that does both at that batch", unit="devices"),
            Claimed(each, "number", "tokens of that batch for each device", unit="tokens", of_one="device"),
        )
        names = (name.format(self.symbol) for name in _EDGES)
        return {str(self.symbol): smallest, **dict(zip(names, edges, strict=True))}


@dataclass(frozen=True, repr=False)
class FoundBoth(Found):
    """Both bounds; what decides at the study's batch (`share`), the interval there, and the first batch with one."""

    question: FitsAndComputes
    capacity: Capacity
    limits: Both
    share: Share
    tokens: int
    least: int | None
    most: int
    interval: tuple[int, int] | None
    first: tuple[int, int] | None

    @property
    def symbol(self) -> sp.Symbol:
        """The degree."""
        return self.question.symbol

    @property
    def value(self) -> int | None:
        """The smallest degree that does both."""
        return None if self.interval is None else self.interval[0]

    @property
    def feasible(self) -> bool:
        """Whether some degree does both at the study's batch."""
        return self.interval is not None

    @property
    def reason(self) -> Prose | None:
        """Why no degree does both."""
        if self.feasible:
            return None
        if self.least is None:
            return text("what every device keeps in full does not fit, whatever the degree")
        return say(
            "at least {least} devices hold what is kept, and at most {most} stay busy", least=self.least, most=self.most
        )

    @property
    def ledger(self) -> Ledger:
        """The two lines of memory, and the tokens that keep a chip busy."""
        share = self.share
        return Ledger(
            (
                Line(K0, symbolic(share.fixed), "bytes", "what every device holds in full, without tokens"),
                Line(K1, symbolic(share.fixed_per_token), "bytes", "the same for each token"),
                Line(D0, symbolic(share.divided), "bytes", "what is divided, without tokens"),
                Line(D1, symbolic(share.divided_per_token), "bytes", "the same for each token"),
                Line(BETA, symbolic(self.limits.beta), "tokens", "tokens that keep one chip busy"),
                capacity_line(self.capacity),
            ),
            {T: sp.Integer(self.tokens)},
        )

    @property
    def held(self) -> Fraction | None:
        """Exact bytes of one device at the smallest degree that does both."""
        return None if self.value is None else self.limits.held(self.value, self.tokens)

    @property
    def cautions(self) -> tuple[Prose, ...]:
        """What may have no room beside that."""
        return cautions_of_fit(self._fullest, self._known, self.capacity, self.held, "account")

    @property
    def crowded(self) -> tuple[Prose, ...]:
        """That what is not counted may take more than is left."""
        return crowded(self._fullest, self._known, self.capacity, self.held)

    @property
    def beside_it(self) -> tuple[Prose, ...]:
        """That in short."""
        return (BESIDE,) if self.crowded else ()

    @property
    def _fullest(self) -> Study:
        """The study at an instant that counts."""
        return self.question.counted_in(self.study)

    @property
    def _known(self) -> Values:
        """The numbers of the study as one device has them: with the answer in its place, and its own part of the batch where that counts."""
        if self.value is None:
            return self.study.values
        own = {B: self.study.values[B] / self.value} if self.question.each else {}
        return {**self.study.values, self.symbol: sp.Integer(self.value), **own}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Both bounds, the interval, and the first batch that has one."""
        return {
            "for": str(self.question.symbol),
            "feasible": self.feasible,
            "value": self.value,
            "interval": self.interval,
            "interval_except": self.limits.between(self.tokens),
            "smallest_that_fits": self.least,
            "largest_that_computes": self.most,
            "batch_tokens": self.tokens,
            "first_batch_tokens": None if self.first is None else self.first[0],
            "first_batch_degree": None if self.first is None else self.first[1],
            "not_counted": uncounted_records(self._fullest, self._known),
        }


def _here(found: FoundBoth, tokens: Prose) -> Prose:
    if found.interval is None:
        return say("At {t} no degree does both.", t=tokens)
    low, high = found.interval
    between = found.limits.between(found.tokens)
    if between is not None and between[1] < high:
        return say(
            "At {t} one device and {low} to {high} devices both hold what is kept and stay busy; the smallest is 1.",
            t=tokens,
            low=between[1] + 1,
            high=high,
        )
    if high == 1:
        return say("At {t} one device both holds what is kept and stays busy, and no more do.", t=tokens)
    if low == high:
        return say(
            "At {t} {low} devices both hold what is kept and stay busy; the smallest is {low}.",
            t=tokens,
            low=low,
        )
    return say(
        "At {t} {low} to {high} devices both hold what is kept and stay busy; the smallest is {low}.",
        t=tokens,
        low=low,
        high=high,
    )


def _at_best(found: FoundBoth) -> Prose:
    if found.first is None:
        return say(
            "No batch lets any degree do both. One device does not hold even the smallest, and {why}", why=_why(found)
        )
    if found.first[1] == 1:
        return say(
            "The smallest batch of whole sequences that lets a degree do both is {t}, on one device, which sends nothing.",
            t=counted(found.first[0], "tokens"),
        )
    return say(
        "The smallest batch of whole sequences that lets a degree do both is {t}, with {n} devices: {own} for each.",
        t=counted(found.first[0], "tokens"),
        n=Amount(sp.Integer(found.first[1])),
        own=counted(sp.Rational(*found.first), "tokens"),
    )


def _why(found: FoundBoth) -> Prose:
    """Why no batch lets several devices do both."""
    if found.limits.linear(found.share) <= 0:
        return text(
            "what each of several keeps of the tokens that keep it busy leaves no room for the rest. A faster link, which keeps "
            "a chip busy with fewer tokens, or less memory for each token would help."
        )
    if found.limits.growing(found.share):
        return text(
            "several stay busy only with more tokens than they hold. Divide more of what every device keeps of the whole batch."
        )
    return text("several stay busy only with more tokens than they hold.")
