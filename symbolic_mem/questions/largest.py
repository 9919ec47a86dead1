"""The question `largest`: the largest batch, length, depth, width or model that fits, by powers of the unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import inf, lcm
from typing import Any, Self

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import missing
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.symbols import B, P, V, f_load, lookup, n_fsdp, named
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.figure import Figure
from symbolic_mem.document.prose import Prose
from symbolic_mem.document.steps import Block, Paragraph
from symbolic_mem.document.words import sentences
from symbolic_mem.document.work import Work
from symbolic_mem.questions.parts.batch_claims import close
from symbolic_mem.questions.parts.few_turns import ask_few
from symbolic_mem.questions.parts.found_largest import FoundLargest
from symbolic_mem.questions.parts.grown import OF_TURNS, at_blocks, blocks_turns, grown_instants
from symbolic_mem.questions.parts.host_keys import Host, host, need_both, offloaded
from symbolic_mem.questions.parts.host_sizes import none_fits, on_host
from symbolic_mem.questions.parts.instants import fitting, fitting_one, hardest, instants
from symbolic_mem.questions.parts.keys import OfKinds, OfRows, Printed, need_rows, values, whole
from symbolic_mem.questions.parts.peaks import peak_blocks, settle
from symbolic_mem.questions.parts.powers import (
    account_steps,
    answer_words,
    none_steps,
    power_steps,
    requirement,
    value_steps,
)
from symbolic_mem.questions.parts.printed import printed_blocks
from symbolic_mem.questions.parts.size_rules import size_rules
from symbolic_mem.questions.parts.unknown import ALIASES
from symbolic_mem.questions.parts.with_software import WithSoftware
from symbolic_mem.questions.parts.within import largest_within
from symbolic_mem.questions.parts.words import capacity_blocks
from symbolic_mem.solvers.inverse import Upper, tightness
from symbolic_mem.solvers.pieces import pieces
from symbolic_mem.solvers.powers import contained, contains, written_coefficients
from symbolic_mem.solvers.rules import AtMost, MultipleOf, Rule
from symbolic_mem.solvers.whole_rows import turns_of_rows, with_whole_rows
from symbolic_mem.study.answered import once_for
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import At, key, sets, words
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study


def _unknown(given: Any, at: At) -> sp.Symbol:
    name = words(given, at)
    symbol = lookup(ALIASES.get(name, name))
    if symbol is None:
        raise BadInput.unknown(f"{at.where} = {name!r} is not in the memory", name, ("B", "S", "L", *ALIASES))
    return symbol


@dataclass(frozen=True, repr=False)
class Largest(Printed, OfRows, WithSoftware, OfKinds):
    """The largest whole value of a symbol at which one device's share fits, or why there is none."""

    ask = "largest"
    solvable = True
    drawn = ("device", "bound", "step")

    symbol: sp.Symbol = key(_unknown, B, name="for")
    values: tuple[Change, ...] = sets(values)
    host: Host | None = key(host)
    per_host: int | None = key(whole)

    def checked(self) -> Self:
        """Refuse the memory of a host without the number of devices on it, or the other way round, and with whole rows."""
        need_both(self.host, self.per_host, self.where)
        if self.host is not None and self.padded_rows:
            raise BadInput(
                f"{self.where}: what a host holds is counted as divided evenly, and not in whole rows; leave host or padded_rows out"
            )
        return super().checked()

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The unknown, with B and S where it is the tokens, and what the question gives values to for itself."""
        tokens = ("B", "S") if str(self.symbol) == "T" else ()
        return (str(self.symbol), *tokens, *(change.aspect for change in self.values))

    def upper(self, study: Study, rules: Sequence[Rule] = (), turn: MultipleOf | None = None) -> Upper:
        """Solve for the unknown under `rules` at the instant of the study, which may hold nothing of it."""
        memory = study.placed(self.counted)
        if not contains(memory, self.symbol):
            moments = instants(study, self.counted)
            memories = [one.placed(self.counted) for one in moments]
            memories += [] if self.host is None else [offloaded(study)]
            known = sorted({name for one in memories for name in contained(one)})
            if str(self.symbol) not in known:
                raise BadInput.unknown(
                    f"{self.where or 'solve'}: for = {str(self.symbol)!r} is not in the memory", str(self.symbol), known
                )
            study.need(memory.total, f"question {self.label}")
        limit = Limit(study.capacity.counted, self.strict)
        return largest_within(study, self._in_rows(study, memory, turn), self.symbol, limit, rules, turn)

    def _in_rows(self, study: Study, memory: Memory, turn: MultipleOf | None) -> Memory:
        """The memory with what whole rows take, where they count; refuses them where nothing is cut into rows."""
        if not self.padded_rows:
            return memory
        self._need_rows(study)
        of_rows = turn if self.symbol == V else None
        return with_whole_rows(memory, n_fsdp, self.symbol, *self.padded_rows, study.values, of_rows)

    def _need_rows(self, study: Study) -> None:
        need_rows(study, "padded_rows")
        if n_fsdp not in study.values:
            raise BadInput(f"padded_rows cuts tensors over {n_fsdp} devices, and it has no value; add --set {n_fsdp}=8")
        if not any(term.degree.has(n_fsdp) for term in study.placed()):
            raise BadInput(f"padded_rows cuts tensors over {n_fsdp} devices, and nothing is divided over it here")

    def answer(self, study: Study) -> FoundLargest:
        """Find the largest value; the instant of a step that leaves least room decides."""
        found = self._decided(study)
        windows = () if found.value is None else pieces(found.study.placed(), self.symbol)[0].windows
        found = replace(found, written=self._written(found), windows=windows)
        settle(found.fullest_instants)
        return found

    def _decided(self, study: Study) -> FoundLargest:
        return once_for(study, self, "decided", lambda: self._of_turns(study))

    def _of_turns(self, study: Study) -> FoundLargest:
        """The largest of the answers at each remainder of a number of blocks, where a rule recomputes some of so many."""
        each = blocks_turns(study, self.counted, self.symbol)
        if not each:
            number = self._turns_of_rows(study)
            return self._under_host(study, None) if number == 1 else self._of_rows(study, number)
        several, turn_of, found = int(each[0].factor), {turn.rest: turn for turn in each}, dict[int, FoundLargest]()

        def largest(rest: int) -> int | None:
            found[rest] = self._under_host(study, turn_of[rest])
            return found[rest].value

        def fits(blocks: int) -> bool | None:
            return self._fits(study, turn_of[blocks % several], blocks)

        if self.host is not None or not ask_few(several, several // len(each), largest, fits):
            for rest in turn_of.keys() - found.keys():
                largest(rest)
        best = max(found.values(), key=lambda one: (one.upper.unbounded, one.value or 0, -(one.upper.smallest or inf)))
        return replace(best, turns=found, several=several)

    def _fits(self, study: Study, turn: MultipleOf, blocks: int) -> bool | None:
        """Whether so many blocks fit at every instant of many; None where not all of these are there."""
        moments = grown_instants(study, self.counted, self.symbol, turn)
        if blocks < _fewest(moments, self.symbol):
            return None
        limit = Limit(study.capacity.counted, self.strict)
        memories = (self._in_rows(one, one.placed(self.counted), turn) for one in moments)
        return all(
            limit.holds(memory.at({**one.values, self.symbol: blocks}))
            for one, memory in zip(moments, memories, strict=True)
        )

    def _turns_of_rows(self, study: Study) -> int:
        """By what number the remainder of the unknown says what whole rows lack; 1 where nothing depends on it."""
        if not self.padded_rows or self.symbol != V:
            return 1
        self._need_rows(study)
        opened = grown_instants(study, self.counted, self.symbol)
        memories = (one.placed(self.counted) for one in opened)
        return lcm(*(turns_of_rows(one, n_fsdp, self.symbol, *self.padded_rows, study.values) for one in memories))

    def _of_rows(self, study: Study, number: int) -> FoundLargest:
        """The largest of the answers at each remainder of a number of rows; the memory never falls as they grow, so few are asked."""
        every: dict[int, FoundLargest] = {}

        def fits(value: int) -> bool:
            rest = value % number
            if rest not in every:
                every[rest] = self._under_host(study, MultipleOf(number, OF_TURNS, rest))
            found = every[rest]
            return found.upper.unbounded or (found.value or 0) >= value

        if not fits(1) or every[1].upper.unbounded:
            return every[1]
        low = every[1].value or 1
        high = low + number
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        fits(high)
        both = {value % number: every[value % number] for value in (low, high)}
        return replace(every[low % number], turns=both, several=number)

    def _under_host(self, study: Study, turn: MultipleOf | None) -> FoundLargest:
        """The largest value that both the device and, where one is asked about, the host allow."""
        found = self._decide(study, turn)
        if self.host is None or self.per_host is None:
            return found
        there = on_host(self._balanced(study), self.symbol, self.host, self.per_host, turn)
        if found.value is None and not found.upper.unbounded:
            return replace(found, host=there)
        if not there.upper.feasible:
            return replace(found, upper=none_fits(found.upper), host=replace(there, decides=True))
        most = there.upper.value
        if most is None or (found.value is not None and most >= found.value):
            return replace(found, host=there)
        return replace(self._decide(study, turn, (there.rule,)), host=replace(there, decides=True))

    def _decide(self, study: Study, turn: MultipleOf | None, ruled: tuple[Rule, ...] = ()) -> FoundLargest:
        """The answer at the instants of many blocks, or of so few as the answer is.

        Some instants need several blocks, and one is that of an only block.
        """
        moments = grown_instants(self._balanced(study), self.counted, self._opens, turn)
        found = self._hardest(moments, ruled, turn)
        few = _fewest(moments, self.symbol)
        if found.upper.unbounded or (found.value or 0) >= few:
            return found
        least, step = found.upper.smallest or 1, 1 if turn is None else int(turn.factor)
        for blocks in (each for each in range(few - 1, least - 1, -1) if (each - least) % step == 0):
            there = self._with_blocks(study, blocks)
            if all((one.value or 0) >= blocks or one.unbounded for one in self._uppers(there, ruled, turn)):
                after = self._with_blocks(study, blocks + step)
                found, more = (self._hardest(each, ruled, turn) for each in (there, after))
                both = more.value == blocks and more.held(blocks) == found.held(blocks)
                return more if both else self._ending(found, there, (blocks, blocks + step), ruled, turn)
        return self._hardest(self._with_blocks(study, least), ruled, turn) if few > least else found

    def _ending(
        self,
        found: FoundLargest,
        there: tuple[Study, ...],
        ends: tuple[int, int],
        ruled: tuple[Rule, ...],
        turn: MultipleOf | None,
    ) -> FoundLargest:
        """The answer where so many blocks fit, and of the next number the instants of a step do not."""
        blocks, after = ends
        if found.value == blocks:
            return found
        return self._hardest(there, (*ruled, AtMost(blocks, f"a step of {after} has instants that do not fit")), turn)

    def _with_blocks(self, study: Study, blocks: int) -> tuple[Study, ...]:
        return at_blocks(study, self.counted, self.symbol, blocks)

    def _hardest(self, moments: Sequence[Study], ruled: tuple[Rule, ...], turn: MultipleOf | None) -> FoundLargest:
        found = zip(moments, self._uppers(moments, ruled, turn), strict=True)
        return hardest(
            list(found),
            lambda pair: FoundLargest(pair[0], self, pair[0].capacity, pair[1]),
            lambda one: tightness(one.upper),
        )

    def _uppers(self, moments: Sequence[Study], ruled: tuple[Rule, ...], turn: MultipleOf | None) -> Iterator[Upper]:
        """The answer at each of several instants of one study, whose rules are the same."""
        rules = (*size_rules(moments[0], self.symbol), *ruled)
        return (self.upper(one, rules, turn) for one in moments)

    def _balanced(self, study: Study) -> Study:
        """The study with a load of experts, the balanced one where none is given: without one no formula has it."""
        return (
            replace(study, values={f_load: sp.Integer(100), **study.values}, at=None)
            if self.symbol == f_load
            else study
        )

    @property
    def _opens(self) -> sp.Symbol | None:
        """What has no value while it is asked for; a load of experts keeps its own."""
        return None if self.symbol == f_load else self.symbol

    def _written(self, found: FoundLargest) -> Mapping[int, tuple[sp.Expr, ...]]:
        """The coefficients of the memory in the unknown, by power."""
        parameters, bound = found.study.model.parameters, found.upper.bound
        with_p = self.symbol != P and not parameters.has(self.symbol) and not missing(parameters, found.study.values)
        powers = [k for k, _ in bound.powers]
        return written_coefficients(bound.memory, self.symbol, powers, with_p=with_p)

    def steps(self, found: FoundLargest) -> Iterator[Block]:
        """The terms, collected by powers of the unknown, the requirement solved for it, and a check."""
        study, answer, bound = found.study, found.upper, found.upper.bound
        work = Work({symbol: value for symbol, value in study.values.items() if symbol != self.symbol})
        first = study.questions[:1] == (self,) or self.label == "solve"
        yield from account_steps(study, bound, work, first=first, cut=found.cut)
        yield from power_steps(bound, found.written, work)
        yield from (*capacity_blocks(found.capacity, work), requirement(bound))
        if found.host is not None and (found.value is not None or found.host.decides):
            yield found.host.block(found.value, work)
        if answer.value is None:
            if found.host is None or not found.host.decides:
                yield from none_steps(answer, work, fitting(study))
            return
        yield from value_steps(answer, work, fitting(study))
        if found.turns:
            yield Paragraph(sentences(*found.turned))
        yield from found.fuller_blocks
        yield from peak_blocks(found.fullest_instants)
        yield from printed_blocks(self, study, sp.Integer(answer.value), named(self.symbol).unit)

    def sentence(self, found: FoundLargest) -> Prose:
        """Say the largest value, what one device then holds, and that one more would not fit; or why there is none."""
        held = None if found.value is None else found.held(found.value)
        said = answer_words(
            found.among, found.study.placement, found.capacity, found.reason, held, fitting_one(found.study)
        )
        return said if found.host is None else sentences(said, *found.host.words(found.value))

    def figure(self, found: FoundLargest, name: str, family: str) -> Figure | None:
        """What one device holds at the answer and at each instant, and against the unknown."""
        from symbolic_mem.questions.parts.charts import memory_chart

        return memory_chart(found, name, family)

    def heading(self, found: FoundLargest) -> str:
        """The title where the study gives none."""
        return self.title or f"The largest {named(self.symbol).meaning} at which {fitting(found.study)} fits"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed."""
        return (str(self.symbol), *(("host",) if self.host is not None else ()))

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The largest value, under the name of its symbol, and what one host then holds."""
        found = self._decided(study)
        least = found.upper
        meaning = f"the largest {named(self.symbol).meaning} at which {fitting(found.study)} fits"
        counted = named(self.symbol).unit
        measures = "number" if counted == "parameters" else "count"
        real = None if least.rules or least.quotient is None else close(least.quotient)
        told = {str(self.symbol): Claimed(least.value, measures, meaning, quotient=real, unit=counted, extreme="most")}
        return told if found.host is None else {**told, "host": found.host.claim(found.value)}


def _fewest(moments: Sequence[Study], symbol: sp.Symbol) -> int:
    """How many blocks a step has at least that has all of some instants."""
    return max((one.at.least for one in moments if one.at is not None and one.at.count.has(symbol)), default=1)
