"""`FoundLargest`: the answer to a question about a largest size, for JSON, claims, tables and documents alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Term
from symbolic_mem.base.exact import Numbers
from symbolic_mem.base.ledger import Ledger
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import Number, symbolic
from symbolic_mem.base.symbols import B, P, S, T, V, n_fsdp
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Prose, Typeset, apart, say, text
from symbolic_mem.document.words import capitalised
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.questions.parts.assumptions import assumptions, divided_model, whose
from symbolic_mem.questions.parts.bounded import held_at
from symbolic_mem.questions.parts.cautions import BESIDE, cautions_of_fit, crowded
from symbolic_mem.questions.parts.found_instants import FoundAtInstants
from symbolic_mem.questions.parts.full_windows import full_windows
from symbolic_mem.questions.parts.grown import at_blocks
from symbolic_mem.questions.parts.host_sizes import OnHost
from symbolic_mem.questions.parts.instants import fitting, instant_words, words_of
from symbolic_mem.questions.parts.keys import OfRows
from symbolic_mem.questions.parts.lines import account_lines, power_lines
from symbolic_mem.questions.parts.peaks import Fullest, fullest, peak_facts, peak_summary
from symbolic_mem.questions.parts.powers import none_words, power_summary
from symbolic_mem.questions.parts.uncounted import uncounted_lines, uncounted_records
from symbolic_mem.questions.parts.words import capacity_summary, placement_sentences
from symbolic_mem.solvers.inverse import Upper
from symbolic_mem.solvers.layout import cuts_at
from symbolic_mem.solvers.rules import allowed


@dataclass(frozen=True, repr=False)
class FoundLargest(FoundAtInstants):
    """The largest value, its neighbours in bytes, or why there is none.

    `turns` has the answer at each remainder of a number of blocks by `several`, where a rule recomputes some of so many.
    """

    falls = False

    question: OfRows
    upper: Upper
    written: Mapping[int, tuple[sp.Expr, ...]] = field(default_factory=dict)
    windows: tuple[sp.Expr, ...] = ()
    host: OnHost | None = None
    turns: Mapping[int, FoundLargest] = field(default_factory=dict)
    several: int = 1

    @property
    def value(self) -> int | None:
        """The largest whole value."""
        return self.upper.value

    @property
    def symbol(self) -> sp.Symbol:
        """The unknown."""
        return self.upper.bound.symbol

    @property
    def limit(self) -> Limit:
        """What one device may hold."""
        return Limit(self.capacity.counted, self.upper.bound.strict)

    @property
    def feasible(self) -> bool:
        """Whether some value fits."""
        return self.upper.feasible

    @property
    def reason(self) -> Prose | None:
        """Why there is no largest value, and what would help."""
        if self.value is not None:
            return None
        if self.host is not None and self.host.decides:
            return self.host.reason
        if self.others and not self.feasible and self.upper.bound.degree == 0:
            kept, room = apart(
                Amount(symbolic(self.upper.constant_bytes), self.capacity.unit),
                Amount(symbolic(self.upper.capacity), self.capacity.unit),
            )
            return say(
                "at {moment}, one device keeps {kept} whatever {x} is, and has {room}; take a larger device, divide the "
                "memory over more devices, or choose a smaller model",
                moment=words_of(self.study),
                kept=kept,
                x=self.upper.bound.symbol,
                room=room,
            )
        return none_words(self.upper, fitting(self.study))

    @property
    def among(self) -> Upper:
        """The answer with the next number that is allowed at any remainder, where one of several remainders counts."""
        if self.value is None or not self.turns:
            return self.upper
        nexts = (allowed(one.upper.rules).first(self.value + 1) for one in self.turns.values())
        after = min((one for one in nexts if one is not None), default=None)
        ended = after is None or self._turn_of(after).upper.ended
        return replace(self.upper, next_value=None if ended else after)

    def _turn_of(self, value: int) -> FoundLargest:
        """The answer at the remainder of a number of blocks: this one, where its remainder does not matter."""
        return self.turns.get(value % self.several, self)

    @property
    def turned(self) -> Iterator[Prose]:
        """Say which of the bounds at each remainder counts."""
        if self.value is None or not self.turns:
            return
        several, rest = self.several, self.value % self.several
        if self.padded:
            yield say(
                "What whole rows take depends on the remainder of {x} divided by {n}, and never falls as {x} grows: {v} fits, with the "
                "remainder {r}, and the next {x} does not.",
                x=self.symbol,
                n=several,
                r=rest,
                v=self.value,
            )
            return
        pieces: dict[str, Any] = {"x": self.symbol, "n": several, "r": rest, "v": self.value}
        others = [one.value for one in self.turns.values() if one.value is not None and one.value != self.value]
        yield say(
            "What is recomputed depends on the remainder of {x} divided by {n}: at each remainder the memory at any moment grows by "
            "the same bytes for each further {n} blocks, so that the largest {x} is asked for at each.",
            **pieces,
        )
        if others:
            pieces |= {"w": max(others), "q": max(others) % several}
            yield say(
                "The largest of them is {v}, at the remainder {r}; the next is {w}, at the remainder {q}.", **pieces
            )
        else:
            yield say("The largest of them is {v}, at the remainder {r}; no other remainder has one.", **pieces)

    def held(self, value: int) -> Number:
        """Exact bytes of one device at a value of the unknown, at the instant at which that is most."""
        there = self._turn_of(value)
        return super().held(value) if there.value == self.value or there is self else there.held(value)

    def held_here(self, value: int) -> Number:
        """Exact bytes of one device at a value of the unknown, at the instant of this answer."""
        return self.upper.per_device(value)

    @property
    def powers_here(self) -> Mapping[int, Number] | None:
        """The factor of each power of the unknown."""
        return dict(self.upper.coefficients)

    @property
    def padded(self) -> bool:
        """Whether whole rows count, with their padding."""
        return bool(self.question.padded_rows)

    @property
    def cut(self) -> tuple[Prose, ...]:
        """That, as a sentence."""
        return tuple(say("{rule}.", rule=text(capitalised(one.words))) for one in self.question.padded_rows)

    @property
    def held_of(self) -> Callable[[Term], Number] | None:
        """What one device holds of a term at the answer, where tensors are cut into whole rows."""
        if self.value is None or not self.padded:
            return None
        return cuts_at(self.question.padded_rows, n_fsdp, int(self.known[n_fsdp]), Numbers(self.known, "whole rows"))

    @property
    def formula_here(self) -> sp.Expr:
        """The same as a formula."""
        return self.upper.bound.bytes_at(self.upper.bound.symbol)

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the answer takes for granted."""
        rules = (say("The largest {x} is {rule}.", x=self.symbol, rule=one.words) for one in self.upper.rules)
        said = (
            *assumptions(self.study),
            *self.cut,
            *full_windows(self.windows, self.value, self.known),
            *divided_model(self.study),
            *placement_sentences(self.kinds, self.placement, whose(self.study)),
            *rules,
            *self.turned,
        )
        return (*said, *instant_words(self.study), *self.fuller) if "gradients" in self.question.counted else said

    @property
    def cautions(self) -> tuple[Prose, ...]:
        """That no process has so much room, or that whole rows may have none."""
        if self.value is None:
            return ()
        held, padded = self.held(self.value), self.padded
        parts = (part for term in self.upper.bound.memory.of(*STATIC) for part in term.parts if part.shape)
        rows = self.symbol != V and any(part.shape[0].has(self.symbol) for part in parts)
        verb = "account" if rows else "solve"
        return cautions_of_fit(
            self.study, self.known, self.capacity, held, verb, padded=padded, counted=self.question.counted
        )

    @property
    def crowded(self) -> tuple[Prose, ...]:
        """That what is not counted may take more than is left."""
        held = None if self.value is None else self.held(self.value)
        return crowded(self.study, self.known, self.capacity, held, padded=self.padded, counted=self.question.counted)

    @property
    def beside_it(self) -> tuple[Prose, ...]:
        """That in short."""
        return (BESIDE,) if self.crowded else ()

    @property
    def ledger(self) -> Ledger:
        """The account, the coefficients of the powers of the unknown, and what one device holds."""
        x = self.upper.bound.symbol
        lines = () if x == P else account_lines(self.study, self.kinds)
        known: dict[sp.Symbol, Any] = {**self.study.values}
        known |= {} if self.value is None else {x: self.value}
        fullest = self.held_formula if self.others else None
        return Ledger((*lines, *power_lines(self.upper.bound, self.capacity, fullest)), known)

    @property
    def known(self) -> Mapping[sp.Symbol, Any]:
        """The numbers at the answer: none where it is a number of parameters, whose shapes are open."""
        x = self.upper.bound.symbol
        rest = {symbol: value for symbol, value in self.study.values.items() if symbol != x}
        if x == P or self.value is None:
            return {} if x == P else rest
        return {**rest, B: self.value, S: 1} if x == T else {**rest, x: self.value}

    @cached_property
    def fullest_instants(self) -> tuple[Fullest, ...]:
        """The fullest instant of each phase of a step at the answer."""
        if self.value is None or self.study.at is None or self.upper.bound.symbol in (P, T):
            return ()
        moments, numbers = [one.study for one in self.everywhere], Numbers(self.known, "the instants of a step")
        if any(one.at is not None and not one.at.exists(numbers) for one in moments):  # those of a block more decide
            moments = [*at_blocks(self.study, self.question.counted, self.symbol, self.value)]
        return fullest(moments, self.known, self.held_of)

    @property
    def summary(self) -> Iterator[tuple[str, Prose]]:
        """The bound, its condition, the capacity, and both neighbours of the answer in bytes."""
        value = self.upper.value
        yield from power_summary(self.upper)
        yield from capacity_summary(self.capacity)
        if value is not None:
            yield held_at(value, self.held(value), self.upper.capacity, fits=True, what=fitting(self.study))
            if not self.among.ended:
                above = self.among.above
                yield held_at(above, self.held(above), self.upper.capacity, fits=False)
        if self.host is not None:
            yield from self.host.rows(value)
        yield from peak_summary(self.fullest_instants)
        yield from uncounted_lines(self.study, self.known, padded=self.padded, software=self.question.software_counted)
        for said in self.assumptions:
            yield "assumed", said

    @property
    def _above_bytes(self) -> int | None:
        """Bytes of one device with one more, whether the rules allow it or not; None where there is no more."""
        return None if self.value is None or self.among.ended else self.held_bytes(self.value + 1)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The largest value as ``solve --for B --json`` prints it."""
        answer, bound = self.upper, self.upper.bound
        return {
            "for": str(bound.symbol),
            "feasible": answer.feasible,
            "value": answer.value,
            "formula": bound.formula,
            "latex": None if bound.formula is None else Typeset(bound.formula),
            "condition": bound.condition,
            "strict": bound.strict,
            "capacity_bytes": int(self.capacity.counted),
            "reading": self.capacity.reading,
            "device": self.capacity.device.name if self.capacity.device else None,
            "per_device_bytes": self.held_bytes(self.value),
            "at_value_plus_one_bytes": self._above_bytes,
            **({} if self.host is None else self.host.facts(self.value)),
            **peak_facts(self.fullest_instants),
            "not_counted": uncounted_records(
                self.study, self.known, padded=self.padded, software=self.question.software_counted
            ),
            "assumptions": self.assumptions,
            "reason": self.reason,
        }
