"""The question `stages`: ZeRO's table, the memory of one device or the largest model, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import sympy as sp

from symbolic_mem.accounts.terms import Memory
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import Values
from symbolic_mem.base.ledger import Line
from symbolic_mem.base.limit import Limit
from symbolic_mem.base.rational import fraction
from symbolic_mem.base.symbols import C_mem, P, local, lookup, n_fsdp, n_tp, named
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Chain, Prose, say, text
from symbolic_mem.document.steps import Block, Bullets
from symbolic_mem.document.words import joined, listed
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.questions.parts.editions import Figure, edition
from symbolic_mem.questions.parts.figures import figure, verdict
from symbolic_mem.questions.parts.found_stages import Cell, FoundStages, Solved
from symbolic_mem.questions.parts.instants import states
from symbolic_mem.questions.parts.keys import OnDevice, figures, items, values
from symbolic_mem.questions.parts.memory import parameter_steps
from symbolic_mem.questions.parts.stage_tables import amount_words, cells_table, stage_words, verdict_blocks
from symbolic_mem.questions.parts.unknown import need_unknown, unknown
from symbolic_mem.questions.parts.words import capacity_blocks
from symbolic_mem.questions.parts.zero import DIVIDED, TITLES, stage
from symbolic_mem.solvers.inverse import upper
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.keys import At, key, sets, words
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

LIMITS = ("device", "reading", "capacity", "reserved", "usable", "strict")


def _stages(given: Any, at: At) -> tuple[int, ...]:
    chosen = items(given, at)
    if not chosen or any(type(number) is not int or number not in DIVIDED for number in chosen):
        raise BadInput(f"{at.where} = {chosen!r}; give a list of 0 (baseline), 1, 2 and 3")
    if len(set(chosen)) < len(chosen):
        raise BadInput(f"{at.where} = {chosen!r} names a stage twice; give each once")
    return tuple(chosen)


def _rows(given: Any, at: At) -> tuple[sp.Symbol, tuple[int, ...]]:
    name, entries = next(iter(given.items())) if isinstance(given, dict) and len(given) == 1 else ("", None)
    symbol = lookup(name)
    whole = isinstance(entries, list) and entries and all(type(n) is int and n > 0 for n in entries)
    if symbol is None or symbol not in (n_fsdp, n_tp) or not whole:
        raise BadInput(f"{at.where} = {given!r}; give n_fsdp or n_tp with whole numbers: rows = {{ n_fsdp = [1, 4] }}")
    if len(set(entries)) < len(entries):
        raise BadInput(f"{at.where} = {given!r} names a number twice; give each once")
    return symbol, tuple(entries)


def _unit(given: Any, at: At) -> str:
    unit = words(given, at)
    if unit not in BYTES_PER:
        raise BadInput.one_of(f"{at.where}: unknown unit {unit!r}", BYTES_PER)
    return unit


def _printed(given: Any, at: At) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(figures(cell, at) for cell in items(row, at)) for row in items(given, at))


@dataclass(frozen=True, repr=False)
class Stages(OnDevice):
    """The states of one device in every stage of ZeRO, for each entry of the rows; or the largest symbol that fits."""

    ask = "stages"
    of_training = True
    places = ("n_fsdp", "n_tp")

    solved: sp.Symbol | None = key(unknown, name="for")
    stages: tuple[int, ...] = key(_stages, (1, 2, 3))
    rows: tuple[sp.Symbol, tuple[int, ...]] = key(_rows, (n_fsdp, (64,)))
    values: tuple[Change, ...] = sets(values)
    unit: str = key(_unit, "")
    printed: tuple[tuple[str, ...], ...] = key(_printed, ())
    printed_note: str = key(words, "")
    edition: str = key(edition, "")

    def checked(self) -> Self:
        """Refuse a printed table of another shape, and keys that say nothing about what is asked."""
        rows, columns = len(self.rows[1]), len(self.stages)
        if self.printed and (len(self.printed) != rows or any(len(row) != columns for row in self.printed)):
            raise BadInput(
                f"{self.where}: printed must have {rows} rows of {columns} figures, one for each stage; it has "
                f"{len(self.printed)} of {', '.join(str(len(row)) for row in self.printed)}"
            )
        if self.printed and not self.edition:
            raise BadInput(
                f"{self.where}: the printed figures are not dated; declare the edition that prints them (commit or "
                'version, and date) under [editions], and name it: edition = "NAME"'
            )
        if self.solved is not None and self.unit:
            raise BadInput(f"{self.where}: unit is that of memory, and {self.solved} is asked for; leave it out")
        limits = [name for name in LIMITS if getattr(self, name)]
        if self.solved is None and limits:
            raise BadInput(
                f"{self.where}: {listed(limits)} would count for the largest model that fits, and the bytes of one "
                'device are asked for; add for = "Psi", or leave it out'
            )
        return super().checked()

    @property
    def unknowns(self) -> tuple[str, ...]:
        """What is solved for, what the rows give, and what the question gives values to for itself."""
        solved = () if self.solved is None else (str(self.solved),)
        return (*solved, str(self.rows[0]), *(change.aspect for change in self.values))

    @property
    def weighed(self) -> bool:
        """Only where the largest model is asked for: the table of bytes has no device."""
        return self.solved is not None

    @property
    def counted(self) -> tuple[str, ...]:
        """The states: what the stages divide."""
        return STATIC

    @property
    def memory_unit(self) -> str:
        """The unit that bytes are shown in, and printed in."""
        return self.unit or "GB"

    @property
    def finds(self) -> tuple[str, ...]:
        """What is solved for, and the symbol of the rows where the caller gives no value to it."""
        given = "rows" in dict(self.replaced)
        return tuple(name for name in super().finds if not given or name != str(self.rows[0]))

    @property
    def stepped(self) -> tuple[sp.Symbol, ...]:
        """The symbol of the rows."""
        return (self.rows[0],)

    def fixed(self, study: Study) -> Mapping[str, int]:
        """The symbol of the rows, where there is one row."""
        return {str(self.rows[0]): self.rows[1][0]} if len(self.rows[1]) == 1 else {}

    def called(self, given: Mapping[sp.Symbol, sp.Rational], study: Study) -> Self:
        """The question with one row, of the value that the caller gives; no source prints that table."""
        symbol, own = self.rows
        rows = (symbol, (int(given.get(symbol, 0)),))
        if symbol not in given or rows == self.rows:
            return self
        gone = ("rows", f"{symbol} = {', '.join(map(str, own))}")
        return replace(self, rows=rows, printed=(), printed_note="", replaced=(*self.replaced, gone))

    def answer(self, study: Study) -> FoundStages:
        """Compute every cell; raises `MissingValue` for a symbol without a value."""
        rows, study = self.rows[0], states(study)
        known = {symbol: value for symbol, value in study.values.items() if symbol not in (rows, self.solved)}
        parallel = rows == n_tp or n_tp in study.values
        memories = {number: stage(study.memory, number, tensor_parallel=parallel) for number in self.stages}
        parameters = study.model.parameters
        if self.solved is not None:
            need_unknown(self.solved, study.memory.of(*STATIC), self.where or "stages")
        counted = self.solved is None or not parameters.has(self.solved)
        if counted:
            study.need(parameters, f"question {self.label}")
        return FoundStages(
            study,
            self,
            self.stages,
            rows,
            known,
            Line(P, parameters, "parameters", named(P).meaning) if counted else None,
            tuple(_line(number, memory, with_p=counted) for number, memory in memories.items()),
            tuple(self._cells(study, memories)),
            self.memory_unit if self.solved is None else named(self.solved).unit,
            None if self.solved is None else self._solved(self.solved, study, memories),
        )

    def steps(self, found: FoundStages) -> Iterator[Block]:
        """Say what each stage divides, what one device then holds, what that allows, and tabulate the cells."""
        work = Work(found.known)
        if found.parameters is not None:
            yield from parameter_steps(found.study.model, work)
        yield Bullets(tuple(stage_words(number) for number in found.stages))
        for line in found.lines:
            work.define(line.symbol, line.expr)
        chains = [Chain(line.symbol, (("=", line.expr),)) for line in found.lines]
        yield work.step(text("So one device holds, in bytes,"), *chains)
        if found.solved is not None:
            yield from capacity_blocks(found.solved.capacity, work)
            yield self._rearranged(found.solved, work)
        yield cells_table(found)
        printed = [Figure(written, self.edition) for row in self.printed for written in row]
        yield from verdict_blocks(found, printed, self.printed_note)

    def sentence(self, found: FoundStages) -> Prose:
        """State the cells of the last row."""
        entry, cells = list(found.at_entries.items())[-1]
        pieces = {"s": found.rows, "e": sp.Integer(entry), "cells": joined([_in_stage(cell, found) for cell in cells])}
        if found.solved is None:
            return say("With {s} = {e}, one device holds {cells}.", **pieces)
        return say("With {s} = {e}, the largest {x} is {cells}.", x=found.solved.symbol, **pieces)

    def heading(self, found: FoundStages) -> str:
        """The title where the study gives none."""
        return self.title or "Stage by stage"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: every cell, as ``stage_1_at_64``; where there is one row, as ``stage_1``."""
        entries = self.rows[1]
        return tuple(_cell_name(number, entry, entries) for entry in entries for number in self.stages)

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """The bytes of one device, or the largest value of what is solved for, in every cell."""
        found = answer_to(study, self)
        measures = "bytes" if self.solved is None else "number" if found.unit == "parameters" else "count"
        unit = "bytes" if self.solved is None else found.unit
        return {
            _cell_name(cell.stage, cell.entry, self.rows[1]): Claimed(
                None if cell.value is None else fraction(cell.value),
                measures,
                f"what {TITLES[cell.stage]} gives at {self.rows[0]} = {cell.entry}",
                unit=unit,
                of_one="device" if measures == "bytes" else "",
            )
            for cell in found.cells
        }

    def _cells(self, study: Study, memories: dict[int, Memory]) -> Iterator[Cell]:
        rows, entries = self.rows
        scale = BYTES_PER[self.memory_unit] if self.solved is None else 1
        for position, entry in enumerate(entries):
            given = {**study.values, rows: sp.Integer(entry)}
            for column, (number, memory) in enumerate(memories.items()):
                value = self._value(study, memory, given)
                if not self.printed or study.caller:
                    yield Cell(number, entry, value)
                    continue
                printed = self.printed[position][column]
                if value is None:
                    yield Cell(number, entry, None, printed, "different")
                else:
                    off = figure(printed) * scale - value
                    yield Cell(number, entry, value, printed, verdict(value / scale, printed), off)

    def _value(self, study: Study, memory: Memory, given: Values) -> Any:
        """The bytes of one device, or the largest value of what is solved for; None where there is none."""
        if self.solved is None:
            total = memory.total.xreplace({self.rows[0]: given[self.rows[0]]})
            study.need(total, f"question {self.label}")
            return total.xreplace(dict(given))
        known = {symbol: value for symbol, value in given.items() if symbol != self.solved}
        largest = upper(memory, self.solved, study.capacity.counted, strict=self.strict).at(known).value
        return None if largest is None else sp.Integer(largest)

    def _solved(self, symbol: sp.Symbol, study: Study, memories: dict[int, Memory]) -> Solved:
        bounds = (upper(memory, symbol, C_mem, strict=self.strict).quotient for memory in memories.values())
        return Solved(symbol, study.capacity, tuple(sp.together(bound) for bound in bounds if bound is not None))

    def _rearranged(self, solved: Solved, work: Work) -> Block:
        pieces, limit = {"c": C_mem, "x": solved.symbol}, Limit(C_mem, self.strict)
        if self.strict:
            said = say("Less than {c} on one device, solved for {x} (the largest whole number counts):", **pieces)
        else:
            said = say("At most {c} on one device, solved for {x} (the largest whole number counts):", **pieces)
        return work.step(said, *(Chain(solved.symbol, ((limit.sign, q),), asked=True) for q in solved.quotients))


def _cell_name(number: int, entry: int, entries: tuple[int, ...]) -> str:
    name = TITLES[number].replace(" ", "_")
    return name if len(entries) == 1 else f"{name}_at_{entry}"


def _line(number: int, memory: Memory, *, with_p: bool) -> Line:
    """The bytes of one device in a stage, with the parameters as P where they are counted."""
    parts = (term.short / term.degree if with_p and term.short is not None else term.bytes for term in memory.terms)
    return Line(
        local("M", TITLES[number]),
        sp.Add(*parts),
        "bytes",
        f"the states on one device: {TITLES[number]}",
        of_one="device",
    )


def _in_stage(cell: Cell, found: FoundStages) -> Prose:
    shown = amount_words(cell.value, found)
    if cell.stage == 0:
        return say("{cell} without", cell=shown)
    return say("{cell} in {stage}", cell=shown, stage=TITLES[cell.stage])
