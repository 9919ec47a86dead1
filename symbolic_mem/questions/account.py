"""The question `account`: each kind of memory as an expression, and in numbers where every symbol has a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import sympy as sp

from symbolic_mem.base.errors import BadInput
from symbolic_mem.base.exact import at
from symbolic_mem.base.formula import read_formula
from symbolic_mem.base.ledger import Ledger, Line
from symbolic_mem.base.rational import fraction
from symbolic_mem.base.symbols import M_total, P, spelled
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Amount, Chain, Long, Prose, amount, say, text
from symbolic_mem.document.steps import Block
from symbolic_mem.document.words import about, joined
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import KINDS, STATIC
from symbolic_mem.questions.parts.keys import entries, kinds, values
from symbolic_mem.questions.parts.memory import kept_table
from symbolic_mem.questions.parts.uncounted import uncounted_records
from symbolic_mem.questions.parts.words import KIND_SYMBOLS, KIND_WORDS
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.study.answered import answer_to
from symbolic_mem.study.claimed import Claimed
from symbolic_mem.study.found import Found
from symbolic_mem.study.keys import At, key, sets, words
from symbolic_mem.study.question import Question
from symbolic_mem.study.setting import Change
from symbolic_mem.study.study import Study

Written = tuple[tuple[sp.Symbol, sp.Expr], ...]


def _written(given: Any, at: At) -> Written:
    """Read how symbols are written out in others: ``{ d_ff = "4*d_model" }``."""
    names = spelled()
    found = []
    for name, formula in entries(given, at).items():
        if name not in names:
            raise BadInput(f"{at.where}: {name!r} is no symbol; give for example {{ d_ff = '4*d_model' }}")
        found.append((names[name], read_formula(words(formula, at), names, f"{at.where}: {name}")))
    return tuple(found)


@dataclass(frozen=True, repr=False)
class Account(Question):
    """Parameters, every kind of memory that is kept, and all of it, as expressions; `written` puts one size in others."""

    ask = "account"

    kinds: tuple[str, ...] = key(kinds, ())
    values: tuple[Change, ...] = sets(values)
    written: Written = key(_written, ())

    def called(self, given: Mapping[sp.Symbol, sp.Rational], study: Study) -> Account:
        """The question without what it writes out of a size to which the caller gives another value."""
        kept = tuple(
            (symbol, formula)
            for symbol, formula in self.written
            if symbol not in given or at(formula, study.values) == given[symbol]
        )
        if kept == self.written:
            return self
        gone = (
            ("written", f"{symbol} = {formula}") for symbol, formula in self.written if (symbol, formula) not in kept
        )
        return replace(self, written=kept, replaced=(*self.replaced, *gone))

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The batch and its length may stay open, where what is counted has them: the account is an expression."""
        batch = () if set(self.counted) <= {*STATIC} else ("B", "S")
        return (*batch, *(change.aspect for change in self.values))

    @property
    def finds(self) -> tuple[str, ...]:
        """Nothing is solved for: a value that is given counts."""
        return ()

    @property
    def counted(self) -> tuple[str, ...]:
        """The kinds of memory that the question counts."""
        return self.kinds or KINDS

    def answer(self, study: Study) -> FoundAccount:
        """Sum the terms of every kind, with the parameters as P."""
        memory, put = study.memory.of(*self.counted), dict(self.written)
        known = {} if put else study.values  # an account with one size in others is an expression
        lines = [Line(P, study.model.parameters.xreplace(put), "parameters", "parameters")]
        for kind in memory.kinds:
            terms = memory.of(kind).terms
            total = sp.Add(*(term.bytes if term.short is None else term.short for term in terms))
            lines.append(Line(KIND_SYMBOLS[kind], total.xreplace(put), "bytes", KIND_WORDS[kind]))
        whole = sp.Add(*(line.symbol for line in lines[1:]))
        return FoundAccount(study, self, (*lines, Line(M_total, whole, "bytes", "all that is counted")), known)

    def steps(self, found: FoundAccount) -> Iterator[Block]:
        """What is kept and why, then every kind as an expression, with its number where there is one."""
        saving = [layer for layer in recompute(found.study.model, found.study.recipe.recompute).layers if layer.saved]
        if saving and "activations" in self.counted:
            yield kept_table(saving, found.study.recipe, now=found.study.at is not None)
        work = Work(found.known)
        if self.written:
            chains = [Chain(symbol, (("=", formula),), general=True) for symbol, formula in self.written]
            yield work.step(text("With"), *chains)
        chains = [self._chain(line, found, work) for line in found.lines]
        yield work.step(text("The parameters, what each kind of memory takes, and all of it, in bytes:"), *chains)
        yield work.step(text("Written out, all of it is"), Chain(M_total, (("=", Long(found.ledger.unfold(M_total))),)))

    def _chain(self, line: Line, found: FoundAccount, work: Work) -> Chain:
        number = found.number(line)
        work.values[line.symbol] = found.ledger.unfold(line.symbol).xreplace(dict(found.known))
        links: list[tuple[str, Any]] = [("=", Long(line.expr))]
        if number is not None:
            links += [] if line.expr.is_Symbol else [("=", work.put(line.expr))]
            links += [amount(number, line.unit, digits=30)]
            links += [amount(number, "GiB")] if line.unit == "bytes" else []
        return Chain(line.symbol, tuple(links))

    def sentence(self, found: FoundAccount) -> Prose:
        """Name every kind with its expression, and its size where there is one."""
        whole = found.lines[-1]
        in_parts = whole.expr.xreplace({line.symbol: line.expr for line in found.lines[1:-1]})
        lines = (*found.lines[:-1], Line(whole.symbol, in_parts, whole.unit, whole.says))
        said = [_said(line, found.number(line)) for line in lines]
        return say("In bytes, with {p} for the parameters: {said}.", p=P, said=joined(said, "; ", "; "))

    def heading(self, found: FoundAccount) -> str:
        """The title where the study gives none."""
        return self.title or "What training keeps"

    @cached_property
    def claimable(self) -> tuple[str, ...]:
        """What can be claimed: every line."""
        return tuple(map(str, (P, *(KIND_SYMBOLS[kind] for kind in self.counted), M_total)))

    def claims(self, study: Study) -> Mapping[str, Claimed]:
        """Those lines that have a number, by their symbols."""
        found = answer_to(study, self)
        numbers = [(line, found.number(line)) for line in found.lines]
        return {
            str(line.symbol): Claimed(
                fraction(number), "bytes" if line.unit == "bytes" else "number", line.says, unit=line.unit
            )
            for line, number in numbers
            if number is not None
        }


def _said(line: Line, number: sp.Expr | None) -> Prose:
    chain = Chain(line.symbol, (("=", line.expr),))
    if number is None:
        return say("{words} {chain}", words=text(line.says), chain=chain)
    unit = "GiB" if line.unit == "bytes" else line.unit
    return say("{words} {chain}, {size}", words=text(line.says), chain=chain, size=about(Amount(number, unit)))


@dataclass(frozen=True, repr=False)
class FoundAccount(Found):
    """The `lines` of the account, over the symbols that are `known` and those that are open."""

    lines: tuple[Line, ...]
    known: Mapping[sp.Symbol, sp.Expr]

    @property
    def ledger(self) -> Ledger:
        """The lines."""
        return Ledger(self.lines, self.known)

    def number(self, line: Line) -> sp.Expr | None:
        """The number of a line; None while a symbol of it is open."""
        return at(self.ledger.unfold(line.symbol), self.known)

    @property
    def value(self) -> sp.Expr | None:
        """All bytes, where they are a number."""
        return self.number(self.lines[-1])

    @property
    def facts(self) -> Mapping[str, Any]:
        """Every line as a formula, and its number where there is one."""
        return {
            "value": self.value,
            "lines": {
                str(line.symbol): {
                    "formula": self.ledger.unfold(line.symbol),
                    "value": self.number(line),
                    "unit": line.unit,
                }
                for line in self.lines
            },
            "not_counted": uncounted_records(self.study, self.known),
        }
