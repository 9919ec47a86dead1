"""The question `stages`: ZeRO's table, the memory of one device or the largest model, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term, place
from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.symbols import C_mem, P, Psi, lookup, n_fsdp, n_tp, named
from symbolic_mem.base.units import BYTES_PER
from symbolic_mem.document.prose import Amount, Chain, Prose, say, text
from symbolic_mem.document.steps import Answer, Block, Bullets, Column, Paragraph, Section, Table
from symbolic_mem.document.words import about, listed
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.plans.placement import Placed
from symbolic_mem.questions.largest import unknown
from symbolic_mem.questions.parts.memory import parameter_steps
from symbolic_mem.questions.parts.printed import SCALES, figure, verdict
from symbolic_mem.questions.parts.words import KIND_WORDS, capacity_blocks
from symbolic_mem.solvers.inverse import Upper, upper
from symbolic_mem.study.question import Question
from symbolic_mem.study.study import Study

DIVIDED: dict[int, tuple[str, ...]] = {0: (), 1: ("optimizer",), 2: ("gradients", "optimizer"), 3: STATIC}
TITLES = {0: "baseline", 1: "stage 1", 2: "stage 2", 3: "stage 3"}
MARKS = {"exact": "", "rounded": "", "truncated": " (cut)", "different": " (off)"}


def stage(memory: Memory, number: int, *, tensor_parallel: bool = False) -> Memory:
    """Return the states of one device under a stage of ZeRO; tensor parallelism divides every term as well.

    Stages 1, 2 and 3 divide the optimizer state, then also the gradients, then also the weights over n_fsdp devices
    (Rajbhandari et al., 2020, arXiv:1910.02054, section 5).

    >>> from symbolic_mem import account, recipe
    >>> from symbolic_mem.models.parameters import parameters_only
    >>> stage(account(parameters_only(), recipe("zero-16")), 1).total
    4*Psi + 12*Psi/n_fsdp
    """
    states = memory.of(*STATIC)
    if tensor_parallel:
        states = place(states, dict.fromkeys(STATIC, Placed(n_tp)))
    return place(states, dict.fromkeys(DIVIDED[number], Placed(n_fsdp)))


def stages(study: Study, question: Question) -> tuple[Section, dict[str, Any]]:
    """Derive the memory of one device (or the largest `for`) for every stage, and one table over the rows.

    Raises `BadInput` for rows that are not one symbol with whole numbers, and for a stage other than 0 to 3.
    """
    where = question.where or "stages"
    chosen = _numbers(question, where)
    symbol, entries = _rows(question, where)
    given = dict(study.under(question).values)
    parallel = symbol == n_tp or n_tp in given
    memories = {number: stage(study.memory, number, tensor_parallel=parallel) for number in chosen}
    shown = _Cells(study, question, given, memories)
    blocks: list[Block] = [Paragraph(text(str(question.get("text"))))] if "text" in question.options else []
    values = {name: value for name, value in given.items() if name not in (symbol, shown.unknown)}
    work = Work(values)
    if shown.unknown is None or not study.model.parameters.has(shown.unknown):
        study.under(question).need(study.model.parameters, f"question {question.label}")
        blocks += parameter_steps(study.model, work)
    blocks += shown.formulas(work)
    rows, facts, printed = [], [], question.get("printed", [])
    if printed and (len(printed) != len(entries) or any(len(row) != len(chosen) for row in printed)):
        raise BadInput(f"{where}: printed must have {len(entries)} rows of {len(chosen)} figures, one for each stage")
    for position, entry in enumerate(entries):
        cells: list[Prose] = [say("{v}", v=sp.Integer(entry))]
        for column, number in enumerate(chosen):
            value = shown.value(number, given | {symbol: sp.Integer(entry)})
            stated = str(printed[position][column]) if printed else None
            cells.append(shown.figure(value))
            if stated is not None:
                cells.append(text(stated + MARKS[shown.held(value, stated)]))
            facts.append(
                {"stage": number, str(symbol): entry, "value": value, "printed": stated}
                | ({} if stated is None else {"verdict": shown.held(value, stated)})
            )
        rows.append(tuple(cells))
    heads = [Column(say("{s}", s=symbol), "right")]
    for number in chosen:
        heads.append(Column(text(TITLES[number]), "right"))
        if printed:
            heads.append(Column(text("printed"), "right"))
    blocks.append(Table(shown.caption, tuple(heads), tuple(rows)))
    blocks += _verdicts(question, shown, facts)
    blocks.append(Answer(shown.answer(symbol, entries[-1], given)))
    title = question.get("title", "Stage by stage")
    found = {"study": study.name, "question": question.label, "cells": facts, "unit": shown.unit}
    return Section(text(f"({question.label}) {title}"), tuple(blocks)), found


class _Cells:
    """What stands in the cells: bytes of one device, or the largest value of the symbol that is solved for."""

    def __init__(
        self, study: Study, question: Question, values: Mapping[sp.Symbol, sp.Expr], memories: dict[int, Memory]
    ) -> None:
        self.study, self.question, self.memories = study, question, memories
        self.unit = str(question.get("unit", "GB"))
        self.unknown = unknown(question, study.memory) if "for" in question.options else None
        if self.unknown is None and self.unit not in BYTES_PER:
            raise BadInput(f"{question.where}: unknown unit {self.unit!r}; known: {', '.join(BYTES_PER)}")
        self.capacity = None if self.unknown is None else study.capacity(question)
        if self.unknown is not None:
            self.unit = named(self.unknown).unit

    def bound(self, number: int, values: Mapping[sp.Symbol, sp.Expr]) -> Upper:
        assert self.unknown is not None and self.capacity is not None
        known = {symbol: value for symbol, value in values.items() if symbol != self.unknown}
        strict = bool(self.question.get("strict", False))
        return upper(self.memories[number], self.unknown, self.capacity.counted, strict=strict).at(known)

    def value(self, number: int, values: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr | None:
        if self.unknown is None:
            study = replace(self.study, values=values)
            study.need(self.memories[number].total, f"question {self.question.label}")
            return self.memories[number].total.xreplace(dict(values))
        found = self.bound(number, values).value
        return None if found is None else sp.Integer(found)

    def held(self, value: sp.Expr | None, printed: str) -> str:
        if value is None:
            return "different"
        return verdict(sp.Rational(value) / BYTES_PER.get(self.unit, 1), printed)

    def cell(self, value: sp.Expr | None) -> Prose:
        if value is None:
            return text("–")
        if self.unknown is None:
            return about(Amount(value, self.unit))
        return about(Amount(value / SCALES["B"], "billion")) if self.billions else about(Amount(value))

    def figure(self, value: sp.Expr | None) -> Prose:
        """The cell of the table: the number alone, whose unit stands in the caption."""
        if value is None:
            return text("–")
        scale = BYTES_PER[self.unit] if self.unknown is None else SCALES["B"] if self.billions else 1
        return about(Amount(value / scale))

    @property
    def billions(self) -> bool:
        """Whether numbers are shown in billions (10^9): parameters are."""
        return self.unknown in (P, Psi)

    @property
    def caption(self) -> Prose:
        if self.unknown is None:
            return text(f"Memory of the states on one device, in {self.unit}")
        unit = f"billions of {self.unit}" if self.billions else self.unit
        return say(f"The largest {{x}}, in {unit}", x=self.unknown)

    def formulas(self, work: Work) -> list[Block]:
        """One line for every stage: what is divided, and so what one device holds."""
        said = []
        for number in self.memories:
            kinds = [KIND_WORDS[kind] for kind in DIVIDED[number]]
            words = f"the {listed(kinds)} {'are' if len(kinds) > 1 else 'is'} divided over" if kinds else "nothing is"
            said.append(
                say(f"{TITLES[number].capitalize()}: {words} {{n}} devices.", n=n_fsdp)
                if kinds
                else text("Baseline: nothing is divided by stages; every device holds all states.")
            )
        blocks: list[Block] = [Bullets(tuple(said))]
        chains = []
        for number, memory in self.memories.items():
            shorts = [_short(term) if P in work.values else term.bytes for term in memory.terms]
            left = sp.Symbol(f"M_{TITLES[number]}", positive=True)
            work.define(left, memory.total)
            chains.append(Chain(left, (("=", sp.Add(*shorts)),)))
        blocks.append(work.step(text("So one device holds, in bytes,"), *chains))
        if self.unknown is not None and self.capacity is not None:
            blocks += capacity_blocks(self.capacity, work)
            blocks.append(self._rearranged(work))
        return blocks

    def _rearranged(self, work: Work) -> Block:
        assert self.unknown is not None and self.capacity is not None
        strict = bool(self.question.get("strict", False))
        relation = "<" if strict else "≤"
        lines = []
        for memory in self.memories.values():
            bound = upper(memory, self.unknown, C_mem, strict=strict)
            if bound.quotient is not None:
                lines.append(Chain(self.unknown, ((relation, sp.together(bound.quotient)),), asked=True))
        statement = say(
            "At most {c} on one device, solved for {x} (the largest whole number counts):", c=C_mem, x=self.unknown
        )
        return work.step(statement, *lines)

    def answer(self, symbol: sp.Symbol, entry: int, values: Mapping[sp.Symbol, sp.Expr]) -> Prose:
        parts = []
        for number in self.memories:
            value = self.value(number, {**values, symbol: sp.Integer(entry)})
            parts.append(say(f"{{cell}} in {TITLES[number]}" if number else "{cell} without", cell=self.cell(value)))
        what = "one device holds" if self.unknown is None else "the largest {x} is"
        sentence = parts[0]
        for part in parts[1:-1]:
            sentence = say("{a}, {b}", a=sentence, b=part)
        if len(parts) > 1:
            sentence = say("{a} and {b}", a=sentence, b=parts[-1])
        return say(
            f"With {{s}} = {{e}}, {what} {{parts}}.",
            s=symbol,
            e=sp.Integer(entry),
            parts=sentence,
            x=self.unknown or symbol,
        )


def _short(term: Term) -> sp.Expr:
    return term.short / term.degree if term.short is not None else term.bytes


def _verdicts(question: Question, shown: _Cells, facts: list[dict[str, Any]]) -> list[Block]:
    """Say how many printed figures agree, and list those that do not, with the difference."""
    held = [fact for fact in facts if fact["printed"] is not None]
    if not held:
        return []
    cut = [fact for fact in held if fact["verdict"] == "truncated"]
    wrong = [fact for fact in held if fact["verdict"] == "different"]
    agree = len(held) - len(cut) - len(wrong)
    parts = [f"{agree} {_is(agree)} exact or rightly rounded"]
    parts += [f"{len(cut)} {_is(len(cut))} cut off instead of rounded"] if cut else []
    parts += [f"{len(wrong)} {_is(len(wrong))} different"] if wrong else []
    said = f"Of the {len(held)} printed figures {listed(parts)}"
    note = question.get("printed_note", "")
    blocks: list[Block] = [Paragraph(text(f"{said}.{' ' + str(note) if note else ''}"))]
    items = []
    for fact in (*cut, *wrong):
        value, stated = fact["value"], figure(fact["printed"]) * BYTES_PER.get(shown.unit, 1)
        if value is None:
            items.append(text(f"printed {fact['printed']}, and nothing fits"))
            continue
        items.append(
            say(
                f"printed {fact['printed']}, exactly {{value}}: {{off}} too {'little' if stated < value else 'much'}",
                value=shown.cell(value),
                off=shown.cell(abs(value - stated)),
            )
        )
    return [*blocks, Bullets(tuple(items))] if items else blocks


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _numbers(question: Question, where: str) -> tuple[int, ...]:
    chosen = question.get("stages", [1, 2, 3])
    wrong = [number for number in chosen if number not in DIVIDED or isinstance(number, bool)]
    if wrong or not chosen:
        raise BadInput(f"{where}: stages = {chosen!r}; give a list of 0 (baseline), 1, 2 and 3")
    return tuple(chosen)


def _rows(question: Question, where: str) -> tuple[sp.Symbol, list[int]]:
    rows = question.get("rows", {"n_fsdp": [64]})
    name = next(iter(rows), "")
    symbol = lookup(name)
    entries = list(rows.get(name) or [])
    whole = entries and all(type(n) is int and n > 0 for n in entries)
    if len(rows) != 1 or symbol is None or symbol not in (n_fsdp, n_tp) or not whole:
        raise BadInput(
            f"{where}: rows = {rows!r}; give n_fsdp or n_tp with whole numbers: rows = {{ n_fsdp = [1, 4] }}"
        )
    return symbol, entries
