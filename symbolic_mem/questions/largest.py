"""The question `largest`: the largest batch, length, depth, width or model that fits, by powers of the unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput, nearest
from symbolic_mem.base.exact import missing, number
from symbolic_mem.base.ledger import Ledger
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import B, P, S, T, lookup, named
from symbolic_mem.document.prose import Prose, Typeset, say
from symbolic_mem.document.steps import Block
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.assumptions import assumptions
from symbolic_mem.questions.parts.bounded import held_at
from symbolic_mem.questions.parts.instants import hardest, instant_words, instants
from symbolic_mem.questions.parts.keys import OfKinds, Printed, values
from symbolic_mem.questions.parts.lines import account_lines, power_lines
from symbolic_mem.questions.parts.powers import (
    account_steps,
    answer_words,
    none_steps,
    none_words,
    power_steps,
    requirement,
    value_steps,
)
from symbolic_mem.questions.parts.printed import printed_blocks
from symbolic_mem.questions.parts.uncounted import uncounted_lines, uncounted_records
from symbolic_mem.questions.parts.words import capacity_blocks, capacity_summary, placement_sentences
from symbolic_mem.solvers.capacity import Capacity
from symbolic_mem.solvers.inverse import Upper, upper
from symbolic_mem.solvers.powers import contained, written_coefficients
from symbolic_mem.study.question import At, Claimed, Found, key, sets, words
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

ALIASES = {"tokens": "T", "parameters": "P"}


def _unknown(given: Any, at: At) -> sp.Symbol:
    name = words(given, at)
    symbol = lookup(ALIASES.get(name, name))
    if symbol is None:
        raise BadInput(f"{at.where} = {name!r} is not in the memory; {nearest(name, ('B', 'S', 'L', *ALIASES))}")
    return symbol


@dataclass(frozen=True)
class Largest(Printed, OfKinds):
    """The largest whole value of a symbol at which one device's share fits, or why there is none."""

    ask = "largest"
    solvable = True

    symbol: sp.Symbol = key(_unknown, B, name="for")
    values: tuple[Change, ...] = sets(values)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The unknown, with B and S where it is the tokens, and what the question gives values to for itself."""
        tokens = ("B", "S") if str(self.symbol) == "T" else ()
        return (str(self.symbol), *tokens, *(change.aspect for change in self.values))

    def upper(self, study: Study) -> Upper:
        """Solve for the unknown at the instant of the study: the engine of every face."""
        memory = study.placed(self.counted)
        if str(self.symbol) not in contained(memory):
            known = contained(memory)
            raise BadInput(
                f"{self.where or 'solve'}: for = {str(self.symbol)!r} is not in the memory; "
                f"{nearest(str(self.symbol), known)}"
            )
        known = {symbol: value for symbol, value in study.values.items() if symbol != self.symbol}
        return upper(memory, self.symbol, study.capacity.counted, strict=self.strict).at(known)

    def answer(self, study: Study) -> FoundLargest:
        """Find the largest value; the instant of a step that leaves least room decides."""
        return (
            hardest(study, self.counted, self._at_instant, _hardness)
            if self._decided(study)
            else (self._at_instant(study))
        )

    def _at_instant(self, study: Study) -> FoundLargest:
        answer, parameters = self.upper(study), study.model.parameters
        with_p = self.symbol != P and not parameters.has(self.symbol) and not missing(parameters, study.values)
        powers = [k for k, _ in answer.bound.powers]
        written = written_coefficients(answer.bound.memory, self.symbol, powers, with_p=with_p)
        return FoundLargest(study, self, study.capacity, answer, written)

    def _decided(self, study: Study) -> bool:
        """Whether every instant bounds the unknown; an instant without it must fit by itself, or `BadInput`."""
        for one in instants(study, self.counted)[1:]:
            memory = one.placed(self.counted)
            if str(self.symbol) not in contained(memory):
                self._need_room(one, memory)
                return False
        return True

    def _need_room(self, study: Study, memory: Memory) -> None:
        study.need(memory.total, f"question {self.label}")
        size, room = number(memory.total, study.values), study.capacity.counted
        if not Limit(room, self.strict).holds(size):
            raise BadInput(
                f"the optimizer step, with all gradients, takes {ceil(size):,} bytes of the {int(room):,} on each "
                f"device: what is kept then does not fit, whatever {self.symbol} is; divide more, for example over a "
                "larger n_fsdp"
            )

    def steps(self, found: FoundLargest) -> Iterator[Block]:
        """The terms, collected by powers of the unknown, the requirement solved for it, and a check."""
        study, answer, bound = found.study, found.upper, found.upper.bound
        work = Work({symbol: value for symbol, value in study.values.items() if symbol != self.symbol})
        first = study.questions[:1] == (self,) or self.label == "solve"
        yield from account_steps(study, bound, work, first=first)
        yield from power_steps(bound, found.written, work)
        yield from (*capacity_blocks(found.capacity, work), requirement(bound))
        if answer.value is None:
            yield from none_steps(answer, work)
            return
        yield from value_steps(answer, work)
        yield from printed_blocks(self, study, sp.Integer(answer.value), named(self.symbol).unit)

    def sentence(self, found: FoundLargest) -> Prose:
        """Say the largest value, what one device then holds, and that one more would not fit; or why there is none."""
        return answer_words(found.upper, found.study.placement, found.capacity, found.reason)

    def heading(self, found: FoundLargest) -> str:
        """The title where the study gives none."""
        return self.title or f"The largest {named(self.symbol).meaning} at which what is kept fits"

    @property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed."""
        return (str(self.symbol),)

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The largest value, under the name of its symbol."""
        asked = instants(study, self.counted) if self._decided(study) else (study,)
        values = [self.upper(one).value for one in asked]
        value = None if None in values else min(value for value in values if value is not None)
        return {
            str(self.symbol): Claimed(
                value, "count", f"the largest {named(self.symbol).meaning} at which what is kept fits"
            )
        }


def _hardness(found: FoundLargest) -> float:
    return float("inf") if found.value is None else -found.value


@dataclass(frozen=True, repr=False)
class FoundLargest(Found):
    """The largest value, its neighbours in bytes, or why there is none."""

    capacity: Capacity
    upper: Upper
    written: Mapping[int, tuple[sp.Expr, ...]]

    @property
    def value(self) -> int | None:
        """The largest whole value."""
        return self.upper.value

    @property
    def feasible(self) -> bool:
        """Whether some value fits."""
        return self.upper.feasible

    @property
    def reason(self) -> Prose | None:
        """Why there is no largest value, and what would help."""
        return None if self.value is not None else none_words(self.upper)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of memory that are kept and counted."""
        return self.study.memory.of(*self.question.counted).kinds

    @property
    def assumptions(self) -> tuple[Prose, ...]:
        """What the answer takes for granted."""
        placement = {kind: placed for kind, placed in self.study.placement.items() if kind in self.kinds}
        said = (*assumptions(self.study), *placement_sentences(self.kinds, placement))
        return (*said, *instant_words(self.study)) if "gradients" in self.question.counted else said

    @property
    def ledger(self) -> Ledger:
        """The account, the coefficients of the powers of the unknown, and what one device holds."""
        x = self.upper.bound.symbol
        lines = () if x == P else account_lines(self.study, self.kinds)
        known: dict[sp.Symbol, Any] = {**self.study.values}
        known |= {} if self.value is None else {x: self.value}
        return Ledger((*lines, *power_lines(self.upper.bound, self.capacity)), known)

    @property
    def _known(self) -> Mapping[sp.Symbol, Any]:
        """The numbers at the answer: none where it is a number of parameters, whose shapes are open."""
        x = self.upper.bound.symbol
        rest = {symbol: value for symbol, value in self.study.values.items() if symbol != x}
        if x == P or self.value is None:
            return {} if x == P else rest
        return {**rest, B: self.value, S: 1} if x == T else {**rest, x: self.value}

    @property
    def summary(self) -> Iterator[tuple[str, Prose]]:
        """The bound, its condition, the capacity, and both neighbours of the answer in bytes."""
        bound, value = self.upper.bound, self.upper.value
        if bound.quotient is not None:
            yield "bound", say("{x} {sign} {q}", x=bound.symbol, sign=bound.limit.sign, q=bound.quotient)
        pieces = {"one": bound.condition.lhs, "sign": bound.limit.sign, "capacity": bound.capacity}
        yield "condition", say("{one} {sign} {capacity}", **pieces)
        yield from capacity_summary(self.capacity)
        if value is not None:
            yield held_at(value, self.upper.per_device(value), fits=True)
            yield held_at(value + 1, self.upper.per_device(value + 1), fits=False)
        yield from uncounted_lines(self.study, self._known)
        for said in self.assumptions:
            yield "assumed", said

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
            "per_device_bytes": answer.per_device_bytes,
            "at_value_plus_one_bytes": answer.at_value_plus_one_bytes,
            "not_counted": uncounted_records(self.study, self._known),
            "assumptions": self.assumptions,
            "reason": self.reason,
        }
