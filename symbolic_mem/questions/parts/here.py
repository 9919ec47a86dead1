"""What each kind of memory is at the instant that is counted: what is there for a moment with its formulas, and the sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import sympy as sp

from symbolic_mem.accounts.terms import Memory, Term
from symbolic_mem.base.factors import common_factors_first
from symbolic_mem.base.rational import ratio, symbolic
from symbolic_mem.base.symbols import M_static, P
from symbolic_mem.base.values import dataclass
from symbolic_mem.document.prose import Brief, Chain, Long, Prose, Side, Total, amount, say, text
from symbolic_mem.document.steps import Block, Column, Table, in_full, in_short
from symbolic_mem.document.words import count, joined
from symbolic_mem.document.work import Work
from symbolic_mem.models.tensors import STATIC
from symbolic_mem.questions.parts.repeated import summed
from symbolic_mem.questions.parts.words import KIND_SYMBOLS
from symbolic_mem.recipes.recompute import recompute
from symbolic_mem.study.study import Study

TABLED = ", with what is there for a moment"


def here_blocks(study: Study, work: Work, kinds: Sequence[str]) -> Iterator[Block]:
    """What each kind is at the instant that is counted, where that is not what an account of what is kept has.

    What is there for a moment stands in a table with its formulas, and a sum has its bytes.
    """
    if study.at is None:
        return
    here, kept, numbers = study.memory.of(*kinds), study.seen_at(None).memory, study.numbers
    moving = [
        kind for kind in here.kinds if kind not in STATIC or here.of(kind).at(numbers) != kept.of(kind).at(numbers)
    ]
    if not moving:
        return
    wholes = {P: study.model.parameters}
    there = _There(study, work, {term.name for term in kept.terms}, wholes)
    new = {kind: found for kind in moving if (found := there.momentary(here.of(kind)))}
    chains, brief, ones = [], [], []
    for kind in moving:
        symbol, formula = KIND_SYMBOLS[kind], _formula(here.of(kind))
        chains.append(Chain(symbol, (("=", formula), *_shown(symbol, work))))
        if isinstance(formula, Long):
            named, sides = there.summed(here.of(kind))
            ones += named
            brief.append(Chain(symbol, _links(symbol, sides, work, in_table=len(new.get(kind, ())) > 1)))
        else:
            brief.append(chains[-1])
        if kind == "weights":
            wholes[symbol] = here.of(kind).total
    if set(STATIC) & set(moving) and M_static in work.values:
        total = Total(tuple(KIND_SYMBOLS[kind] for kind in here.kinds if kind in STATIC))
        chains.append(Chain(M_static, (("=", total), *_shown(M_static, work))))
        brief.append(chains[-1])
    if ones:
        yield from in_short([work.step(text("One repetition of layers keeps for the backward pass"), *ones)])
    several = {kind: found for kind, found in new.items() if len(found) > 1}
    yield from in_full(
        [work.step(text(f"At the instant that counts{TABLED if new else ''},"), *chains), *there.tables(new)]
    )
    yield from in_short([work.step(_said(new), *brief), *there.tables(several)])


def _shown(symbol: sp.Symbol, work: Work) -> tuple[tuple[str, Side], ...]:
    value = work.number(symbol)
    return amount(value, "bytes", digits=14), amount(value, "GiB")


def _links(symbol: sp.Symbol, sides: Sequence[sp.Expr], work: Work, *, in_table: bool) -> tuple[tuple[str, Side], ...]:
    """A sum, with numbers put in where it is no sum of numbers that stand in a table, and its bytes."""
    shown, formula = _shown(symbol, work), ("=", Total(tuple(sides)))
    if in_table:
        return formula, shown[0]
    return formula, ("=", Brief(Total(tuple(work.put(side) for side in sides)))), *shown


def _said(new: Mapping[str, Sequence[tuple[str, Memory]]]) -> Prose:
    """What is there for a moment of each kind: by its name, or what a table has."""
    if not new:
        return text("At the instant that counts,")
    if all(len(found) > 1 for found in new.values()):
        return text(f"At the instant that counts{TABLED},")
    names = ((kind, found[0][0] if len(found) == 1 else "what the table has") for kind, found in new.items())
    parts = [say("in {kind}: {name}", kind=KIND_SYMBOLS[kind], name=text(name)) for kind, name in names]
    return say("At the instant that counts (for a moment, {parts}),", parts=joined(parts, "; ", "; "))


def _formula(memory: Memory) -> Side:
    """What a kind takes: so many bytes for each parameter where that is all of it, or else all that is there."""
    shorts = [term.short for term in memory.terms if term.short is not None]
    return sp.Add(*shorts) if len(shorts) == len(memory.terms) else Long(memory.total)


@dataclass(frozen=True)
class _There:
    """A study at its instant, with the names of the terms that it keeps at any: the `known`.

    What is a number of times one of the `wholes` is written so.
    """

    study: Study
    work: Work
    known: AbstractSet[str]
    wholes: Mapping[sp.Symbol, sp.Expr]

    def momentary(self, memory: Memory) -> list[tuple[str, Memory]]:
        """What an account of what is kept does not have, each name once."""
        found: dict[str, tuple[Term, ...]] = {}
        for term in memory.terms:
            if term.name not in self.known:
                found[term.name] = (*found.get(term.name, ()), term)
        return [(name, Memory(terms)) for name, terms in found.items()]

    def summed(self, memory: Memory) -> tuple[list[Chain], tuple[sp.Expr, ...]]:
        """The formula of what is kept of a kind, and of what is there for a moment; of several of these the bytes.

        Lines that say what one repetition of layers keeps come first, where no line has said it; a stage keeps it for
        each micro-batch in flight.
        """
        new = [one for _, one in self.momentary(memory)]
        sizes = [self.written(one) if len(new) == 1 else self._size(one) for one in new]
        lasting, told = memory.where(lambda term: term.name in self.known), set(self.work.values)
        if not lasting.terms or set(memory.kinds) & set(STATIC) or (self.study.at is not None and self.study.at.rank):
            return [], (*(self.written(Memory((term,))) for term in lasting.terms), *sizes)
        layers = recompute(self.study.model, self.study.recipe.recompute).layers
        named, formula = summed(lasting, layers, self.work)
        return [one for one in named if one.left not in told], (*formula, *sizes)

    def tables(self, new: Mapping[str, Sequence[tuple[str, Memory]]]) -> Iterator[Table]:
        """What is there for a moment with its formulas and bytes, if anything is."""
        named = [one for found in new.values() for one in found]
        if not named:
            return
        rows = ((text(name), say("{f}", f=self.written(memory)), count(self._size(memory))) for name, memory in named)
        columns = (Column(text("term"), "note"), Column(text("formula"), "formula"), Column(text("bytes"), "right"))
        yield Table(text("What is there for a moment at the instant that counts"), columns, tuple(rows))

    def written(self, memory: Memory) -> sp.Expr:
        """The bytes of terms: so many for each parameter, or so many times the weights, or else what all parts share in front."""
        total, numbers = sp.Add(*(term.bytes for term in memory.terms)), self.study.numbers
        for symbol, whole in self.wholes.items():
            each = symbolic(ratio(numbers[total], numbers[whole]))
            if sp.expand(total - each * whole) == 0:
                return each * symbol
        in_factors = any(factor.is_Add for part in sp.Add.make_args(total) for factor in sp.Mul.make_args(part))
        return total if in_factors else common_factors_first(total)

    def _size(self, memory: Memory) -> sp.Expr:
        return symbolic(memory.at(self.study.numbers))
