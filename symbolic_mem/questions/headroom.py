"""The question `headroom`: what a number of devices leaves free, and how far batch and depth can still grow on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import missing
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number, rounded_up, symbolic
from symbolic_mem.base.symbols import B, C_mem, L, M_device, M_divided, M_fixed, P, S, T, local, n_fsdp, named
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Prose, Total, amount, apart, say, text
from symbolic_mem.document.steps import Block, Column, Paragraph, Table
from symbolic_mem.document.words import about, count, plural, sentence_of, sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.assumptions import assumptions, divided_model, ranks_beside, whose
from symbolic_mem.questions.parts.bounded import held_at, per_device_steps
from symbolic_mem.questions.parts.cautions import close_fit
from symbolic_mem.questions.parts.instants import bound_at, each_words, fitting, instants, words_of
from symbolic_mem.questions.parts.keys import OfKinds, degree, degree_on, whole
from symbolic_mem.questions.parts.lines import account_lines, degree_lines
from symbolic_mem.questions.parts.memory import memory_blocks, memory_numbers
from symbolic_mem.questions.parts.peaks import here_blocks
from symbolic_mem.questions.parts.powers import none_steps, none_words, power_steps, requirement, value_steps
from symbolic_mem.questions.parts.uncounted import uncounted_lines, uncounted_records
from symbolic_mem.questions.parts.words import (
    capacity_blocks,
    capacity_summary,
    few_figures,
    placement_sentences,
    reading_of,
)
from symbolic_mem.solvers.bound import Solved
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.insight import LeftOver, left_over
from symbolic_mem.solvers.inverse import Upper, tightness, upper_anyway
from symbolic_mem.solvers.powers import contains, powers_of, written_coefficients
from symbolic_mem.study.question import Claimed, Found, key, naming
from symbolic_mem.study.study import Study

M_free = local("M", "free")
GROWING = ((T, B), (L,))  # sequences where tokens alone do not decide


@dataclass(frozen=True, repr=False)
class Headroom(OfKinds):
    """What `devices` devices leave free, and the largest batch and depth that still fit on as many."""

    ask = "headroom"
    of_training = True
    solvable = True

    symbol: sp.Symbol = key(degree, n_fsdp, name="for")
    devices: int = key(whole, 0)

    def checked(self) -> Self:
        """Refuse a question without a number of devices."""
        if not self.devices:
            raise BadInput(f"{self.where}: devices is missing; give a whole number: devices = 8")
        return super().checked()

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The degree, which the question gives a value to."""
        return (str(self.symbol),)

    @property
    def finds(self) -> tuple[str, ...]:
        """Nothing: the number of devices is given, by the question or by the caller."""
        return ()

    def called(self, given: Mapping[sp.Symbol, sp.Rational], study: Study) -> Self:
        """The question about as many devices as the degree that the caller gives takes."""
        if self.symbol not in given:
            return self
        number = int(given[self.symbol]) * ranks_beside(study, self.symbol)
        return replace(self, devices=number, replaced=(*self.replaced, "devices"))

    def fixed(self, study: Study) -> Mapping[str, int]:
        """The degree, by the number of devices."""
        return {str(self.symbol): self.degree(study)}

    def degree(self, study: Study) -> int:
        """The degree on all devices: see `degree_on`."""
        return degree_on(self.devices, study, self.symbol, self.where or self.label)

    def answer(self, study: Study) -> FoundHeadroom:
        """Find what is left, and how far each symbol can grow; the instant that leaves least room decides each number."""
        moments = instants(study, self.counted)
        left, one = min(((self._left(one), one) for one in moments), key=lambda found: found[0].each)
        bound = bound_at(one, self.counted, self.symbol, strict=self.strict)
        most: list[Most] = []
        unsolved: list[Unsolved] = []
        for symbols in GROWING:
            grown = instants(_open(study, symbols[-1]), self.counted)
            found = next((m for x in symbols if (m := self._most(grown, x, study))), None)
            why = None if found else self._why(grown, symbols[-1])
            if found:
                most.append(found)
            elif why is not None:
                unsolved.append(Unsolved(symbols[-1], _now(study, symbols[-1]), why))
        return FoundHeadroom(one, self, study.capacity, left, bound.at(one.values), tuple(most), tuple(unsolved))

    def _left(self, study: Study) -> LeftOver:
        with naming(self.label):
            return left_over(
                study.placed(self.counted), self.symbol, self.degree(study), study.capacity.counted, study.numbers
            )

    def _least(self, moments: tuple[Study, ...], x: sp.Symbol) -> tuple[Study, Upper, tuple[Upper, ...]] | None:
        """The largest value of a symbol at the instant that allows least, and at all; None where there is none to tell."""
        memories = [one.placed(self.counted) for one in moments]
        if not any(contains(memory, x) for memory in memories):
            return None
        try:
            found = [self._upper(one, x) for one in moments]
        except BadInput:
            return None
        least = max(found, key=tightness)
        return moments[found.index(least)], least, tuple(found)

    def _why(self, moments: tuple[Study, ...], x: sp.Symbol) -> Prose | None:
        """Why the memory does not say how far a symbol can grow; None where it does, or does not contain it."""
        for one in moments:
            memory = one.placed(self.counted)
            if not contains(memory, x):
                continue
            try:
                powers_of(memory, x)
            except BadInput:
                if x == T:
                    return say(
                        "tokens alone do not decide, because some of what is kept depends on {b} and {s} in another way "
                        "than through their product",
                        b=B,
                        s=S,
                    )
                return say("the memory is no polynomial in {x}", x=x)
            try:
                self._upper(one, x)
            except BadInput:
                return say("the memory does not grow with {x} everywhere", x=x)
        return None

    def _most(self, moments: tuple[Study, ...], x: sp.Symbol, asked: Study) -> Most | None:
        """That value with the value now, and its coefficients as they are written."""
        found = self._least(moments, x)
        if found is None:
            return None
        (study, least, uppers), bound = found, found[1].bound
        parameters = study.model.parameters
        with_p = not parameters.has(x) and not missing(parameters, study.values)
        written = written_coefficients(bound.memory, x, [k for k, _ in bound.powers], with_p=with_p)
        moment = None if study.at is None else words_of(study)
        return Most(least, _now(asked, x), written, with_p, uppers, fitting(study), moment)

    def _upper(self, study: Study, x: sp.Symbol) -> Upper:
        """Solve for the largest value at one instant, which either grows with the symbol or must fit by itself."""
        memory, limit = study.placed(self.counted), Limit(study.capacity.counted, self.strict)
        known = {**study.values, self.symbol: sp.Integer(self.degree(study))}
        return upper_anyway(memory, x, limit).at(known)

    def steps(self, found: FoundHeadroom) -> Iterator[Block]:
        """Account and placement, what one device keeps and has free, then each symbol that can grow, and a table of all."""
        study, work = found.study, Work(found.study.values)
        if study.at is not None:
            yield Paragraph(say("What stays free is decided by one of them: {instant}.", instant=words_of(study)))
        if study.questions[:1] == (self,):
            yield from memory_blocks(study, work, self.counted)
        else:
            memory_numbers(study, work, self.counted)
            yield from here_blocks(study, work, found.kinds)
        yield from per_device_steps(
            found.placement, found.kinds, found.share, work, divided_model(found.study), whose(found.study)
        )
        yield from capacity_blocks(found.capacity, work)
        yield from found.left_steps(work)
        for most in found.most:
            yield from self._growth(found, most)
        if found.most or found.unsolved:
            yield found.table

    def _growth(self, found: FoundHeadroom, most: Most) -> Iterator[Block]:
        study, bound = found.study, most.upper.bound
        known = {symbol: value for symbol, value in study.values.items() if symbol != bound.symbol}
        work = Work({**known, self.symbol: sp.Integer(self.degree(study)), C_mem: found.capacity.counted})
        if most.with_p:
            work.define(P, study.model.parameters)
        if most.moment is not None:
            yield Paragraph(say("How far {x} can grow is decided by {instant}.", x=bound.symbol, instant=most.moment))
        yield from power_steps(bound, most.written, work)
        yield requirement(bound)
        yield from (
            none_steps(most.upper, work, most.what) if most.value is None else value_steps(most.upper, work, most.what)
        )

    def sentence(self, found: FoundHeadroom) -> Prose:
        """Say what each device keeps and has free, or how much too much it is; then how far each symbol can grow."""
        reading, pieces = reading_of(found.placement), found.pieces
        if found.reason is not None:
            start = [] if reading is None else [say("What follows is with {reading}.", reading=reading)]
            return sentences(*start, sentence_of(found.reason), *found.closing)
        if reading is not None:
            pieces |= {"reading": reading}
            kept = say(
                "With {reading}, on {n} {devices} each {holds} {used} of its {counted}, and {free} stay free.", **pieces
            )
        else:
            kept = say("On {n} {devices} each {holds} {used} of its {counted}, and {free} stay free.", **pieces)
        return sentences(kept, *found.closing)

    def beside(self, found: Any) -> tuple[Prose, ...]:
        """Say that two instants count, where gradients do not persist."""
        return (each_words(found.study),) if len(instants(found.study, self.counted)) > 1 else ()

    def heading(self, found: FoundHeadroom) -> str:
        """The title where the study gives none."""
        return self.title or f"What is left on {self.devices} {plural(self.devices, 'device', 'devices')}"

    @property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: the bytes that are free on one device, and each largest value."""
        growing = GROWING if "activations" in self.counted else GROWING[1:]
        return ("headroom", *(str(x) for symbols in growing for x in symbols))

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The free bytes, and the largest value of each symbol that the memory grows with."""
        moments = instants(study, self.counted)
        left = min((self._left(one) for one in moments), key=lambda one: one.each)
        fits = Limit(left.capacity, self.strict).holds(left.used)
        meaning = f"bytes free on each of {self.devices} devices"
        claims = {"headroom": Claimed(left.each if fits else None, "bytes", meaning, unit="bytes")}
        for x in (x for symbols in GROWING for x in symbols):
            most = self._least(instants(_open(study, x), self.counted), x)
            if most is not None:
                words = f"the largest {named(x).meaning} at which {fitting(moments[0])} fits on {self.devices} devices"
                claims[str(x)] = Claimed(most[1].value, "count", words, unit=named(x).unit)
        return claims

    def unclaimable(self, study: Study, name: str) -> Prose:
        """Why the memory does not say how far that symbol can grow."""
        symbol = next((x for symbols in GROWING for x in symbols if str(x) == name), None)
        if symbol is None:
            return super().unclaimable(study, name)
        why = self._why(instants(_open(study, symbol), self.counted), symbol)
        return say("what is kept does not depend on {x}", x=symbol) if why is None else why


def _open(study: Study, x: sp.Symbol) -> Study:
    """The study without a number of blocks, where that is what grows, so that its instants are those of many blocks."""
    return replace(study, values={symbol: v for symbol, v in study.values.items() if symbol != x}) if x == L else study


def _now(study: Study, x: sp.Symbol) -> sp.Expr | None:
    """The value of a symbol in the study."""
    now = (B * S if x == T else x).xreplace(dict(study.values))
    return now if now.is_number else None


@dataclass(frozen=True)
class Unsolved:
    """A symbol of which the memory does not say how far it can grow, its value `now`, and why."""

    symbol: sp.Symbol
    now: sp.Expr | None
    reason: Prose

    @property
    def closing(self) -> Prose:
        """That there is no answer, and why."""
        pieces: dict[str, Any] = {"x": self.symbol, "meaning": named(self.symbol).meaning, "why": self.reason}
        return say("How far {x} ({meaning}) can grow is not found: {why}.", **pieces)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The keys of a largest value, and why there is none."""
        keys = ("feasible", "value", "per_device_bytes", "at_value_plus_one_bytes", "one_more_needs_bytes")
        return {"symbol": str(self.symbol), "now": self.now, **dict.fromkeys(keys), "reason": self.reason}


@dataclass(frozen=True)
class Most:
    """The largest whole value of one symbol that still fits, the value `now`, and its coefficients as they are written.

    `everywhere` are the bounds at all instants: what one device keeps is what it keeps where that is most. `moment` is the
    instant that decides, where they are known.
    """

    upper: Upper
    now: sp.Expr | None
    written: Mapping[int, tuple[sp.Expr, ...]]
    with_p: bool
    everywhere: tuple[Upper, ...]
    what: str = "what is kept"
    moment: Prose | None = None

    @property
    def symbol(self) -> sp.Symbol:
        """What grows."""
        return self.upper.bound.symbol

    @property
    def value(self) -> int | None:
        """The largest whole value."""
        return self.upper.value

    @property
    def reason(self) -> Prose | None:
        """Why there is no largest value."""
        return None if self.value is not None else none_words(self.upper, self.what)

    @property
    def more_needs(self) -> Number | None:
        """Bytes that one more would need on each device beyond those that it has."""
        return None if self.value is None else self.held(self.value + 1) - self.upper.capacity

    def held(self, value: int) -> Number:
        """Exact bytes of one device at a value, at the instant at which that is most."""
        return max(one.per_device(value) for one in self.everywhere)

    @property
    def closing(self) -> Prose:
        """The largest value and what one more would need, or why there is none."""
        pieces: dict[str, Any] = {"x": self.symbol, "meaning": named(self.symbol).meaning}
        if self.value is None or self.more_needs is None:
            pieces |= {"why": self.reason or ""}
            if self.upper.unbounded:
                return say("There is no largest {x} ({meaning}): {why}.", **pieces)
            return say("There is no such {x} ({meaning}): {why}.", **pieces)
        pieces |= {
            "most": Amount(sp.Integer(self.value)),
            "more": Amount(sp.Integer(self.value + 1)),
            "needs": Amount(symbolic(self.more_needs), "bytes", digits=14),
            "what": self.what,
        }
        return say(
            "The largest {x} ({meaning}) at which {what} fits is {most}: {more} would need {needs} more than each "
            "device has.",
            **pieces,
        )

    @property
    def facts(self) -> Mapping[str, Any]:
        """The largest value, and its neighbour in bytes."""
        return {
            "symbol": str(self.symbol),
            "now": self.now,
            "feasible": self.upper.feasible,
            "value": self.value,
            "per_device_bytes": None if self.value is None else rounded_up(self.held(self.value)),
            "at_value_plus_one_bytes": None if self.value is None else rounded_up(self.held(self.value + 1)),
            "one_more_needs_bytes": self.more_needs,
            "reason": self.reason,
        }


@dataclass(frozen=True, repr=False)
class FoundHeadroom(Found):
    """What is left on each device, what it is made of, how far each symbol can grow, and of which that is not found."""

    question: Headroom
    capacity: Capacity
    left: LeftOver
    share: Solved
    most: tuple[Most, ...]
    unsolved: tuple[Unsolved, ...] = ()

    @property
    def together(self) -> Number:
        """Bytes that stay free on all devices."""
        return self.question.devices * self.left.each

    @property
    def closing(self) -> tuple[Prose, ...]:
        """How far each symbol can grow, in words."""
        return tuple(each.closing for each in (*self.most, *self.unsolved))

    @property
    def feasible(self) -> bool:
        """Whether what one device keeps fits."""
        return self.share.bound.limit.at({}).holds(self.left.used)

    @property
    def value(self) -> Number | None:
        """Bytes that are free on each device."""
        return self.left.each if self.feasible else None

    @property
    def pieces(self) -> dict[str, Any]:
        """The numbers of the sentences."""
        unit = self.capacity.unit
        used, counted = apart(Amount(symbolic(self.left.used), unit), Amount(self.capacity.counted, unit, beside=True))
        return {
            "n": self.question.devices,
            "devices": self._devices,
            "holds": "keeps" if self.study.at is None else "holds at the peak",
            "hold": "keep" if self.study.at is None else "hold at the peak",
            "used": used,
            "counted": few_figures(self.capacity) or counted,
            "free": about(Amount(symbolic(self.left.each), unit)),
            "over": about(Amount(symbolic(-self.left.each), unit)),
        }

    @property
    def _devices(self) -> Prose:
        """The word after their number, with the degree where that is another number."""
        word = plural(self.question.devices, "device", "devices")
        if self.left.count == self.question.devices:
            return text(word)
        return say("{word} ({n} = {value})", word=word, n=self.question.symbol, value=self.left.count)

    @property
    def reason(self) -> Prose | None:
        """Why it does not fit, and what would help."""
        if self.feasible:
            return None
        pieces = {**self.pieces, "help": text(self._help)}
        if self.left.each == 0:
            return say("on {n} {devices} each would {hold} {used}, which is all that it has; {help}", **pieces)
        return say("on {n} {devices} each would {hold} {used} of its {counted}, {over} too much; {help}", **pieces)

    @property
    def _help(self) -> str:
        """What would help, at the instant that does not fit."""
        memory, shared = self.share.bound.memory, self.share.bound.divided != 0
        if memory.of("activations", "buffers").terms:
            if shared:
                return "take more devices, divide more of the memory, or make the batch or the model smaller"
            return "divide more of the memory, or make the batch or the model smaller"
        if shared:
            return "take more devices, divide more of the memory, or make the model smaller"
        return "divide more of the memory, or make the model smaller"

    def left_steps(self, work: Work) -> Iterator[Block]:
        """What one device keeps at this number of devices, and what it has free, or by how much it is too much."""
        n, limit, fixed = self.share.bound.symbol, self.share.bound.limit, self.share.fixed != 0
        work.define(n, sp.Integer(self.left.count))
        whole = self.share.bound.divided == 0
        held = M_fixed if whole else M_fixed + M_divided / n if fixed else M_divided / n
        work.define(M_device, held)
        kept, free = symbolic(self.left.used), symbolic(self.left.each)
        yield work.step(
            say("On {n} {devices} each {holds}", **self.pieces),
            Chain(
                M_device,
                (
                    ("=", Total((M_fixed, M_divided / n)) if fixed and not whole else held),
                    ("=", work.put(held)),
                    amount(kept, "bytes", digits=14),
                    amount(kept, "GiB"),
                ),
            ),
        )
        if not self.feasible:
            yield work.step(
                say("{what} does not fit. What is too much is", what=fitting(self.study).capitalize()),
                Chain(M_device, ((limit.fails, C_mem),)),
                Chain(M_device - C_mem, (amount(-free, "bytes", digits=14), amount(-free, "GiB"))),
            )
            return
        work.define(M_free, C_mem - M_device)
        yield work.step(
            say("{what} fits. What stays free on each is", what=fitting(self.study).capitalize()),
            Chain(M_device, ((limit.sign, C_mem),)),
            Chain(M_free, (("=", C_mem - M_device), amount(free, "bytes", digits=14), amount(free, "GiB"))),
        )

    @property
    def table(self) -> Table:
        """How far each symbol can grow, at a glance."""
        heads = (
            Column(text("symbol")),
            Column(text("in the study"), "right"),
            Column(say("largest at which {what} fits", what=fitting(self.study)), "right"),
            Column(text("bytes then kept"), "right"),
            Column(text("bytes that one more lacks"), "right"),
        )
        rows = tuple(
            (
                say("{x}", x=most.symbol),
                count(most.now),
                count(most.value),
                text("–") if most.value is None else _bytes(most.held(most.value)),
                text("–") if most.more_needs is None else _bytes(most.more_needs),
            )
            for most in self.most
        )
        rows += tuple(
            (say("{x}", x=each.symbol), count(each.now), text("–"), text("–"), text("–")) for each in self.unsolved
        )
        caption = say("How far each can grow on {n} {devices}, the others held", **self.pieces)
        return Table(caption, heads, rows)

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the answer takes for granted."""
        return (
            *assumptions(self.study),
            *divided_model(self.study),
            *placement_sentences(self.kinds, self.placement, whose(self.study)),
        )

    @property
    def cautions(self) -> tuple[Prose, ...]:
        """That no process has so much room."""
        return close_fit(self.capacity, self.left.used) if self.feasible else ()

    @property
    def ledger(self) -> Ledger:
        """The account, what is divided and what is not, what one device holds, and what it has free."""
        lines = (*account_lines(self.study, self.kinds), *degree_lines(self.share.bound, self.capacity))
        free = Line(M_free, C_mem - M_device, "bytes", "what is free on one device")
        return Ledger((*lines, free), self._known)

    @property
    def _known(self) -> dict[sp.Symbol, sp.Expr]:
        """The numbers of the study, with the number of devices in its place."""
        return {**self.study.values, self.share.bound.symbol: sp.Integer(self.left.count)}

    @property
    def summary(self) -> Iterator[tuple[str, Prose]]:
        """The capacity, what one device keeps, what is free on all together, and each largest value with its neighbour."""
        yield from capacity_summary(self.capacity)
        yield held_at(
            self.left.count, self.left.used, self.capacity.counted, fits=self.feasible, what=fitting(self.study)
        )
        if self.feasible:
            yield "together", say("{free} free on all of them", free=about(Amount(symbolic(self.together), "GiB")))
        for most in self.most:
            if most.value is not None and most.more_needs is not None:
                needs = Amount(symbolic(most.more_needs), "bytes", digits=14)
                pieces = {"most": Amount(sp.Integer(most.value)), "needs": about(needs)}
                yield f"largest {most.symbol}", say("{most}; one more lacks {needs} on each device", **pieces)
        yield from uncounted_lines(self.study, self._known)
        for said in self.assumptions:
            yield "assumed", said

    @property
    def facts(self) -> Mapping[str, Any]:
        """Used and free bytes, and each largest value."""
        return {
            "for": str(self.share.bound.symbol),
            "devices": self.question.devices,
            "degree": self.left.count,
            "feasible": self.feasible,
            "value": self.value,
            "strict": self.share.bound.strict,
            "capacity_bytes": int(self.capacity.counted),
            "reading": self.capacity.reading,
            "device": self.capacity.device.name if self.capacity.device else None,
            "used_bytes": self.left.used,
            "free_bytes_each": self.left.each,
            "free_bytes": self.together,
            "largest": [each.facts for each in (*self.most, *self.unsolved)],
            "not_counted": uncounted_records(self.study, self._known),
            "assumptions": self.assumptions,
            "reason": self.reason,
        }


def _bytes(size: Number) -> Prose:
    return about(Amount(symbolic(size), digits=14))
